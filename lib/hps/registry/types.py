"""The types of record values: for each its words in the documents, and the check that a value passes. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hps.errors import InvalidInput
from hps.values import (
    checked_address,
    checked_domain,
    checked_host_name,
    checked_name,
    checked_network,
    checked_plain,
)


@dataclass(frozen=True)
class ValueType:
    """What a value may be: its words for people, and its check, which raises InvalidInput."""

    words: str
    check: Callable[[str], object]


def one_of(*words: str) -> ValueType:
    """Exactly one of these words."""

    def check(value: str) -> str:
        if value not in words:
            raise InvalidInput(f"{value[:40]!r} is not allowed here", hint="use one of: " + ", ".join(words))
        return value

    return ValueType("one of " + ", ".join(words), check)


def number(low: int, high: int) -> ValueType:
    """A decimal number between two bounds."""

    def check(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", value) or not low <= int(value) <= high:
            raise InvalidInput(f"{value[:40]!r} is not a number from {low} to {high}")
        return int(value)

    return ValueType(f"number from {low} to {high}", check)


def optional(kind: ValueType) -> ValueType:
    """The same type, or nothing."""
    return ValueType(f"{kind.words}, or empty", lambda value: value if value == "" else kind.check(value))


def _matching(pattern: str, what: str, hint: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise InvalidInput(f"{value[:60]!r} is not {what}", hint=hint)
        return value

    return check


def _ips_names(value: str) -> str:
    names = value.split(",")
    for name in names:
        checked_host_name(name)
    if len(set(names)) != len(names):
        raise InvalidInput("a name of an IPS is given twice", hint="each IPS has a name of its own: ips-01, ips-02")
    return value


def _folder(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9/._+@-]{1,200}", value) or any(part in ("", ".", "..") for part in value.split("/")[1:]):
        raise InvalidInput(f"{value[:80]!r} is not the path of a folder", hint="an absolute path of letters, digits and / . _ + @ -")
    return value


TEXT = ValueType("text", lambda value: value)
PLAIN = ValueType("text that a boot script can carry", lambda value: checked_plain(value, "the value"))
NAME = ValueType("name", checked_name)
HOST_NAME = ValueType("host name", checked_host_name)
DOMAIN = ValueType("DNS domain", checked_domain)
ADDRESS = ValueType("IPv4 address", checked_address)
NETWORK = ValueType("IPv4 network", checked_network)
IPS_NAMES = ValueType("host names, comma separated", _ips_names)
FOLDER = ValueType("absolute path", _folder)
OS_ID = ValueType(
    "arch:name:version",
    _matching(r"[A-Za-z0-9_]{1,16}:[a-z0-9]{1,16}:[A-Za-z0-9.]{1,16}", "an operating system", "write it as x86_64:debian:12"),
)
INTERFACE = ValueType(
    "network interface",
    _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", "the name of a network interface", "ip link lists them"),
)
HEXADECIMAL = ValueType("hexadecimal", _matching(r"[0-9a-f]{0,128}", "lower-case hexadecimal", "digits 0-9 and a-f"))
TRUTH = one_of("true", "false")
