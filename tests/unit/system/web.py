"""A real HTTP server on the loopback that can misbehave in the ways that networks do."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What it serves, how it misbehaves, and what it was asked (path, Range, body)."""

    files: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)
    ranges: bool = True
    tag: str = '"one"'
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:  # noqa: C901
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            web.asked.append((self.path, "", body))
            self.reply(*web.answers.get(self.path, (404, b"gone")))

        def do_GET(self) -> None:
            web.asked.append((self.path, self.headers.get("Range", ""), b""))
            if web.statuses and (status := web.statuses.pop(0)) != 200:
                self.reply(status, b"no")
                return
            content = web.files.get(self.path)
            if content is None:
                self.reply(404, b"no")
                return
            found = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("Range", ""))
            if found and web.ranges and self.headers.get("If-Range", web.tag) == web.tag:
                start = int(found[1])
                self.reply(206, content[start:], {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"})
            else:
                self.reply(200, content)

        def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", web.tag)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            good = status in (200, 206)
            if good and web.stalls:
                self.wfile.write(body[: web.stalls.pop(0)])
                self.wfile.flush()
                web.released.wait(30)
                self.close_connection = True
            elif good and web.cuts:
                self.wfile.write(body[: web.cuts.pop(0)])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            else:
                self.wfile.write(body)

    return Handler


@contextmanager
def serving(context: Any = None) -> Iterator[Web]:
    """Serve until the body ends."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    web.url = f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
