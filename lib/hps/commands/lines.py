"""An answer as lines of `KEY=value` for people and for shells. Pure.

A value that holds a control character or a line separator, or that begins with a quote, is written as JSON: no value can
forge a line, and none can reach the terminal that shows it (S4).
"""

import json
from collections.abc import Mapping


def rows(result: Mapping[str, object]) -> list[tuple[str, str]]:
    """Keys and values as text; what is no text is written as JSON."""
    return [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in result.items()]


def text(result: Mapping[str, object]) -> str:
    """One line for each key, in the order of the answer."""
    return "".join(f"{key}={_word(value) if isinstance(value, str) else json.dumps(value)}\n" for key, value in result.items())


def plain(words: str) -> str:
    """Words on one line: what is no printable character becomes a space."""
    return "".join(character if character.isprintable() else " " for character in words)


def _word(value: str) -> str:
    return value if value.isprintable() and not value.startswith('"') else json.dumps(value)
