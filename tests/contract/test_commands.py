"""The command table: every row is whole, and nothing is reachable without the check."""

import ast
from pathlib import Path
from typing import Any

import pytest

from hps.commands import openapi, table
from hps.commands.model import RESERVED, Command, admit, checked_parameters
from hps.errors import Denied, HpsError, NotFound
from hps.flows.model import CALLER_KINDS, Caller
from hps.paths import Paths
from hps.registry.keys import TABLE
from hps.values import Mac
from hps_api import FOR_MEMBERS, OF_COMMANDS, create_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_each_command_is_declared_whole(command: Command) -> None:
    assert command.name.isidentifier()
    assert command.name == command.name.lower()
    assert command.help
    assert command.answers
    assert command.callers
    assert set(command.callers) <= set(CALLER_KINDS)
    assert command.handler.__module__.startswith("hps.flows.")
    names = [parameter.name for parameter in command.parameters]
    assert len(set(names)) == len(names)
    assert all(parameter.help and callable(parameter.kind.check) and parameter.kind.schema for parameter in command.parameters)
    assert not set(names) & set(RESERVED)


@pytest.mark.parametrize("command", [one for one in table.COMMANDS if one.changes], ids=lambda command: command.name)
def test_what_a_secret_key_may_hold_is_a_secret_parameter(command: Command) -> None:
    """A value for a key that an operator names may be a secret one's: it stands in no address and in no log."""
    names = {parameter.name: parameter for parameter in command.parameters}
    if "operator" in command.callers and "value" in names:
        assert names["value"].secret
    assert any(key.secret for key in TABLE)


def test_every_verb_and_every_function_is_one_commands() -> None:
    for words in ([one.verb for one in table.COMMANDS if one.verb], [one.function for one in table.COMMANDS if one.function]):
        assert len(set(words)) == len(words)


def test_every_command_is_in_the_document_in_both_forms() -> None:
    paths = openapi.document(table.COMMANDS)["paths"]
    assert {f"/api/{name}" for name in table.BY_NAME} | {"/hps-api"} == set(paths)
    assert paths["/hps-api"]["get"]["parameters"][0]["schema"]["enum"] == list(table.BY_NAME)


OPEN = {
    "/hps-api": "command.query",
    "/cgi-bin/boot_manager.sh": "command.old_address",
    "/api/<name>": "command.call",
}
"""Every address that is not for operators alone or for members alone: the commands, which the table guards."""


@pytest.mark.feature("SE1", "S2")
def test_every_address_is_guarded(tmp_path: Path) -> None:
    """An address is a command's, or is listed as one for members, or a stranger and a machine that boots get nothing there."""
    app = create_app(Paths(tmp_path))
    seen = {rule.rule: rule.endpoint for rule in app.url_map.iter_rules()}
    assert {rule: endpoint for rule, endpoint in seen.items() if endpoint in OF_COMMANDS} == OPEN
    assert set(FOR_MEMBERS) <= set(seen.values())
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<mac>", "525400000001").replace("<path:filename>", "hps.css").replace("<name>", "host_list")
        assert "<" not in path, "say here what stands for a new placeholder"
        for method in rule.methods or ():
            answer = client.open(path, method=method, data={"cmd": "host_list"} if method == "POST" and "/api/" not in path else None)
            if method == "OPTIONS" and rule.endpoint in OPEN.values():
                assert (answer.status_code, answer.data) == (200, b"")
            elif method in ("GET", "HEAD") and rule.rule in ("/hps-api", "/cgi-bin/boot_manager.sh"):
                assert answer.status_code == 400, "no command is named"
            else:
                assert answer.status_code == 401, (method, path)


def test_no_command_is_declared_twice() -> None:
    assert len(table.BY_NAME) == len(table.COMMANDS)
    with pytest.raises(NotFound):
        table.find("no_such_command")


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


def test_no_route_reaches_the_flows_that_change_something() -> None:
    """What answers over HTTP changes nothing but through `perform`: of the flows it sees what only reads."""
    allowed = {"site", "overview", "model", "certificates", "news"}
    for path in (ROOT / "hps-api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "hps.flows":
                assert {alias.name for alias in node.names} <= allowed, path
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hps.flows."):
                assert str(node.module).split(".")[2] in allowed, path


def test_nothing_is_dispatched_by_a_name_that_a_caller_gives() -> None:
    """No getattr, eval, exec, compile or import by name where requests are read (S12)."""
    forbidden = {"getattr", "setattr", "eval", "exec", "compile", "__import__", "import_module", "globals", "render_template_string"}
    places = [*(ROOT / "hps-api").rglob("*.py"), *(ROOT / "lib/hps/commands").rglob("*.py")]
    for path in places:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                assert name not in forbidden or (name == "compile" and isinstance(node.func, ast.Attribute)), f"{path}:{node.lineno}"
