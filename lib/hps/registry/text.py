"""The format of a record: one `KEY=value` a line, sorted, UTF-8; any string survives a round trip. Pure.

In a value `\\\\` stands for a backslash, `\\n` for a newline, `\\r` for a carriage return and `\\0` for NUL, so that one
key is always one line. Nothing is quoted and nothing is trimmed. Lines that start with `#` are comments.
"""

import re
from collections.abc import Mapping

from hps.errors import InvalidInput

_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
_UNESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "0": "\0"}
MAXIMUM_VALUE = 65536


def checked_key(key: str) -> str:
    """A well-formed key name; raises InvalidInput."""
    if not _KEY.fullmatch(key):
        raise InvalidInput(f"{key[:80]!r} is not a key", hint="keys are upper case: A-Z, 0-9 and _")
    return key


def parse_record(text: str) -> dict[str, str]:
    """Read the text of a record; raises InvalidInput naming the line."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator or not _KEY.fullmatch(key):
            raise InvalidInput(f"line {number} is not KEY=value")
        if key in values:
            raise InvalidInput(f"line {number} gives {key} a second time")
        values[key] = _unescape(value, number)
    if text and not text.endswith("\n"):
        raise InvalidInput("the last line is cut off", hint="the record was not written to its end")
    return values


def render_record(values: Mapping[str, str]) -> str:
    """The text of a record, keys sorted; raises InvalidInput for a key or value that cannot be held."""
    lines = []
    for key in sorted(values):
        value = values[checked_key(key)]
        try:
            size = len(value.encode())
        except UnicodeEncodeError as error:
            raise InvalidInput(f"the value of {key} is not Unicode text") from error
        if size > MAXIMUM_VALUE:
            raise InvalidInput(f"the value of {key} is too long", hint=f"at most {MAXIMUM_VALUE} bytes")
        lines.append(f"{key}={''.join(_ESCAPES.get(character, character) for character in value)}\n")
    return "".join(lines)


def _unescape(value: str, number: int) -> str:
    if "\\" not in value:
        return value
    parts = re.split(r"\\(.?)", value)
    for index in range(1, len(parts), 2):
        if parts[index] not in _UNESCAPES:
            raise InvalidInput(f"line {number} holds an unknown escape \\{parts[index]}")
        parts[index] = _UNESCAPES[parts[index]]
    return "".join(parts)
