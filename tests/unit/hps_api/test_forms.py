"""The form of an answer: Accept first, with its weights, then `format`, then the address and the program."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from hps.services import edge
from hps_api import create_app, forms
from tests.edge.callers import LOCAL, PLAIN, UNKNOWN
from tests.sites import mac_of, make_site, write_leases

pytestmark = pytest.mark.programs
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    at = make_site(tmp_path_factory.mktemp("site"))
    write_leases(at.paths, [(mac_of(1), "10.77.0.210")])
    return create_app(at.paths).test_client()


def form_of(answer: TestResponse) -> str:
    """The form that an answer really has, by its content."""
    kind = answer.content_type
    if kind == "application/json":
        json.loads(answer.text)
        return "json"
    if kind.startswith("text/html"):
        assert is_whole(answer.text)
        assert answer.text.startswith("<!doctype html>")
        return "html"
    assert kind.startswith("text/plain")
    return "ipxe" if answer.text.startswith("#!ipxe\n") else "text"


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


CASES: list[tuple[dict[str, str], str, str]] = [
    ({"User-Agent": "Mozilla/5.0 (X11; Linux)", "Accept": BROWSER}, "", "html"),
    ({"User-Agent": "curl/8.5.0", "Accept": "*/*"}, "", "json"),
    ({"User-Agent": "Wget/1.21.3", "Accept": "*/*"}, "", "json"),
    ({"User-Agent": "iPXE/1.0.0+git-20190125"}, "", "ipxe"),
    ({"User-Agent": "Mozilla/5.0"}, "", "html"),
    ({"User-Agent": "SomethingElse/1"}, "", "text"),
    ({}, "", "text"),
    ({"Accept": "application/json"}, "", "json"),
    ({"Accept": "text/html"}, "", "html"),
    ({"Accept": "text/plain"}, "", "text"),
    ({"Accept": "text/x-ipxe"}, "", "ipxe"),
    ({"Accept": "application/json;q=0.1, text/html;q=0.9"}, "", "html"),
    ({"Accept": "application/json; q=0.9, text/html;q=0.1"}, "", "json"),
    ({"Accept": "text/html;level=1;q=0.1, application/json;q=0.9"}, "", "json"),
    ({"Accept": "text/plain;q=0.5, image/png, application/json;q=0.4"}, "", "text"),
    ({"Accept": "*/*;q=1, application/json;q=0.1"}, "", "json"),
    ({"Accept": "image/png", "User-Agent": "curl/8"}, "", "json"),
    ({"Accept": "application/json;q=0", "User-Agent": "curl/8"}, "", "text"),
    ({"Accept": "text/html;q=0, */*", "User-Agent": "Mozilla/5.0"}, "", "text"),
    ({"Accept": "APPLICATION/JSON"}, "", "json"),
    ({"Accept": "text/html", "User-Agent": "iPXE/1"}, "format=json", "html"),
    ({"User-Agent": "iPXE/1"}, "format=json", "json"),
    ({"Accept": "*/*", "User-Agent": "curl/8"}, "format=text", "text"),
    ({"Accept": ",;=;q=,,q=1;;", "User-Agent": "curl/8"}, "", "json"),
    ({"Accept": "application/json;q=nonsense", "User-Agent": "Mozilla/5.0"}, "", "html"),
    ({"Accept": "/" * 4000, "User-Agent": "curl/8"}, "", "json"),
]


@pytest.mark.feature("AP4")
@pytest.mark.parametrize(("headers", "query", "form"), CASES)
def test_one_call_has_a_form_for_each_kind_of_caller(client: FlaskClient, headers: dict[str, str], query: str, form: str) -> None:
    answer = client.get(f"/hps-api?cmd=health&{query}", headers={"User-Agent": "", **PLAIN, **headers})
    assert (answer.status_code, form_of(answer)) == (200, form)
    assert "ready" in answer.text


FAILURES: list[tuple[str, str, int, Mapping[str, str], bytes]] = [
    ("GET", "/hps-api?cmd=nonsense", 404, LOCAL, b""),
    ("GET", "/hps-api", 400, LOCAL, b""),
    ("GET", "/hps-api?cmd=health&cmd=health", 400, LOCAL, b""),
    ("GET", "/hps-api?cmd=health&x=%ff", 400, LOCAL, b""),
    ("GET", "/hps-api?cmd=health&surprise=1", 400, LOCAL, b""),
    ("GET", "/hps-api?cmd=host_list", 401, UNKNOWN, b""),
    ("GET", "/hps-api?cmd=host_list", 403, PLAIN, b""),
    ("GET", "/", 401, UNKNOWN, b""),
    ("GET", "/", 403, PLAIN, b""),
    ("GET", "/nothing", 404, LOCAL, b""),
    ("GET", "/hosts/52:54:00:00:00:77", 404, LOCAL, b""),
    ("GET", "/hosts/%00", 404, LOCAL, b""),
    ("GET", "/static/../../app.py", 404, LOCAL, b""),
    ("GET", "/hps-api?cmd=host_remove&host=x", 405, LOCAL, b""),
    ("DELETE", "/hps-api?cmd=health", 405, LOCAL, b""),
    ("PUT", "/", 405, LOCAL, b""),
    ("POST", "/hps-api?cmd=health", 413, LOCAL, b"x" * 300_000),
    ("POST", "/hps-api?cmd=health", 415, LOCAL, b"{}"),
]


@pytest.mark.feature("AP6", "AP7", "AP9")
@pytest.mark.parametrize(("method", "path", "status", "headers", "body"), FAILURES)
@pytest.mark.parametrize(
    ("agent", "form"),
    [("Mozilla/5.0", "html"), ("curl/8.5.0", "json"), ("Wget/1.21", "json"), ("iPXE/1.0", "ipxe"), ("", "text"), ("Other/1", "text")],
)
def test_failures_have_the_form_of_the_caller_and_their_status(
    client: FlaskClient, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes, agent: str, form: str
) -> None:
    kind = "application/x-www-form-urlencoded" if status == 413 else "application/octet-stream"
    answer = client.open(path, method=method, data=body, headers={**headers, "User-Agent": agent}, content_type=kind)
    assert form_of(answer) == form
    # A machine that boots gets its errors as a script with status 200: firmware shows nothing else.
    assert answer.status_code == (200 if form == "ipxe" and headers is PLAIN else status)
    if form == "json":
        told = answer.get_json()
        assert (told["ok"], told["status"]) == (False, status)
        assert told["error"]
    if status == 401:
        assert "WWW-Authenticate" in answer.headers
    if status == 405:
        assert "POST" in answer.headers["Allow"] or "GET" in answer.headers["Allow"]


@pytest.mark.feature("AP7")
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"a":1,"a":1}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b'{"unknown": 1}', "application/json; charset=utf-8", 400),
        (b"{}", "application/json", 200),
        (b"", None, 200),
    ],
)
def test_json_bodies(client: FlaskClient, body: bytes, kind: str | None, status: int) -> None:
    answer = client.post("/api/health", data=body, headers=LOCAL, content_type=kind)
    assert answer.status_code == status
    assert answer.get_json()["ok"] is (status == 200)


def test_parameters_of_the_json_form_are_in_its_body(client: FlaskClient) -> None:
    assert client.post("/api/health?format=text", headers=LOCAL).text.startswith("status=ready")
    assert client.post("/api/health?cluster=x", headers=LOCAL).status_code == 400
    assert client.post("/api/health?format=xml", headers=LOCAL).status_code == 400


def test_a_form_is_read_as_a_query_is(client: FlaskClient) -> None:
    kind = "application/x-www-form-urlencoded"
    assert client.post("/hps-api", data=b"cmd=health&format=json", headers=LOCAL, content_type=kind).get_json()["ok"]
    assert client.post("/hps-api?cmd=health", data=b"cmd=health", headers=LOCAL, content_type=kind).status_code == 400
    assert client.post("/hps-api?format=text", data=b"cmd=health&format=json", headers=LOCAL, content_type=kind).status_code == 400
    assert client.post("/hps-api?cmd=health", data={"x": "1"}, headers=LOCAL, content_type="multipart/form-data").status_code == 415


def test_a_secret_is_taken_from_no_address(client: FlaskClient) -> None:
    answer = client.get("/hps-api?cmd=certificate&token=abc&csr=x", headers={**UNKNOWN, "User-Agent": "curl/8"})
    assert answer.status_code == 400
    assert "POST" in answer.get_json()["hint"]


def test_head_and_options(client: FlaskClient) -> None:
    head = client.head("/hps-api?cmd=health", headers=LOCAL)
    assert (head.status_code, head.data) == (200, b"")
    assert client.head("/hps-api?cmd=init", headers=PLAIN).status_code == 405
    allowed = client.options("/hps-api", headers=LOCAL)
    assert set(allowed.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert "Access-Control-Allow-Origin" not in allowed.headers
    assert client.options("/", headers=UNKNOWN).status_code == 401


@pytest.mark.feature("AP3")
def test_the_old_address_serves_every_command(client: FlaskClient) -> None:
    for query in ("cmd=init&arch=x86_64", "cmd=health", "cmd=nonsense", "cmd=host_list"):
        for agent in ("iPXE/1", "curl/8", "Mozilla/5.0", ""):
            new, old = (
                client.get(f"{path}?{query}", headers={**PLAIN, "User-Agent": agent}) for path in ("/hps-api", "/cgi-bin/boot_manager.sh")
            )
            assert (old.status_code, old.text) == (new.status_code, new.text)


def test_a_path_is_what_it_is(client: FlaskClient) -> None:
    for path in ("/hps-api/", "/hosts//x", "/api/", "/api/health/", "/API/health"):
        answer = client.get(path, headers=LOCAL)
        assert (answer.status_code, answer.headers.get("Location")) == (404, None)


RULES = {name: re.findall(r"~\*(\S+) (\w+);", text) for text in edge.shared() if (name := text.split(" ")[1]) == "$http_user_agent"}


@given(
    st.lists(st.sampled_from(["ipxe", "iPXE/1", "Mozilla/5.0", "curl/8", "Wget/1", "x", ""])), st.sampled_from(["", "json", "html", "ipxe"])
)
def test_nginx_takes_the_same_programs_for_the_same(words: list[str], wanted: str) -> None:
    """What nginx answers by itself has the form that hps-api would have chosen (hps.services.edge)."""
    agent = " ".join(words)
    rules = RULES["$http_user_agent"]
    by_nginx = next((form for pattern, form in rules if re.search(pattern, agent, re.IGNORECASE)), "text")
    with Flask("x").test_request_context(f"/hps-api?format={wanted}", headers={"User-Agent": agent}):
        assert forms.wanted() == (wanted or by_nginx)
