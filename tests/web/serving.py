"""hps-api under a real gunicorn on a loopback port, the way supervisor starts it, with nginx's headers set by the client."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(base: Path, workers: int = 1, threads: int = 64, more: Sequence[str] = ()) -> Iterator[int]:
    """The port of a gunicorn that serves the site below this folder; it is stopped at the end."""
    log = base / "gunicorn.log"
    ready = base / "gunicorn.port"
    hook = base / "gunicorn.conf.py"
    hook.write_text(f"def when_ready(server):\n    open({str(ready)!r}, 'w').write(str(server.LISTENERS[0].sock.getsockname()[1]))\n")
    arguments = [
        "-c",
        str(hook),
        "--bind",
        "127.0.0.1:0",
        "--worker-class",
        "gthread",
        "--workers",
        str(workers),
        "--threads",
        str(threads),
        *more,
    ]
    environment = {**os.environ, "HPS_BASE": str(base), "PYTHONPATH": f"{ROOT}/lib:{ROOT}/hps-api", "HOME": str(base)}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *arguments, "app:app"],
            cwd=ROOT / "hps-api",
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _port(process, ready, log)
    finally:
        process.terminate()
        process.wait(20)


def _port(process: "subprocess.Popen[bytes]", ready: Path, log: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        text = ready.read_text() if ready.exists() else ""
        if text.isdigit():
            with suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", int(text), timeout=5)
                connection.request("GET", "/hps-api?cmd=health", headers={"X-Hps-Door": "local"})
                connection.getresponse().read()
                return int(text)
        time.sleep(0.05)
    raise AssertionError(f"gunicorn did not start: {log.read_text()}")
