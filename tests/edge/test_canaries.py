"""A secret in every place that can hold one; then everything is asked, by everybody, in every form: none is ever seen."""

import base64
import contextlib
import http.client
import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from hps import cli
from hps.commands import table
from hps.errors import HpsError
from hps.flows import accounts, serve, site
from hps.flows.model import Site
from hps.paths import Paths
from hps.registry.keys import TABLE
from hps.registry.model import HPS, RecordName, cluster_name, os_name, setting
from hps.security import authority, passphrase
from hps_api import create_app
from tests.edge.callers import LOCAL, NEW, OTHER, OWN, Callers, certified, make_callers
from tests.edge.examples import EXAMPLES
from tests.sites import OS_ID, mac_of
from tests.unit.security.front import Front, front
from tests.web.serving import serving

pytestmark = pytest.mark.programs
CALLERS = ("stranger", "booting", "node", "operator", "operator by certificate", "ips")
FORMS: tuple[Mapping[str, str], ...] = (
    {"Accept": "application/json"},
    {"Accept": "text/html", "User-Agent": "Mozilla/5.0"},
    {"Accept": "text/plain"},
    {"User-Agent": "iPXE/1.0"},
)
PASSPHRASE = "canary-of-the-passphrase"
Ask = Callable[[str, str, Mapping[str, str], Any], str]
"""Method, address, headers, and an object for JSON, text for a form, or None -> everything that came back."""


@dataclass(frozen=True)
class Planted:
    """A site full of secrets: its callers, and the words that must not be seen with what each of them is."""

    callers: Callers
    words: Mapping[str, str]

    def found(self, text: str) -> list[str]:
        """What of the secrets stands in a text, also as hexadecimal digits or in base 64."""
        return [name for name, word in self.words.items() if word in text]


def records() -> Mapping[str, tuple[RecordName, ...]]:
    """Of each kind the records that are there; an account's too, though it has no secret key yet."""
    hosts = tuple(RecordName("host", ("lab", mac_of(number).digits)) for number in (NEW, OWN, OTHER))
    return {
        "hps": (HPS,),
        "cluster": (cluster_name("lab"),),
        "host": hosts,
        "account": (RecordName("account", ("lab", "anna")),),
        "os": (os_name(OS_ID),),
    }


def plant(at: Site) -> dict[str, str]:
    """A canary for every secret key in every record of its kind."""
    words = {}
    for key in TABLE:
        if key.secret:
            for number, name in enumerate(records()[key.kind]):
                word = f"canary{number}of{key.name.replace('_', '').lower()}"
                words[f"{key.name} of {name}"] = word
                if at.registry.exists(name):
                    at.registry.change(name, setting(**{key.name: word}))
    return words


def spelled(words: Mapping[str, str]) -> dict[str, str]:
    """The same words also as somebody might write them who does not mean to."""
    found = dict(words)
    for name, word in words.items():
        found[f"{name}, hexadecimal"] = word.encode().hex()
        found[f"{name}, base 64"] = base64.b64encode(word.encode()).decode().rstrip("=")[:-2]
    return found


def keys_of(at: Site, folder: Path) -> dict[str, str]:
    """Lines of every private key that this IPS holds or has just made, the key of our pages, and the passphrase."""
    accounts.create_operator(at, "carla", folder)
    words = {"the passphrase": PASSPHRASE}
    for path in (at.authority / "ca.key", at.authority / "ips.key", folder / "hps-lab.pem"):
        text = path.read_text().partition("PRIVATE KEY-----")[2]
        for number, line in enumerate(re.findall("[A-Za-z0-9+/]{40,}", text.partition("-----END")[0])):
            words[f"line {number} of {path.name}"] = line
    authority.protect(at.authority, PASSPHRASE)
    sealed = (at.authority / "ca.key").read_text()
    words |= {f"line {number} of the sealed key": line for number, line in enumerate(re.findall("[A-Za-z0-9+/]{40,}", sealed))}
    page_key = (at.paths.config / "page.key").read_bytes()
    words["the key of our pages"] = page_key.hex()
    words["the key of our pages, base 64"] = base64.b64encode(page_key).decode().rstrip("=")
    words["the key of our pages, as text"] = page_key.decode("latin-1")
    return words


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    base = tmp_path_factory.mktemp("site")
    callers = make_callers(base)
    at = callers.at
    authority.ensure_server_certificate(at.authority, ("ips",), ("10.77.0.1",))
    at.registry.change(HPS, setting(LOG_LEVEL="debug"))
    create_app(at.paths).test_client().get("/", headers=LOCAL)
    words = spelled(plant(at))
    words |= {f"token of {number}": site.tokens(at).mint(mac_of(number)).partition(".")[2] for number in (OWN, OTHER)}
    words |= keys_of(at, base / "home")
    site.timeline(at).record(mac_of(OTHER), "script", "install: sch-002")
    try:
        yield Planted(callers, words)
    finally:
        passphrase.forget(at.authority)


