"""The registry on files: `hps.conf`, `clusters/<name>/cluster.conf`, `clusters/<name>/hosts/<mac>.conf`, `os/<os>.conf`."""

from contextlib import AbstractContextManager
from pathlib import Path

from hps.errors import HpsError, InvalidInput, NotFound
from hps.registry.keys import check_values
from hps.registry.model import Edit, Record, RecordName
from hps.registry.text import parse_record, render_record
from hps.system import files, lock
from hps.values import checked_name


class FileRegistry:
    """Records as text files below one folder; every change is locked, checked, and replaces the file atomically."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: RecordName) -> Path:
        """The file of a record; each part was checked to be one path component."""
        parts = tuple(checked_name(part) for part in name.parts)
        match (name.kind, parts):
            case ("hps", ()):
                return self.root / "hps.conf"
            case ("cluster", (cluster,)):
                return self.root / "clusters" / cluster / "cluster.conf"
            case ("host", (cluster, mac)):
                return self.root / "clusters" / cluster / "hosts" / f"{mac}.conf"
            case ("os", (system,)):
                return self.root / "os" / f"{system}.conf"
        raise InvalidInput(f"{name} names no record")

    def read(self, name: RecordName) -> Record:
        """The record as it is now; raises NotFound, or InvalidInput when its file is damaged."""
        try:
            text = files.read_text(self.path(name))
        except NotFound as error:
            raise NotFound(f"there is no record {name}") from error
        try:
            return Record(name, parse_record(text))
        except HpsError as error:
            raise InvalidInput(f"the record {name} is damaged: {error.message}", hint=f"mend {self.path(name)} with an editor") from error

    def exists(self, name: RecordName) -> bool:
        """Whether there is such a record."""
        return self.path(name).exists()

    def names(self, kind: str, *parents: str) -> tuple[RecordName, ...]:
        """The records of a kind below these parents, sorted by name."""
        parents = tuple(checked_name(part) for part in parents)
        match (kind, parents):
            case ("hps", ()):
                found: list[tuple[str, ...]] = [()] if (self.root / "hps.conf").exists() else []
            case ("cluster", ()):
                found = [(path.parent.name,) for path in self.root.glob("clusters/*/cluster.conf")]
            case ("host", (cluster,)):
                found = [(cluster, path.stem) for path in self.root.glob(f"clusters/{cluster}/hosts/[0-9a-f]*.conf")]
            case ("os", ()):
                found = [(path.stem,) for path in self.root.glob("os/[A-Za-z0-9]*.conf")]
            case _:
                raise InvalidInput(f"{kind} below {parents} names no kind of record")
        return tuple(sorted(RecordName(kind, parts) for parts in found))

    def change(self, name: RecordName, edit: Edit, create: bool = False) -> Record:
        """Apply an edit to the values as they are under the lock, check the result, and write it.

        Raises NotFound where the record is missing and `create` is false, InvalidInput where a key or value is not
        allowed, Refused where the file cannot be written: the record is then as it was.
        """
        path = self.path(name)
        with lock.exclusive(path.with_name(f".{path.name}.lock")):
            old = self.read(name) if path.exists() or not create else Record(name)
            new = Record(name, dict(edit(old.values)))
            check_values(name.kind, {key: value for key, value in new.values.items() if old.values.get(key) != value})
            if new.values != old.values or not path.exists():
                files.write(path, render_record(new.values).encode(), mode=0o600)
            return new

    def remove(self, name: RecordName) -> None:
        """Remove a record; one that is gone is no error."""
        path = self.path(name)
        with lock.exclusive(path.with_name(f".{path.name}.lock")):
            files.remove(path)

    def transaction(self, scope: str) -> AbstractContextManager[None]:
        """Hold a named lock over several records; raises Unreachable after 30 seconds."""
        return lock.exclusive(self.root / f".{checked_name(scope)}.lock", timeout=30)
