"""One form of a line, and no secret in it."""

import base64
import io
import logging
import re
import shlex
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hps import log

PEM = "-----BEGIN {}PRIVATE KEY-----\nMIICanaryCANARYcanary\nxyzCANARY==\n-----END {}PRIVATE KEY-----"
TOKEN = "525400770001.Canary_canary-Canary_canary-1234"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a program that was set up at DEBUG level writes."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    log.setup("DEBUG", ("ROOT_PASSWORD", "IPMI_SECRET"), written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    log._scrubber = log.Scrubber()


@pytest.mark.feature("CF3")
def test_the_standard_form_of_a_warning(stream: io.StringIO) -> None:
    log.warning("record-damaged", 'line 3 is "odd"', record="host lab 525400770001", line=3, other=None)
    assert stream.getvalue() == ('level=warning what=record-damaged record="host lab 525400770001" line=3 message="line 3 is \\"odd\\""\n')


@given(st.text(), st.text())
@example("x\nlevel=warning what=forged message=y", '" message="forged')
@example("a\r\x1b[2J\x00\x85\u2028\u202e\ud800", "\\")
def test_no_text_can_end_its_line_or_its_word(value: str, message: str) -> None:
    line = log.line("warning", "what", message, value=value)
    assert line.isprintable()
    assert re.fullmatch(r'level=warning what=what value=("(?:[^"\\]|\\.)*"|\S+) message=("(?:[^"\\]|\\.)*"|\S+)', line)
    assert [word.partition("=")[0] for word in shlex.split(line)] == ["level", "what", "value", "message"]


def test_records_of_other_libraries_take_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").error("it is\n%s", "down")
    try:
        raise ZeroDivisionError("x\ny")
    except ZeroDivisionError:
        logging.getLogger("hps_api").exception("failed")
    first, second = stream.getvalue().splitlines()
    assert first == 'level=error what=gunicorn.error message="it is\\ndown"'
    assert second.startswith('level=error what=hps_api trace="Traceback')
    assert second.endswith("message=failed")


@pytest.mark.feature("S15")
@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
@pytest.mark.parametrize(
    "text",
    [
        PEM.format("", ""),
        PEM.format("RSA ", "RSA "),
        PEM.format("ENCRYPTED ", "ENCRYPTED "),
        PEM.format("EC ", "EC ").replace("\n", "\\n"),
        PEM.format("", "").replace(" ", "%20").replace("\n", "%0A"),
        PEM.format("", "").partition("-----END")[0],
        TOKEN,
        TOKEN.replace("525400770001", "52:54:00:77:00:01"),
        TOKEN.replace("525400770001", "52-54-00-77-00-01"),
        f"GET /?cmd=certificate&token={TOKEN}&x=1",
        f"token={TOKEN.replace('525400770001', '52%3A54%3A00%3A77%3A00%3A01')}",
        "ROOT_PASSWORD=canary",
        "ROOT_PASSWORD=correct horse canary battery",
        'ROOT_PASSWORD="x" canary',
        "ROOT_PASSWORD=a&b canary",
        "root_password = canary",
        "?IPMI_SECRET=canary&MENU_TIMEOUT=3",
        "?IPMI_SECRET%3Dcanary",
        "{'IPMI_SECRET': 'canary', 'A': 'b'}",
        '{"IPMI_SECRET": "canary"}',
    ],
)
def test_canaries_reach_no_line_at_any_level(text: str, level: str, stream: io.StringIO) -> None:
    logger = logging.getLogger("anything")
    write = getattr(logger, level)
    write(text)
    write("it said %s", text)
    write("it said %r", [text])
    try:
        raise ValueError(text)
    except ValueError:
        write("failed", exc_info=True)
        write("failed", exc_info=True, stack_info=True)
    log.warning("what", text, field=text)
    written = stream.getvalue()
    assert len(written.splitlines()) == 6
    assert "canary" not in written.lower()
    assert log.REMOVED in written


@pytest.mark.feature("S15")
@given(st.binary(min_size=15, max_size=48))
def test_every_token_that_can_be_minted_is_removed(secret: bytes) -> None:
    word = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    for text in (f"525400770001.{word}", f"x={word} 525400770001.{word}.", f"/x/525400770001.{word}/y"):
        assert f"525400770001.{word}" not in log.Scrubber().scrub(text)


def test_what_is_no_secret_stays() -> None:
    text = (
        "GET /objects/525400770001.conf MENU_TIMEOUT=30 -----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE----- "
        "-----BEGIN PUBLIC KEY-----\nabc sha256=" + "ab" * 32
    )
    assert log.Scrubber(("ROOT_PASSWORD",)).scrub(text) == text


def test_scrubbing_twice_is_scrubbing_once() -> None:
    scrubber = log.Scrubber(("ROOT_PASSWORD",))
    for text in (PEM.format("", ""), TOKEN, "ROOT_PASSWORD=x y z", 'message="ROOT_PASSWORD=[removed]"'):
        assert scrubber.scrub(scrubber.scrub(text)) == scrubber.scrub(text)


def test_a_handler_of_another_library_can_be_scrubbed_too() -> None:
    written = io.StringIO()
    logger = logging.getLogger("another.library")
    handler = log.scrubbed(logging.StreamHandler(written))
    logger.addHandler(handler)
    try:
        logger.warning("x %s", TOKEN)
    finally:
        logger.removeHandler(handler)
    assert written.getvalue() == f"x 525400770001.{log.REMOVED}\n"
