"""What nginx spends on the boot script of a known host, against any static file of the same size, at 10 and at 10,000 hosts.

CPU time of nginx's workers for each request, as a ratio within one run. Goal: at most 1.5, and the same at both numbers.
Run: python -m tests.bench.static_script
"""

import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hps.boot import ipxe
from hps.boot.model import Local
from hps.paths import Paths
from hps.security import authority
from hps.services import nginx
from tests.sites import mac_of
from tests.unit.services.clusters import CLUSTER

GOAL = 1.5
SPREAD = 1.25
"""By how much the two numbers of hosts may differ: that is noise, where a search would differ a hundredfold."""

COUNTS = (10, 10_000)
ROUNDS, BATCHES, BATCH = 9, 40, 50
CLIENTS = 8


def address_of(number: int) -> str:
    """The address of the host with this number: any of 127.0.0.0/8 is this machine."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


@contextmanager
def serving(base: Path, count: int) -> Iterator[tuple[int, list[int]]]:
    """nginx as an IPS has it, on a loopback port, with the scripts of so many hosts: the port, and the pids of its workers."""
    paths = Paths(base)
    for folder in (*nginx.temporary_folders(paths), paths.log, paths.scripts, paths.boot, paths.images, nginx.folder(paths)):
        folder.mkdir(parents=True)
    authority.ensure_authority(paths.authority("lab"), "lab")
    authority.ensure_server_certificate(paths.authority("lab"), ("ips",), ("127.0.0.1",))
    text = ""
    for number in range(count):
        text = ipxe.render_file(Local(f"sch-{number:05d} starts from its own disk"), mac_of(number), "10.77.0.1")
        (paths.scripts / address_of(number)).write_text(text)
    (paths.boot / "file").write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, secure = free.getsockname()[1], other.getsockname()[1]
    configuration = nginx.render(CLUSTER, paths, nginx.Settings(user="root", certificate="ab"))
    configuration = configuration.replace("listen 10.77.0.1:80;", f"listen {port};").replace("listen 10.77.0.1:443", f"listen {secure}")
    nginx.configuration(paths).write_text(configuration)
    process = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(nginx.configuration(paths))])
    try:
        yield port, _workers(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _workers(master: int) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if len(found) == 2:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise AssertionError("nginx has no workers")


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of these processes, in nanoseconds' resolution where the kernel counts that (proc(5), schedstat)."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def ask(port: int, path: str, sources: Sequence[str]) -> None:
    """Ask from each of these addresses so many times on one connection; raises AssertionError for any answer but the file."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: iPXE/1.0.0\r\n\r\n".encode() * BATCH
    for source in sources:
        with socket.create_connection(("127.0.0.1", port), 30, (source, 0)) as stream:
            for _ in range(BATCHES // CLIENTS):
                stream.sendall(request)
                data = b""
                while data.count(b"\nchain http://") < BATCH:
                    part = stream.recv(1 << 18)
                    if not part:
                        raise AssertionError(f"{path} from {source}: {data[:400]!r}")
                    data += part
                if data.count(b"HTTP/1.1 200") != BATCH:
                    raise AssertionError(f"{path} from {source}: {data[:400]!r}")


def microseconds(port: int, workers: Sequence[int], path: str, sources: Sequence[str]) -> float:
    """CPU time of nginx for one request."""
    before = cpu_seconds(workers)
    ask(port, path, sources)
    return (cpu_seconds(workers) - before) * 1e6 / (len(sources) * (BATCHES // CLIENTS) * BATCH)


def measure(count: int) -> dict[str, float]:
    """Median microseconds of each kind, and the median of the ratios of the rounds, with so many hosts."""
    with tempfile.TemporaryDirectory(prefix="hps-bench-") as folder, serving(Path(folder), count) as (port, workers):
        step = max(1, count // CLIENTS)
        rounds = []
        for turn in range(ROUNDS):
            sources = [address_of((turn + number * step) % count) for number in range(CLIENTS)]
            pair = [microseconds(port, workers, path, sources) for path in ("/boot/script", "/boot/file")]
            rounds.append(pair)
        # The first round warms the caches of the file system.
        script, static = (statistics.median(pair[index] for pair in rounds[1:]) for index in (0, 1))
        return {"script": script, "static": static, "ratio": statistics.median(pair[0] / pair[1] for pair in rounds[1:])}


def main() -> int:
    """Measure and print one line for each number of hosts; 1 when a goal is missed."""
    found = {count: measure(count) for count in COUNTS}
    for count, one in found.items():
        words = f"script {one['script']:6.1f} us, static file {one['static']:6.1f} us of CPU a request, ratio {one['ratio']:.2f}"
        print(f"{count:6} hosts: {words} (goal: at most {GOAL})")
    few, many = (found[count]["ratio"] for count in COUNTS)
    print(f"{COUNTS[1]} hosts against {COUNTS[0]}: {many / few:.2f} (goal: 1, within {SPREAD})")
    return int(max(few, many) > GOAL or many / few > SPREAD)


if __name__ == "__main__":
    sys.exit(main())
