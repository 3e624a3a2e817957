"""Locks between processes: the kernel frees them when their holder dies."""

import fcntl
import hashlib
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.errors import NotFound, Refused, Unreachable
from hps.system import files

_ATTEMPTS = 20
"""How often a lock is asked for before its holder is waited for: a number is taken in less time than a thread starts."""


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
    if not _tried(descriptor, part) and not _Waiting(descriptor, part).wait(timeout):
        raise Unreachable(f"{path} is held by another process", hint="try again")
    try:
        yield
    finally:
        os.close(descriptor)


class _Waiting:
    """A thread that blocks in the kernel, which hands the lock on in the order of asking; who gives up leaves the descriptor to it."""

    def __init__(self, descriptor: int, part: str) -> None:
        self._descriptor, self._part = descriptor, part
        self._mutex = threading.Lock()
        self._told, self._left = threading.Event(), False
        self._error: OSError | None = None

    def wait(self, timeout: float) -> bool:
        """Whether the lock is held; if not, the descriptor is closed as soon as that is possible."""
        if timeout <= 0:
            os.close(self._descriptor)
            return False
        threading.Thread(target=self._block, name="lock", daemon=True).start()
        try:
            self._told.wait(timeout)
        except BaseException:
            if not self._leave():
                os.close(self._descriptor)
            raise
        if self._leave():
            return False
        if self._error is not None:
            os.close(self._descriptor)
            raise Refused(f"a lock was not granted: {self._error.strerror}", hint="look at the file system of the records")
        return True

    def _block(self) -> None:
        try:
            _lock(self._descriptor, self._part, wait=True)
        except OSError as error:
            self._error = error
        with self._mutex:
            if self._left:
                os.close(self._descriptor)
            self._told.set()

    def _leave(self) -> bool:
        """Whether the thread has the last word on the descriptor from now on."""
        with self._mutex:
            self._left = not self._told.is_set()
            return self._left


def _opened(path: Path) -> int:
    for _ in range(2):
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            files.make_parents(path.parent)
    raise NotFound(f"{path.parent} is removed again and again")


def _tried(descriptor: int, part: str) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            _lock(descriptor, part, wait=False)
        except (BlockingIOError, PermissionError):
            os.sched_yield()
        else:
            return True
    return False


def _lock(descriptor: int, part: str, wait: bool) -> None:
    if part:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK, _one_byte(part))
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _one_byte(part: str) -> bytes:
    """The `struct flock` of the byte that stands for this name (fcntl(2), open file description locks)."""
    position = int.from_bytes(hashlib.sha256(part.encode()).digest()[:8]) >> 2
    return struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, position, 1, 0)
