"""How long it takes until `hps` and the n_ functions have asked their question: against an interpreter that does nothing.

A trivial server answers at once, over the operator's socket and over mutual TLS, in a network namespace of its own; so what is
measured is the start, the question and the answer, and not hps-api. CPU is user and system time of the process and its children.
Run: python -m tests.bench.start
"""

import contextlib
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hps.ask import node
from hps.images import layer, zipapp
from hps.security import authority, certificates
from tests.sites import mac_of

GOAL = 2.5
RUNS = 60
SYSTEM_PYTHON = "/usr/bin/python3"
FUNCTIONS = Path(__file__).resolve().parents[2] / "node-functions"
LIBRARY = layer.PACKAGE.parent
INSTALLED = f"import re, sys; sys.path.insert(0, {str(LIBRARY)!r}); from hps.__main__ import main; sys.exit(main())"
"""What the script that pip makes does; an interpreter without a development tree starts in half the time."""
BODY = b"status=ready\ncluster=lab\n"
ANSWER = b"HTTP/1.0 200 OK\r\nX-Hps-Out: %d\r\nX-Hps-Exit: 0\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), len(BODY), BODY)


def serve(listener: socket.socket, wrap: Callable[[socket.socket], socket.socket]) -> None:
    """Answer every question on this socket, each with the same words, until the process ends."""

    def answer() -> None:
        while True:
            accepted = listener.accept()[0]
            # Whoever asks has read as many bytes as were announced, and may be gone by then.
            with contextlib.suppress(OSError), wrap(accepted) as connection:
                connection.recv(1 << 16)
                connection.sendall(ANSWER)
                if isinstance(connection, ssl.SSLSocket):
                    connection.unwrap()

    threading.Thread(target=answer, daemon=True).start()


def identity(base: Path, address: str) -> Path:
    """The identity of a node below this folder, and beside it the authority with a certificate of the IPS at this address."""
    authority.ensure_authority(base / "ca", "lab")
    authority.ensure_server_certificate(base / "ca", ["ips"], [address])
    key, request = certificates.key_and_request()
    folder = base / "identity"
    folder.mkdir()
    (folder / node.PAIR).write_text(key + certificates.issue(base / "ca", request, certificates.NODE, mac_of(1).digits, 30).pem)
    (folder / node.AUTHORITY).write_bytes((base / "ca/ca.pem").read_bytes())
    (folder / "config.json").write_text(f'{{"Hps": {{"Address": "{address}"}}}}\n')
    return folder


def application(base: Path) -> Path:
    """hps.pyz as an image holds it: with its modules compiled by the interpreter that runs them."""
    work = base / "compile"
    modules = zipapp.sources(layer.PACKAGE)
    for name, text in modules.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(text)
    subprocess.run([SYSTEM_PYTHON, "-m", "compileall", "-q", "-b", "--invalidation-mode", "unchecked-hash", work], check=True)
    place = base / "hps.pyz"
    place.write_bytes(zipapp.pack(modules | {f"{name}c": (work / f"{name}c").read_bytes() for name in modules}))
    return place


def once(words: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of CPU, of one run."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    begun = time.perf_counter()
    process = os.posix_spawnp(words[0], list(words), dict(environment), file_actions=quiet)
    _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    if status:
        raise AssertionError(f"{' '.join(words)}: ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, used.ru_utime + used.ru_stime


def measure(cases: Mapping[str, Sequence[str]], environment: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """The medians of every case, in milliseconds; the cases take turns, so that a busy moment falls on all of them."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(RUNS):
        for name, words in cases.items():
            found[name].append(once(words, environment))
    return {
        name: (1000 * statistics.median(wall for wall, _ in runs), 1000 * statistics.median(cpu for _, cpu in runs))
        for name, runs in found.items()
    }


def inside() -> int:
    """Serve and measure, in the namespace."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "run").mkdir()
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(base / "run/operator.sock"))
        door.listen(8)
        serve(door, lambda plain: plain)
        own = identity(base, "127.0.0.1")
        settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(base / "ca/ca.pem"))
        settings.verify_mode = ssl.CERT_REQUIRED
        settings.load_cert_chain(base / "ca/ips.pem", base / "ca/ips.key")
        listener = socket.create_server(("127.0.0.1", 443))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as nginx does
        serve(listener, lambda plain: settings.wrap_socket(plain, server_side=True))
        functions = f". {FUNCTIONS}/hps.sh; . {FUNCTIONS}/api.sh; _n_application={application(base)}; _n_identity={own}"
        found = measure(
            {
                "python3 -c pass, of hps": (sys.executable, "-c", "pass"),
                "hps health": (str(Path(sys.executable).with_name("hps")), "health"),
                "python3 -c pass, of Debian": (SYSTEM_PYTHON, "-c", "pass"),
                "hps health, installed there": (SYSTEM_PYTHON, "-c", INSTALLED, "health"),
                "python3 -c pass, of a node": (SYSTEM_PYTHON, "-c", "pass"),
                "n_health": ("sh", "-c", f"{functions}; n_health"),
            },
            {**os.environ, "HPS_BASE": str(base)},
        )
    return report(found)


def report(found: Mapping[str, tuple[float, float]]) -> int:
    """Print every case, each second one against the one before it; 1 where the goal is missed."""
    missed = 0
    cases = list(found.items())
    for (bare, (bare_wall, bare_cpu)), (name, (wall, cpu)) in zip(cases[::2], cases[1::2], strict=True):
        ratio = max(wall / bare_wall, cpu / bare_cpu)
        missed |= ratio > GOAL
        print(f"{bare:28} {bare_wall:6.1f} ms, CPU {bare_cpu:6.1f} ms")
        print(f"{name:28} {wall:6.1f} ms, CPU {cpu:6.1f} ms: {wall / bare_wall:.2f} and {cpu / bare_cpu:.2f} times; goal {GOAL}")
    return int(missed)


def main() -> int:
    """Measure in a network namespace of its own, because the port of an IPS is fixed."""
    words = ["unshare", "--net", "--map-root-user", sys.executable, "-m", "tests.bench.start", "inside"]
    return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    sys.exit(inside() if sys.argv[1:] == ["inside"] else main())
