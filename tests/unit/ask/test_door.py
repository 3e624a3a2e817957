import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.ask import door
from hps.errors import KINDS, Denied, HpsError, InvalidInput, Unreachable


@contextmanager
def answering(place: Path, answer: bytes | None) -> Iterator[list[bytes]]:
    """A server that takes one question and answers so, or not at all."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen(1)

        def serve() -> None:
            connection = listener.accept()[0]
            with connection:
                asked.append(connection.recv(1 << 20))
                if answer is not None:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join(10)


def channel(place: Path) -> door.Channel:
    found = door.local(str(place))
    assert found is not None
    return found


@given(st.text())
def test_text_is_quoted_as_the_library_reads_it(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert json.loads(door.quoted(text)) == text


@pytest.mark.programs
def test_one_question_and_its_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b"HTTP/1.1 200 OK\r\nX-Hps-Exit: 0\r\nContent-Length: 5\r\n\r\nhello") as asked:
        answer = door.ask(channel(tmp_path / "s"), "/terminal", b"{}")
    assert (answer.status, answer.body, answer.exit_code()) == (200, b"hello", 0)
    head, body = asked[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /terminal HTTP/1.0\r\nHost: localhost\r\n")
    assert b"Content-Length: 2" in head
    assert body == b"{}"


@pytest.mark.programs
@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ],
)
def test_half_an_answer_is_none(tmp_path: Path, answer: bytes | None) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(Unreachable):
        door.ask(channel(tmp_path / "s"), "/terminal", b"{}")


@pytest.mark.programs
def test_an_endless_answer_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LONGEST_ANSWER", 1000)
    with answering(tmp_path / "s", b"x" * 2000), pytest.raises(InvalidInput):
        door.ask(channel(tmp_path / "s"), "/terminal", b"{}")


@pytest.mark.programs
def test_silence_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(1)
        with pytest.raises(Unreachable, match="did not answer"):
            door.ask(channel(tmp_path / "s"), "/terminal", b"{}")


@pytest.mark.programs
def test_a_question_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(1)
        with pytest.raises(InvalidInput, match="too much"):
            door.ask(channel(tmp_path / "s"), "/terminal", b"x" * (door.LONGEST_QUESTION + 1))


@pytest.mark.programs
def test_where_nobody_listens_there_is_no_door(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(tmp_path / "gone"))
    for place in (tmp_path / "none", tmp_path / "gone", tmp_path / "gone" / "below", tmp_path / ("long" * 40)):
        assert door.local(str(place)) is None


@pytest.mark.programs
def test_whoever_may_not_pass_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: door.Socket, _place: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(door.Socket, "connect", refuse)
    with pytest.raises(Denied, match="you may not"):
        door.local(str(tmp_path / "s"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_exit_code_is_the_one_that_was_said(kind: type[HpsError]) -> None:
    assert door.Answer(kind.status, {"x-hps-exit": str(kind.exit_code)}, b"").exit_code() == kind.exit_code


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 0), (400, 3), (401, 8), (403, 8), (404, 7), (409, 4), (413, 3), (418, 1), (429, 6), (500, 1), (502, 6), (504, 6)],
)
def test_where_none_was_said_the_status_decides(status: int, code: int) -> None:
    for said in ({}, {"x-hps-exit": "256"}, {"x-hps-exit": "-1"}, {"x-hps-exit": "²"}):
        assert door.Answer(status, said, b"").exit_code() == code


def test_output_and_failure_are_told_apart(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert door.Answer(404, {"x-hps-exit": "7", "x-hps-out": "4"}, "ä\n\nhps: no\n".encode()).show() == 7
    assert capfdbinary.readouterr() == ("ä\n\n".encode(), b"hps: no\n")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("error: too busy\nhint: try again\n", "hps: too busy\n  try again\n"),
        ("error: no\n", "hps: no\n"),
        ("<html>", "hps: the answer has the status 503\n"),
        ("error: \x1b[2J\nhint: a\x07b", "hps:  [2J\n  a b\n"),
    ],
)
def test_what_did_not_come_from_the_terminal_is_a_failure(body: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.Answer(503, {}, body.encode()).show() == 6
    assert capsys.readouterr().err == words
    assert door.Answer(200, {}, b"a page").show() == 1


def test_a_word_is_read_as_utf_8_whatever_the_locale_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert door.word("grün") == "grün"
    with pytest.raises(InvalidInput, match="not UTF-8"):
        door.word("gr\udcfcn")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        door.word("\ud800")
    encoding: Callable[[], str] = lambda: "latin-1"  # noqa: E731
    monkeypatch.setattr(sys, "getfilesystemencoding", encoding)
    assert door.word("grün".encode().decode("latin-1")) == "grün"


def test_nothing_in_a_failure_steers_the_terminal() -> None:
    assert door.failure(HpsError("a\nhps: b\x1b[0m", hint="one\ntwo\x9b")) == "hps: a hps: b [0m\n  one\n  two \n"
