"""A real nginx, and a real TFTP server, as an IPS has them, with files to lure whoever would read outside of their folders."""

import json
import os
import shutil
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType

from hps.paths import Paths
from hps.security import authority
from hps.services import nginx, tftp
from tests.unit.flows.networks import Wire
from tests.unit.services.clusters import CLUSTER

ADDRESS = CLUSTER["DHCP_IP"]
CANARY = b"CANARY-7d1f: this is outside of what is served"
HERE = b"this is served\n"


class Api(BaseHTTPRequestHandler):
    """In the place of hps-api: it answers what it was asked, or holds its answer back until it may go on."""

    held = threading.Semaphore(0)

    def do_GET(self) -> None:
        """Answer."""
        if "hold" in self.path:
            self.held.acquire(timeout=60)
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        body = json.dumps({"asked": self.path, "method": self.command, "headers": dict(self.headers), "size": size}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the base class looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """A Unix socket has no address."""
        return "nginx"


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 256


class Edge:
    """nginx in the namespace of the IPS, the stand-in for hps-api behind it, and a machine that can ask; `with` ends them."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="hps-e", dir="/tmp"))
        self.base.chmod(0o755)
        self.paths = Paths(self.base)
        self.wire = Wire()
        self.api: _Server | None = None
        self.programs: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Edge":
        self.wire.__enter__()
        folders = (
            *nginx.temporary_folders(self.paths),
            self.paths.log,
            self.paths.scripts,
            self.paths.tftp,
            self.paths.images,
            self.paths.boot,
        )
        for folder in folders:
            folder.mkdir(parents=True)
        self._lures()
        folder = self.paths.authority("lab")
        authority.ensure_authority(folder, "lab")
        authority.ensure_server_certificate(folder, ("ips",), (ADDRESS,))
        nginx.authority_copy(self.paths).parent.mkdir(parents=True)
        shutil.copy(folder / "ca.pem", nginx.authority_copy(self.paths))
        self.start_api()
        self.start_nginx()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for program in self.programs:
            program.send_signal(signal.SIGTERM)
        for program in self.programs:
            program.wait(20)
        self.stop_api()
        self.wire.__exit__(kind, error, trace)
        shutil.rmtree(self.base)

    def _lures(self) -> None:
        """What is served, and around it what never may be: above, hidden, behind links, and of another machine."""
        for root in (self.paths.boot, self.paths.images, self.paths.tftp):
            (root / "inside.txt").write_bytes(HERE)
            (root / ".hidden").write_bytes(CANARY)
            (root / ".folder").mkdir()
            (root / ".folder/file").write_bytes(CANARY)
            (root / "folder").mkdir()
            (root / "folder/inside.txt").write_bytes(HERE)
        for root in (self.paths.boot, self.paths.images):
            (root / "link").symlink_to("../canary")
            (root / "up").symlink_to("..")
            (root / "absolute").symlink_to(self.paths.config)
        for folder in (self.paths.resources, self.paths.config, self.base, self.paths.services):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "canary").write_bytes(CANARY)
        (self.paths.scripts / "10.77.0.99").write_bytes(CANARY)
        (self.paths.scripts / "canary").write_bytes(CANARY)

    def start_nginx(self) -> None:
        """Start it and wait until it listens."""
        text = nginx.render(CLUSTER, self.paths, nginx.Settings(user="root", certificate="ab"))
        nginx.configuration(self.paths).write_text(text)
        with (self.base / "nginx.log").open("ab") as log:
            command = self.wire.inside(["nginx", "-e", "stderr", "-c", str(nginx.configuration(self.paths))])
            self.programs.append(subprocess.Popen(command, stdout=log, stderr=log))
        self.until(lambda: ":443" in self._listening("-Hltn"), "nginx")

    def start_tftp(self) -> None:
        """Start the TFTP server and wait until it listens."""
        file = tftp.configuration(self.paths)
        file.parent.mkdir(parents=True)
        file.write_text(tftp.render(CLUSTER, self.paths, "root").replace(f"dhcp-script={self.paths.services}/dnsmasq/lease-hook\n", ""))
        with (self.base / "tftp.log").open("ab") as log:
            command = self.wire.inside(["dnsmasq", "--keep-in-foreground", f"--conf-file={file}"])
            self.programs.append(subprocess.Popen(command, stdout=log, stderr=log))
        self.until(lambda: ":69" in self._listening("-Hlun"), "TFTP")

    def start_api(self) -> None:
        """Listen where hps-api would."""
        self.api = _Server(str(nginx.api_socket(self.paths)), Api)
        os.chmod(nginx.api_socket(self.paths), 0o666)  # noqa: PTH101
        threading.Thread(target=self.api.serve_forever, daemon=True).start()

    def stop_api(self) -> None:
        """Listen no more."""
        if self.api is not None:
            self.api.shutdown()
            self.api.server_close()
            nginx.api_socket(self.paths).unlink()
            self.api = None

    def _listening(self, flags: str) -> str:
        return subprocess.run(self.wire.inside(["ss", flags]), capture_output=True, text=True, check=True).stdout

    def until(self, check: Callable[[], bool], words: str) -> None:
        """Wait for something; fails after a minute."""
        deadline = time.monotonic() + 60
        while not check():
            logs = "".join(path.read_text()[-2000:] for path in self.base.glob("*.log"))
            assert time.monotonic() < deadline, f"{words} did not come: {logs}"
            time.sleep(0.02)

    def raw(self, requests: Sequence[bytes], source: str = "", port: int = 80, certificate: Path | None = None) -> list[bytes]:
        """The answers to these bytes, each on a connection of its own, as the machine; from this address of it."""
        found: list[bytes] = self.wire.call(120, _exchange, list(requests), source, port, certificate)
        return found

    def get(self, path: str, source: str = "", headers: str = "", method: str = "GET", **more: object) -> "Answer":
        """Ask for one path."""
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode()
        return Answer(self.raw([request], source, **more)[0])  # type: ignore[arg-type]


class Answer:
    """The bytes of an answer, taken apart."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1]) if first.startswith("HTTP/") else 0
        self.headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


def _exchange(requests: list[bytes], source: str, port: int, certificate: Path | None) -> list[bytes]:
    context = None
    if port == 443:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(certificate)
    return [_one(request, source, port, context) for request in requests]


def _one(request: bytes, source: str, port: int, context: ssl.SSLContext | None) -> bytes:
    found = b""
    try:
        plain = socket.create_connection((ADDRESS, port), 60, (source, 0) if source else None)
        with context.wrap_socket(plain) if context else plain as stream:
            stream.sendall(request)
            while data := stream.recv(65536):
                found += data
    except OSError:
        # A server that says no before it has read everything may reset the connection.
        return found
    return found


def tftp_read(names: list[bytes], mode: bytes = b"octet") -> list[bytes]:
    """What a TFTP server sends first for each of these names: its data, or its error (RFC 1350)."""
    found = []
    for name in names:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(struct.pack("!H", 1) + name + b"\0" + mode + b"\0", (ADDRESS, 69))
            try:
                found.append(client.recvfrom(2048)[0])
            except TimeoutError:
                found.append(b"")
    return found
