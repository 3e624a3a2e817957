"""Keys by hand: `host_config`, `cluster_config` and `hps_config` through every form, and who may write what."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hps.commands import table, terminal
from hps.errors import Denied, HpsError, InvalidInput, NotFound, Refused
from hps.flows import serve, site
from hps.flows.model import OPERATOR, Caller, Site
from hps.registry import keys
from hps.registry import settings as program
from hps.registry.model import HPS, cluster_name, setting
from hps_api import create_app
from tests.sites import mac_of, make_site

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
LOCAL = {"X-Hps-Door": "local"}
ME = Caller(OPERATOR, name="local")
HOST = str(mac_of(1))


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    for number in (1, 2):
        made.registry.change(site.record_name(made, mac_of(number)), setting(STATE="UNCONFIGURED"), create=True)
    values = dict(made.values) | {"CLUSTER_NAME": "other"}
    made.registry.change(cluster_name("other"), setting(**values), create=True)
    return made


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The services are not there; what they would be brought to is kept."""
    told: list[Path] = []

    def reconcile(paths: Any, registry: Any) -> serve.Report:
        told.append(program.located(paths, program.read(registry)).resources)
        return serve.Report(plan=None)  # type: ignore[arg-type]

    monkeypatch.setattr(serve, "reconcile", reconcile)
    return told


def do(at: Site, command: str, **given: Any) -> Any:
    return table.perform(at, ME, command, given)


TARGETS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("host", {"host": HOST}, "DESCRIPTION"),
    ("cluster", {"cluster": "other"}, "DESCRIPTION"),
    ("hps", {}, "DESCRIPTION"),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    (
        "",
        "007",
        "1e3",
        "true",
        "null",
        " a b ",
        "a=b",
        '"quoted"',
        "'",
        "\\",
        "\\n",
        "a\nb\r\n",
        "\0",
        "ä€😀",
        "-",
        "--",
        "%41",
        "+",
        "\u2028",
    )
)


def _query(client: FlaskClient, name: str, given: dict[str, str]) -> Any:
    return client.get("/hps-api", query_string={"cmd": name, **given}, headers={**LOCAL, "Accept": "application/json"})


def _form(client: FlaskClient, name: str, given: dict[str, str]) -> Any:
    return client.post("/hps-api", data={"cmd": name, **given}, headers={**LOCAL, "Accept": "application/json"})


def _json(client: FlaskClient, name: str, given: dict[str, str]) -> Any:
    return client.post(f"/api/{name}", json=given, headers=LOCAL)


FORMS = (_query, _form, _json)
WRITING = (_form, _json)
"""What an operator changes is POSTed."""


@pytest.mark.feature("AP5", "CF5", "SV4")
@pytest.mark.parametrize(("kind", "target", "key"), TARGETS, ids=[row[0] for row in TARGETS])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXT)
def test_any_text_comes_back_the_same_through_every_form(at: Site, kind: str, target: dict[str, str], key: str, value: str) -> None:
    client = create_app(at.paths).test_client()
    for send in WRITING:
        do(at, f"{kind}_config_unset", key=key, **target)
        answer = send(client, f"{kind}_config_set", {**target, "key": key, "value": value})
        assert answer.status_code == 200, answer.text
        for ask in FORMS:
            assert ask(client, f"{kind}_config_get", {**target, "key": key}).get_json()["result"]["value"] == value
            if kind == "host":
                found = ask(client, "registry_search", {"field": key, "value": value}).get_json()["result"]["hosts"]
                assert [host[key] for host in found] == [value]
    do(at, f"{kind}_config_unset", key=key, **target)
    whose = [target["host"]] if kind == "host" else []
    option = ["--cluster", target["cluster"]] if kind == "cluster" else []
    done = terminal.run(at, ME, [f"{kind}_config", "set", *option, *whose, key, "-"], value + "\n")
    assert done.code == 0, done.error
    shown = terminal.run(at, ME, [f"{kind}_config", "get", "--json", *option, *whose, key])
    assert json.loads(shown.out)["value"] == value
    if all(character.isprintable() or character == "\n" for character in value):
        assert terminal.run(at, ME, [f"{kind}_config", "get", *option, *whose, key]).out == value + "\n"


