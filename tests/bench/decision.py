"""What hps-api spends on a dynamic decision, against a bare Flask route in the same gunicorn, from 10 to 10,000 hosts.

A known machine that waits asks `cmd=init`. CPU time of the worker for each request, as a ratio within one run; each request
comes on a connection of its own, as from nginx. Goal: at most 1.4 at 10,000 hosts. Beside it, as a warning, what a server
spends that looks through the files of all hosts for each request, as Matchbox does.
Run: python -m tests.bench.decision
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hps.flows.model import Site
from hps.registry.model import host_name
from hps.registry.store import FileRegistry
from hps.registry.text import end_mark, render_record
from tests.sites import mac_of, make_site, write_leases
from tests.web.serving import ROOT

GOAL = 1.4
COUNTS = (10, 100, 1_000, 10_000)
ROUNDS, REQUESTS = 9, 400

APPLICATION = '''
"""hps-api, a bare route that answers as much, and one that looks through every file, by the path of the request."""

from pathlib import Path

from flask import Flask, Response, request

from hps.paths import Paths
from hps_api import create_app

hps_api = create_app()
bare, linear = Flask("bare"), Flask("linear")
SCRIPT = "#!ipxe\\n" + "echo HPS\\n" * 40
HOSTS = Paths.from_environment().config / "clusters/lab/hosts"


@bare.route("/bare")
def one():
    return Response(SCRIPT, content_type="text/plain; charset=utf-8")


@linear.route("/linear")
def look():
    wanted = request.headers["X-Hps-Address"]
    for path in HOSTS.iterdir():
        values = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        if values.get("IP") == wanted:
            return Response(SCRIPT, content_type="text/plain; charset=utf-8")
    return Response("", status=404)


ROUTES = {"/bare": bare, "/linear": linear}


def app(environment, start_response):
    return ROUTES.get(environment["PATH_INFO"], hps_api)(environment, start_response)
'''


def address_of(number: int) -> str:
    """The address of the host with this number."""
    return f"10.77.{number // 250}.{number % 250 + 1}"


def populate(at: Site, count: int) -> None:
    """So many waiting hosts, each with a lease; their files are written as the registry writes them, but not flushed one by one."""
    registry = at.registry
    assert isinstance(registry, FileRegistry)
    for number in range(count):
        path = registry.path(host_name("lab", mac_of(number)))
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {"STATE": "CONFIGURED", "HOSTNAME": f"sch-{number:05d}", "IP": address_of(number), "TYPE": "SCH", "ARCH": "x86_64"}
        values |= {
            f"HOST_{key}": f"{key} of the machine {number}" for key in ("CPU", "RAM", "DISKS", "NICS", "SERIAL", "VENDOR", "UUID", "BIOS")
        }
        path.write_text(render_record(values) + end_mark(registry.revision()))
    write_leases(at.paths, [(mac_of(number), address_of(number)) for number in range(count)])


@contextmanager
def gunicorn(base: Path) -> Iterator[tuple[Path, int]]:
    """The socket and the pid of the worker of a gunicorn as supervisor starts it, with one worker."""
    (base / "measured.py").write_text(APPLICATION)
    words = re.search(r"-m gunicorn (.*) app:app", (ROOT / "supervisor.d/hps-api.conf").read_text())
    assert words is not None
    options = re.sub(r"--(bind|chdir|workers) \S+", "", words[1]).split()
    place = base / "hps-api.sock"
    environment = {**os.environ, "HPS_BASE": str(base), "PYTHONPATH": f"{ROOT}/lib:{ROOT}/hps-api:{base}", "HOME": str(base)}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"unix:{place}", "--workers", "1", *options, "measured:app"]
    with (base / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=base, env=environment, stdout=log, stderr=log)
    try:
        yield place, _worker(process, place, base / "gunicorn.log")
    finally:
        process.terminate()
        process.wait(30)


def _worker(process: "subprocess.Popen[bytes]", place: Path, log: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if place.exists() and len(found) == 1:
            return int(found[0])
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def cpu_seconds(pid: int) -> float:
    """CPU time of every thread of a process (proc(5), schedstat); gunicorn's threads live as long as it does."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def ask(place: Path, path: str, addresses: Sequence[str], wanted: bytes) -> None:
    """Ask once from each of these addresses, with the headers that nginx sets; raises AssertionError for another answer."""
    for address in addresses:
        headers = f"Host: 10.77.0.1\r\nX-Hps-Door: plain\r\nX-Hps-Address: {address}\r\nX-Hps-Verified: \r\nX-Hps-Certificate: \r\n"
        request = f"GET {path} HTTP/1.1\r\n{headers}X-Forwarded-For: \r\nUser-Agent: iPXE/1.0.0\r\n\r\n".encode()
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(place))
            stream.sendall(request)
            answer = _whole(stream)
        if wanted not in answer:
            raise AssertionError(f"{path} from {address}: {answer!r}")


def _whole(stream: socket.socket) -> bytes:
    data = b""
    while True:
        part = stream.recv(65536)
        data += part
        head, separator, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head) if separator else None
        if not part or (length is not None and len(body) >= int(length[1])):
            return data


def microseconds(place: Path, pid: int, path: str, addresses: Sequence[str], wanted: bytes) -> float:
    """CPU time of the worker for one request."""
    before = cpu_seconds(pid)
    ask(place, path, addresses, wanted)
    return (cpu_seconds(pid) - before) * 1e6 / len(addresses)


def measure(count: int) -> dict[str, float]:
    """Median microseconds of each kind, and the median of the ratios of the rounds, with so many hosts."""
    with tempfile.TemporaryDirectory(prefix="hps-bench-") as folder:
        base = Path(folder)
        at = make_site(base, DHCP_IFACE="lo", NETWORK_CIDR="10.77.0.0/16", DHCP_RANGESIZE="20000")
        populate(at, count)
        with gunicorn(base) as (place, pid):
            rounds = []
            for turn in range(ROUNDS):
                addresses = [address_of((turn * 7 + number) * 37 % count) for number in range(REQUESTS)]
                ours = microseconds(place, pid, "/hps-api?cmd=init", addresses, b"is configured")
                bare = microseconds(place, pid, "/bare", addresses, b"echo HPS")
                rounds.append((ours, bare))
            few = [address_of(number * 7919 % count) for number in range(max(4, 400 // count))]
            linear = microseconds(place, pid, "/linear", few, b"echo HPS")
        ours, bare = (statistics.median(pair[index] for pair in rounds[2:]) for index in (0, 1))
        ratio = statistics.median(pair[0] / pair[1] for pair in rounds[2:])
        return {"decision": ours, "bare": bare, "ratio": ratio, "linear": linear, "linear_ratio": linear / bare}


def main() -> int:
    """Measure and print one line for each number of hosts; 1 when the goal is missed."""
    print("microseconds of CPU a request, and as a multiple of a bare Flask route")
    for count in COUNTS:
        found = measure(count)
        words = f"decision {found['decision']:6.0f} = {found['ratio']:.2f}, bare {found['bare']:6.0f}"
        print(
            f"{count:6} hosts: {words}, warning: looking through all files {found['linear']:8.0f} = {found['linear_ratio']:.1f}", flush=True
        )
    print(f"goal: at most {GOAL} at {COUNTS[-1]} hosts")
    return int(found["ratio"] > GOAL)


if __name__ == "__main__":
    sys.exit(main())
