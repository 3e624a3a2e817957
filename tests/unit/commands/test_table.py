"""Who may call what, and what every call leaves behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from hps.commands import kinds, table
from hps.commands.model import checked_parameters
from hps.errors import Denied, HpsError, InvalidInput, NotFound, Refused, Usage
from hps.flows import site
from hps.flows.model import CALLER_KINDS, OPERATOR, Caller
from hps.paths import Paths
from hps.security import audit
from tests.sites import mac_of, make_site, node

ALLOWED = {
    "init": {"booting"},
    "process_menu_item": {"booting"},
    "certificate": {"stranger", "booting"},
    "installer_config": {"node"},
    "install_begin": {"node"},
    "install_step": {"node"},
    "install_failed": {"node"},
    "register": {"node"},
    "log_message": {"booting", "node"},
    "health": set(CALLER_KINDS),
    "host_list": {"operator"},
    "host_show": {"operator"},
    "host_timeline": {"operator"},
    "host_configure": {"operator"},
    "host_arm": {"operator"},
    "host_reinstall": {"operator"},
    "host_unconfigure": {"operator"},
    "host_reboot": {"operator"},
    "host_rescue": {"operator"},
    "host_normal": {"operator"},
    "host_remove": {"operator"},
    **{f"{kind}_config_{verb}": {"operator"} for kind in ("host", "cluster", "hps") for verb in ("get", "set", "unset", "list", "exists")},
    "registry_search": {"operator"},
    "records_check": {"operator"},
    "records_restore": {"operator"},
    "host_variable": {"node"},
    "cluster_variable": {"node", "operator", "ips"},
    "os_variable": {"node"},
    "host_get_config": {"node"},
    "determine_state": {"node"},
    "set_status": {"node"},
    "host_audit": {"booting", "node"},
    "authenticate": {"node", "operator", "ips"},
    "renew_certificate": {"node", "operator", "ips"},
    "certificate_revoke": {"operator"},
    "account_list": {"operator"},
    "account_create": {"operator"},
    "account_remove": {"operator"},
}


def test_who_may_call_what() -> None:
    """A command that is added, or a caller that is let in, has to be written down here too."""
    assert {command.name: set(command.callers) for command in table.COMMANDS} == ALLOWED


@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda one: one.name)
@pytest.mark.parametrize("kind", CALLER_KINDS)
def test_nothing_runs_for_a_caller_that_is_not_let_in(tmp_path: Path, command: Any, kind: str) -> None:
    if kind in ALLOWED[command.name]:
        return
    at = make_site(tmp_path)
    with pytest.raises(Denied) as denied:
        table.perform(at, Caller(kind, mac_of(1)), command.name, {})
    assert denied.value.status == (401 if kind == "stranger" else 403)
    assert not at.registry.names("host", "lab")


def test_commands_that_do_not_exist(tmp_path: Path) -> None:
    for name in ("", "Init", "../init", "__init__"):
        with pytest.raises(NotFound):
            table.perform(make_site(tmp_path), Caller("operator"), name, {})


def test_without_a_cluster_only_what_needs_none_runs(tmp_path: Path) -> None:
    at = site.open_ips(Paths(tmp_path))
    assert table.perform(at, Caller("operator"), "health", {}) == {"status": "idle", "cluster": ""}
    with pytest.raises(Refused, match="no cluster is active"):
        table.perform(at, Caller("operator"), "host_list", {})


def test_every_parameter_of_every_command_survives_rubbish() -> None:
    rubbish: list[Any] = ["", "x" * 100000, "a\nb", "\0", "../..", 5, -1.5, None, True, [], {}, {"HOST_X": 5}, [[]], "\ud800"]
    for command in table.COMMANDS:
        for value in rubbish:
            try:
                checked_parameters(command, {parameter.name: value for parameter in command.parameters})
            except HpsError:
                continue


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(Usage, match="menu_item"):
        checked_parameters(table.BY_NAME["process_menu_item"], {})


def test_an_unknown_parameter_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(Usage, match="no parameter 'menu_itm'") as refused:
        checked_parameters(table.BY_NAME["process_menu_item"], {"menu_itm": "reboot"})
    assert "menu_item" in refused.value.hint


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e9", "1.2.3", "", "½", True, None, "9" * 30, float("inf")])
def test_numbers_are_plain(value: Any) -> None:
    with pytest.raises(InvalidInput):
        kinds.DECIMAL.check(value)


def test_checks_keep_the_value() -> None:
    assert kinds.DECIMAL.check(1795000000.25) == "1795000000.25"
    assert kinds.DECIMAL.check("42") == "42"
    assert (kinds.TRUTH.check(True), kinds.TRUTH.check("no")) == ("true", "false")
    assert kinds.text(limit=5).check("abc") == "abc"


def lines(at: Any, member: bool = True) -> list[str]:
    place = audit.path(at.paths, member)
    return place.read_text().splitlines() if place.exists() else []


@pytest.mark.programs
def test_every_call_leaves_one_line(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    operator = Caller(OPERATOR, name="anna", address="10.77.0.9")
    table.perform(at, operator, "host_configure", {"host": str(mac_of(1)), "type": "SCH"})
    for caller, name in ((operator, "init"), (Caller("stranger", address="10.77.0.66"), "host_list"), (node(1), "host_remove")):
        with pytest.raises(Denied):
            table.perform(at, caller, name, {"host": "sch-001"})
    members, others = lines(at), lines(at, member=False)
    assert [entry.split(" ", 1)[1] for entry in members] == [
        f"caller=operator name=anna from=10.77.0.9 command=host_configure with.host={mac_of(1)} with.type=SCH allowed=yes outcome=done",
        "caller=operator name=anna from=10.77.0.9 command=init allowed=no outcome=denied",
        f"caller=node name={mac_of(1)} from=10.77.0.2 command=host_remove allowed=no outcome=denied",
    ]
    assert [entry.split(" ", 1)[1] for entry in others] == [
        "caller=stranger from=10.77.0.66 command=host_list allowed=no outcome=denied",
    ]
    assert audit.path(at.paths).stat().st_mode & 0o777 == 0o600


def test_a_parameter_cannot_stand_where_the_caller_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = make_site(tmp_path)
    for name in ("name", "caller", "allowed", "outcome", "from"):
        command = table.BY_NAME["host_arm"]
        parameter = command.parameters[0].__class__(name, kinds.text(), "x")
        forged = command.__class__(**{**command.__dict__, "parameters": (parameter,), "handler": lambda *_: {}})
        monkeypatch.setitem(table.BY_NAME, "host_arm", forged)
        table.perform(at, Caller(OPERATOR, name="anna"), "host_arm", {name: "forged"})
    for entry in lines(at):
        fields = dict(word.partition("=")[::2] for word in entry.split(" "))
        assert (fields["caller"], fields["name"], fields["allowed"], fields["outcome"]) == ("operator", "anna", "yes", "done")


HOSTILE = ["a\nb", "a\r\ncaller=operator", '" allowed=yes "', "\0", "\x1b[2J", "\u2028x", "\u0085", "x" * 5000, "ü", "\ud800", "a=b c"]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_can_forge_a_line_or_a_field(tmp_path: Path, value: str) -> None:
    paths = Paths(tmp_path)
    audit.record(paths, {"caller": "stranger", "page": value, "allowed": "no"}, member=False)
    content = audit.path(paths, member=False).read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == 1
    assert all(32 <= byte < 127 or byte == 10 for byte in content)
    before, _, rest = content.decode().partition("page=")
    shown, end = json.JSONDecoder().raw_decode(rest) if rest.startswith('"') else (rest.split(" ")[0], rest.index(" "))
    assert value.startswith(shown)
    assert before.count("=") == 2
    assert rest[end:] == " allowed=no\n"


def test_the_log_is_bounded_and_what_strangers_do_pushes_nothing_of_members_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Paths(tmp_path)
    monkeypatch.setattr(audit, "SIZE_LIMIT", 2000)
    audit.record(paths, {"caller": "operator", "command": "host_remove"})
    for number in range(300):
        audit.record(paths, {"caller": "stranger", "page": f"GET /{number}"}, member=False)
    files = sorted(path.name for path in paths.log.iterdir() if not path.name.startswith("."))
    assert files == ["audit-strangers.log", *(f"audit-strangers.log.{number}" for number in range(1, 5)), "audit.log"]
    assert sum(path.stat().st_size for path in paths.log.iterdir()) < 6 * 2100
    assert "GET /299" in audit.path(paths, member=False).read_text() + (paths.log / "audit-strangers.log.1").read_text()
    assert "host_remove" in audit.path(paths).read_text()


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = Paths(tmp_path)
    audit.path(paths).mkdir(parents=True)
    audit.record(paths, {"caller": "operator", "command": "health"})
    assert "command=health" in caplog.text
