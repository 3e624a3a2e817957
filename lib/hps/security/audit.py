"""The audit log: one line for each call of a command: when, who, from where, what, whether it was allowed, and how it ended.

logfmt, one line a call, appended whole. Parameters that the table calls secret are not in it, and no value of a key is.
Whoever has proven to be a member of the cluster has a file of its own, so that nobody else can push those lines out.
"""

import functools
import json
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path

from hps.errors import HpsError
from hps.paths import Paths
from hps.system import files, lock

log = logging.getLogger(__name__)

SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes after which a new file is begun."""

KEPT = 4
"""Older files that are kept, `audit.log.1` the newest."""

_PLAIN = re.compile(r"[!#-<>-~]*")
"""What needs no quotes: printable ASCII but for the space, the quote and the equals sign."""

LONGEST = 80
"""Characters of a value that are written."""


@functools.lru_cache(maxsize=64)
def path(paths: Paths, member: bool = True) -> Path:
    """The file that is written now: of members, or of everybody else."""
    return paths.log / ("audit.log" if member else "audit-strangers.log")


def line(moment: float, fields: Mapping[str, str]) -> str:
    """One entry; a value that is not one plain word is quoted as JSON, so that no value can forge a field or a line. Pure."""
    words = [f"{name}={_word(value)}" for name, value in fields.items() if value]
    return f"time={_stamp(int(moment))} {' '.join(words)}\n"


def record(paths: Paths, fields: Mapping[str, str], member: bool = True) -> None:
    """Write one entry, now; where that cannot be, it goes to the log of the program instead, and the call goes on."""
    place, entry = path(paths, member), line(time.time(), fields)
    try:
        if files.append(place, entry.encode(), mode=0o600) > SIZE_LIMIT:
            _turn(place)
    except (OSError, HpsError) as error:
        log.error("%s cannot be written (%s): %s", place, error, entry.rstrip())


@functools.lru_cache(maxsize=4)
def _stamp(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def _turn(place: Path) -> None:
    with lock.exclusive(place.with_name(f".{place.name}.lock")):
        if place.stat().st_size <= SIZE_LIMIT:
            return
        for number in range(KEPT, 0, -1):
            older = place.with_name(f"{place.name}.{number - 1}") if number > 1 else place
            if older.exists():
                files.move(older, place.with_name(f"{place.name}.{number}"))


def _word(value: str) -> str:
    short = value[:LONGEST]
    return short if _PLAIN.fullmatch(short) else json.dumps(short)
