import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from hps.flows import enlist, membership, site
from hps.flows.model import STRANGER, Caller, Site
from hps.paths import Paths
from hps.security import authority
from hps_api import create_app
from tests.sites import booting, mac_of, make_site, node, write_leases
from tests.unit.security.test_authority import request_of

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
ADDRESS = "10.77.0.210"
PLAIN = {"X-Hps-Door": "plain", "X-Hps-Address": ADDRESS}
LOCAL = {"X-Hps-Door": "local"}
IPXE = {**PLAIN, "User-Agent": "iPXE/1.0.0+git-20190125"}


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    write_leases(made.paths, [(mac_of(1), ADDRESS)])
    return made


@pytest.fixture
def client(at: Site) -> FlaskClient:
    return create_app(at.paths).test_client()


def certified(at: Site, number: int) -> dict[str, str]:
    enlist.configure(at, mac_of(number), "SCH")
    csr = request_of(ec.generate_private_key(ec.SECP256R1()))
    token = site.tokens(at).mint(mac_of(number))
    pem = membership.certificate(at, Caller(STRANGER), {"token": token, "csr": csr})["certificate"]
    return {"X-Hps-Door": "tls", "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": quote(pem), "X-Hps-Address": "10.77.0.2"}


def is_whole(text: str) -> bool:
    open_tags: list[str] = []
    void = {"meta", "link", "br", "hr", "input", "img"}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in void:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Reader().feed(text)
    return not open_tags


@pytest.mark.feature("AP4")
@pytest.mark.parametrize("query", ["cmd=init&arch=x86_64", "cmd=nonsense", "cmd=health", "cmd=hosts", ""])
@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"User-Agent": "iPXE/1.0.0"}, "ipxe"),
        ({"User-Agent": "Mozilla/5.0", "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}, "html"),
        ({"User-Agent": "curl/7.88", "Accept": "*/*"}, "json"),
        ({"User-Agent": "Wget/1.21"}, "json"),
        ({}, "text"),
        ({"User-Agent": "iPXE/1.0.0", "Accept": "application/json"}, "json"),
        ({"User-Agent": "Mozilla/5.0", "Accept": "text/plain"}, "text"),
    ],
)
def test_one_call_has_a_form_for_each_kind_of_caller(client: FlaskClient, query: str, headers: dict[str, str], form: str) -> None:
    answer = client.get(f"/hps-api?{query}", headers={"User-Agent": "", **PLAIN, **headers})
    if form == "json":
        assert answer.get_json()["ok"] is (answer.status_code == 200)
    elif form == "html":
        assert is_whole(answer.text)
    else:
        assert answer.text.startswith("#!ipxe\n") is (form == "ipxe")
    if form == "ipxe":
        assert answer.status_code == 200


def test_the_format_parameter_comes_before_the_program(client: FlaskClient) -> None:
    answer = client.get("/hps-api?cmd=health&format=json", headers=IPXE)
    assert answer.get_json() == {"ok": True, "result": {"status": "ready", "cluster": "lab"}}


@pytest.mark.feature("AP3")
def test_the_old_address_serves_every_command(client: FlaskClient) -> None:
    for query in ("cmd=init&arch=x86_64", "cmd=health", "cmd=nonsense"):
        new, old = (client.get(f"{path}?{query}", headers=IPXE) for path in ("/hps-api", "/cgi-bin/boot_manager.sh"))
        assert (old.status_code, old.text) == (new.status_code, new.text)


@pytest.mark.feature("SE4")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hps-Door": "plain"},
        {"X-Hps-Door": "plain", "X-Hps-Address": "10.77.0.9"},
        {"X-Hps-Door": "plain", "X-Hps-Address": "10.77.0.9", "X-Forwarded-For": ADDRESS, "X-Real-IP": ADDRESS},
        {"X-Hps-Door": "nonsense", "X-Hps-Address": ADDRESS},
        {"X-Hps-Door": "tls", "X-Hps-Address": ADDRESS},
        {"X-Hps-Door": "tls", "X-Hps-Address": ADDRESS, "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": "x"},
        {"X-Hps-Door": "plain", "X-Hps-Address": ADDRESS + ", 10.77.0.9"},
    ],
)
def test_whoever_holds_no_lease_is_refused(client: FlaskClient, at: Site, headers: dict[str, str]) -> None:
    for query in (
        f"cmd=init&mac={mac_of(1)}",
        "cmd=install",
        "cmd=process_menu_item&menu_item=unmanage",
        "cmd=hosts",
        "cmd=log_message&message=x",
    ):
        assert client.get(f"/hps-api?{query}", headers=headers).status_code == 403
    assert not site.hosts(at)


@pytest.mark.feature("SE4")
def test_whoever_holds_a_lease_gets_boot_decisions_and_nothing_else(client: FlaskClient) -> None:
    assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == 200
    for name in (
        "installer_config",
        "install_begin",
        "install_step",
        "install_failed",
        "register",
        "hosts",
        "host_timeline",
        "host_configure",
        "host_change",
    ):
        assert client.post(f"/api/{name}", json={}, headers=PLAIN).status_code == 403
    for path in ("/", "/fragment", f"/hosts/{mac_of(1).digits}", "/static/hps.css"):
        assert client.get(path, headers=PLAIN).status_code == 403


