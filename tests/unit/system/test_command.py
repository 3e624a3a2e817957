"""Real programs, started by the one module that may."""

import os
import sys
import time
from pathlib import Path

import pytest

from hps.errors import CommandFailed, NotFound, Unreachable
from hps.system import command

pytestmark = pytest.mark.programs


def test_the_output_comes_back() -> None:
    assert command.run(("printf", "%s|", "a b", "$HOME", "")) == "a b|$HOME||"


def test_standard_input_goes_in() -> None:
    assert command.run(("cat",), stdin=b"secret") == "secret"


def test_a_failure_carries_the_programs_words() -> None:
    with pytest.raises(CommandFailed, match="ended with code 7") as failure:
        command.run(("sh", "-c", "echo so it is >&2; exit 7"))
    assert failure.value.hint == "so it is"


def test_secrets_in_arguments_after_the_second_are_not_in_the_message() -> None:
    with pytest.raises(CommandFailed) as failure:
        command.run(("sh", "-c", "exit 1", "canary"))
    assert "canary" not in str(failure.value)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(NotFound, match="no-such-program is not installed"):
        command.run(("no-such-program",))


def test_a_program_that_does_not_end_is_killed() -> None:
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        command.run(("sleep", "60"), timeout=0.2)
    assert time.monotonic() - begun < 10


def test_the_environment_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary")
    printed = command.run(("env",), environment={"MORE": "x"})
    assert "canary" not in printed
    assert "MORE=x\n" in printed
    assert "LC_ALL=C.UTF-8\n" in printed


def test_a_pipe_streams() -> None:
    with command.pipe(("seq", "3")) as stream:
        assert stream.read() == b"1\n2\n3\n"


def test_a_pipe_reads_a_file(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.write_bytes(b"x" * 300_000)
    with place.open("rb") as stdin, command.pipe(("cat",), stdin=stdin) as stream:
        assert len(stream.read()) == 300_000


def test_a_pipe_that_fails_says_so() -> None:
    with pytest.raises(CommandFailed) as failure, command.pipe(("sh", "-c", "echo no >&2; exit 3")) as stream:
        stream.read()
    assert failure.value.hint == "no"


def test_a_pipe_whose_program_has_much_to_complain_about_does_not_stop() -> None:
    with command.pipe(("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo done")) as stream:
        assert stream.read() == b"done\n"


def test_a_pipe_left_early_kills_its_program() -> None:
    with command.pipe(("yes",)) as stream:
        assert stream.readline() == b"y\n"


def test_an_exception_in_the_body_kills_the_program() -> None:
    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError), command.pipe(("sleep", "60")):
        raise ZeroDivisionError
    assert time.monotonic() - begun < 10


def test_replace_process_becomes_the_other_program() -> None:
    child = os.fork()
    if child == 0:
        command.replace_process((sys.executable, "-c", "raise SystemExit(9)"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_replace_process_names_what_is_missing() -> None:
    with pytest.raises(NotFound):
        command.replace_process(("no-such-program",))
