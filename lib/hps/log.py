"""The one form of a line in the log (logfmt), warnings in it, and a filter that keeps secrets out of it.

`level=warning what=record-damaged record="host lab 525400770001" line=3 message="line 3 is not KEY=value"`: every
character that is not printable is escaped, so that nobody's text can end a line and begin another.
"""

import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

REMOVED = "[removed]"
"""What stands where a secret was."""

_PLAIN = re.compile(r"[A-Za-z0-9._:/@+,-]+")
_SPACE = r"(?:[ +]|%20)"
_PRIVATE_KEY = re.compile(
    rf"-----BEGIN[A-Z0-9 +%]*PRIVATE{_SPACE}KEY-----.*?(?:-----END[A-Z0-9 +%]*PRIVATE{_SPACE}KEY-----|\Z)",
    re.DOTALL,
)
_TOKEN = re.compile(r"(?<![0-9A-Za-z])((?:[0-9A-Fa-f]{2}(?:[:-]|%3A)?){5}[0-9A-Fa-f]{2}\.)[A-Za-z0-9_-]{20,}", re.IGNORECASE)
_log = logging.getLogger("hps")


class Scrubber(logging.Filter):
    """Takes private keys, one-time tokens and the values of secret keys out of every record that passes.

    Args:
        secret_keys: names of keys whose values are secret. Where one of them is followed by `=` or `:`, the rest of the
            line is removed: a value may hold anything but the end of a line.
    """

    def __init__(self, secret_keys: Iterable[str] = ()) -> None:
        super().__init__()
        names = "|".join(re.escape(name) for name in sorted(secret_keys, key=len, reverse=True))
        pattern = rf"(?<![A-Za-z0-9_])((?:{names})[\"']?\s*(?:[=:]|%3D)\s*)(?!{re.escape(REMOVED)})[^\n]+"
        self._values = re.compile(pattern, re.IGNORECASE) if names else None

    def scrub(self, text: str) -> str:
        """The text without secrets."""
        text = _PRIVATE_KEY.sub(REMOVED, text)
        text = _TOKEN.sub(rf"\1{REMOVED}", text)
        return self._values.sub(rf"\1{REMOVED}", text) if self._values is not None else text

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub the message, the traceback and the stack of a record; it always passes."""
        record.msg, record.args = self.scrub(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = self.scrub(record.exc_text) if record.exc_text else record.exc_text
        record.stack_info = self.scrub(record.stack_info) if record.stack_info else record.stack_info
        return True


class LineFormatter(logging.Formatter):
    """Every record as exactly one line in the standard form; a traceback becomes the field `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what already has the form stays as it is."""
        message = record.getMessage()
        if getattr(record, "is_line", False):
            return message
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        fields = {"trace": record.exc_text} if record.exc_text else {}
        return line(record.levelname.lower(), record.name, message, **fields)


_scrubber = Scrubber()


def line(level: str, what: str, message: str, **fields: object) -> str:
    """One line in the standard form; fields that are None are left out."""
    pairs = {"level": level, "what": what, **fields, "message": message}
    return " ".join(f"{name}={_word(str(value))}" for name, value in pairs.items() if value is not None)


def warning(what: str, message: str, **fields: object) -> None:
    """Write one warning in the standard form.

    Args:
        what: the class of the event in words joined by hyphens, such as `record-damaged`; what a trigger looks for.
        message: one sentence for people.
        **fields: what it is about; None is left out.
    """
    shown = {name: _scrubber.scrub(str(value)) for name, value in fields.items() if value is not None}
    _log.warning("%s", line("warning", what, _scrubber.scrub(message), **shown), extra={"is_line": True})


def setup(level: int | str = logging.WARNING, secret_keys: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send the log of this program to one stream in the standard form, scrubbed.

    Args:
        level: the lowest level that is written, a number or a name of the module logging.
        secret_keys: names of the keys whose values never reach the log.
        stream: where lines go; standard error by default.
    """
    global _scrubber
    _scrubber = Scrubber(secret_keys)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter())
    handler.addFilter(_scrubber)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def scrubbed(handler: logging.Handler) -> logging.Handler:
    """The same handler, which from now on writes no secret: for handlers that another library made."""
    handler.addFilter(_scrubber)
    return handler


def _word(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{{{ord(character):x}}}")
