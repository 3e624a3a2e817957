"""What nginx lets through, and what it answers by itself: shown with a real nginx and a real TFTP server."""

import json
import re
import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hps.boot import ipxe
from hps.boot.model import Local
from hps.security import authority, certificates
from hps.services import edge
from hps.values import Mac
from tests.unit.services.edges import ADDRESS, CANARY, HERE, Answer, Api, Edge, tftp_read

pytestmark = [pytest.mark.programs, pytest.mark.root]
WIDE = ("\u2024\u2024", "\uff0e\uff0e")
"""Dots of Unicode that some programs take for dots."""

KNOWN, OTHER = "10.77.0.11", "10.77.0.12"
AGENTS = {"ipxe": "iPXE/1.0.0", "json": "curl/8.0", "html": "Mozilla/5.0", "text": "something"}
TYPES = {"ipxe": "text/plain", "json": "application/json", "html": "text/html", "text": "text/plain"}


@pytest.fixture(scope="module")
def served() -> Iterator[Edge]:
    """A door with one known machine, at KNOWN."""
    with Edge() as made:
        made.wire.address(KNOWN, OTHER)
        made.start_tftp()
        text = ipxe.render_file(Local("sch-001 starts from its own disk"), Mac.parse("525400770001"), ADDRESS)
        (made.paths.scripts / KNOWN).write_text(text)
        yield made


def agent(form: str) -> str:
    return f"User-Agent: {AGENTS[form]}\r\n"


def test_a_known_machine_gets_its_script_from_its_file_and_nobody_else_does(served: Edge) -> None:
    own = served.get("/boot/script", KNOWN)
    assert (own.status, own.headers["content-type"]) == (200, "text/plain")
    assert "# local: its own disk" in own.text
    for headers in (
        "",
        f"X-Forwarded-For: {KNOWN}\r\n",
        f"X-Real-IP: {KNOWN}\r\nForwarded: for={KNOWN}\r\n",
        f"X-Hps-Address: {KNOWN}\r\n",
    ):
        found = json.loads(served.get("/boot/script", OTHER, headers).text)
        assert found["asked"] == "/hps-api?cmd=init"
        assert (found["headers"]["X-Hps-Door"], found["headers"]["X-Hps-Address"]) == ("plain", OTHER)
    for path in (f"/boot/script/{KNOWN}", f"/boot/script?{KNOWN}", f"/boot/../{KNOWN}", f"/scripts/{KNOWN}", f"/boot/script/../{KNOWN}"):
        assert b"sch-001" not in served.get(path, OTHER).body


def test_what_a_machine_adds_to_the_address_of_its_script_reaches_nobody(served: Edge) -> None:
    found = json.loads(served.get("/boot/script?cmd=host_list&arch=x", OTHER).text)
    assert found["asked"] == "/hps-api?cmd=init"


def paths() -> list[str]:
    """Every way to ask for a file that is outside, from every root that is served."""
    ups = ["..", "%2e%2e", "%2E%2e", ".%2e", "%252e%252e", "..;", "..%00", "%c0%ae%c0%ae", "%e2%80%a5", "..%5c..", "..\\..", *WIDE]
    slashes = ["/", "//", "%2f", "%252f", "\\", "%5c", "/./", "/;/"]
    aims = ["canary", "config/canary", "resources/canary", "services/canary", "services/scripts/10.77.0.99", "etc/passwd"]
    found = []
    for root in ("/boot", "/images", "", "/boot/folder", "/boot/script", "/hps-api", "/ca.pem"):
        for up in ups:
            for slash in slashes:
                found += [f"{root}{slash}{(up + slash) * depth}{aim}" for depth in (1, 2, 3) for aim in aims]
    links = [
        "link",
        "up/canary",
        "up/boot/link",
        "absolute/canary",
        ".hidden",
        ".folder/file",
        "folder/../.hidden",
        "%2ehidden",
        "./.hidden",
    ]
    found += [f"{root}/{name}" for root in ("/boot", "/images") for name in links]
    found += ["/boot//etc/passwd", "/boot/%00/etc/passwd", "/boot/inside.txt%00.ipxe", "/images/" + "a/" * 3000 + "../" * 3000 + "canary"]
    found += ["http://x/boot/../canary", "/boot/" + "A" * 7000, "/boot/" + "../" * 2000 + "etc/passwd", "../canary", "*", "//canary"]
    return found