@pytest.mark.feature("CF5")
def test_what_is_no_unicode_text_is_refused_and_nothing_changes(at: Site) -> None:
    client = create_app(at.paths).test_client()
    before = at.registry.read(site.record_name(at, mac_of(1)))
    for value in ('"\\ud800"', "7", "null", "[]", "{}", "true"):
        body = f'{{"host": "{HOST}", "key": "DESCRIPTION", "value": {value}}}'
        answer = client.post("/api/host_config_set", data=body, headers=LOCAL, content_type="application/json")
        assert answer.status_code == 400, value
    for body in ("value=%ED%A0%80", "value=%FF"):
        form = f"cmd=host_config_set&host={HOST}&key=DESCRIPTION&{body}"
        assert client.post("/hps-api", data=form, headers=LOCAL, content_type="application/x-www-form-urlencoded").status_code == 400
    assert at.registry.read(site.record_name(at, mac_of(1))) == before


@pytest.mark.feature("CF7", "CF8", "SV4")
@pytest.mark.parametrize(("kind", "target", "key"), TARGETS, ids=[row[0] for row in TARGETS])
def test_unset_removes_one_key_and_leaves_the_others(at: Site, kind: str, target: dict[str, str], key: str) -> None:
    other = do(at, f"{kind}_config_list", **target)["values"]
    do(at, f"{kind}_config_set", key=key, value="a = b", **target)
    assert do(at, f"{kind}_config_exists", key=key, **target) == {"key": key, "exists": True}
    assert do(at, f"{kind}_config_list", **target)["values"] == {**other, key: "a = b"}
    assert do(at, f"{kind}_config_unset", key=key, **target)["changed"] is True
    for verb in ("get", "exists"):
        with pytest.raises(NotFound):
            do(at, f"{kind}_config_{verb}", key=key, **target)
    assert do(at, f"{kind}_config_list", **target)["values"] == other
    assert do(at, f"{kind}_config_unset", key=key, **target)["changed"] is False


@pytest.mark.feature("CF9", "SV4")
def test_the_first_setting_makes_the_record_of_the_program(tmp_path: Path) -> None:
    at = site.open_ips(make_site(tmp_path).paths)
    at.registry.remove(HPS)
    alone = site.open_ips(at.paths)
    assert do(alone, "hps_config_list")["values"] == {}
    with pytest.raises(NotFound):
        do(alone, "hps_config_get", key="DESCRIPTION")
    assert do(alone, "hps_config_set", key="LOG_LEVEL", value="debug")["changed"] is True
    assert do(alone, "hps_config_list")["values"] == {"LOG_LEVEL": "debug"}


@pytest.mark.parametrize(("kind", "target", "key"), TARGETS, ids=[row[0] for row in TARGETS])
def test_the_same_again_is_done_already(at: Site, kind: str, target: dict[str, str], key: str) -> None:
    first = do(at, f"{kind}_config_set", key=key, value="x", **target)
    again = do(at, f"{kind}_config_set", key=key, value="x", **target)
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["revision"] == again["revision"]


@pytest.mark.parametrize(("kind", "target", "key"), TARGETS, ids=[row[0] for row in TARGETS])
def test_a_revision_keeps_a_change_of_somebody_else(at: Site, kind: str, target: dict[str, str], key: str) -> None:
    do(at, f"{kind}_config_set", key=key, value="one", **target)
    seen = do(at, f"{kind}_config_get", key=key, **target)["revision"]
    done = do(at, f"{kind}_config_set", key=key, value="two", revision=seen, **target)
    with pytest.raises(Refused):
        do(at, f"{kind}_config_set", key=key, value="three", revision=seen, **target)
    with pytest.raises(Refused):
        do(at, f"{kind}_config_unset", key=key, revision=str(seen), **target)
    assert do(at, f"{kind}_config_get", key=key, **target) == {"key": key, "value": "two", "revision": done["revision"]}