def last(name: str) -> tuple[bool, bool, str]:
    """The order in which commands are asked, so that what removes something comes at the end."""
    return ("remove" in name or "revoke" in name, table.BY_NAME[name].changes, name)


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Every route of the application with its methods, its placeholders filled."""
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:filename>", "hps.css").replace("<name>", "host_list")
        for mac in (OTHER, OWN) if "<mac>" in path else (OTHER,):
            found += [(method, path.replace("<mac>", mac_of(mac).digits)) for method in sorted(rule.methods or ())]
    return found


def crawl(app: Flask, ask: Ask, headers: Mapping[str, str], at: Site) -> Iterator[tuple[str, str]]:
    """What comes back from every route, from every command in each of its forms, and from requests that are wrong."""
    for form in FORMS:
        shown = {**headers, **form}
        for method, path in addresses(app):
            yield f"{method} {path}", ask(method, path, shown, {} if method == "POST" else None)
        for path in ("/nothing", "/hosts/x", "/openapi.json", "/api", "/hps-api?cmd=nothing", "/hps-api?cmd=health&x=%ff"):
            yield path, ask("GET", path, shown, None)
    for name in sorted(table.BY_NAME, key=last):
        plant(at)
        yield from one_command(name, ask, headers, at)


def one_command(name: str, ask: Ask, headers: Mapping[str, str], at: Site) -> Iterator[tuple[str, str]]:
    asked = list(variants(name))
    given = asked[0]
    for form in FORMS:
        for each in asked if form is FORMS[0] else (given, asked[-1]):
            yield f"{name} {each} {form}", ask("POST", f"/api/{name}", {**headers, **form}, each)
    text = urlencode({"cmd": name, **{key: value for key, value in given.items() if isinstance(value, str)}})
    yield f"{name} as a query", ask("GET", f"/hps-api?{text}", {**headers, **FORMS[0]}, None)
    yield f"{name} as a form", ask("POST", "/hps-api", {**headers, **FORMS[2]}, text)
    yield f"{name} for a function", ask("POST", f"/terminal/{name}", headers, given)
    command = table.BY_NAME[name]
    if command.verb:
        words = [*command.verb, *(str(given[each.name]) for each in command.parameters if each.positional and each.name in given)]
        for more in ([], ["--json"], ["--help"], ["--nothing"]):
            yield f"{words} {more}", ask("POST", "/terminal", headers, {"words": [*words, *more]})


def variants(name: str) -> Iterator[Mapping[str, Any]]:
    """The example; the same about each secret key and about each host; and what is wrong."""
    example = EXAMPLES[name]
    yield example
    for secret in [key.name for key in TABLE if key.secret]:
        for parameter in {"key", "name", "field"} & set(example):
            if "value" not in example or name in ("registry_search",):
                yield {**example, parameter: secret}
    if "host" in example:
        yield {**example, "host": "sch-001"}
        yield {**example, "host": str(mac_of(NEW))}
    yield {**example, "nonsense": "x"}
    yield {name: ["wrong"] for name in example}


def in_process(app: Flask) -> Ask:
    client = app.test_client()

    def ask(method: str, path: str, headers: Mapping[str, str], body: Any) -> str:
        more: dict[str, Any] = {} if body is None else {"data": body, "content_type": "application/x-www-form-urlencoded"}
        if isinstance(body, dict):
            more = {"json": body}
        answer = client.open(path, method=method, headers=dict(headers), **more)
        return f"{answer.headers}\n{answer.data.decode('latin-1')}"

    return ask


def copied(planted: Planted, to: Path) -> Site:
    """The same site once more, because some callers change it."""
    shutil.copytree(planted.callers.at.paths.base, to)
    at = site.open_ips(Paths(to))
    passphrase.keep(at.authority, PASSPHRASE)
    return at


def left_behind(base: Path) -> Iterator[tuple[str, str]]:
    """Every file but the records and keys themselves, which a backup holds and nobody serves, and an operator's own."""
    for path in base.rglob("*"):
        inside = path.relative_to(base).parts[:1]
        if path.is_file() and inside not in (("config",), ("home",)):
            yield str(path), path.read_bytes().decode("latin-1")


