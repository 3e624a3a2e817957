"""Every command times every kind of caller: allowed or refused as written down here, and nothing changed where refused."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hps.commands import table
from hps.flows import enlist, site
from hps.flows.model import Site
from hps.paths import Paths
from hps.registry.model import cluster_name, setting
from hps_api import create_app
from tests.edge.callers import ADDRESS, OTHER, OWN, STRANGE, Callers, kind_of, make_callers
from tests.edge.examples import EXAMPLES, content
from tests.sites import mac_of
from tests.unit.commands.test_table import ALLOWED

pytestmark = pytest.mark.programs
CALLERS = ("stranger", "booting", "node", "other node", "operator", "operator by certificate", "ips")
NODES = [name for name in ALLOWED if "node" in ALLOWED[name]]


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Callers:
    made = make_callers(tmp_path_factory.mktemp("site"))
    site.timeline(made.at).record(mac_of(OTHER), "script", "install: sch-002")
    return made


@pytest.fixture(scope="module")
def client(callers: Callers) -> FlaskClient:
    return create_app(callers.at.paths).test_client()


@pytest.fixture
def copied(callers: Callers, tmp_path: Path) -> Iterator[tuple[Site, FlaskClient]]:
    """The same site once more, for a test that changes it."""
    shutil.copytree(callers.at.paths.base, tmp_path / "copy")
    at = site.open_ips(Paths(tmp_path / "copy"))
    yield at, create_app(at.paths).test_client()


def as_text(given: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in given.values())


def ask(client: FlaskClient, name: str, given: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[TestResponse]:
    """The command in each of its forms; the query string only where it can carry the parameters."""
    shown = {"User-Agent": "curl/8", **headers}
    yield client.post(f"/api/{name}", json=given, headers=shown)
    if as_text(given):
        yield client.get(f"/hps-api?{urlencode({'cmd': name, **given})}", headers=shown)
        yield client.post("/hps-api", data={"cmd": name, **given}, headers=shown)
        yield client.post("/cgi-bin/boot_manager.sh", data={"cmd": name, **given}, headers=shown)
    yield client.post(f"/terminal/{name}", json=given, headers=shown)


def test_there_is_an_example_of_every_command() -> None:
    assert set(EXAMPLES) == set(table.BY_NAME)


@pytest.mark.feature("SE1", "S2")
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", [command.name for command in table.COMMANDS])
def test_whoever_may_not_is_refused_and_nothing_changes(callers: Callers, client: FlaskClient, name: str, caller: str) -> None:
    if kind_of(caller) in ALLOWED[name]:
        return
    before = content(callers.at)
    for answer in ask(client, name, EXAMPLES[name], callers.headers[caller]):
        assert answer.status_code == (401 if caller == "stranger" else 403), answer.text
        assert ("WWW-Authenticate" in answer.headers) is (caller == "stranger")
        assert "sch-00" not in answer.text
    for answer in ask(client, name, {}, callers.headers[caller]):
        assert answer.status_code == (401 if caller == "stranger" else 403), "the question who asks comes before what is asked"
    assert content(callers.at) == before


@pytest.mark.feature("SE1")
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", [command.name for command in table.COMMANDS])
def test_whoever_may_is_let_in(callers: Callers, copied: tuple[Site, FlaskClient], name: str, caller: str) -> None:
    if kind_of(caller) not in ALLOWED[name]:
        return
    _, client = copied
    if name == "certificate":
        answer = client.post(f"/api/{name}", json=EXAMPLES[name], headers=callers.headers[caller])
        assert (answer.status_code in (401, 403), "token" in answer.text) == (True, True), "let in, and the guessed token is refused"
        return
    if (name, caller) == ("renew_certificate", "operator"):
        answer = client.post(f"/api/{name}", json=EXAMPLES[name], headers=callers.headers[caller])
        assert (answer.status_code, "no certificate to renew" in answer.text) == (403, True)
        return
    answer = client.post(f"/api/{name}", json=EXAMPLES[name], headers=callers.headers[caller])
    if name == "records_restore":
        assert (answer.status_code, "is not damaged" in answer.text) == (409, True)
        return
    assert answer.status_code == 200, answer.text


LIES = (
    {"X-Forwarded-For": "10.77.0.3"},
    {"X-Real-IP": "10.77.0.3"},
    {"Forwarded": "for=10.77.0.3"},
    {"X-Hps-Mac": str(mac_of(OTHER))},
    {"X-Mac": str(mac_of(OTHER)), "X-Host": "sch-002", "Cookie": f"mac={mac_of(OTHER)}"},
    {"X-Hps-Caller": "operator", "X-Remote-User": "root", "Authorization": "Basic cm9vdDpyb290"},
    {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/", "X-Rewrite-URL": "/"},
    {"X_Hps_Door": "local", "X-Hps-Door ": "local"},
)
_NAMES = ("mac", "host", "hostname", "ip", "address", "caller", "cluster", "node")
CLAIMS = tuple({key: value} for key in _NAMES for value in (str(mac_of(OTHER)), "sch-002"))


@pytest.mark.feature("SE2")
@pytest.mark.parametrize("name", [name for name in NODES if name not in ("certificate", "renew_certificate")])
def test_a_node_reaches_its_own_record_only(callers: Callers, copied: tuple[Site, FlaskClient], name: str) -> None:
    """With every header and every parameter that it can think of: its own data, or nothing."""
    at, client = copied
    at.registry.change(site.record_name(at, mac_of(OTHER)), setting(DESCRIPTION="only-of-the-other", BMC_USER="only-of-the-other"))
    secret = ("only-of-the-other", "sch-002", str(mac_of(OTHER)), mac_of(OTHER).digits, site.host_values(at, mac_of(OTHER))["IP"])
    others = {path: data for path, data in content(at).items() if mac_of(OTHER).digits in path}
    assert others
    headers = callers.headers["node"]
    for lie in LIES:
        answer = client.post(f"/api/{name}", json=EXAMPLES[name], headers={**headers, **lie})
        assert not [word for word in secret if word in answer.text], (lie, answer.text)
    for claim in CLAIMS:
        for answer in ask(client, name, {**EXAMPLES[name], **claim}, headers):
            known = set(claim) <= {each.name for each in table.BY_NAME[name].parameters}
            assert known or answer.status_code == 400, (claim, answer.text)
            shown = answer.text.replace(str(mac_of(OTHER)), "") if claim and str(mac_of(OTHER)) in claim.values() else answer.text
            assert not [word for word in secret if word in shown and word not in claim.values()], (claim, answer.text)
    assert {path: data for path, data in content(at).items() if mac_of(OTHER).digits in path} == others


@pytest.mark.feature("SE2")
def test_another_machines_certificate_and_address_are_no_help(callers: Callers, client: FlaskClient) -> None:
    own, other = callers.headers["node"], callers.headers["other node"]
    mixed = (
        {**own, "X-Hps-Address": other["X-Hps-Address"]},
        {**own, "X-Hps-Certificate": own["X-Hps-Certificate"] + other["X-Hps-Certificate"]},
    )
    for headers in mixed:
        answer = client.post("/api/installer_config", json={"name": "config.json"}, headers=headers)
        assert "sch-002" not in answer.text
    for headers in (
        {**other, "X-Hps-Door": "plain"},
        {**other, "X-Hps-Verified": "NONE"},
        {"X-Hps-Certificate": other["X-Hps-Certificate"]},
    ):
        assert client.post("/api/installer_config", json={"name": "config.json"}, headers=headers).status_code == 401


@pytest.mark.feature("SE3")
def test_what_is_the_clusters_is_for_its_members(callers: Callers, copied: tuple[Site, FlaskClient]) -> None:
    at, client = copied
    at.registry.change(cluster_name("lab"), setting(OPENSVC_CLUSTER_SECRET="hush", DESCRIPTION="plain"))
    for caller in CALLERS:
        for key, value in (("DNS_DOMAIN", "lab.example"), ("DESCRIPTION", "plain"), ("OPENSVC_CLUSTER_SECRET", "")):
            answers = list(ask(client, "cluster_variable", {"name": key}, callers.headers[caller]))
            assert not any("hush" in answer.text for answer in answers)
            if caller in ("stranger", "booting"):
                assert {answer.status_code for answer in answers} == {401 if caller == "stranger" else 403}
                assert not any("lab.example" in answer.text for answer in answers)
            else:
                found = answers[0].get_json()
                assert (answers[0].status_code, found.get("result", {}).get("value", "")) == (200 if value else 403, value)


@pytest.mark.feature("SE4", "S9")
@pytest.mark.parametrize("form", ["json", "text", "html", "ipxe"])
def test_a_known_and_an_unknown_machine_get_the_same_answer_elsewhere(callers: Callers, client: FlaskClient, form: str) -> None:
    """From an address that is not its own, with a token that is not its own, asked about by its name: byte for byte the same."""
    known, unknown = mac_of(OWN), mac_of(4711)
    addresses = (
        {"X-Hps-Door": "plain", "X-Hps-Address": STRANGE},
        {"X-Hps-Door": "tls", "X-Hps-Address": STRANGE},
        callers.headers["booting"],
    )
    for headers in addresses:
        for path, body in (
            ("/api/certificate", {"token": "MAC.guessed-guessed-guessed-guessed", "csr": EXAMPLES["certificate"]["csr"]}),
            ("/api/init", {"mac": "MAC"}),
            ("/api/host_show", {"host": "MAC"}),
            ("/api/register", {"host": "MAC"}),
            ("/hosts/MAC", None),
            ("/hosts/MAC/fragment", None),
            ("/boot/MAC", None),
        ):
            seen = set()
            for mac in (known, unknown):
                asked = json.loads(json.dumps(body).replace("MAC", mac.digits))
                shown = {**headers, "User-Agent": "x"}
                address = f"{path.replace('MAC', mac.digits)}?format={form}"
                answer = client.get(address, headers=shown) if body is None else client.post(address, json=asked, headers=shown)
                seen.add((answer.status_code, tuple(sorted(answer.headers.items())), answer.text))
            assert len(seen) == 1, seen


def test_the_lease_of_a_machine_is_worth_something_at_its_own_address_only(callers: Callers, client: FlaskClient) -> None:
    enlist.first_contact(callers.at, mac_of(9))
    for address, status in ((ADDRESS, 200), ("10.77.0.211", 401), ("010.77.0.210", 401), (f"{ADDRESS}, {ADDRESS}", 401), ("", 401)):
        headers = {"X-Hps-Door": "plain", "X-Hps-Address": address}
        assert client.get("/hps-api?cmd=init", headers=headers).status_code == status