@pytest.mark.parametrize("revision", ["-1", "1.5", "x", True, [], {}, "9" * 30, "\u0661"])
def test_a_revision_is_a_number(at: Site, revision: Any) -> None:
    with pytest.raises(HpsError) as caught:
        do(at, "hps_config_set", key="DESCRIPTION", value="x", revision=revision)
    assert caught.value.status == 400


@pytest.mark.feature("SE5", "S23")
@pytest.mark.parametrize(("kind", "target", "key"), [("host", {"host": HOST}, "BMC_PASSWORD"), ("cluster", {}, "OPENSVC_CLUSTER_SECRET")])
def test_a_secret_is_set_and_never_read(at: Site, quiet: list[Path], kind: str, target: dict[str, str], key: str) -> None:
    client = create_app(at.paths).test_client()
    answers = [_json(client, f"{kind}_config_set", {**target, "key": key, "value": "canary-7731"}).text]
    assert do(at, f"{kind}_config_exists", key=key, **target)["exists"] is True
    with pytest.raises(Denied):
        do(at, f"{kind}_config_get", key=key, **target)
    for verb in ("get", "list", "exists", "unset", "set"):
        given = {**target, **({"key": key} if verb != "list" else {}), **({"value": "canary-7731"} if verb == "set" else {})}
        answers += [ask(client, f"{kind}_config_{verb}", given).text for ask in (WRITING if verb in ("set", "unset") else FORMS)]
    answers.append(client.post("/api/registry_search", json={"field": "BMC_PASSWORD", "value": "canary-7731"}, headers=LOCAL).text)
    assert answers
    assert not any("canary-7731" in answer for answer in answers)
    logs = [path.read_text() for path in at.paths.log.rglob("*") if path.is_file()]
    assert logs
    assert not any("canary-7731" in text for text in logs)


def test_an_unknown_key_is_refused_with_the_nearest(at: Site) -> None:
    for kind, target, key in (("host", {"host": HOST}, "DESCRIPTON"), ("cluster", {}, "DHCP_LEAS"), ("hps", {}, "RESOURCE")):
        for verb in ("get", "set", "unset", "exists"):
            with pytest.raises(InvalidInput) as caught:
                do(at, f"{kind}_config_{verb}", key=key, **target, **({"value": "x"} if verb == "set" else {}))
            assert caught.value.hint.startswith("did you mean")


def test_what_hps_keeps_itself_is_not_written_by_hand(at: Site) -> None:
    before = do(at, "host_config_list", host=HOST)
    for key in ("CREATED", "CERTIFICATE", "INSTALL_ARMED", "HOST_CPU_MODEL"):
        for verb, value in (("set", {"value": "x"}), ("unset", {})):
            with pytest.raises(Denied):
                do(at, f"host_config_{verb}", host=HOST, key=key, **value)
    for kind, key in (("cluster", "IPS_NAMES"), ("cluster", "CLUSTER_NAME"), ("hps", "ACTIVE_CLUSTER")):
        with pytest.raises(Denied):
            do(at, f"{kind}_config_set", key=key, value="ips-09")
    assert do(at, "host_config_list", host=HOST) == before


def test_a_name_and_an_address_belong_to_one_host(at: Site) -> None:
    do(at, "host_config_set", host=HOST, key="IP", value="10.77.0.9")
    do(at, "host_config_set", host=HOST, key="HOSTNAME", value="sch-009")
    for key, value in (("IP", "10.77.0.9"), ("HOSTNAME", "sch-009")):
        with pytest.raises(Refused, match=str(mac_of(1))):
            do(at, "host_config_set", host=str(mac_of(2)), key=key, value=value)
    for address in ("10.77.0.1", "10.77.0.0", "10.77.0.255", "10.77.0.254", "10.78.0.9"):
        with pytest.raises(Refused, match="no address for a host"):
            do(at, "host_config_set", host=HOST, key="IP", value=address)
    assert do(at, "host_config_get", host="sch-009", key="IP")["value"] == "10.77.0.9"


