"""A registry in memory: the second backend that the contract suite is run against, so that it asks for nothing that only files have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hps.errors import InvalidInput, NotFound, Refused
from hps.registry.keys import check_values
from hps.registry.layout import file_of, listed
from hps.registry.model import Edit, Problem, Record, RecordName, check_expected
from hps.registry.text import render_record


class MemoryRegistry:
    """Records of one process."""

    def __init__(self) -> None:
        self._records: dict[RecordName, Record] = {}
        self._number = 0
        self._changed = threading.Condition(threading.RLock())
        self._scopes: dict[str, threading.Lock] = {}

    def read(self, name: RecordName) -> Record:
        file_of(name)
        with self._changed:
            if name not in self._records:
                raise NotFound(f"there is no record {name}")
            record = self._records[name]
            return Record(name, dict(record.values), record.revision)

    def exists(self, name: RecordName) -> bool:
        file_of(name)
        return name in self._records

    def names(self, kind: str, *parents: str) -> tuple[RecordName, ...]:
        listed(kind, parents)
        with self._changed:
            return tuple(sorted(name for name in self._records if name.kind == kind and name.parts[: len(parents)] == parents))

    def change(self, name: RecordName, edit: Edit, create: bool = False, expected: int | None = None) -> Record:
        file_of(name)
        with self._changed:
            if name not in self._records and not create:
                raise NotFound(f"there is no record {name}")
            old = self._records.get(name, Record(name))
            check_expected(old, expected)
            values = dict(edit(dict(old.values)))
            if name in self._records and values == old.values:
                return old
            check_values(name.kind, {key: value for key, value in values.items() if old.values.get(key) != value})
            render_record(values)
            self._number += 1
            self._records[name] = Record(name, values, self._number)
            self._changed.notify_all()
            return Record(name, dict(values), self._number)

    def remove(self, name: RecordName) -> None:
        file_of(name)
        with self._changed:
            if self._records.pop(name, None) is not None:
                self._number += 1
                self._changed.notify_all()

    @contextmanager
    def transaction(self, scope: str) -> Iterator[None]:
        if "/" in scope:
            raise InvalidInput("a scope is a name")
        with self._changed:
            held = self._scopes.setdefault(scope, threading.Lock())
        with held:
            yield

    def check(self) -> tuple[Problem, ...]:
        return ()

    def restore(self, name: RecordName) -> Record:
        raise Refused(f"the record {self.read(name).name} is not damaged")

    def revision(self) -> int:
        return self._number

    def wait(self, revision: int, timeout: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._number > revision, timeout)
            return self._number
