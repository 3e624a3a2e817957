"""The command table: every row is whole, and nothing is reachable without the check."""

import ast
from pathlib import Path
from typing import Any

import pytest

from hps.commands import table
from hps.commands.model import Command, admit, checked_parameters
from hps.errors import Denied, HpsError, NotFound
from hps.flows.model import CALLER_KINDS, Caller
from hps.values import Mac

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_each_command_is_declared_whole(command: Command) -> None:
    assert command.name.isidentifier()
    assert command.name == command.name.lower()
    assert command.help
    assert command.callers
    assert set(command.callers) <= set(CALLER_KINDS)
    assert command.handler.__module__.startswith("hps.flows.")
    names = [parameter.name for parameter in command.parameters]
    assert len(set(names)) == len(names)
    assert all(parameter.help and callable(parameter.check) for parameter in command.parameters)


def test_no_command_is_declared_twice() -> None:
    assert len(table.BY_NAME) == len(table.COMMANDS)
    with pytest.raises(NotFound):
        table.find("no_such_command")


@pytest.mark.feature("S2")
@pytest.mark.parametrize("kind", CALLER_KINDS)
@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_who_is_not_named_is_denied(command: Command, kind: str) -> None:
    caller = Caller(kind, mac=Mac("525400770001"))
    if kind in command.callers:
        admit(command, caller)
    else:
        with pytest.raises(Denied):
            admit(command, caller)


@pytest.mark.parametrize(
    "bad", ["a\nb", "x" * 100_000, "${x}", "../../etc/passwd", ["list"], {"object": 1}, True, 3.5, "\0"], ids=lambda bad: repr(bad)[:20]
)
@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_no_value_makes_a_check_fail_in_a_way_that_is_not_an_answer(command: Command, bad: Any) -> None:
    for parameter in command.parameters:
        try:
            checked_parameters(command, {**{other.name: "x" for other in command.parameters}, parameter.name: bad})
        except HpsError as error:
            assert error.status < 500


def test_handlers_are_called_in_one_place_only() -> None:
    """`perform` asks first; nothing else touches a handler."""
    found = []
    for path in [*(ROOT / "lib").rglob("*.py"), *(ROOT / "hps-api").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "handler":
                found.append(f"{path.relative_to(ROOT)}")
    assert found == ["lib/hps/commands/table.py"]
