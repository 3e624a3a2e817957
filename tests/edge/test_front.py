"""An operator's browser at the doors as they are shipped: nginx before gunicorn, by certificate and through the local socket."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hps.flows import accounts, site
from hps.flows.model import OPERATOR, Caller
from hps.security import certificates
from hps.services import nginx
from tests.sites import mac_of
from tests.unit.security.front import Front, front

pytestmark = [pytest.mark.programs, pytest.mark.root]


@pytest.fixture(scope="module")
def doors() -> Iterator[Front]:
    with front() as made:
        yield made


@pytest.fixture(scope="module")
def anna(doors: Front) -> Path:
    """The certificate of an operator."""
    key, csr = certificates.key_and_request()
    made = accounts.account_create(doors.at, Caller(OPERATOR, name="local"), {"name": "anna", "role": "operator", "csr": csr})
    return doors.pair("anna", made["certificate"], key)


class Local(http.client.HTTPConnection):
    """The operator's socket, as a forwarded port shows it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", 8080)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def answer_of(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: str | None = None
) -> tuple[int, str]:
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


@pytest.mark.feature("S20")
@pytest.mark.parametrize("door", ["certificate", "local socket"])
def test_an_operator_in_a_browser(doors: Front, anna: Path, door: str) -> None:
    def ask(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        connection = doors.connect(anna) if door == "certificate" else Local(nginx.operator_socket(doors.at.paths))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return answer_of(connection, method, path, {"User-Agent": "Mozilla/5.0", **sent}, body)

    own = doors.url if door == "certificate" else "http://localhost:8080"
    status, page = ask("GET", "/", Accept="text/html")
    assert (status, "No host yet" in page or "host" in page) == (200, True)
    token = page.partition('name="hps-token" content="')[2].partition('"')[0]
    body = json.dumps({"host": str(mac_of(5)), "type": "SCH"})
    change = {"Content_Type": "application/json"}
    assert ask("POST", "/api/host_configure", body, Origin=own, **change)[0] == 403
    for foreign in ("https://evil.example", "http://localhost:8081", f"{own}.evil.example", "null"):
        assert ask("POST", "/api/host_configure", body, Origin=foreign, X_Hps_Token=token, **change)[0] == 403
    assert not site.host_values(doors.at, mac_of(5))
    assert ask("POST", "/api/host_configure", body, Origin=own, X_Hps_Token=token, **change)[0] == 200
    doors.at.registry.remove(site.record_name(doors.at, mac_of(5)))


def test_a_page_is_nobody_elses(doors: Front) -> None:
    for door in ("http", "https"):
        for path in ("/", "/api", "/openapi.json", "/hosts/525400000001", "/fragment", "/static/hps.css", "/terminal"):
            assert answer_of(doors.connect(door=door), "GET", path, {})[0] in (401, 405), path


def test_a_name_that_somebody_points_here_is_refused(doors: Front, anna: Path) -> None:
    for connection in (doors.connect(anna), doors.connect(door="http"), Local(nginx.operator_socket(doors.at.paths))):
        status, body = answer_of(connection, "GET", "/hps-api?cmd=health", {"Host": "evil.example", "User-Agent": "curl/8"})
        assert (status, "not a name of this IPS" in body) == (403, True)


@pytest.mark.feature("AP7")
def test_long_addresses_and_headers_are_answered_by_us(doors: Front, anna: Path) -> None:
    for length in (4000, 8100, 8250, 15000):
        status, body = answer_of(doors.connect(anna), "GET", f"/hps-api?cmd=health&x={'x' * length}", {"User-Agent": "curl/8"})
        assert status in (400, 414)
        assert json.loads(body)["ok"] is False
    for length in (7000, 12000):
        status, body = answer_of(
            doors.connect(anna), "GET", "/hps-api?cmd=health", {"User-Agent": "curl/8", "Accept-Language": "x" * length}
        )
        assert json.loads(body)["ok"] is True, body
