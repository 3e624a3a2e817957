"""What a parameter may hold: a check for the edge, and the same said as JSON Schema (draft 2020-12). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hps.boot.menu import parse_choice
from hps.errors import InvalidInput
from hps.inventory.model import checked_audit, checked_system
from hps.registry.keys import TYPES, checked_type
from hps.registry.types import ValueType, one_of
from hps.timeline.model import checked_event
from hps.values import Mac, checked_name, checked_plain

Schema = Mapping[str, Any]
TEXT_LIMIT = 4096
"""Characters of a text where nothing else is said."""


@dataclass(frozen=True)
class Kind:
    """One kind of value: `check` returns the value that a handler gets, or raises InvalidInput."""

    check: Callable[[Any], Any]
    schema: Schema


def text(check: Callable[[str], object] | None = None, limit: int = TEXT_LIMIT, pattern: str = "") -> Kind:
    """Text with a length limit in characters and a further check; the value itself is kept."""

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidInput("the value is not text", hint='send it as a JSON string: "7", not 7')
        if len(value) > limit:
            raise InvalidInput("the value is too long", hint=f"at most {limit} characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInput("the value is not Unicode text", hint="send UTF-8")
        if check is not None:
            check(value)
        return value

    return Kind(accept, {"type": "string", "maxLength": limit, **({"pattern": pattern} if pattern else {})})


def word(*words: str) -> Kind:
    """Exactly one of these words."""
    check = one_of(*words).check
    return Kind(text(check).check, {"type": "string", "enum": list(words)})


def of_type(kind: ValueType, limit: int = TEXT_LIMIT) -> Kind:
    """A value that a record of this type can hold."""
    return text(kind.check, limit)


def _truth(value: Any) -> str:
    if value is True or value in ("true", "yes", "1"):
        return "true"
    if value is False or value in ("false", "no", "0"):
        return "false"
    raise InvalidInput("the value is neither true nor false")


def _decimal(value: Any) -> str:
    words = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if (
        not isinstance(words, str)
        or not 0 < len(words) <= 24
        or words.count(".") > 1
        or not words.isascii()
        or not words.replace(".", "").isdigit()
    ):
        raise InvalidInput("the value is not a number")
    return words


def _menu_item(value: str) -> object:
    if value not in MENU_ITEMS and parse_choice(value) is None:
        raise InvalidInput(f"{value[:60]!r} is not an item of the menu")
    return value


def _plain(value: str) -> object:
    return checked_plain(value, "the value")


def _session(value: str) -> object:
    if len(value) != 6 or any(character not in "0123456789abcdef" for character in value):
        raise InvalidInput("a boot id is six hexadecimal digits")
    return value


MENU_ITEMS = ("init_menu", "show_host", "unmanage", "reboot")

TRUTH = Kind(_truth, {"oneOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false", "yes", "no", "1", "0"]}]})
"""True or false, as words or as JSON; a handler gets `true` or `false`."""

DECIMAL = Kind(
    _decimal,
    {
        "oneOf": [
            {"type": "number", "minimum": 0, "maximum": 1e15},
            {"type": "string", "pattern": r"^[0-9]+(\.[0-9]*)?$", "maxLength": 24},
        ]
    },
)
"""A number that is not negative, as text or as JSON; a handler gets text."""

NAME = text(checked_name, 64, "^[A-Za-z0-9][A-Za-z0-9._-]*$")
ARCHITECTURE = text(checked_name, 32, "^[A-Za-z0-9][A-Za-z0-9._-]*$")
PLAIN = text(_plain, 128, "^[A-Za-z0-9 ,.:/_+@=%-]*$")
EVENT = text(checked_event, 64)
SESSION = text(_session, 6, "^[0-9a-f]{6}$")
KEY = text(limit=64, pattern="^[A-Za-z][A-Za-z0-9_]*$")
HOST = text(limit=80)
HOST_TYPE = Kind(text(checked_type, 8).check, {"type": "string", "enum": [*TYPES, "TCN", "CCN"]})
MAC = text(Mac.parse, 17, "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")
MENU_ITEM = text(_menu_item, 80)
VALUE = text(limit=65536)
AUDIT = Kind(
    checked_audit,
    {
        "type": "object",
        "maxProperties": 200,
        "propertyNames": {"pattern": "^HOST_[A-Z0-9_]{1,40}$", "not": {"const": "HOST_PROFILE"}},
        "additionalProperties": {"type": "string", "maxLength": TEXT_LIMIT},
    },
)
SYSTEM = Kind(checked_system, {"type": "object", "maxProperties": 50, "additionalProperties": {"type": "string", "maxLength": 256}})