@pytest.mark.feature("SE5", "S3", "S15", "S23")
@pytest.mark.parametrize("caller", CALLERS)
def test_no_answer_and_no_log_holds_a_secret(
    planted: Planted, tmp_path: Path, caller: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hps.flows.decide.LONGEST_HOLD", 0)
    caplog.set_level(logging.DEBUG)
    at = copied(planted, tmp_path / "copy")
    app = create_app(at.paths)
    try:
        seen = 0
        for asked, came in crawl(app, in_process(app), planted.callers.headers[caller], at):
            seen += 1
            assert planted.found(came) == [], asked
            assert "Traceback" not in came
        assert seen > 500
        assert planted.found(caplog.text) == []
        for path, text in left_behind(at.paths.base):
            assert planted.found(text) == [], path
    finally:
        passphrase.forget(at.authority)


@pytest.mark.feature("S3")
@pytest.mark.parametrize("leak", ["cluster", "host", "token", "key"])
def test_a_leak_is_found(planted: Planted, tmp_path: Path, leak: str) -> None:
    """One route of each kind that says too much: the same crawl sees it."""
    at = copied(planted, tmp_path / "copy")
    app = create_app(at.paths)
    said = {
        "cluster": lambda: dict(at.registry.read(cluster_name("lab")).values),
        "host": lambda: dict(site.host_values(at, mac_of(OTHER))),
        "token": lambda: {"token": planted.words[f"token of {OTHER}"]},
        "key": lambda: {"key": (at.authority / "ips.key").read_text()},
    }[leak]
    app.add_url_rule("/leak", "openapi.leak", said)
    app.before_request_funcs[None].clear()
    app.before_request(lambda: None)

    def ask(method: str, path: str, headers: Mapping[str, str], _body: Any) -> str:
        return app.test_client().open(path, method=method).text if path == "/leak" else ""

    try:
        assert [asked for asked, came in crawl(app, ask, LOCAL, at) if planted.found(came)]
    finally:
        passphrase.forget(at.authority)


def verbs(at: Site) -> Iterator[Sequence[str]]:
    """What an operator may print at the IPS itself."""
    yield from (["cluster", "show", "lab"], ["cluster", "list"], ["service", "render", "--dry-run"], ["service", "reconcile", "--dry-run"])
    yield from (["service", "status"], ["authority", "show"], ["account", "list"], ["--help"])
    for name in sorted(table.BY_NAME, key=last):
        command = table.BY_NAME[name]
        if command.verb and not command.changes:
            for given in variants(name):
                words = [str(given[each.name]) for each in command.parameters if each.positional and each.name in given]
                yield [*command.verb, *words]
                yield [*command.verb, *words, "--json"]


@pytest.mark.feature("SE5", "S15")
def test_the_command_line_prints_no_secret(
    planted: Planted, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = copied(planted, tmp_path / "copy")
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HPS_BASE", str(at.paths.base))
    try:
        for words in verbs(at):
            with contextlib.suppress(SystemExit):
                cli.run(words)
            printed = capfd.readouterr()
            assert planted.found(printed.out + printed.err) == [], words
        rendered = serve.reconcile(at.paths, at.registry, dry_run=True)
        assert planted.found(str(rendered) + repr(rendered)) == []
        assert planted.found(caplog.text) == []
    except HpsError as error:
        raise AssertionError(str(error)) from error
    finally:
        passphrase.forget(at.authority)


def over_http(port: int) -> Ask:
    def ask(method: str, path: str, headers: Mapping[str, str], body: Any) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        kind = "application/json" if isinstance(body, dict) else "application/x-www-form-urlencoded"
        data = None if body is None else json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, data, {**headers, **({"Content-Type": kind} if data is not None else {})})
        answer = connection.getresponse()
        try:
            return f"{answer.headers}\n{answer.read().decode('latin-1')}"
        finally:
            connection.close()

    return ask


SENT = "canary-that-was-sent"


def secrets_sent(ask: Ask, headers: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Whoever has a secret sends it: where it belongs, and where it does not."""
    operator, stranger, node = headers["operator"], headers["stranger"], headers["node"]
    mac = mac_of(OTHER)
    for key, name, more in (("OPENSVC_CLUSTER_SECRET", "cluster_config_set", {}), ("BMC_PASSWORD", "host_config_set", {"host": str(mac)})):
        yield ask("POST", f"/api/{name}", operator, {"key": key, "value": SENT, **more})
        yield ask("POST", "/hps-api", operator, urlencode({"cmd": name, "key": key, "value": SENT, **more}))
        yield ask("GET", "/hps-api?" + urlencode({"cmd": name, "key": key, "value": SENT, **more}), operator, None)
        yield ask("POST", f"/api/{name}", stranger, {"key": key, "value": SENT, **more})
        yield ask("POST", f"/api/{name}", operator, {"key": key, "value": SENT + "\ud7ff" * 70000, **more})
        words = name.split("_")[0] + "_config"
        yield ask("POST", "/terminal", operator, {"words": [words, "set", *more.values(), key, "-"], "input": SENT})
        yield ask("POST", "/terminal", operator, {"words": [words, "set", *more.values(), key, SENT]})
    for token in (f"{mac.digits}.{SENT}", f"{mac.digits}.{SENT}{'x' * 300}", SENT):
        yield ask("POST", "/api/certificate", stranger, {"token": token, "csr": "x"})
        yield ask("POST", "/api/certificate", stranger, {"token": token, "csr": EXAMPLES["certificate"]["csr"]})
        yield ask("GET", "/hps-api?" + urlencode({"cmd": "certificate", "token": token, "csr": "x"}), stranger, None)
    yield ask("POST", "/api/cluster_variable", node, {"name": "OPENSVC_CLUSTER_SECRET", "value": SENT})
    yield ask("POST", "/api/cluster_variable", operator, {"name": "OPENSVC_CLUSTER_SECRET", "value": SENT})
    yield ask("POST", "/api/health", {**operator, "X-Hps-Token": SENT, "Origin": "http://localhost"}, {})


@pytest.mark.feature("S15", "SE5")
def test_gunicorn_at_its_most_talkative_tells_no_secret(planted: Planted, tmp_path: Path) -> None:
    at = copied(planted, tmp_path / "copy")
    headers = planted.callers.headers
    try:
        with serving(at.paths.base, more=("--log-level", "debug")) as port:
            ask = over_http(port)
            for came in secrets_sent(ask, headers):
                assert SENT not in came
            for caller in ("stranger", "operator", "node"):
                for name in sorted(table.BY_NAME, key=last):
                    assert planted.found(ask("POST", f"/api/{name}", headers[caller], dict(EXAMPLES[name]))) == []
        log = (at.paths.base / "gunicorn.log").read_text(errors="replace")
        assert "POST /api/health" in log, "the log is at its most talkative"
        for path, text in left_behind(at.paths.base):
            assert planted.found(text) == [], path
            assert SENT not in text, path
    finally:
        passphrase.forget(at.authority)


@pytest.fixture(scope="module")
def doors() -> Iterator[Front]:
    with front() as made:
        yield made


@pytest.mark.root
@pytest.mark.feature("S15", "SE5")
def test_nginx_and_what_is_behind_it_as_shipped_log_no_secret(doors: Front) -> None:
    at = doors.at
    at.registry.change(HPS, setting(LOG_LEVEL="debug"))
    certified(at, OTHER)
    token = site.tokens(at).mint(mac_of(OTHER))
    csr = EXAMPLES["certificate"]["csr"]
    for door in ("https", "http"):
        for path in (f"/hps-api?cmd=certificate&token={SENT}", f"/hps-api?cmd=certificate&token={token}", f"/api/x?token={token}"):
            connection = doors.connect(door=door)
            connection.request("GET", path, headers={"User-Agent": "curl/8"})
            answer = connection.getresponse()
            assert token.encode() not in answer.read()
            assert answer.status in (400, 401, 405)
            connection.close()
    assert doors.call("certificate", {"token": f"{token}x", "csr": csr}).status in (401, 403)
    assert doors.call("certificate", {"token": token, "csr": csr}).status == 200
    secret = token.partition(".")[2]
    for path, text in left_behind(at.paths.base):
        assert SENT not in text, path
        assert secret not in text, path
