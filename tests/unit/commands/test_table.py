from pathlib import Path
from typing import Any

import pytest

from hps.commands import table
from hps.commands.model import checked_parameters, decimal, text, truth
from hps.errors import Denied, HpsError, InvalidInput, NotFound, Usage
from hps.flows.model import CALLER_KINDS, Caller
from tests.sites import mac_of, make_site

ALLOWED = {
    "init": {"booting"},
    "install": {"booting"},
    "process_menu_item": {"booting"},
    "certificate": {"stranger", "booting"},
    "installer_config": {"node"},
    "install_begin": {"node"},
    "install_step": {"node"},
    "install_failed": {"node"},
    "register": {"node"},
    "log_message": {"booting", "node"},
    "health": set(CALLER_KINDS),
    "hosts": {"operator"},
    "host_timeline": {"operator"},
    "host_configure": {"operator"},
    "host_change": {"operator"},
}


def test_who_may_call_what() -> None:
    """A command that is added, or a caller that is let in, has to be written down here too."""
    assert {command.name: set(command.callers) for command in table.COMMANDS} == ALLOWED


@pytest.mark.feature("SE4", "AP2")
@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda one: one.name)
@pytest.mark.parametrize("kind", CALLER_KINDS)
def test_nothing_runs_for_a_caller_that_is_not_let_in(tmp_path: Path, command: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind in command.callers:
        return
    before = sorted(path for path in tmp_path.rglob("*"))
    site = make_site(tmp_path / "site")
    with pytest.raises(Denied):
        table.perform(site, Caller(kind, mac_of(1)), command.name, {})
    assert not before
    assert not site.registry.names("host", "lab")


def test_commands_that_do_not_exist(tmp_path: Path) -> None:
    for name in ("", "Init", "../init", "__init__"):
        with pytest.raises(NotFound):
            table.perform(make_site(tmp_path), Caller("operator"), name, {})


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


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e9", "1.2.3", "", "½", True, None, "9" * 30])
def test_numbers_are_plain(value: Any) -> None:
    with pytest.raises(InvalidInput):
        decimal(value)


def test_checks_keep_the_value() -> None:
    assert decimal(1795000000.25) == "1795000000.25"
    assert decimal("42") == "42"
    assert (truth(True), truth("no")) == ("true", "false")
    assert text(None, 5)("abc") == "abc"
