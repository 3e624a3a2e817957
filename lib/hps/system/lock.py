"""Locks between processes: the kernel frees them when their holder dies."""

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.errors import NotFound, Refused, Unreachable
from hps.system import files

_SHORTEST, _LONGEST = 0.0005, 0.01
"""Seconds between two attempts: a record is held for about a millisecond, an allocation for longer."""


@contextmanager
def exclusive(path: Path, timeout: float = 10, part: str = "") -> Iterator[None]:
    """Hold the lock file, or one named part of it, for the body.

    Args:
        path: the lock file; made when it is missing, never removed.
        timeout: seconds to wait for another holder.
        part: a name; holders of different parts do not wait for each other, so that one file locks any number of things.
            A file is locked as a whole or in parts, never both: these locks do not see each other.

    Raises:
        Unreachable: another process held it all that time.
        Refused: the lock file cannot be made.
    """
    try:
        descriptor = _opened(path)
    except OSError as error:
        raise Refused(f"{path} cannot be locked: {error.strerror}", hint="mend the permissions of its folder") from error
    try:
        _acquire(descriptor, path, time.monotonic() + timeout, part)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    for _ in range(2):
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            files.make_parents(path.parent)
    raise NotFound(f"{path.parent} is removed again and again")


def _acquire(descriptor: int, path: Path, deadline: float, part: str) -> None:
    pause = _SHORTEST
    while not _try(descriptor, part):
        if time.monotonic() > deadline:
            raise Unreachable(f"{path} is held by another process", hint="try again")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)


def _try(descriptor: int, part: str) -> bool:
    try:
        if part:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _one_byte(part))
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _one_byte(part: str) -> bytes:
    """The `struct flock` of the byte that stands for this name (fcntl(2), open file description locks)."""
    position = int.from_bytes(hashlib.sha256(part.encode()).digest()[:8]) >> 2
    return struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, position, 1, 0)
