"""Whoever names an address to the IPS makes it ask nobody there; and what asks itself takes no credential elsewhere (S8)."""

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hps.commands import table
from hps.errors import HpsError, InvalidInput
from hps.system import http
from hps_api import create_app
from tests.edge.callers import make_callers
from tests.edge.examples import EXAMPLES
from tests.sites import mac_of

pytestmark = pytest.mark.programs
TARGETS = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/hps-api?cmd=host_list",
    "https://evil.example/callback",
    "http://10.77.0.1@evil.example/",
    "file:///dev/zero",
    "//evil.example/x",
    "10.77.0.250",
)


@pytest.fixture
def reached() -> Iterator[list[str]]:
    """Every name that is looked up and every address that is connected to, but for sockets of this machine's files."""
    found: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not watching:
            return
        if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
            found.append(f"{event} {arguments[1:]}")

    watching = True
    sys.addaudithook(watch)
    yield found
    watching = False


@pytest.mark.feature("S8")
@pytest.mark.parametrize("target", TARGETS)
def test_an_address_that_somebody_names_is_asked_for_nothing(
    tmp_path: Path, target: str, reached: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every parameter of every command, by everybody who may call it: no connection, and no look-up of a name."""
    monkeypatch.setattr("hps.flows.decide.LONGEST_HOLD", 0)
    callers = make_callers(tmp_path)
    client = create_app(callers.at.paths).test_client()
    for command in table.COMMANDS:
        for caller, headers in callers.headers.items():
            for parameter in command.parameters:
                client.post(f"/api/{command.name}", json={**EXAMPLES[command.name], parameter.name: target}, headers=headers)
            client.get("/", headers={**headers, "X-Forwarded-Host": target, "X-Forwarded-For": target, "User-Agent": target})
            if caller == "node":
                client.post("/api/host_variable", json={"name": "LAST_REBOOT_COMMAND", "value": target}, headers=headers)
                client.post("/api/register", json={"os": {"ID": target}, "audit": {"HOST_URL": target}}, headers=headers)
    client.get(f"/hosts/{mac_of(1).digits}", headers=callers.headers["operator"])
    assert reached == []
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 1), timeout=5)
    assert reached, "a connection would have been seen"


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that sends everybody on to another path of itself; its address, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


@pytest.mark.feature("S8")
def test_what_asks_itself_goes_nowhere_else(elsewhere: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = elsewhere
    assert http.request("GET", f"{url}/here", headers={"Authorization": "secret"}).status == 307
    with pytest.raises(HpsError):
        http.post_json(f"{url}/here", {"token": "secret"})
    with pytest.raises(HpsError):
        http.download(f"{url}/here", tmp_path / "file", retries=0)
    assert [line.split(" ")[0] for line in asked] == ["/here"] * 3
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/", "//127.0.0.1/"):
        with pytest.raises(InvalidInput):
            http.request("GET", target)