def test_what_a_host_gets_is_put_in_place_by_the_change(at: Site) -> None:
    do(at, "host_config_set", host=HOST, key="IP", value="10.77.0.9")
    do(at, "host_config_set", host=HOST, key="HOSTNAME", value="sch-009")
    do(at, "host_config_set", host=HOST, key="STATE", value="UNMANAGED")
    script = at.paths.scripts / "10.77.0.9"
    assert "sch-009 starts from its own disk" in script.read_text()
    do(at, "host_config_unset", host=HOST, key="IP")
    assert not script.exists()


def test_a_cluster_that_would_not_fit_together_is_refused(at: Site, quiet: list[Path]) -> None:
    before = do(at, "cluster_config_list")
    for key, value in (("NETWORK_CIDR", "10.99.0.0/24"), ("DHCP_RANGESIZE", "300"), ("DEFAULT_ROUTE", "192.0.2.1"), ("DNS_DOMAIN", "")):
        with pytest.raises(InvalidInput):
            do(at, "cluster_config_set", key=key, value=value)
    with pytest.raises(InvalidInput, match="may not be empty"):
        do(at, "cluster_config_unset", key="DHCP_IP")
    assert do(at, "cluster_config_list") == before
    assert quiet == []


def test_only_the_active_cluster_is_brought_to_its_services(at: Site, quiet: list[Path]) -> None:
    do(at, "cluster_config_set", cluster="other", key="MENU_TIMEOUT", value="7")
    assert quiet == []
    do(at, "cluster_config_set", key="MENU_TIMEOUT", value="7")
    do(at, "cluster_config_set", key="MENU_TIMEOUT", value="7")
    assert len(quiet) == 1
    assert do(at, "cluster_config_get", key="MENU_TIMEOUT")["value"] == "7"
    with pytest.raises(NotFound):
        do(at, "cluster_config_list", cluster="nowhere")


def test_a_cluster_is_named_where_none_is_active(at: Site) -> None:
    at.registry.change(HPS, setting(ACTIVE_CLUSTER=None))
    alone = site.open_ips(at.paths)
    with pytest.raises(Refused, match="no cluster is active"):
        do(alone, "cluster_config_list")
    assert do(alone, "cluster_config_get", cluster="other", key="CLUSTER_NAME")["value"] == "other"


