"""Reading the files of records: parsed once, kept as long as the file is the same, and shared by the whole process."""

import os
import sys
import time
from dataclasses import dataclass, field

from hps.errors import NotFound
from hps.registry.model import Record, RecordName
from hps.registry.text import BadLine, parse_file

SETTLED = 50_000_000
"""Nanoseconds after which a file's time stamp tells it from the next version: the kernel's stamps advance in ticks of a few
milliseconds, and a freed inode is used again."""

LIMIT = 32768
"""Entries that are kept at most; above it all are dropped."""

Signature = tuple[int, int, int]


@dataclass(frozen=True)
class Stored:
    """The content of a good file."""

    values: dict[str, str]
    revision: int


@dataclass
class Cache:
    """What a process knows of one store: each entry is replaced as a whole, so threads need no lock."""

    records: dict[str, tuple[Signature, Record]] = field(default_factory=dict)
    listings: dict[str, tuple[Signature, tuple[RecordName, ...]]] = field(default_factory=dict)
    warned: dict[str, Signature] = field(default_factory=dict)

    def first_warning(self, path: str, signature: Signature) -> bool:
        """Whether this version of a file was not warned of yet."""
        if self.warned.get(path) == signature:
            return False
        self._bound(self.warned)
        self.warned[path] = signature
        return True

    def keep(self, path: str, signature: Signature, record: Record) -> None:
        """Keep a record as it was read, if the signature of its file can be relied on."""
        if settled(signature):
            self._bound(self.records)
            self.records[path] = (signature, record)

    @staticmethod
    def _bound(kept: dict[str, tuple[Signature, Record]] | dict[str, Signature]) -> None:
        if len(kept) >= LIMIT:
            kept.clear()


_caches: dict[str, Cache] = {}


def cache_of(root: str) -> Cache:
    """The cache of the store with this root."""
    return _caches.setdefault(root, Cache())


def signature_of(path: str) -> Signature:
    """What tells one version of a file or folder from another: inode, time of change in nanoseconds, size; raises OSError."""
    status = os.stat(path)  # noqa: PTH116 - asked for every read of every record
    return status.st_ino, status.st_mtime_ns, status.st_size


def settled(signature: Signature) -> bool:
    """Whether every later version must have another signature."""
    return signature[1] + SETTLED < time.time_ns()


def load(path: str) -> Stored:
    """Read and parse the file of a record.

    Raises:
        NotFound: there is no such file.
        BadLine: it is damaged; line 0 where it cannot be read at all.
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - as above
            data = stream.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{path} does not exist") from error
    except OSError as error:
        raise BadLine(0, f"it cannot be read: {error.strerror}", hint="look at the disk and the permissions") from error
    try:
        values, revision = parse_file(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadLine(line, f"line {line} is not UTF-8 text") from error
    return Stored({sys.intern(key): value for key, value in values.items()}, max(revision, 1))
