"""Write trees of files with all their attributes, never through a symbolic link, and large files and folders as a whole."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hps.errors import HpsError, Refused
from hps.system import files

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def failure(path: Path | str, error: OSError) -> HpsError:
    """What to raise when a path cannot be written; a full disk is named as such."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused(f"there is no space left to write {path}", hint="free some space, or use a larger disk")
    return Refused(f"{path} cannot be written: {error.strerror}")


@contextmanager
def new_file(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A stream into a file that does not exist yet, flushed to the disk at the end; raises Refused."""
    try:
        with os.fdopen(os.open(path, _NEW_FILE, mode), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise failure(path, error) from error


@contextmanager
def staged_folder(final: Path) -> Iterator[Path]:
    """A new folder that gets its name only when the body has succeeded, and is gone when it has not; raises Refused."""
    staged = final.with_name(f".{final.name}.{secrets.token_hex(4)}")
    try:
        staged.mkdir(parents=True)
        try:
            yield staged
            staged.chmod(0o755)
            files.flush_directory(staged)
            staged.rename(final)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        files.flush_directory(final.parent)
    except OSError as error:
        raise failure(final, error) from error


class TreeWriter:
    """Makes new paths below one directory that is empty at first; every name is resolved from open directories.

    Paths are relative, without `..`. They should come sorted: the directories of the last path stay open, so that a path
    in the same directory costs no look-up. Use it as a context manager. Its methods raise OSError: the caller knows the
    entry that failed, and calls `failure`.
    """

    def __init__(self, root: Path) -> None:
        """Open the root; raises Refused where it is missing, a link, or holds anything but lost+found."""
        try:
            self._root = os.open(root, _DIRECTORY)
        except OSError as error:
            raise failure(root, error) from error
        self._names: list[str] = []
        self._open: list[int] = [self._root]
        self._parent = ""
        if {path.name for path in root.iterdir()} - {"lost+found"}:
            os.close(self._root)
            raise Refused(f"{root} is not empty", hint="an image is unpacked into an empty directory or a new file system")
        self._mask = os.umask(0)
        self._user, self._group = os.geteuid(), os.getegid()

    def __enter__(self) -> "TreeWriter":
        return self

    def __exit__(self, *_: object) -> None:
        os.umask(self._mask)
        for descriptor in self._open:
            os.close(descriptor)

    def _enter(self, path: str) -> tuple[int, str]:
        """The descriptor of the directory that holds a path, and the last part of it."""
        parent, _, name = path.rpartition("/")
        if parent != self._parent:
            parts = parent.split("/") if parent else []
            same = 0
            while same < min(len(parts), len(self._names)) and parts[same] == self._names[same]:
                same += 1
            self._parent = "/".join(parts[:same])
            while len(self._names) > same:
                self._names.pop()
                os.close(self._open.pop())
            for part in parts[same:]:
                self._open.append(os.open(part, _DIRECTORY, dir_fd=self._open[-1]))
                self._names.append(part)
            self._parent = parent
        return self._open[-1], name

    def new_file(self, path: str, mode: int) -> int:
        """The descriptor of a new, empty file; the caller writes, calls `finish_file` and closes it."""
        parent, name = self._enter(path)
        return os.open(name, _NEW_FILE, mode & 0o777, dir_fd=parent)

    def finish_file(self, descriptor: int, mode: int, owner: tuple[int, int], mtime: int, xattrs: dict[str, bytes] | None = None) -> None:
        """Owner, then mode (a change of owner clears setuid), attributes (and capabilities) and time, in seconds."""
        if owner != (self._user, self._group):
            os.fchown(descriptor, *owner)
        if mode & 0o7000:
            os.fchmod(descriptor, mode)
        for name, value in (xattrs or {}).items():
            os.setxattr(descriptor, name, value)
        os.utime(descriptor, ns=(mtime * 1_000_000_000, mtime * 1_000_000_000))

    def read_file(self, path: str) -> int:
        """The descriptor, for reading, of a file that was made before."""
        parent, name = self._enter(path)
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)

    def make_directory(self, path: str) -> None:
        """A directory that only its maker may use until `finish_directory`."""
        parent, name = self._enter(path)
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            if path != "lost+found":
                raise

    def finish_directory(self, path: str, mode: int, owner: tuple[int, int], mtime: int, xattrs: dict[str, bytes] | None = None) -> None:
        """Owner, mode, attributes and time of a directory (`.` is the root), once nothing more is made in it."""
        parent, name = self._enter(path)
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            for key, value in (xattrs or {}).items():
                os.setxattr(descriptor, key, value)
            os.utime(descriptor, ns=(mtime * 1_000_000_000, mtime * 1_000_000_000))
        finally:
            os.close(descriptor)

    def make_link(self, path: str, target: str) -> None:
        """A symbolic link; its target is only text."""
        parent, name = self._enter(path)
        os.symlink(target, name, dir_fd=parent)

    def make_hard_link(self, path: str, first: str) -> None:
        """A further name of a file that was made before."""
        source, old = self._enter(first)
        source = os.dup(source)
        try:
            parent, name = self._enter(path)
            os.link(old, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    def make_node(self, path: str, kind_and_mode: int, device: tuple[int, int]) -> None:
        """A device or a fifo, as mknod(2) takes it; its mode is complete but for special bits."""
        parent, name = self._enter(path)
        os.mknod(name, kind_and_mode, os.makedev(*device), dir_fd=parent)

    def finish_special(self, path: str, owner: tuple[int, int], mtime: int, xattrs: dict[str, bytes] | None = None) -> None:
        """Owner, attributes and time of a link, a device or a fifo, without following or opening it."""
        parent, name = self._enter(path)
        if owner != (self._user, self._group):
            os.chown(name, *owner, dir_fd=parent, follow_symlinks=False)
        for key, value in (xattrs or {}).items():
            os.setxattr(f"/proc/self/fd/{parent}/{name}", key, value, follow_symlinks=False)
        os.utime(name, ns=(mtime * 1_000_000_000, mtime * 1_000_000_000), dir_fd=parent, follow_symlinks=False)