@pytest.mark.feature("S12")
@pytest.mark.parametrize("port", [80, 443])
def test_no_path_leads_out_of_what_nginx_serves(served: Edge, port: int) -> None:
    asked = paths()
    requests = [f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode() for path in asked]
    chosen = requests if port == 80 else requests[::7]
    for path, data in zip(asked if port == 80 else asked[::7], served.raw(chosen, KNOWN, port), strict=True):
        assert CANARY not in data, path
        assert b"root:x:0" not in data, path
    root = "/boot" if port == 80 else "/images"
    for path in (f"{root}/inside.txt", f"{root}/folder/../inside.txt", f"{root}//folder/%69nside.txt"):
        assert served.get(path, KNOWN, port=port).body == HERE


def test_the_lures_can_be_reached_where_nothing_holds_them_back(served: Edge) -> None:
    assert (served.paths.boot / "link").read_bytes() == (served.paths.images / "up/canary").read_bytes() == CANARY


def test_no_folder_is_listed(served: Edge) -> None:
    for path in ("/boot/", "/boot/folder/", "/images/", "/boot", "/boot/folder"):
        found = served.get(path, KNOWN)
        assert found.status in (301, 403, 404) or b'"asked"' in found.body
        assert b"inside.txt" not in found.body


@pytest.mark.feature("S12")
def test_no_name_leads_out_of_what_tftp_serves(served: Edge) -> None:
    base = str(served.base).encode()
    ups = [b"..", b"%2e%2e", b"%252e%252e", b"..;", b"\xc0\xae\xc0\xae", b".../..", b"....//", *(up.encode() for up in WIDE)]
    names = []
    for up in ups:
        for slash in (b"/", b"//", b"\\", b"\\\\", b"/./"):
            for first in (b"", b"/", b"\\", b"folder/", bytes(served.paths.tftp) + b"/"):
                for aim in (b"canary", b"config/canary", b"services/scripts/10.77.0.99", b"etc/passwd"):
                    names += [first + (up + slash) * depth + aim for depth in (1, 2, 3, 9)]
    names += [
        b"/etc/passwd",
        b"//etc/passwd",
        base + b"/canary",
        b"C:\\canary",
        b"inside.txt\0/../../canary",
        b"a" * 400 + b"/../../canary",
    ]
    answers = [*served.wire.call(300, tftp_read, names), *served.wire.call(60, tftp_read, names[:40], b"netascii")]
    for name, data in zip((*names, *names[:40]), answers, strict=True):
        assert CANARY not in data, name
        assert b"root:x:0" not in data, name
    assert served.wire.call(30, tftp_read, [b"inside.txt", b"folder/inside.txt"]) == [b"\0\3\0\1" + HERE] * 2


def checked_form(found: Answer, form: str, status: int) -> None:
    """An answer of nginx itself is in the caller's form, and says what helps."""
    assert found.status == (200 if form == "ipxe" else status), found.text
    assert found.headers["content-type"].split(";")[0] == TYPES[form], found.text
    assert "nginx" not in found.text + found.headers.get("server", "").replace("nginx", "", 1)
    match form:
        case "ipxe":
            assert found.text.startswith("#!ipxe\necho HPS: ")
            assert found.text.endswith(f":again\nsleep 5\nchain --replace --autofree http://{ADDRESS}/boot/script || goto again\n")
            assert "refused this" not in found.text
        case "json":
            value = json.loads(found.text)
            assert (value["ok"], value["status"]) == (False, status)
            assert value["error"]
            assert value["hint"]
        case "html":
            assert found.text.startswith("<!DOCTYPE html>")
        case "text":
            assert re.fullmatch(r"error: .+\nhint: .+\n", found.text)


