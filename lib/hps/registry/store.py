"""The registry on files: one text file for each record, the version before beside it, and one revision for the whole store."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

from hps.errors import HpsError, InvalidInput, NotFound, Refused
from hps.log import warning
from hps.registry.keys import check_values
from hps.registry.layout import file_of, listed
from hps.registry.model import Edit, Problem, Record, RecordName, Values, check_expected
from hps.registry.stored import Stored, cache_of, load, settled, signature_of
from hps.registry.text import BadLine, end_mark, line_of, render_record
from hps.system import files, lock
from hps.system.revision import Revisions, wait_any
from hps.values import checked_name


class FileRegistry:
    """Records as text files below one folder; every change is locked, checked, and replaces the file atomically.

    A file that is damaged is told of by its line, and the version before it (`.<file>.previous`) serves until somebody mends it.
    Instances are cheap: what was read is kept for the whole process.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = os.fspath(root)
        self._cache = cache_of(self._root)
        self.revisions = Revisions(root / ".revision", self._highest)

    def path(self, name: RecordName) -> Path:
        """The file of a record; each part was checked to be one path component."""
        return self.root / file_of(name)

    def previous(self, name: RecordName) -> Path:
        """Where the version before is kept."""
        path = self.path(name)
        return path.with_name(f".{path.name}.previous")

    def read(self, name: RecordName) -> Record:
        """The record as it is now, or its last good version where its file is damaged; every damage is warned of once.

        Raises NotFound, or InvalidInput where the file is damaged and no good version is kept.
        """
        path = f"{self._root}/{file_of(name)}"
        try:
            signature = signature_of(path)
            kept = self._cache.records.get(path)
            if kept is not None and kept[0] == signature:
                return kept[1]
            record = _shared(name, load(path))
            self._cache.keep(path, signature, record)
            return record
        except (NotFound, FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"there is no record {name}") from error
        except BadLine as error:
            return _shared(name, self._last_good(name, error, self._cache.first_warning(path, signature)))
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}", hint="mend the permissions of its folder") from error

    def exists(self, name: RecordName) -> bool:
        """Whether there is such a record."""
        return self.path(name).exists()

    def names(self, kind: str, *parents: str) -> tuple[RecordName, ...]:
        """The records of a kind below these parents, sorted by name."""
        below, pattern, file = listed(kind, parents)
        folder = f"{self._root}/{below}"
        place = f"{folder} {kind}"
        try:
            signature = signature_of(folder)
            kept = self._cache.listings.get(place)
            if kept is not None and kept[0] == signature and not file:
                return kept[1]
            found = sorted(match[1] for match in map(pattern.fullmatch, os.listdir(folder)) if match)  # noqa: PTH208 - names only
        except (FileNotFoundError, NotADirectoryError):
            return ()
        if file:
            found = [word for word in found if Path(folder, word, file).exists()]
        names = tuple(RecordName(kind, (*parents, word) if word else ()) for word in found)
        if settled(signature):
            self._cache.listings[place] = (signature, names)
        return names

    def change(self, name: RecordName, edit: Edit, create: bool = False, expected: int | None = None) -> Record:
        """Apply an edit to the values as they are under the lock, check the result, and write it; see `Registry.change`.

        Every refusal leaves the record as it was, and one warning in the log.
        """
        with self._locked(name):
            old, new = self._edited(name, edit, create, expected)
        # The next writer may begin: what it builds on is flushed with its own change at the latest. Nobody is told of what
        # could be lost, nor that it is already so.
        with _told(name):
            try:
                files.flush_names(self.path(name).parent)
            finally:
                if new is not old:
                    self.revisions.publish(new.revision)
        return new

    def _edited(self, name: RecordName, edit: Edit, create: bool, expected: int | None) -> tuple[Record | None, Record]:
        """The record before and after an edit; the very same where nothing changed. The new one is in place, its name not yet flushed."""
        with _told(name):
            old = self._current(name)
            if old is None and not create:
                raise NotFound(f"there is no record {name}")
            before = old or Record(name)
            check_expected(before, expected)
        values = dict(edit(dict(before.values)))
        if old is not None and values == old.values:
            return old, old
        with _told(name, "a key or value is not allowed"):
            check_values(name.kind, {key: value for key, value in values.items() if before.values.get(key) != value})
            body = render_record(values)
        with _told(name):
            revision = self.revisions.take()
            files.replace(self.path(name), (body + end_mark(revision)).encode(), self.previous(name))
        return old, Record(name, values, revision)

    def remove(self, name: RecordName) -> None:
        """Remove a record with the version before it; one that is gone is no error."""
        path = self.path(name)
        with self._locked(name), _told(name):
            if not path.exists():
                return
            try:
                files.remove(path)
                files.remove(self.previous(name))
            except OSError as error:
                raise Refused(f"{path} cannot be removed: {error.strerror}", hint="mend the permissions of its folder") from error
            files.flush_names(path.parent)
            self.revisions.bump()

    def transaction(self, scope: str) -> AbstractContextManager[None]:
        """Hold a named lock over several records; raises Unreachable after 30 seconds."""
        return lock.exclusive(self.root / f".{checked_name(scope)}.lock", timeout=30)

    def revision(self) -> int:
        """The revision of the store: every change up to it can be read."""
        return self.revisions.now()

    def wait(self, revision: int, timeout: float) -> int:
        """Block until the store's revision is greater, or for so many seconds; returns the revision then."""
        if not self.root.is_dir():
            files.make_directory(self.root)
        return wait_any([(self.revisions, revision)], timeout)[0]

    def check(self) -> tuple[Problem, ...]:
        """Everything that is wrong in the store: damaged records by line, and keys and values that the table does not allow."""
        return tuple(problem for name in self._every() for problem in self._problems(name))

    def restore(self, name: RecordName) -> Record:
        """Put the last good version of a damaged record back, as a change of its own.

        Raises NotFound where none is kept, Refused where it is damaged too, or the record is not damaged.
        """
        with self._locked(name), _told(name):
            try:
                load(os.fspath(self.path(name)))
            except (NotFound, BadLine):
                pass
            else:
                raise Refused(f"the record {name} is not damaged", hint="change it instead")
            try:
                stored = load(os.fspath(self.previous(name)))
            except NotFound as error:
                raise NotFound(f"no version before is kept of the record {name}", hint=f"mend {self.path(name)} with an editor") from error
            except BadLine as error:
                raise Refused(f"{self.previous(name)} is damaged too: {error.message}", hint="mend it with an editor") from error
            revision = self.revisions.take()
            files.write(self.path(name), (render_record(stored.values) + end_mark(revision)).encode(), mode=0o600)
            self.revisions.publish(revision)
            return Record(name, stored.values, revision)

    @contextmanager
    def _locked(self, name: RecordName) -> Iterator[None]:
        path = self.path(name)
        with ExitStack() as held:
            with _told(name):
                files.check_room(path.parent)
                held.enter_context(lock.exclusive(self.root / ".locks", part=file_of(name)))
            yield

    def _current(self, name: RecordName) -> Record | None:
        """The record as its file says, not as it is kept; None where there is none. Raises Refused where it is damaged."""
        try:
            stored = load(os.fspath(self.path(name)))
        except NotFound:
            return None
        except BadLine as error:
            raise Refused(f"the record {name} is damaged: {self.path(name)}: {error.message}", hint=self._mending(name, error)) from error
        return Record(name, stored.values, stored.revision)

    def _last_good(self, name: RecordName, damage: BadLine, tell: bool) -> Stored:
        path = self.path(name)
        try:
            stored = load(os.fspath(self.previous(name)))
        except (NotFound, BadLine):
            stored = None
        if tell:
            served = "nothing" if stored is None else "previous"
            warning("record-damaged", damage.message, record=name, file=path, line=damage.line, served=served)
        if stored is None:
            raise InvalidInput(f"the record {name} is damaged: {path}: {damage.message}", hint=self._mending(name, damage)) from damage
        return stored

    def _mending(self, name: RecordName, damage: BadLine) -> str:
        path, previous = self.path(name), self.previous(name)
        words = f"correct or remove line {damage.line} of {path}" if damage.line else f"mend {path}"
        extra = f" ({damage.hint})" if damage.hint else ""
        return f"{words}{extra}" + (f", or put the version before back: mv {previous} {path}" if previous.exists() else "")

    def _every(self) -> Iterator[RecordName]:
        yield from self.names("hps")
        yield from self.names("os")
        yield from self.names("cluster")
        # Hosts are found although the record of their cluster is gone.
        folder, pattern, _ = listed("cluster", ())
        for entry in sorted((self.root / folder).glob("*")):
            if pattern.fullmatch(entry.name):
                yield from self.names("host", entry.name)
                yield from self.names("account", entry.name)

    def _problems(self, name: RecordName) -> Iterator[Problem]:
        path = os.fspath(self.path(name))
        try:
            values: Values = load(path).values
            text = files.read_text(self.path(name))
        except NotFound:
            return
        except BadLine as error:
            yield Problem(name, path, error.line, error.message)
            return
        for key, value in values.items():
            try:
                check_values(name.kind, {key: value})
            except InvalidInput as error:
                yield Problem(name, path, line_of(text, key), error.message)

    def _highest(self) -> int:
        """The highest revision that any record carries, where the file of the store's own is lost."""
        highest = 0
        for name in self._every():
            for path in (self.path(name), self.previous(name)):
                try:
                    highest = max(highest, load(os.fspath(path)).revision)
                except (NotFound, BadLine):
                    continue
        return highest


def _shared(name: RecordName, stored: Stored) -> Record:
    """A record that many callers may be given: nobody can change its values."""
    return Record(name, MappingProxyType(stored.values), stored.revision)


@contextmanager
def _told(name: RecordName, words: str = "") -> Iterator[None]:
    """Write one warning of a failure; that there is no such record is an answer, and no failure.

    What is not allowed may be a secret that was mistyped: its own words stay out of the log.
    """
    try:
        yield
    except NotFound:
        raise
    except HpsError as error:
        warning("record-not-changed", words or error.message, record=name)
        raise
