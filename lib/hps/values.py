"""Values that are checked when they are made, so that nothing behind the edge needs to check them again."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from hps.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PLAIN = re.compile(r"[A-Za-z0-9 ,.:/_+@=%-]*")


@dataclass(frozen=True, order=True)
class Mac:
    """An EUI-48 hardware address, held as 12 lower-case hexadecimal digits."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `52:54:00:77:00:01`, `52-54-…` or `525400770001`; raises InvalidInput."""
        digits = re.sub(r"[:-]", "", text).lower() if len(text) <= 17 else ""
        if not re.fullmatch(r"[0-9a-f]{12}", digits) or not re.fullmatch(r"[0-9A-Fa-f]{12}|([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", text):
            raise InvalidInput(f"{text[:40]!r} is not a MAC address", hint="write it as 52:54:00:77:00:01")
        if int(digits[:2], 16) & 1 or digits == "0" * 12:
            raise InvalidInput(f"{text!r} is not the address of one machine", hint="group and null addresses name no host")
        return cls(digits)

    def __str__(self) -> str:
        return ":".join(self.digits[index : index + 2] for index in range(0, 12, 2))


def checked_name(text: str, what: str = "name") -> str:
    """A name that is safe as one path component: letters, digits, `.`, `_`, `-`; raises InvalidInput."""
    if not _NAME.fullmatch(text):
        raise InvalidInput(
            f"{text[:80]!r} is not a valid {what}", hint="use letters, digits, '.', '_' and '-', at most 64, not starting with '.' or '-'"
        )
    return text


def checked_version(text: str) -> str:
    """A version as Debian writes it: a name that may also hold `+` and `~` (deb-version(7)); raises InvalidInput."""
    checked_name(text.replace("+", ".").replace("~", "."), "version")
    return text


def checked_host_name(text: str) -> str:
    """One lower-case DNS label (RFC 1123); raises InvalidInput."""
    if not _LABEL.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is not a host name", hint="use lower-case letters, digits and '-', at most 63")
    return text


def checked_domain(text: str) -> str:
    """A lower-case DNS domain of at most 253 characters (RFC 1123); raises InvalidInput."""
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise InvalidInput(f"{text[:80]!r} is not a DNS domain", hint="for example cluster.example")
    return text


def checked_plain(text: str, what: str) -> str:
    """Text that may stand in an iPXE script, a GRUB file or a kernel command line; raises InvalidInput.

    No newline, quote, `$`, `{`, `;`, `&`, `|`, `#`, `!`, backslash, control or non-ASCII character (S5).
    """
    if not _PLAIN.fullmatch(text):
        raise InvalidInput(
            f"{what} holds a character that a boot script cannot carry", hint="use letters, digits, space and , . : / _ + @ = % -"
        )
    return text


def checked_address(text: str) -> str:
    """A dotted IPv4 address; raises InvalidInput."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not an IPv4 address", hint="for example 10.77.0.1") from error


def checked_network(text: str) -> str:
    """An IPv4 network in CIDR form with no host bits, /8 to /29; raises InvalidInput."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not an IPv4 network", hint="for example 10.77.0.0/24") from error
    if not 8 <= network.prefixlen <= 29:
        raise InvalidInput(f"{text} is too large or too small for a cluster", hint="use a prefix from /8 to /29")
    return str(network)