@pytest.mark.feature("SE4")
def test_a_lease_that_ended_or_that_another_machine_uses_is_none(
    client: FlaskClient, at: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "arp"
    head = "IP address HW type Flags HW address Mask Device\n"
    monkeypatch.setattr("hps_api.caller.NEIGHBOURS", str(table))
    for seen, status in ((mac_of(1), 200), (mac_of(2), 403)):
        table.write_text(f"{head}{ADDRESS} 0x1 0x2 {seen} * hps0\n")
        assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == status
    table.write_text(head)
    write_leases(at.paths, [(mac_of(1), ADDRESS)], seconds=-1)
    assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == 403


@pytest.mark.feature("AP2")
def test_a_node_reads_its_own_data_with_its_own_certificate(client: FlaskClient, at: Site) -> None:
    first, second = certified(at, 1), certified(at, 2)
    for headers, name in ((first, "sch-001"), (second, "sch-002")):
        answer = client.get(f"/hps-api?cmd=installer_config&name=config.json&format=text&mac={mac_of(1)}", headers=headers)
        assert json.loads(answer.text)["Machine"]["Hostname"] == name
    assert client.post("/api/hosts", headers=first).status_code == 403


def test_a_certificate_that_was_replaced_removed_or_not_verified_is_none(client: FlaskClient, at: Site) -> None:
    old = certified(at, 1)
    query = "/hps-api?cmd=installer_config&name=imagename"
    assert client.get(query, headers=old).text == "x86_64-debian_12-SCH/1\n"
    assert client.get(query, headers={**old, "X-Hps-Verified": "FAILED:expired"}).status_code == 403
    new = certified(at, 1)
    assert client.get(query, headers=old).status_code == 403
    assert client.get(query, headers=new).status_code == 200
    enlist.remove(at, mac_of(1))
    assert client.get(query, headers=new).status_code == 403


def test_a_certificate_of_another_authority_with_our_subject_is_none(client: FlaskClient, at: Site, tmp_path: Path) -> None:
    certified(at, 1)
    authority.ensure_authority(tmp_path / "other", "lab")
    pem, _ = authority.issue_node_certificate(tmp_path / "other", request_of(ec.generate_private_key(ec.SECP256R1())), mac_of(1), "sch-001")
    headers = {"X-Hps-Door": "tls", "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": quote(pem)}
    assert client.get("/hps-api?cmd=installer_config&name=imagename", headers=headers).status_code == 403


def test_the_token_goes_to_the_boot_script_only(client: FlaskClient, at: Site) -> None:
    enlist.configure(at, mac_of(1), "SCH")
    assert "hps.token=" in client.get("/hps-api?cmd=install", headers=IPXE).text
    for form in ("json", "html", "text"):
        assert "token" not in client.get(f"/hps-api?cmd=install&format={form}", headers=PLAIN).text


def test_bad_requests_have_an_answer(client: FlaskClient) -> None:
    assert client.post("/api/hosts", data="[", headers=LOCAL).get_json()["status"] == 400
    assert client.post("/api/hosts", json=[1], headers=LOCAL).status_code == 400
    assert client.post("/api/log_message", data=b"x" * 300_000, headers=PLAIN).status_code == 413
    assert client.get("/api/hosts", headers=LOCAL).status_code == 405
    assert client.get("/nothing", headers=IPXE).text.startswith("#!ipxe")
    assert client.get("/nothing", headers={"X-Hps-Door": "local", "User-Agent": "curl/8"}).get_json()["ok"] is False
    assert client.get("/hosts/x", headers=LOCAL).status_code == 404


def test_without_an_active_cluster_the_page_says_so(tmp_path: Path) -> None:
    client = create_app(Paths(tmp_path)).test_client()
    assert "no cluster is active" in client.get("/", headers=LOCAL).text
    assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code in (403, 409)


def test_a_web_site_cannot_use_the_operators_browser(client: FlaskClient, at: Site) -> None:
    body = {"mac": str(mac_of(5)), "type": "SCH"}
    for header in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post("/api/host_configure", json=body, headers={**LOCAL, **header}).status_code == 403
    assert not site.hosts(at)
    assert client.post("/api/host_configure", json=body, headers=LOCAL).get_json()["result"]["HOSTNAME"] == "sch-001"


@pytest.mark.feature("UI7")
def test_the_operator_configures_and_follows(client: FlaskClient, at: Site) -> None:
    client.get("/hps-api?cmd=init&arch=x86_64", headers=IPXE)
    waiting = client.post("/api/hosts", json={"unconfigured": True}, headers=LOCAL).get_json()["result"]["hosts"]
    assert [host["MAC"] for host in waiting] == [str(mac_of(1))]
    client.post("/api/host_configure", json={"mac": str(mac_of(1)), "type": "SCH"}, headers=LOCAL)
    assert client.post("/api/hosts", json={"unconfigured": True}, headers=LOCAL).get_json()["result"]["hosts"] == []
    assert "/boot/installer/" in client.get("/hps-api?cmd=init", headers=IPXE).text
    story = client.post("/api/host_timeline", json={"host": "sch-001"}, headers=LOCAL).get_json()["result"]
    assert [one["event"] for one in story["events"]] == ["script", "script"]
    assert story["missing"] == "kernel"


def test_pages_escape_and_protect(client: FlaskClient, at: Site) -> None:
    site.timeline(at).record(mac_of(1), "script", "<script>alert(1)</script>")
    enlist.first_contact(at, mac_of(1))
    for path in ("/", f"/hosts/{mac_of(1).digits}"):
        answer = client.get(path, headers=LOCAL)
        assert is_whole(answer.text)
        assert "<script>alert" not in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert " style=" not in answer.text
    fragment = client.get("/fragment", headers=LOCAL)
    assert client.get("/fragment", headers={**LOCAL, "If-None-Match": fragment.headers["ETag"]}).status_code in (200, 304)


def test_callers_of_the_tests_are_what_they_say() -> None:
    assert (booting(1).kind, node(1).kind) == ("booting", "node")
