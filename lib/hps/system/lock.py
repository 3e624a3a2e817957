"""Locks between processes: the kernel frees them when their holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.errors import Refused, Unreachable


@contextmanager
def exclusive(path: Path, timeout: float = 10) -> Iterator[None]:
    """Hold the lock file for the body.

    Args:
        path: the lock file; made when it is missing, never removed.
        timeout: seconds to wait for another holder.

    Raises:
        Unreachable: another process held it all that time.
        Refused: the lock file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be locked: {error.strerror}", hint="mend the permissions of its folder") from error
    try:
        _acquire(descriptor, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise Unreachable(f"{path} is held by another process", hint="try again") from error
            time.sleep(0.005)
        else:
            return
