"""What every rendered configuration is made of: lines and paths that cannot say more than they should. Pure."""

import re
from collections.abc import Iterable
from pathlib import Path

from hps.errors import InvalidInput

_PATH = re.compile(r"/[A-Za-z0-9/._+@-]+")
_SOCKET_LENGTH = 96
"""Bytes: sun_path holds 108 (unix(7)), and supervisor binds a longer temporary name first."""


def checked_path(path: Path) -> str:
    """An absolute path that needs no quoting in any of our configurations; raises InvalidInput."""
    text = str(path)
    if not _PATH.fullmatch(text):
        raise InvalidInput(f"{text[:200]!r} cannot be the folder of an IPS", hint="use an absolute path of letters, digits and / . _ + @ -")
    return text


def checked_socket(path: Path) -> str:
    """A path that fits into the address of a Unix socket; raises InvalidInput."""
    text = checked_path(path)
    if len(text) > _SOCKET_LENGTH:
        raise InvalidInput(f"{text} is too long for a socket", hint=f"choose an HPS_BASE that keeps it within {_SOCKET_LENGTH} characters")
    return text


def joined(lines: Iterable[str]) -> str:
    """The lines as one text; raises InvalidInput where one holds a control character, which would make two of it."""
    lines = tuple(lines)
    for line in lines:
        if not line.isprintable():
            raise InvalidInput(f"a line of the configuration holds a control character: {line[:80]!r}")
    return "".join(f"{line}\n" for line in lines)
