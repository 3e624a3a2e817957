"""The doors: who is taken for whom, and what reaches the pages."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from hps.flows import enlist, site
from hps.flows.model import Site
from hps.paths import Paths
from hps.security import audit, authority, certificates
from hps_api import create_app
from tests.edge.callers import ADDRESS, LOCAL, PLAIN, certified
from tests.sites import booting, mac_of, make_site, node, write_leases
from tests.unit.hps_api.test_forms import is_whole
from tests.unit.security.test_authority import request_of

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
IPXE = {**PLAIN, "User-Agent": "iPXE/1.0.0+git-20190125"}
JSON = {"User-Agent": "curl/8"}


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    write_leases(made.paths, [(mac_of(1), ADDRESS)])
    return made


@pytest.fixture
def client(at: Site) -> FlaskClient:
    return create_app(at.paths).test_client()


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
        "cmd=init",
        "cmd=process_menu_item&menu_item=unmanage",
        "cmd=host_list",
        "cmd=log_message&message=x",
    ):
        answer = client.get(f"/hps-api?{query}", headers=headers)
        assert (answer.status_code, bool(answer.headers["WWW-Authenticate"])) == (401, True)
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
        "host_list",
        "host_timeline",
        "host_configure",
        "host_remove",
    ):
        assert client.post(f"/api/{name}", json={}, headers=PLAIN).status_code == 403
    for path in ("/", "/fragment", f"/hosts/{mac_of(1).digits}", "/static/hps.css"):
        assert client.get(path, headers=PLAIN).status_code == 403


@pytest.mark.feature("SE4")
def test_a_lease_that_ended_or_that_another_machine_uses_is_none(client: FlaskClient, at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for seen, status in ((None, 200), (mac_of(1), 200), (mac_of(2), 401)):
        monkeypatch.setattr("hps.system.neighbour.ask", lambda _interface, _address, seen=seen: seen)
        assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == status
    monkeypatch.undo()
    write_leases(at.paths, [(mac_of(1), ADDRESS)], seconds=-1)
    assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == 401


@pytest.mark.feature("AP2")
def test_a_node_reads_its_own_data_with_its_own_certificate(client: FlaskClient, at: Site) -> None:
    first, second = certified(at, 1), certified(at, 2)
    for headers, name in ((first, "sch-001"), (second, "sch-002")):
        answer = client.get("/hps-api?cmd=installer_config&name=config.json&format=text", headers=headers)
        assert json.loads(answer.text)["Machine"]["Hostname"] == name
    claimed = f"/hps-api?cmd=installer_config&name=config.json&mac={mac_of(1)}"
    assert client.get(claimed, headers=second).status_code == 400, "there is no parameter that names another machine"
    assert client.post("/api/host_list", headers=first).status_code == 403


def test_a_certificate_that_was_replaced_removed_or_not_verified_is_none(client: FlaskClient, at: Site) -> None:
    old = certified(at, 1)
    query = "/hps-api?cmd=installer_config&name=imagename"
    assert client.get(query, headers=old).text == "x86_64-debian_12-SCH/1\n"
    assert client.get(query, headers={**old, "X-Hps-Verified": "FAILED:expired"}).status_code == 401
    new = certified(at, 1)
    assert client.get(query, headers=old).status_code == 401
    assert client.get(query, headers=new).status_code == 200
    enlist.remove(at, mac_of(1))
    assert client.get(query, headers=new).status_code == 401


def test_a_certificate_of_another_authority_with_our_subject_is_none(client: FlaskClient, at: Site, tmp_path: Path) -> None:
    certified(at, 1)
    authority.ensure_authority(tmp_path / "other", "lab")
    csr = request_of(ec.generate_private_key(ec.SECP256R1()))
    issued = certificates.issue(tmp_path / "other", csr, certificates.NODE, mac_of(1).digits, 30, "sch-001")
    headers = {"X-Hps-Door": "tls", "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": quote(issued.pem), "X-Hps-Address": "10.77.0.2"}
    assert client.get("/hps-api?cmd=installer_config&name=imagename", headers=headers).status_code == 401


def test_the_token_goes_to_the_boot_script_only(client: FlaskClient, at: Site) -> None:
    enlist.configure(at, mac_of(1), "SCH")
    assert "hps.token=" in client.get("/hps-api?cmd=init", headers=IPXE).text
    for form in ("json", "html", "text"):
        assert "token" not in client.get(f"/hps-api?cmd=init&format={form}", headers=PLAIN).text


def test_without_an_active_cluster_the_page_says_so(tmp_path: Path) -> None:
    client = create_app(Paths(tmp_path)).test_client()
    assert "no cluster is active" in client.get("/", headers=LOCAL).text
    assert client.get("/hps-api?cmd=init", headers=PLAIN).status_code == 401
    assert client.get("/hps-api?cmd=health", headers={**PLAIN, **JSON}).get_json()["result"] == {"status": "idle", "cluster": ""}
    assert client.get("/nothing", headers=IPXE).text.startswith("#!ipxe")
    assert client.post("/api/host_list", headers=LOCAL).status_code == 409


@pytest.mark.feature("UI7")
def test_the_operator_configures_and_follows(client: FlaskClient, at: Site) -> None:
    def call(name: str, **given: object) -> dict[str, object]:
        answer = client.post(f"/api/{name}", json=given, headers=LOCAL)
        result = answer.get_json()["result"]
        assert isinstance(result, dict)
        return result

    client.get("/hps-api?cmd=init&arch=x86_64", headers=IPXE)
    waiting = call("host_list", unconfigured=True)["hosts"]
    assert isinstance(waiting, list)
    assert [host["MAC"] for host in waiting] == [str(mac_of(1))]
    assert call("host_configure", host=str(mac_of(1)), type="SCH")["HOSTNAME"] == "sch-001"
    assert call("host_list", unconfigured=True)["hosts"] == []
    assert "/boot/installer/" in client.get("/hps-api?cmd=init", headers=IPXE).text
    story = call("host_timeline", host="sch-001")
    assert [one["event"] for one in story["events"]] == ["script", "script"]  # type: ignore[attr-defined]
    assert story["missing"] == "kernel"


def test_what_is_refused_before_a_command_runs_leaves_a_line_too(client: FlaskClient, at: Site) -> None:
    client.get("/hosts/525400000001", headers=PLAIN)
    client.post("/api/no%0Asuch%1b[2Jcommand", headers=LOCAL)
    client.get("/hps-api?cmd=host_list", headers=PLAIN)
    client.get("/hps-api?cmd=health&x=%ff", headers=LOCAL)
    client.post("/terminal/nosuch", json={}, headers=LOCAL)
    members, others = (audit.path(at.paths, member).read_text().splitlines() for member in (True, False))
    assert [line.split(" ", 1)[1] for line in others] == [
        f'caller=booting name={mac_of(1)} from={ADDRESS} page="GET /hosts/525400000001" allowed=no outcome=denied',
        f'caller=booting name={mac_of(1)} from={ADDRESS} command=host_list page="GET /hps-api" allowed=no outcome=denied',
    ]
    assert [line.split(" ", 1)[1] for line in members] == [
        'caller=operator name=local page="POST /api/no\\nsuch\\u001b[2Jcommand" allowed=yes outcome="not found"',
        'caller=operator name=local page="GET /hps-api" allowed=yes outcome="invalid input"',
        'caller=operator name=local page="POST /terminal/nosuch" allowed=yes outcome="not found"',
    ]


def test_a_bug_is_an_answer_without_its_traceback(at: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the-inner-words")

    app = create_app(at.paths)
    monkeypatch.setattr("hps.flows.site.open_ips", broken)
    answer = app.test_client().get("/hps-api?cmd=health", headers={**LOCAL, **JSON})
    assert (answer.status_code, answer.get_json()["error"]) == (500, "hps-api failed")
    assert "inner" not in answer.text
    assert "the-inner-words" in caplog.text


def test_pages_escape(client: FlaskClient, at: Site) -> None:
    site.timeline(at).record(mac_of(1), "script", "<script>alert(1)</script>")
    enlist.first_contact(at, mac_of(1))
    for path in ("/", f"/hosts/{mac_of(1).digits}"):
        answer = client.get(path, headers=LOCAL)
        assert is_whole(answer.text)
        assert "<script>alert" not in answer.text


def test_callers_of_the_tests_are_what_they_say() -> None:
    assert (booting(1).kind, node(1).kind) == ("booting", "node")
