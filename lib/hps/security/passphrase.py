"""The passphrase of the authority's key while it is unlocked: in memory only, in a file that its owner alone can read.

It is kept below /dev/shm and nowhere else, so that it is gone after a restart. A file that is not ours, that others could
read, or that does not lie in memory (tmpfs(5)) is not read at all.
"""

import hashlib
import os
import stat
from pathlib import Path

from hps.errors import InvalidInput, Refused
from hps.system import files, mounts

MEMORY = Path("/dev/shm")  # noqa: S108
IN_MEMORY = ("tmpfs", "ramfs")
SHORTEST, LONGEST = 8, 200
"""Characters of a passphrase."""


def place(authority: Path) -> Path:
    """The file that holds the passphrase of this authority's folder."""
    return MEMORY / f"hps-authority-{hashlib.sha256(str(authority.absolute()).encode()).hexdigest()[:16]}"


def checked(text: str) -> str:
    """A passphrase that can be kept as one line of a file; raises InvalidInput without repeating it."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidInput(f"the passphrase has {len(text)} characters", hint=f"use from {SHORTEST} to {LONGEST}")
    if not text.isprintable():
        raise InvalidInput("the passphrase holds a control character", hint="use letters, digits, spaces and signs, on one line")
    return text


def keep(authority: Path, text: str) -> None:
    """Keep a passphrase until `forget` or a restart; raises Refused where there is no file system in memory."""
    if mounts.kind(MEMORY) not in IN_MEMORY:
        raise Refused(f"{MEMORY} is no file system in memory", hint=f"mount -t tmpfs tmpfs {MEMORY}; the passphrase never goes to a disk")
    files.write(place(authority), text.encode(), mode=0o600)


def kept(authority: Path) -> str:
    """The passphrase that is kept; empty where there is none that may be trusted."""
    try:
        descriptor = os.open(place(authority), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        found = os.fstat(descriptor)
        own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not own or mounts.kind(MEMORY, found.st_dev) not in IN_MEMORY:
            return ""
        return os.read(descriptor, 4 * LONGEST).decode(errors="replace")
    finally:
        os.close(descriptor)


def forget(authority: Path) -> None:
    """Forget it; one that is not kept is no error."""
    files.remove(place(authority))