@pytest.fixture
def silent(served: Edge) -> Iterator[Edge]:
    """The same door, where hps-api does not run."""
    served.stop_api()
    yield served
    served.start_api()


@pytest.mark.feature("AP4")
@pytest.mark.parametrize("form", TYPES)
def test_what_nginx_says_while_hps_api_does_not_run(silent: Edge, form: str) -> None:
    for path in ("/hps-api?cmd=init", "/boot/script"):
        checked_form(silent.get(path, OTHER, agent(form)), form, 502)


@pytest.mark.parametrize(("accept", "form"), [("application/json", "json"), ("text/html,*/*;q=0.8", "html"), ("text/plain", "text")])
def test_accept_comes_before_the_program_that_asks(silent: Edge, accept: str, form: str) -> None:
    checked_form(silent.get("/hps-api?cmd=init", OTHER, f"Accept: {accept}\r\n{agent('ipxe')}"), form, 502)
    checked_form(silent.get(f"/hps-api?cmd=init&format={form}", OTHER, agent("ipxe")), form, 502)
    checked_form(silent.get("/api/health", OTHER, agent("text"), "POST"), "json", 502)


@pytest.mark.feature("AP4")
@pytest.mark.parametrize("form", TYPES)
def test_a_request_that_is_too_large_or_malformed_is_answered_in_the_callers_form(served: Edge, form: str) -> None:
    too_long = f"/hps-api?cmd=health&x={'a' * edge.LONGEST_ADDRESS}"
    checked_form(served.get(too_long, OTHER, agent(form)), form, 414)
    checked_form(served.get("/hps-api", OTHER, agent(form) + "Content-Length: 300000\r\n", "POST"), form, 413)
    checked_form(served.get("/hps-api", OTHER, agent(form) + f"X-A: {'a' * 20000}\r\n"), form, 431)
    checked_form(served.get("/hps-api", OTHER, agent(form) + "Content-Length: x\r\n", "POST"), form, 400)


def test_a_body_that_hps_api_refuses_itself_reaches_it(served: Edge) -> None:
    size = 257 * 1024
    request = f"POST /api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode() + b"a" * size
    assert json.loads(Answer(served.raw([request], OTHER)[0]).text)["size"] == size


@pytest.mark.parametrize("form", ["json", "html", "text"])
def test_a_file_that_is_not_there_is_said_in_the_callers_form(served: Edge, form: str) -> None:
    checked_form(served.get("/boot/nothing", OTHER, agent(form)), form, 404)
    checked_form(served.get("/boot/inside.txt", OTHER, agent(form), "POST"), form, 405)


def test_a_loader_sees_that_a_file_is_not_there(served: Edge) -> None:
    assert served.get("/boot/nothing", OTHER, agent("ipxe")).status == 404


def test_the_pages_of_failures_are_nobodys_to_ask_for(served: Edge) -> None:
    for name in ("json", "html", "text", "ipxe"):
        assert served.get(f"/-/{name}", OTHER).status == 404


def many(path: str, count: int, headers: str = "") -> list[bytes]:
    return [f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode()] * count


@pytest.mark.parametrize("form", TYPES)
def test_whoever_asks_too_often_is_told_so_and_others_are_not(form: str) -> None:
    with Edge() as made:
        made.wire.address(KNOWN, OTHER)
        answers = [Answer(data) for data in made.raw(many("/hps-api?cmd=health", 3 * edge.BURST, agent(form)), KNOWN)]
        refused = [found for found in answers if '"asked"' not in found.text]
        assert 0 < len(refused) < 3 * edge.BURST - edge.BURST // 2
        checked_form(refused[-1], form, 429)
        assert "too often" in refused[-1].text
        assert made.get("/hps-api?cmd=health", OTHER).status == 200
        # Files have no limit: an installing node fetches as fast as it can.
        assert {Answer(data).status for data in made.raw(many("/boot/inside.txt", 200), KNOWN)} == {200}


