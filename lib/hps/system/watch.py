"""Sleep until a file changes: the kernel tells (inotify(7)), nothing is asked in a loop."""

import contextlib
import ctypes
import os
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hps.errors import Refused

_MODIFY, _MOVED_TO, _CREATE, _OVERFLOW, _IGNORED = 0x2, 0x80, 0x100, 0x4000, 0x8000
_ONLY_DIRECTORY = 0x1000000
_HEADER = struct.Struct("iIII")


class Watcher:
    """One inotify instance of this process with one thread that reads it: the kernel grants a user few instances."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC)
        if self._descriptor < 0:
            raise Refused(f"changes cannot be watched: {os.strerror(ctypes.get_errno())}", hint="raise fs.inotify.max_user_instances")
        self._folders: dict[int, Path] = {}
        self._counts: dict[Path, int] = {}
        threading.Thread(target=self._read, name="watch", daemon=True).start()

    def watch(self, file: Path) -> None:
        """Count the changes of this file from now on, although it may be replaced; raises Refused where its folder is missing."""
        with self.changed:
            folder = os.fsencode(file.parent)
            number = self._libc.inotify_add_watch(self._descriptor, folder, _MODIFY | _MOVED_TO | _CREATE | _ONLY_DIRECTORY)
            if number < 0:
                words = os.strerror(ctypes.get_errno())
                raise Refused(f"{file.parent} cannot be watched: {words}", hint="raise fs.inotify.max_user_watches, or make the folder")
            self._folders[number] = file.parent
            self._counts.setdefault(file, 0)

    def count(self, files: Sequence[Path]) -> int:
        """How many changes of these files were told; hold `changed`."""
        return sum(self._counts[file] for file in files)

    def _read(self) -> None:
        while True:
            data = os.read(self._descriptor, 65536)
            with self.changed:
                for number, mask, name in _events(data):
                    self._note(number, mask, name)
                self.changed.notify_all()

    def _note(self, number: int, mask: int, name: bytes) -> None:
        folder = self._folders.get(number)
        for file in self._counts:
            if mask & _OVERFLOW or (file.parent == folder and (mask & _IGNORED or file.name == os.fsdecode(name))):
                self._counts[file] += 1
        if mask & _IGNORED:
            self._folders.pop(number, None)


_watcher: Watcher | None = None
_making = threading.Lock()


def wait_until(files: Sequence[Path], done: Callable[[], bool], timeout: float) -> bool:
    """Block until `done()`, which is asked at first and then after each change of one of these files, or until the timeout.

    Args:
        files: whose folders exist; the files themselves may come, go and be replaced.
        done: what is waited for; called without a lock, in the thread that waits.
        timeout: seconds.

    Returns:
        Whether it is done.

    Raises:
        Refused: a folder is missing, or the kernel grants no watch.
    """
    watcher = _instance()
    deadline = time.monotonic() + timeout
    while True:
        for file in files:
            watcher.watch(file)
        with watcher.changed:
            seen = watcher.count(files)
        if done():
            return True
        with watcher.changed:
            if not watcher.changed.wait_for(lambda: watcher.count(files) != seen, max(0.0, deadline - time.monotonic())):  # noqa: B023
                break
    return done()


def _instance() -> Watcher:
    global _watcher
    with _making:
        if _watcher is None:
            _watcher = Watcher()
        return _watcher


def _forget() -> None:
    """A forked process has the descriptor, but not the thread: it makes its own."""
    global _watcher, _making
    if _watcher is not None:
        with contextlib.suppress(OSError):
            os.close(_watcher._descriptor)
    _watcher, _making = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)


def _events(data: bytes) -> list[tuple[int, int, bytes]]:
    found, start = [], 0
    while start < len(data):
        number, mask, _, length = _HEADER.unpack_from(data, start)
        start += _HEADER.size
        found.append((number, mask, data[start : start + length].rstrip(b"\0")))
        start += length
    return found
