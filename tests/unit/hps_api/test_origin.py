"""No web site that somebody's browser shows may speak with that browser's rights (S20)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from hps.flows import site
from hps_api import create_app, origin
from tests.edge.callers import LOCAL, PLAIN, Callers, make_callers
from tests.sites import mac_of

pytestmark = pytest.mark.programs
BODY = {"host": str(mac_of(5)), "type": "SCH"}
OURS = "http://localhost"


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    return make_callers(tmp_path)


@pytest.fixture
def client(callers: Callers) -> FlaskClient:
    return create_app(callers.at.paths).test_client()


def token_of(client: FlaskClient, headers: Mapping[str, str]) -> str:
    page = client.get("/", headers=headers).text
    return page.partition('<meta name="hps-token" content="')[2].partition('"')[0]


def post(client: FlaskClient, headers: Mapping[str, str], **more: Any) -> int:
    return client.post("/api/host_configure", json=BODY, headers=headers, **more).status_code


@pytest.mark.feature("S20")
@pytest.mark.parametrize("door", ["operator", "operator by certificate"])
@pytest.mark.parametrize(
    "made_by",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost.evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Sec-Fetch-Site": "none", "Origin": "http://evil.example"},
    ],
)
def test_another_site_reaches_nothing(client: FlaskClient, callers: Callers, door: str, made_by: dict[str, str]) -> None:
    headers = {**callers.headers[door], **made_by}
    shown = {**headers, origin.TOKEN_HEADER: token_of(client, callers.headers[door])}
    assert post(client, shown) == 403, "even one that had got hold of the token"
    for path in ("/", "/fragment", "/openapi.json", "/api", "/hps-api?cmd=host_list"):
        assert client.get(path, headers=headers).status_code == 403
    assert not site.host_values(callers.at, mac_of(5))


@pytest.mark.feature("S20")
@pytest.mark.parametrize(("door", "own"), [("operator", OURS), ("operator by certificate", "https://localhost")])
def test_a_change_from_a_browser_needs_the_token_of_our_pages(client: FlaskClient, callers: Callers, door: str, own: str) -> None:
    headers = callers.headers[door]
    for marks in ({"Origin": own}, {"Sec-Fetch-Site": "same-origin"}, {"Referer": f"{own}/"}):
        token = token_of(client, headers)
        assert len(token) == 64
        wrong = ("", "x", token[:-1], token.upper(), f"{token}x", "ü", token_of(client, callers.headers["operator by certificate"])[::-1])
        for shown in wrong:
            assert post(client, {**headers, **marks, origin.TOKEN_HEADER: shown}) == 403
        assert post(client, {**headers, **marks}) == 403
        assert not site.host_values(callers.at, mac_of(5))
    assert post(client, {**headers, "Origin": own, origin.TOKEN_HEADER: token}) == 200
    assert site.host_values(callers.at, mac_of(5))["STATE"]


def test_the_token_is_one_persons(client: FlaskClient, callers: Callers) -> None:
    local, anna = (token_of(client, callers.headers[door]) for door in ("operator", "operator by certificate"))
    assert local != anna
    assert post(client, {**LOCAL, "Origin": OURS, origin.TOKEN_HEADER: anna}) == 403
    assert client.get("/api", headers=callers.headers["node"]).text.count("hps-token") == 0


def test_a_form_may_hold_the_token(client: FlaskClient, callers: Callers) -> None:
    fields = {"cmd": "host_configure", **BODY}
    headers = {**LOCAL, "Origin": OURS}
    assert client.post("/hps-api", data=fields, headers=headers).status_code == 403
    assert client.post("/hps-api", data={**fields, "hps_token": "x"}, headers=headers).status_code == 403
    assert client.post("/hps-api", data={**fields, "hps_token": token_of(client, LOCAL)}, headers=headers).status_code == 200


def test_what_is_no_browser_needs_no_token(client: FlaskClient) -> None:
    assert post(client, {**LOCAL, "User-Agent": "curl/8"}) == 200


@pytest.mark.feature("S20")
@pytest.mark.parametrize(
    "name", ["evil.example", "10.77.0.1.evil.example", "lab.example", "localhost.evil.example", "[::1", "ips.evil", ""]
)
@pytest.mark.parametrize("door", ["operator", "operator by certificate", "booting"])
def test_a_name_that_somebody_else_points_at_us_is_refused(client: FlaskClient, callers: Callers, name: str, door: str) -> None:
    headers = {**callers.headers[door], "Host": name}
    assert client.get("/hps-api?cmd=health", headers=headers).status_code == 403
    assert client.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "name", ["10.77.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "ips", "ips.lab.example", "ips-01", "IPS-01.LAB.example"]
)
def test_our_names(client: FlaskClient, name: str) -> None:
    assert client.get("/hps-api?cmd=health", headers={**LOCAL, "Host": name}).status_code == 200


@pytest.mark.feature("S20")
def test_a_browser_on_a_machine_of_the_cluster_chooses_nothing_for_it(client: FlaskClient, callers: Callers) -> None:
    """An image of a web page is fetched with GET, and from http a browser says no more about it than its own name."""
    path = "/hps-api?cmd=process_menu_item&menu_item=unmanage"
    for marks in ({"User-Agent": "Mozilla/5.0"}, {"Referer": "http://evil.example/"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.get(path, headers={**PLAIN, **marks}).status_code in (403, 405)
        assert site.host_values(callers.at, mac_of(9))["STATE"] == "UNCONFIGURED"
    assert client.get(path, headers={**PLAIN, "User-Agent": "iPXE/1.0"}).status_code == 200


def test_the_key_is_kept_well(client: FlaskClient, callers: Callers) -> None:
    token = token_of(client, LOCAL)
    key = callers.at.paths.config / "page.key"
    assert (key.stat().st_mode & 0o777, key.stat().st_size) == (0o600, origin.KEY_BYTES)
    assert token_of(create_app(callers.at.paths).test_client(), LOCAL) == token
    key.write_bytes(b"")
    assert client.get("/", headers=LOCAL).status_code == 409, "no key is no reason to take any token"
    assert post(client, {**LOCAL, "Origin": OURS, origin.TOKEN_HEADER: token}) == 409
    key.unlink()
    assert token_of(client, LOCAL) != token


@pytest.mark.feature("S20")
def test_every_page_forbids_what_is_inline(client: FlaskClient, callers: Callers) -> None:
    paths = ("/", "/fragment", "/api", f"/hosts/{mac_of(1).digits}", "/hps-api?cmd=health&format=html", "/nothing?format=html")
    for path in paths:
        answer = client.get(path, headers=LOCAL)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert " style=" not in answer.text
        assert " on" + "click" not in answer.text
        assert answer.text.count("<script") == answer.text.count('<script src="/static/')
        assert "Access-Control-Allow-Origin" not in answer.headers