def test_two_hundred_machines_that_boot_at_once_are_all_answered(served: Edge) -> None:
    machines = [f"10.77.0.{number}" for number in range(20, 220)]
    served.wire.address(KNOWN, OTHER, *machines)
    for machine in machines:
        for data in served.raw([*many("/boot/script", 3), *many("/hps-api?cmd=init&arch=x86_64", 3)], machine):
            assert Answer(data).status == 200


def test_connections_that_are_held_back_are_bounded_for_each_address(served: Edge) -> None:
    held = edge.CONNECTIONS
    try:
        found: list[bytes] = served.wire.call(120, _at_once, held + 5, OTHER)
    finally:
        for _ in range(held):
            Api.held.release()
    assert [Answer(data).status for data in found] == [429] * 5


def _at_once(count: int, source: str) -> list[bytes]:
    """Open so many connections that are held back; the answers of those that are not."""
    streams = [socket.create_connection((ADDRESS, 80), 30, (source, 0)) for _ in range(count)]
    for stream in streams:
        stream.sendall(many("/hps-api?cmd=hold", 1)[0])
    found: list[bytes] = []
    while len(found) < 5:
        ready, _, _ = select.select(streams, [], [], 30)
        if not ready:
            break
        for stream in ready:
            streams.remove(stream)
            data = b""
            while part := stream.recv(65536):
                data += part
            found.append(data)
    return found


def test_no_parameter_is_logged(served: Edge) -> None:
    secret = "525400770001.kept-secret-4f2e"
    for path in (f"/hps-api?cmd=certificate&token={secret}", f"/hps-api?token={secret}&cmd={secret}", f"/boot/script?token={secret}"):
        served.get(path, OTHER)
        served.get(quote(path, safe="/?=&"), KNOWN, f"Referer: http://x/?{secret}\r\nCookie: {secret}\r\n")
    served.stop_api()
    served.get(f"/hps-api?cmd=certificate&token={secret}", OTHER)
    served.start_api()
    log = served.paths.log / "nginx-access.log"
    served.until(lambda: "cmd=certificate 200" in log.read_text() and "cmd=certificate 502" in log.read_text(), "the requests in the log")
    assert not [path for path in (log, *served.base.glob("*.log")) if secret in path.read_text()]


def client_of(folder: Path, file: Path) -> Path:
    """A client certificate of the authority in this folder, with its key, in one file."""
    key, request = certificates.key_and_request()
    file.write_text(certificates.issue(folder, request, "node", "525400770001", 30).pem + key)
    return file


def test_by_tls_only_strangers_are_limited(tmp_path: Path) -> None:
    with Edge() as made:
        made.wire.address(KNOWN, OTHER)
        client = client_of(made.paths.authority("lab"), tmp_path / "client.pem")
        asked = many("/api/health", 3 * edge.BURST)
        known = [Answer(data).status for data in made.raw(asked, KNOWN, 443, client)]
        assert set(known) == {200}
        # TLS takes time of its own, so that a stranger comes more slowly than by plain HTTP: at once instead.
        strangers = [Answer(data).status for data in made.wire.call(120, _tls_at_once, 3 * edge.BURST, OTHER)]
        assert 429 in strangers


def _tls_at_once(count: int, source: str) -> list[bytes]:
    """So many requests on one connection, sent in one piece."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
    with context.wrap_socket(socket.create_connection((ADDRESS, 443), 60, (source, 0))) as stream:
        stream.sendall(request * (count - 1) + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        found = b""
        while data := stream.recv(65536):
            found += data
    return [b"HTTP/1.1" + part for part in found.split(b"HTTP/1.1")[1:]]


def test_a_certificate_of_another_cluster_is_refused_in_the_callers_form(served: Edge, tmp_path: Path) -> None:
    authority.ensure_authority(tmp_path / "ca", "other")
    client = client_of(tmp_path / "ca", tmp_path / "client.pem")
    checked_form(served.get("/api/health", OTHER, agent("json"), port=443, certificate=client), "json", 401)
