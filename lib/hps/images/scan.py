"""Read a root tree into the entries of a manifest: every path with its owner, mode, attributes and digest."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hps.errors import InvalidInput, NotFound, Refused
from hps.images.manifest import MAXIMUM_ENTRIES, MAXIMUM_FILE, Entry, encode

_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
}


def scan(tree: Path, created: int) -> tuple[Entry, ...]:
    """The entries of a tree, sorted; times after `created` (seconds since 1970) become `created`.

    Sockets are left out: without the process that listens they mean nothing. Devices and fifos are recorded, never opened.
    Raises NotFound where there is no tree; Refused where another file system is mounted in it; InvalidInput where it is
    larger than an image may be.
    """
    if tree.is_symlink() or not tree.is_dir():
        raise NotFound(f"{tree} is not a directory")
    found = sorted(_walk(tree), key=lambda item: item[0])
    top = Entry(".", "directory", *_common(tree.lstat(), created), xattrs=_xattrs(str(tree)))
    entries = [top]
    names: dict[int, str] = {}
    for _, path, status in found:
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            continue
        full = f"{tree}/{path}"
        common = _common(status, created)
        if kind == "file" and status.st_ino in names:
            entries.append(Entry(path, "hardlink", *common, target=names[status.st_ino]))
            continue
        entry = Entry(path, kind, *common, xattrs=_xattrs(full))
        if kind == "file":
            if status.st_nlink > 1:
                names[status.st_ino] = path
            entry = entry._replace(size=status.st_size, digest=_digest(full, status))
        elif kind == "symlink":
            entry = entry._replace(target=os.readlink(full))  # noqa: PTH115 - Path would change the text
        elif kind != "directory":
            entry = entry._replace(device=(os.major(status.st_rdev), os.minor(status.st_rdev)))
        entries.append(entry)
    return tuple(entries)


def _walk(tree: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    device = tree.lstat().st_dev
    waiting = [""]
    count = 1
    while waiting:
        folder = waiting.pop()
        with os.scandir(f"{tree}/{folder}") as items:
            for item in items:
                path = f"{folder}/{item.name}" if folder else item.name
                status = item.stat(follow_symlinks=False)
                count += 1
                if count > MAXIMUM_ENTRIES:
                    raise InvalidInput(f"{tree} holds more than {MAXIMUM_ENTRIES} paths")
                if status.st_dev != device:
                    raise Refused(f"another file system is mounted at {tree}/{path}", hint="unmount it; an image is one file system")
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(path)
                yield encode(path), path, status


def _common(status: os.stat_result, created: int) -> tuple[int, int, int, int]:
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, max(0, min(int(status.st_mtime), created))


def _xattrs(path: str) -> tuple[tuple[str, str], ...]:
    names = os.listxattr(path, follow_symlinks=False)
    return tuple((name, os.getxattr(path, name, follow_symlinks=False).hex()) for name in sorted(names)) if names else ()


def open_file(path: str, expected: os.stat_result | None = None) -> int:
    """A regular file for reading, not followed if it is a link, and never a device or fifo; raises Refused if it changed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (
        expected is not None and (status.st_ino, status.st_size) != (expected.st_ino, expected.st_size)
    ):
        os.close(descriptor)
        raise Refused(f"{path} changes while it is read", hint="make an image of a tree that nothing writes to")
    return descriptor


def _digest(path: str, status: os.stat_result) -> str:
    if status.st_size > MAXIMUM_FILE:
        raise InvalidInput(f"{path} is larger than {MAXIMUM_FILE} bytes", hint="an image is for an operating system; put data elsewhere")
    with os.fdopen(open_file(path, status), "rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
