"""Where the files of records are: one place for each kind. Pure."""

import functools
import re
from dataclasses import dataclass

from hps.errors import InvalidInput
from hps.registry.model import RecordName
from hps.values import checked_name

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


@dataclass(frozen=True)
class Place:
    """Where a kind of record has its files: the folder that is listed (`{}` for each parent), and what follows a name in it."""

    folder: str
    end: str
    name: str = _NAME


PLACES = {
    "hps": Place("", "hps.conf", name=""),
    "cluster": Place("clusters", "/cluster.conf"),
    "host": Place("clusters/{}/hosts", ".conf", name="[0-9a-f]{12}"),
    "account": Place("clusters/{}/accounts", ".conf"),
    "os": Place("os", ".conf"),
}


@functools.lru_cache(maxsize=32768)
def file_of(name: RecordName) -> str:
    """The file of a record below the store's folder; raises InvalidInput for what names none.

    Each part was checked to be one path component.
    """
    place = PLACES.get(name.kind)
    parts = tuple(checked_name(part) for part in name.parts)
    if place is None or len(parts) != _depth(place):
        raise InvalidInput(f"{name} names no record")
    if not place.name:
        return place.end
    return f"{place.folder.format(*parts)}/{parts[-1]}{place.end}"


@functools.lru_cache(maxsize=256)
def listed(kind: str, parents: tuple[str, ...]) -> tuple[str, re.Pattern[str], str]:
    """How the records of a kind are found: the folder, what its entries look like, and the file below an entry, where that is one.

    The pattern's only group is the record's name. Raises InvalidInput.
    """
    place = PLACES.get(kind)
    parents = tuple(checked_name(part) for part in parents)
    if place is None or len(parents) != max(_depth(place) - 1, 0):
        raise InvalidInput(f"{kind} below {parents} names no kind of record")
    end, slash, below = place.end.partition("/")
    return place.folder.format(*parents), re.compile(f"({place.name}){re.escape(end)}"), below if slash else ""


def _depth(place: Place) -> int:
    return place.folder.count("{}") + (1 if place.name else 0)
