"""The doors of an IPS as they are shipped: a real nginx with the rendered configuration before a real gunicorn, on a loopback address.

Each front has a network of 127.0.0.0/8 to itself, so that fronts do not meet; a client takes any address of it.
"""

import http.client
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hps.flows.model import Site
from hps.paths import Paths
from hps.security import authority, certificates
from hps.services import facts, nginx
from tests.sites import make_site

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where the connection itself was refused."""

    status: int
    body: bytes = b""

    @property
    def result(self) -> Any:
        """The result of a command."""
        assert self.status == 200, (self.status, self.body)
        return json.loads(self.body)["result"]


@dataclass(frozen=True)
class Front:
    """One IPS with its doors, and the network `127.x.y.0/24` that it serves."""

    at: Site
    network: str

    @property
    def address(self) -> str:
        """The address of the IPS."""
        return f"{self.network}.1"

    @property
    def url(self) -> str:
        """The door for members."""
        return f"https://{self.address}"

    def connect(self, pair: Path | None = None, door: str = "https", source: int = 2) -> http.client.HTTPConnection:
        """A connection with a client certificate (key and certificate in one file), from an address of the network."""
        origin = (f"{self.network}.{source}", 0)
        if door == "http":
            return http.client.HTTPConnection(self.address, timeout=30, source_address=origin)
        context = ssl.create_default_context(cafile=str(self.at.authority / "ca.pem"))
        if pair is not None:
            context.load_cert_chain(pair)
        return http.client.HTTPSConnection(self.address, timeout=30, source_address=origin, context=context)

    def call(self, name: str, given: Mapping[str, Any] | None = None, pair: Path | None = None, **more: Any) -> Answer:
        """One command on a connection of its own."""
        connection = self.connect(pair, more.pop("door", "https"), more.pop("source", 2))
        try:
            return ask(connection, f"/api/{name}", given or {}, more.pop("headers", None))
        finally:
            connection.close()

    def pair(self, name: str, issued: certificates.Issued | str, key: str) -> Path:
        """A file with this key and certificate."""
        path = self.at.paths.base / f"{name}.pair.pem"
        path.write_text(key + (issued if isinstance(issued, str) else issued.pem))
        return path


def ask(connection: http.client.HTTPConnection, path: str, given: object, headers: Mapping[str, str] | None = None) -> Answer:
    """One POST on a connection that may be used before and after."""
    try:
        connection.request(
            "POST", path, json.dumps(given), {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        )
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return Answer(0)


@contextmanager
def front() -> Iterator[Front]:
    """A front that answers; everything is stopped and removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="hps-f", dir="/tmp"))
    base.chmod(0o755)
    network = f"127.{random.randrange(16, 250)}.{random.randrange(1, 250)}"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        at = make_site(base, DHCP_IP=f"{network}.1", NETWORK_CIDR=f"{network}.0/24", DHCP_IFACE="lo")
        authority.ensure_server_certificate(at.authority, ("ips",), (f"{network}.1",))
        _folders(at.paths)
        user = facts.worker("www-data", at.paths)
        nginx.authority_copy(at.paths).write_bytes((at.authority / "ca.pem").read_bytes())
        nginx.configuration(at.paths).write_text(nginx.render(at.values, at.paths, nginx.Settings(user=user, certificate="ab")))
        with (base / "front.log").open("wb") as log:
            processes += [_start(words, base, log.fileno()) for words in _programs(at.paths)]
        _wait(at.paths, f"{network}.1", processes)
        yield Front(at, network)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        shutil.rmtree(base)


def _folders(paths: Paths) -> None:
    for path in (paths.run / "nginx", paths.log, nginx.folder(paths), paths.services / "scripts", paths.boot, paths.images):
        path.mkdir(parents=True, exist_ok=True)


def _programs(paths: Paths) -> Iterator[Sequence[str]]:
    """As supervisor.d starts them."""
    command = next(line for line in (ROOT / "supervisor.d/hps-api.conf").read_text().splitlines() if line.startswith("command="))
    values = {"ENV_HPS_PYTHON": sys.executable, "ENV_HPS_BASE": str(paths.base), "ENV_HPS_HOME": str(ROOT)}
    yield (command.removeprefix("command=") % values).split()
    yield ("nginx", "-e", "stderr", "-c", str(nginx.configuration(paths)))


def _start(words: Sequence[str], base: Path, log: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "HPS_BASE": str(base), "PYTHONPATH": f"{ROOT}/lib:{ROOT}/hps-api"}
    return subprocess.Popen(words, env=environment, stdout=log, stderr=log)


def _wait(paths: Paths, address: str, processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        log = (paths.base / "front.log").read_text(errors="replace")
        assert all(process.poll() is None for process in processes), log
        try:
            with socket.create_connection((address, 443), 5):
                pass
            with socket.socket(socket.AF_UNIX) as api:
                api.connect(str(nginx.api_socket(paths)))
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError((paths.base / "front.log").read_text(errors="replace"))