@pytest.mark.feature("SV6")
def test_resources_move_with_one_setting(at: Site, quiet: list[Path], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    with pytest.raises(NotFound, match="is not a folder"):
        do(at, "hps_config_set", key="RESOURCES", value=str(moved))
    assert quiet == []
    at.paths.images.mkdir(parents=True)
    at.paths.resources.rename(moved)
    do(at, "hps_config_set", key="RESOURCES", value=str(moved))
    assert quiet == [moved]
    assert site.open_ips(at.paths).paths.images == moved / "images"
    with pytest.raises(NotFound, match="is not a folder"):
        do(site.open_ips(at.paths), "hps_config_unset", key="RESOURCES")


def test_a_setting_that_the_services_cannot_follow_is_put_back(at: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(paths: Any, registry: Any) -> serve.Report:
        raise Refused("nginx does not take it")

    monkeypatch.setattr(serve, "reconcile", fail)
    before = do(at, "hps_config_list")["values"]
    with pytest.raises(Refused, match="nginx does not take it"):
        do(at, "hps_config_set", key="RESOURCES", value=str(tmp_path))
    assert do(at, "hps_config_list")["values"] == before


def test_settings_that_make_no_sense_are_refused(at: Site, quiet: list[Path]) -> None:
    with pytest.raises(NotFound):
        do(at, "hps_config_set", key="PROFILES", value="/nowhere/at/all")
    with pytest.raises(Refused, match="knows no IPS ips-07"):
        do(at, "hps_config_set", key="IPS_NAME", value="ips-07")
    with pytest.raises(InvalidInput):
        do(at, "hps_config_set", key="LOG_LEVEL", value="loud")
    assert quiet == []


def test_hosts_are_found_by_a_value(at: Site) -> None:
    do(at, "host_config_set", host=HOST, key="DESCRIPTION", value="rack 7")
    assert [host["MAC"] for host in do(at, "registry_search", field="DESCRIPTION", value="rack 7")["hosts"]] == [HOST]
    assert do(at, "registry_search", field="DESCRIPTION", value="rack")["hosts"] == []
    assert len(do(at, "registry_search", field="STATE", value="UNCONFIGURED")["hosts"]) == 2
    with pytest.raises(Denied):
        do(at, "registry_search", field="BMC_PASSWORD", value="")
    with pytest.raises(InvalidInput, match="STAT"):
        do(at, "registry_search", field="STAT", value="")


def test_a_terminal_shows_values_words_and_exit_codes(at: Site) -> None:
    def run(*words: str, stdin: str | None = None) -> terminal.Output:
        return terminal.run(at, ME, words, stdin)

    assert run("host_config", "set", HOST, "DESCRIPTION", "two words") == terminal.Output("DESCRIPTION is set\n")
    assert run("host_config", "set", HOST, "DESCRIPTION", "two words").out == "DESCRIPTION is already set\n"
    assert run("host_config", "get", HOST, "DESCRIPTION").out == "two words\n"
    assert run("host_config", "exists", HOST, "DESCRIPTION").code == 0
    assert run("host_config", "list", HOST).out == "DESCRIPTION=two words\nSTATE=UNCONFIGURED\n"
    assert run("host_config", "unset", HOST, "DESCRIPTION").out == "DESCRIPTION is unset\n"
    assert run("host_config", "exists", HOST, "DESCRIPTION").code == 7
    assert run("host_config", "get", HOST, "DESCRIPTION").code == 7
    assert "its default is warning" in run("hps_config", "get", "LOG_LEVEL").error
    assert run("host_config", "get", HOST, "NO_SUCH").code == 3
    assert run("host_config", "get", HOST, "BMC_PASSWORD").code == 8
    assert run("host_config", "list", "nobody").code == 7
    assert run("host", "search", "STATE", "UNCONFIGURED").out.count("UNCONFIGURED") == 2


@pytest.mark.feature("S4")
def test_a_value_cannot_steer_the_terminal_that_shows_it(at: Site) -> None:
    at.registry.change(site.record_name(at, mac_of(1)), setting(OS_NAME="\x1b]0;owned\x07", HOST_CPU_MODEL="a\nSTATE=INSTALLED"))
    for words in (["get", HOST, "OS_NAME"], ["list", HOST]):
        shown = terminal.run(at, ME, ["host_config", *words]).out
        assert "\x1b" not in shown
        assert "\nSTATE=INSTALLED" not in shown


def test_every_kind_has_the_same_five_commands() -> None:
    for kind, verb in ((kind, verb) for kind in ("host", "cluster", "hps") for verb in ("get", "set", "unset", "list", "exists")):
        command = table.BY_NAME[f"{kind}_config_{verb}"]
        assert command.verb == (f"{kind}_config", verb)
        assert command.callers == (OPERATOR,)
        assert command.changes == (verb in ("set", "unset"))
    assert all(
        each.secret
        for command in table.COMMANDS
        if command.name.endswith("_config_set")
        for each in command.parameters
        if each.name == "value"
    )
    assert keys.is_secret("host", "BMC_PASSWORD")


@pytest.mark.feature("AP3")
@pytest.mark.parametrize("address", ["/hps-api", "/cgi-bin/boot_manager.sh"])
def test_every_command_is_at_the_new_address_and_at_the_old_one(at: Site, address: str) -> None:
    client = create_app(at.paths).test_client()
    assert client.post(address, data={"cmd": "no_such_command"}, headers=LOCAL).status_code == 404
    for command in table.COMMANDS:
        answer = client.post(address, data={"cmd": command.name}, headers={"X-Hps-Door": "plain", "Accept": "application/json"})
        assert answer.status_code == (
            200 if "stranger" in command.callers and not command.parameters else 400 if "stranger" in command.callers else 401
        )
    assert client.get(f"{address}?cmd=hps_config_list", headers=LOCAL).status_code == 200


@pytest.mark.feature("CF4")
def test_a_damaged_record_is_named_by_its_line_and_put_back(at: Site, quiet: list[Path]) -> None:
    do(at, "host_config_set", host=HOST, key="DESCRIPTION", value="first")
    do(at, "host_config_set", host=HOST, key="DESCRIPTION", value="second")
    place = at.paths.config / "clusters" / "lab" / "hosts" / f"{mac_of(1).digits}.conf"
    assert do(at, "records_check") == {"problems": []}
    text = place.read_text()
    place.write_text(text.replace("DESCRIPTION=", "DESCRIPTION "))
    [problem] = do(at, "records_check")["problems"]
    assert (problem["record"], problem["line"]) == (f"host lab {mac_of(1).digits}", text.split("DESCRIPTION")[0].count("\n") + 1)
    assert do(at, "host_config_get", host=HOST, key="DESCRIPTION")["value"] == "first"
    with pytest.raises(Refused, match="damaged"):
        do(at, "host_config_set", host=HOST, key="DESCRIPTION", value="third")
    do(at, "records_restore", record=problem["record"])
    assert do(at, "records_check") == {"problems": []}
    assert do(at, "host_config_get", host=HOST, key="DESCRIPTION")["value"] == "first"
    with pytest.raises(Refused):
        do(at, "records_restore", record=problem["record"])
    for bad in ("", "host", "host lab ../../x", "nothing", "host  x"):
        with pytest.raises(HpsError):
            do(at, "records_restore", record=bad)


def test_one_damaged_host_hides_no_other_and_gives_nothing_away_twice(at: Site, quiet: list[Path]) -> None:
    place = at.paths.config / "clusters" / "lab" / "hosts" / f"{mac_of(2).digits}.conf"
    place.write_text("STATE=UNCONF")
    assert not place.with_name(f".{place.name}.previous").exists()
    listed = do(at, "host_list")["hosts"]
    assert [host["MAC"] for host in listed] == [HOST, str(mac_of(2))]
    assert listed[1] == {"MAC": str(mac_of(2))}
    assert do(at, "host_show", host=HOST)["STATE"] == "UNCONFIGURED"
    with pytest.raises(Refused, match="damaged"):
        do(at, "host_configure", host=HOST, type="SCH")
    with pytest.raises(InvalidInput, match="damaged"):
        do(at, "host_show", host=str(mac_of(2)))


@pytest.mark.feature("CF6")
def test_a_key_is_kept_under_its_name_of_the_table_however_it_is_called(at: Site, quiet: list[Path]) -> None:
    assert do(at, "host_config_set", host=HOST, key="profile", value="KVM")["key"] == "HOST_PROFILE"
    assert do(at, "host_config_get", host=HOST, key="host_profile")["value"] == "KVM"
    assert "PROFILE" not in site.host_values(at, mac_of(1))
    assert terminal.run(at, ME, ["host_config", "set", HOST, "bmc_password", "typed"]).problem is not None
    assert not any("typed" in value for value in site.host_values(at, mac_of(1)).values())
    with pytest.raises(Denied):
        do(at, "host_config_get", host=HOST, key="bmc_password")
