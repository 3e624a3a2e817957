"""Where expensive things are kept between builds: a folder outside the tree, named by what each thing was made of."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from hps.system import command, files, lock

EPOCH = 1760000000
"""SOURCE_DATE_EPOCH of every build, seconds since 1970: no file of an image is younger (reproducible-builds.org)."""


def content_key(parts: Iterable[str | bytes]) -> str:
    """Twelve hexadecimal digits that stand for these parts in this order."""
    found = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        found.update(b"%d:%b" % (len(raw), raw))
    return found.hexdigest()[:12]


def kept(place: Path, make: Callable[[Path], None], again: bool = False) -> Path:
    """The thing at `place`, made first where it is missing, or `again`.

    `make` is given a path beside it that does not exist; it is moved to its place when it is whole, so a build that is
    cut off leaves nothing that looks finished. Two builds of the same thing wait for each other, up to an hour.
    """
    files.make_directory(place.parent)
    with lock.exclusive(place.with_name(f".{place.name}.lock"), timeout=3600):
        if place.exists() and not again:
            return place
        temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            make(temporary)
            remove_tree(place)
            command.run(["mv", "-T", str(temporary), str(place)])
        finally:
            remove_tree(temporary)
    return place


def remove_tree(place: Path) -> None:
    """Remove a folder or file of the cache and all below it; never what is mounted there."""
    command.run(["rm", "-rf", "--one-file-system", "--", str(place)])


def forget_old(folder: Path, pattern: str, keep: int = 3) -> None:
    """Remove the things of a name pattern but the newest ones; their lock files tell when each was first made."""
    found = [path for path in folder.glob(pattern) if path.with_name(f".{path.name}.lock").exists()]
    found.sort(key=lambda path: path.with_name(f".{path.name}.lock").stat().st_mtime, reverse=True)
    for path in found[keep:]:
        remove_tree(path)
        files.remove(path.with_name(f".{path.name}.lock"))
