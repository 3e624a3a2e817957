"""The command line: its groups, its exit codes, its words."""

import argparse
import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hps import __main__ as start
from hps import cli
from hps.commands import terminal
from hps.errors import KINDS, HpsError
from tests.sites import make_site
from tests.unit.ask.test_door import answering

ROOT = Path(__file__).resolve().parents[2]


class Door:
    """A group of verbs that fails in the way it is told."""

    def __init__(self, failure: HpsError | None = None) -> None:
        self.failure = failure

    def add_verbs(self, parser: argparse.ArgumentParser) -> None:
        parser.set_defaults(function=self.answer)

    def answer(self, _options: argparse.Namespace) -> int | None:
        if self.failure is not None:
            raise self.failure
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_printed_with_its_hint_and_gives_its_code(
    kind: type[HpsError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tests.door", Door(kind("it went wrong", hint="mend it")))
    monkeypatch.setitem(cli.GROUPS, "door", ("tests.door", "fails"))
    assert cli.run(["door"]) == kind.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "hps: it went wrong\n  mend it\n"


def test_none_is_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tests.door", Door())
    monkeypatch.setitem(cli.GROUPS, "door", ("tests.door", "does nothing"))
    assert cli.run(["door"]) == 0


@pytest.mark.parametrize("arguments", [[], ["--nonsense"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(arguments)
    assert end.value.code == 2


def test_help_names_every_group_of_this_machine_and_of_hps_api(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"    {group}" in printed for group in (*cli.GROUPS, *terminal.groups()))
    assert not set(cli.GROUPS) & set(terminal.groups())


def test_a_closed_output_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_words: list[str]) -> int:
        raise BrokenPipeError

    made: list[tuple[int, int]] = []
    monkeypatch.setattr(cli, "_door", end)
    monkeypatch.setattr(os, "dup2", lambda source, target: made.append((source, target)))
    with Path(os.devnull).open("w") as standard_output:
        monkeypatch.setattr(sys, "stdout", standard_output)
        assert cli.run([]) == 0
        assert made[0][1] == standard_output.fileno()
    os.close(made[0][0])


@pytest.mark.parametrize("program", ["host_config", "cluster_config", "hps_config"])
def test_the_programs_are_verbs_of_hps(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(words: list[str]) -> int:
        asked.append(words)
        return 5

    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(sys, "argv", [f"/usr/bin/{program}", "get", "-x"])
    assert getattr(start, program)() == 5
    assert asked == [[program, "get", "-x"]]
    assert program in terminal.groups()


def test_what_is_installed_is_there() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {"hps", "host_config", "cluster_config", "hps_config"} <= set(scripts)
    for place in scripts.values():
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def process(*words: str, base: Path, given: bytes = b"", **more: str) -> "subprocess.CompletedProcess[bytes]":
    environment = {"PYTHONPATH": "lib", "HPS_BASE": str(base), "PATH": "/usr/bin:/bin", **more}
    return subprocess.run([sys.executable, "-m", "hps", *words], env=environment, input=given, capture_output=True, check=False, cwd=ROOT)


@pytest.mark.programs
def test_the_process_ends_with_the_code(tmp_path: Path) -> None:
    """A real interpreter, because a lost return value has once made every refusal a success."""
    assert process("--help", base=tmp_path).returncode == 0
    assert process("nonsense", base=tmp_path).returncode == 2
    assert process("host", "show", "sch-999", base=tmp_path).returncode == 4
    unread = process("host", "show", os.fsdecode(b"\xff"), base=tmp_path)
    assert (unread.returncode, b"not UTF-8" in unread.stderr) == (3, True)


@pytest.mark.programs
def test_where_no_services_run_the_same_is_done_here(tmp_path: Path) -> None:
    make_site(tmp_path)
    assert process("health", base=tmp_path).stdout == b"status=ready\ncluster=lab\n"
    done = process("cluster_config", "set", "DESCRIPTION", "-", base=tmp_path, given="größer\n".encode(), LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert process("cluster_config", "get", "DESCRIPTION", base=tmp_path, LC_ALL="C").stdout == "größer\n".encode()


@pytest.mark.programs
def test_where_services_run_they_are_asked(tmp_path: Path) -> None:
    """The words go over the socket as they are; nothing of the commands is loaded on this side."""
    body = b"shown\nhps: no\n"
    answer = b"HTTP/1.0 404 Not Found\r\nX-Hps-Out: 6\r\nX-Hps-Exit: 7\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    (tmp_path / "run").mkdir()
    with answering(tmp_path / "run/operator.sock", answer) as asked:
        done = process("host", "show", "a b", "-", base=tmp_path, given=b"x\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"shown\n", b"hps: no\n")
    assert asked[0].endswith(b'{"words":["host","show","a b","-"],"input":"x\\u000a"}')


@pytest.mark.programs
def test_a_node_has_the_verbs_of_nodes(tmp_path: Path) -> None:
    """The standard library alone, as on a node."""

    def hps(*words: str) -> "subprocess.CompletedProcess[bytes]":
        code = "import sys; sys.path.insert(0, 'lib'); from hps.__main__ import main; sys.exit(main())"
        command = [sys.executable, "-I", "-S", "-c", code, *words]
        return subprocess.run(command, env={"HPS_BASE": str(tmp_path)}, capture_output=True, check=False, cwd=ROOT)

    shown = hps("--help")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"    node " in shown.stdout
    assert b"host_config" not in shown.stdout
    assert hps("node", "--help").returncode == 0
    asked = hps("host", "list")
    assert asked.returncode == 7
    assert b"hps --ips NAME" in asked.stderr


@pytest.mark.programs
def test_the_short_way_loads_nothing_that_takes_long() -> None:
    """What it loads is what it costs; how long that is in time, tests/bench/start.py says."""
    heavy = {"argparse", "json", "re", "dataclasses", "logging", "socket", "ssl", "pathlib", "hps.commands.terminal", "hps.paths"}
    code = "import sys; from hps import cli, __main__; from hps.ask import operator, node; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, 'lib'); {code}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert not heavy & set(done.stdout.split())
