"""The format of a record: one `KEY=value` a line, sorted, UTF-8; any string survives a round trip. Pure.

The file of a record ends with the line `# end <revision>`: where it is missing, the file was not written to its end. Texts
that people give (answers, flags) have the same lines and need no end mark.

In a value `\\\\` stands for a backslash, `\\n` for a newline, `\\r` for a carriage return and `\\0` for NUL, so that one
key is always one line. Nothing is quoted and nothing is trimmed. Lines that start with `#` are comments.
"""

import re
from collections.abc import Mapping

from hps.errors import InvalidInput

_END = re.compile(r"# end ([0-9]{1,18})")
_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
_UNESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "0": "\0"}
MAXIMUM_VALUE = 65536


class BadLine(InvalidInput):
    """A line that a record cannot hold, by its number from 1."""

    def __init__(self, line: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.line = line


def checked_key(key: str) -> str:
    """A well-formed key name; raises InvalidInput."""
    if not _KEY.fullmatch(key):
        raise InvalidInput(f"{key[:80]!r} is not a key", hint="keys are upper case: A-Z, 0-9 and _")
    return key


def parse_record(text: str) -> dict[str, str]:
    """Read `KEY=value` lines; raises BadLine, an InvalidInput that names the line."""
    values: dict[str, str] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator or not _KEY.fullmatch(key):
            raise BadLine(number, f"line {number} is not KEY=value")
        if key in values:
            raise BadLine(number, f"line {number} gives {key} a second time")
        values[key] = _unescape(value, number)
    if lines[-1]:
        raise BadLine(len(lines), f"line {len(lines)}, the last line, is cut off", hint="it does not end with a newline")
    return values


def parse_file(text: str) -> tuple[dict[str, str], int]:
    """Read the file of a record: its values, and the revision of its end mark; raises BadLine."""
    values = parse_record(text)
    lines = text.split("\n")[:-1]
    marks = [number for number, line in enumerate(lines, start=1) if _END.fullmatch(line)]
    if not marks:
        number = max(len(lines), 1)
        words = f"line {number} is not the end mark: the record is cut off"
        raise BadLine(number, words, hint="where nothing is missing, add the line: # end 0")
    if marks[0] != len(lines):
        raise BadLine(marks[0] + 1, f"line {marks[0] + 1} stands after the end mark", hint="the end mark comes last, and once")
    return values, int(lines[-1].rpartition(" ")[2])


def end_mark(revision: int) -> str:
    """The last line of a record's file."""
    return f"# end {revision}\n"


def render_record(values: Mapping[str, str]) -> str:
    """The `KEY=value` lines of these values, keys sorted; raises InvalidInput for a key or value that cannot be held."""
    lines = []
    for key in sorted(values):
        value = values[checked_key(key)]
        try:
            size = len(value.encode())
        except UnicodeEncodeError as error:
            raise InvalidInput(f"the value of {key} is not Unicode text") from error
        if size > MAXIMUM_VALUE:
            raise InvalidInput(f"the value of {key} is too long", hint=f"at most {MAXIMUM_VALUE} bytes")
        lines.append(f"{key}={value.translate(_ESCAPES)}\n")
    return "".join(lines)


def _unescape(value: str, number: int) -> str:
    if "\\" not in value:
        return value
    parts = re.split(r"\\(.?)", value)
    for index in range(1, len(parts), 2):
        if parts[index] not in _UNESCAPES:
            raise BadLine(number, f"line {number} holds an unknown escape \\{parts[index]}")
        parts[index] = _UNESCAPES[parts[index]]
    return "".join(parts)


def line_of(text: str, key: str) -> int:
    """The line on which a key stands in a well-formed text, from 1; 0 where it stands nowhere."""
    return next((number for number, line in enumerate(text.split("\n"), start=1) if line.startswith(f"{key}=")), 0)
