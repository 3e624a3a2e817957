"""Names and values of records, and what a registry can do. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from hps.registry.text import render_record
from hps.values import Mac, checked_name

Values = Mapping[str, str]
Edit = Callable[[Values], Values]


@dataclass(frozen=True, order=True)
class RecordName:
    """Which record: its kind (`hps`, `cluster`, `host`, `os`) and its path of names below that kind."""

    kind: str
    parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.kind, *self.parts))


HPS = RecordName("hps")


def cluster_name(cluster: str) -> RecordName:
    """The record of a cluster."""
    return RecordName("cluster", (checked_name(cluster, "cluster name"),))


def host_name(cluster: str, mac: Mac) -> RecordName:
    """The record of a host of that cluster."""
    return RecordName("host", (checked_name(cluster, "cluster name"), mac.digits))


def os_name(os_id: str) -> RecordName:
    """The record of an operating system by its id, `arch:name:version`."""
    return RecordName("os", (checked_name(os_id.replace(":", "-", 1).replace(":", "_", 1), "operating system"),))


@dataclass(frozen=True)
class Record:
    """One record as it was read: its values, and a revision that changes whenever they do."""

    name: RecordName
    values: Values = field(default_factory=dict)

    @property
    def revision(self) -> str:
        """A digest of the content."""
        return hashlib.sha256(render_record(self.values).encode()).hexdigest()[:16]

    def get(self, key: str, default: str = "") -> str:
        """The value of a key, or the default where it is not set."""
        return self.values.get(key, default)


class Registry(Protocol):
    """Where records live. Files by default; the interface asks nothing that a lock and a revision cannot give."""

    def read(self, name: RecordName) -> Record:
        """The record; raises NotFound."""

    def exists(self, name: RecordName) -> bool:
        """Whether there is such a record."""

    def names(self, kind: str, *parents: str) -> tuple[RecordName, ...]:
        """The records of a kind below these parents, sorted."""

    def change(self, name: RecordName, edit: Edit, create: bool = False) -> Record:
        """Read, edit and write one record under its lock; the keys and values are checked. Raises NotFound, InvalidInput."""

    def remove(self, name: RecordName) -> None:
        """Remove a record; one that is gone is no error."""

    def transaction(self, scope: str) -> AbstractContextManager[None]:
        """Hold a named lock over several records: allocation, activation."""


def setting(**values: str | None) -> Edit:
    """An edit that sets these keys, and unsets those that are None."""

    def edit(old: Values) -> Values:
        kept = {key: value for key, value in old.items() if key not in values}
        return kept | {key: value for key, value in values.items() if value is not None}

    return edit
