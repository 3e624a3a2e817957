"""A disk that loses its power: what a writer did is recorded, and every state that a crash can leave is made again.

The model is harsher than any file system that the IPS runs on: what a name change that was not flushed did may be kept or
lost, each one by itself; what was written and not flushed may be kept, lost, or kept by half; what is in a folder whose own
name was lost is lost with it.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DATA = ("all", "none", "half")


def folder_of(path: str) -> str:
    """The folder of a path below the root; the root itself is the empty text."""
    return path.rpartition("/")[0]


@dataclass(frozen=True)
class NameChange:
    """What one call did to the names: path below the root -> inode, or None where the name went; inode 0 is a folder."""

    names: tuple[tuple[str, int | None], ...]

    @property
    def folder(self) -> str:
        """The folder whose flush keeps it."""
        return folder_of(self.names[0][0])


@dataclass
class Disk:
    """What is on the disk for certain, and what is only in memory."""

    kept_names: dict[str, int] = field(default_factory=dict)
    kept_data: dict[int, bytes] = field(default_factory=dict)
    data: dict[int, bytes] = field(default_factory=dict)
    pending: list[NameChange] = field(default_factory=list)

    def copy(self) -> "Disk":
        """The same at this moment."""
        return Disk(dict(self.kept_names), dict(self.kept_data), dict(self.data), list(self.pending))

    def after_a_crash(self) -> Iterator[dict[str, bytes | None]]:
        """Every state that the disk can be in after the power is back: path -> content, None for a folder."""
        for length in range(len(self.pending) + 1):
            for survived in itertools.combinations(self.pending, length):
                names: dict[str, int] = dict(self.kept_names)
                for change in survived:
                    for path, inode in change.names:
                        names.pop(path, None) if inode is None else names.update({path: inode})
                for path in sorted(names):
                    if path and folder_of(path) not in names:
                        del names[path]
                for way in DATA:
                    yield {path: self._content(inode, way) if inode else None for path, inode in sorted(names.items())}

    def _content(self, inode: int, way: str) -> bytes:
        old, new = self.kept_data.get(inode, b""), self.data.get(inode, b"")
        if old == new or way == "all":
            return new
        return old if way == "none" else new[: len(new) // 2] + old[len(new) // 2 :]


class Recorder:
    """Lets the calls of a writer through, and notes the disk after each one."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.disk = Disk()
        self.moments: list[tuple[str, Disk]] = []
        self._open: dict[int, str] = {}
        self._patch = monkeypatch
        for name in ("open", "close", "write", "pwrite", "fsync", "link", "replace", "unlink", "mkdir"):
            monkeypatch.setattr(os, name, self._passing(name, getattr(os, name), getattr(self, f"_{name}d")))

    def know_what_is_there(self) -> None:
        """Take everything below the root for flushed long ago."""
        for path in (self.root, *sorted(self.root.rglob("*"))):
            below = "" if path == self.root else str(path.relative_to(self.root))
            self.disk.kept_names[below] = 0 if path.is_dir() else path.stat().st_ino
            if path.is_file():
                self.disk.data[path.stat().st_ino] = self.disk.kept_data[path.stat().st_ino] = path.read_bytes()
        self.disk.pending.clear()

    def _passing(self, name: str, real: Callable[..., object], note: Callable[..., bool]) -> Callable[..., object]:
        def call(*arguments: object, **words: object) -> object:
            result = real(*arguments, **words)
            if note(result, *arguments):
                self.moments.append((name, self.disk.copy()))
            return result

        return call

    def _below(self, path: object) -> str | None:
        """The path below the root; None for what is elsewhere, or not named by a whole path."""
        text = os.fspath(path)  # type: ignore[call-overload]
        return text[len(str(self.root)) + 1 :] if text.startswith(f"{self.root}/") else None

    def _inode(self, path: str) -> int:
        return os.lstat(self.root / path).st_ino

    def _renamed(self, *names: tuple[str, int | None]) -> bool:
        self.disk.pending.append(NameChange(names))
        return True

    def _opend(self, result: int, path: object, flags: int, *_: object) -> bool:
        below = "" if os.fspath(path) == str(self.root) else self._below(path)  # type: ignore[call-overload]
        if below is None:
            return False
        self._open[result] = below
        known = {name for change in self.disk.pending for name, inode in change.names if inode} | set(self.disk.kept_names)
        if flags & os.O_CREAT and below not in known:
            # The kernel may give the number of a file that is gone to a new one.
            self.disk.data.pop(self._inode(below), None)
            self.disk.kept_data.pop(self._inode(below), None)
            return self._renamed((below, self._inode(below)))
        return False

    def _closed(self, _: object, descriptor: int) -> bool:
        self._open.pop(descriptor, None)
        return False

    def _writed(self, count: int, descriptor: int, data: bytes) -> bool:
        return self._data(descriptor, lambda old: old + bytes(data[:count]))

    def _pwrited(self, count: int, descriptor: int, data: bytes, offset: int) -> bool:
        return self._data(descriptor, lambda old: old[:offset] + bytes(data[:count]) + old[offset + count :])

    def _data(self, descriptor: int, change: Callable[[bytes], bytes]) -> bool:
        if descriptor not in self._open:
            return False
        inode = os.fstat(descriptor).st_ino
        self.disk.data[inode] = change(self.disk.data.get(inode, b""))
        return True

    def _fsyncd(self, _: object, descriptor: int) -> bool:
        path = self._open.get(descriptor)
        if path is None:
            return False
        inode = os.fstat(descriptor).st_ino
        if inode in self.disk.data:
            self.disk.kept_data[inode] = self.disk.data[inode]
        for change in [change for change in self.disk.pending if change.folder == path]:
            for name, number in change.names:
                self.disk.kept_names.pop(name, None) if number is None else self.disk.kept_names.update({name: number})
            self.disk.pending.remove(change)
        return True

    def _linkd(self, _: object, source: object, target: object) -> bool:
        below = self._below(target)
        return below is not None and self._renamed((below, self._inode(below)))

    def _replaced(self, _: object, source: object, target: object) -> bool:
        old, new = self._below(source), self._below(target)
        return new is not None and old is not None and self._renamed((new, self._inode(new)), (old, None))

    def _unlinkd(self, _: object, path: object) -> bool:
        below = self._below(path)
        return below is not None and self._renamed((below, None))

    def _mkdird(self, _: object, path: object, *__: object) -> bool:
        below = self._below(path)
        return below is not None and self._renamed((below, 0))


def lay_out(state: dict[str, bytes | None], root: Path) -> None:
    """Make a folder that holds this state."""
    root.mkdir()
    for path, content in state.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)
