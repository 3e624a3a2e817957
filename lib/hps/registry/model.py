"""Names and values of records, and what a registry can do. Pure."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from hps.errors import Refused
from hps.values import Mac, checked_name

Values = Mapping[str, str]
Edit = Callable[[Values], Values]


@dataclass(frozen=True, order=True)
class RecordName:
    """Which record: its kind (`hps`, `cluster`, `host`, `account`, `os`) and its path of names below that kind."""

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


def account_name(cluster: str, name: str) -> RecordName:
    """The record of an account of that cluster: an operator, or another IPS."""
    return RecordName("account", (checked_name(cluster, "cluster name"), checked_name(name, "account name")))


def os_name(os_id: str) -> RecordName:
    """The record of an operating system by its id, `arch:name:version`."""
    return RecordName("os", (checked_name(os_id.replace(":", "-", 1).replace(":", "_", 1), "operating system"),))


@dataclass(frozen=True)
class Record:
    """One record as it was read: its values, and the revision of the store at its last change; 0 where it does not exist yet."""

    name: RecordName
    values: Values = field(default_factory=dict)
    revision: int = 0

    def get(self, key: str, default: str = "") -> str:
        """The value of a key, or the default where it is not set."""
        return self.values.get(key, default)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a record: its file, the line from 1 (0 where it is no line), and words that say what."""

    name: RecordName
    path: str
    line: int
    what: str


class Registry(Protocol):
    """Where records live. Files by default; the interface asks nothing that a lock, a revision and a watch cannot give.

    The revision is one number for the whole store. It grows with every change and never goes back.
    """

    def read(self, name: RecordName) -> Record:
        """The record; raises NotFound, or InvalidInput where it is damaged and no good version is kept."""

    def exists(self, name: RecordName) -> bool:
        """Whether there is such a record."""

    def names(self, kind: str, *parents: str) -> tuple[RecordName, ...]:
        """The records of a kind below these parents, sorted."""

    def change(self, name: RecordName, edit: Edit, create: bool = False, expected: int | None = None) -> Record:
        """Read, edit and write one record under its lock; the keys and values are checked.

        Args:
            name: which record.
            edit: the new values from the old ones; called once, under the lock.
            create: whether the record is made where it is missing.
            expected: the revision that the record must still have; 0: it must not exist.

        Raises:
            NotFound: there is no such record, and `create` is false.
            InvalidInput: a key or value is not allowed.
            Refused: the record has another revision than the expected one, is damaged, or cannot be written.
        """

    def remove(self, name: RecordName) -> None:
        """Remove a record; one that is gone is no error."""

    def check(self) -> tuple[Problem, ...]:
        """Everything that is wrong with what is stored; a store that cannot be edited by hand has nothing to tell."""

    def restore(self, name: RecordName) -> Record:
        """Put the last good version of a damaged record back. Raises NotFound where none is kept, Refused where it is not damaged."""

    def transaction(self, scope: str) -> AbstractContextManager[None]:
        """Hold a named lock over several records: allocation, activation."""

    def revision(self) -> int:
        """The revision of the store: every change up to it can be read. Ask it before reading what is to be waited for."""

    def wait(self, revision: int, timeout: float) -> int:
        """Block until the store's revision is greater, or for so many seconds; returns the revision then."""


def parse_name(text: str) -> RecordName:
    """A record by the words that `str` makes of its name, as `host prod 525400770001`; raises InvalidInput."""
    kind, *parts = text.split(" ")
    return RecordName(kind, tuple(checked_name(part) for part in parts))


def check_expected(record: Record, expected: int | None) -> None:
    """Refuse a change of a record that is not as its caller saw it."""
    if expected is not None and record.revision != expected:
        raise Refused(
            f"the record {record.name} was changed: its revision is {record.revision}, not {expected}",
            hint="read it again and decide again",
        )


def setting(**values: str | None) -> Edit:
    """An edit that sets these keys, and unsets those that are None."""

    def edit(old: Values) -> Values:
        kept = {key: value for key, value in old.items() if key not in values}
        return kept | {key: value for key, value in values.items() if value is not None}

    return edit
