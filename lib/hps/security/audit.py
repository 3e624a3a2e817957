"""The audit log: one line for each call of a command: when, who, from where, what, whether it was allowed, and how it ended.

logfmt, one line a call, appended whole. Parameters that the table calls secret are not in it, and no value of a key is.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path

from hps.paths import Paths
from hps.system import files, lock

SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes after which a new file is begun."""

KEPT = 4
"""Older files that are kept, `audit.log.1` the newest."""

_LONGEST = 80


def path(paths: Paths) -> Path:
    """The file that is written now."""
    return paths.log / "audit.log"


def line(moment: float, fields: Mapping[str, str]) -> str:
    """One entry; a value that is not one plain word is quoted as JSON, so that no value can forge a field or a line. Pure."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    return " ".join((f"time={stamp}", *(f"{name}={_word(value)}" for name, value in fields.items() if value))) + "\n"


def record(paths: Paths, fields: Mapping[str, str]) -> None:
    """Write one entry, now."""
    place = path(paths)
    files.append(place, line(time.time(), fields).encode(), mode=0o600)
    if place.stat().st_size > SIZE_LIMIT:
        _turn(place)


def _turn(place: Path) -> None:
    with lock.exclusive(place.with_name(".audit.lock")):
        if place.stat().st_size <= SIZE_LIMIT:
            return
        for number in range(KEPT, 0, -1):
            older = place.with_name(f"{place.name}.{number - 1}") if number > 1 else place
            if older.exists():
                files.move(older, place.with_name(f"{place.name}.{number}"))


def _word(value: str) -> str:
    short = value[:_LONGEST]
    plain = short.isascii() and short.isprintable() and not any(character in ' "=' for character in short)
    return short if plain else json.dumps(short)
