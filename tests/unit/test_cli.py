"""The command line: its groups, its exit codes, its words."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from hps import cli
from hps.errors import KINDS, HpsError


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


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(arguments)
    assert end.value.code == 2


def test_help_names_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(group in printed for group in cli.GROUPS)


@pytest.mark.programs
def test_the_process_ends_with_the_code(tmp_path: Path) -> None:
    """A real interpreter, because a lost return value has once made every refusal a success."""
    words = [sys.executable, "-m", "hps"]
    environment = {"PYTHONPATH": "lib", "HPS_BASE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    assert subprocess.run([*words, "--help"], env=environment, capture_output=True, check=False).returncode == 0
    assert subprocess.run([*words, "nonsense"], env=environment, capture_output=True, check=False).returncode == 2
