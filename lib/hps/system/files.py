"""The one module that writes files: atomically, or in place where a loader or a device needs that."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.errors import InvalidInput, NotFound, Refused

MINIMUM_FREE = 1024 * 1024
"""Bytes that must stay free on a file system for a record to be written: below it a change is refused before it begins."""


def read_text(path: Path) -> str:
    """The file as UTF-8 text; raises NotFound, or InvalidInput where it is not UTF-8."""
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{path} does not exist") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text") from error


def write(path: Path, content: bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replace a file atomically: written beside it, flushed, renamed, and the rename flushed.

    The mode is set before the name exists, so a secret is never readable for a moment. Raises Refused when the
    place cannot be written; the old file is then as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        make_parents(path.parent)
        with _swept(temporary):
            _fill(temporary, content, mode, owner)
            temporary.replace(path)
        flush_directory(path.parent)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", hint="free some space or mend the permissions; the old file is as it was"
        ) from error


def check_room(folder: Path) -> None:
    """Refuse a change before anything is touched: the folder can be written, and MINIMUM_FREE bytes are free.

    A folder that is still to be made is judged by the nearest one that is there. Raises Refused.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    status = os.statvfs(folder)
    if status.f_flag & os.ST_RDONLY:
        raise Refused(f"{folder} is on a read-only file system", hint="mount it for writing; nothing was changed")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refused(f"{folder} cannot be written by this user", hint="mend its owner and permissions; nothing was changed")
    free = status.f_bavail * status.f_frsize
    if free < MINIMUM_FREE:
        raise Refused(
            f"{folder} has {free // 1024} KiB left; a change needs {MINIMUM_FREE // 1024}",
            hint="free some space; nothing was changed",
        )
    if status.f_files and not status.f_favail:
        raise Refused(f"{folder} has no inode left", hint="remove some files; nothing was changed")


def replace(path: Path, content: bytes, previous: Path, mode: int = 0o600) -> None:
    """Replace a file as `write` does, keep what it was as `previous`, and read back what was written.

    At every moment the file is there, old or new, whole. Its caller holds a lock: the temporary names are fixed, so that
    what a killed writer left is swept by the next one. The content is flushed, the rename is not: after the lock the caller
    calls `flush_names`, so that writers that follow each other share the wait for the disk.

    Raises:
        Refused: the place cannot be written, or other bytes are read back: the old file is then as it was.
    """
    temporary, spare = path.with_name(f".{path.name}.new"), previous.with_name(f"{previous.name}.new")
    try:
        make_parents(path.parent)
        temporary.unlink(missing_ok=True)
        with _swept(temporary, spare):
            _fill(temporary, content, mode)
            _keep(path, previous, spare)
            temporary.replace(path)
        if path.read_bytes() == content:
            return
        _put_back(previous, path)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", hint="free some space or mend the permissions of its folder"
        ) from error
    raise Refused(f"{path} does not hold what was written to it", hint="look at the disk; the version before was put back")


@contextmanager
def _swept(*temporaries: Path) -> Iterator[None]:
    """Leave none of these files behind where the body fails."""
    try:
        yield
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise


def _fill(temporary: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        if owner is not None:
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep(path: Path, previous: Path, spare: Path) -> None:
    """Give the file its second name; where there is no file yet, an old second name is nobody's and goes."""
    spare.unlink(missing_ok=True)
    try:
        os.link(path, spare, follow_symlinks=False)
    except FileNotFoundError:
        previous.unlink(missing_ok=True)
        return
    spare.replace(previous)
    # Where both were names of one file already, rename(2) does nothing.
    spare.unlink(missing_ok=True)


def _put_back(previous: Path, path: Path) -> None:
    try:
        previous.replace(path)
    except FileNotFoundError:
        path.unlink()
    flush_directory(path.parent)


def make_parents(folder: Path) -> None:
    """Make a folder and those above it, each one's name flushed, so that what is put there survives a power cut."""
    if folder.is_dir():
        return
    make_parents(folder.parent)
    folder.mkdir(exist_ok=True)
    flush_directory(folder.parent)


def flush_names(folder: Path) -> None:
    """Make every rename in this directory so far survive a power cut; raises Refused where that cannot be promised."""
    try:
        flush_directory(folder)
    except OSError as error:
        raise Refused(
            f"{folder} cannot be flushed: {error.strerror}", hint="look at the disk: a power cut may undo the last change"
        ) from error


def flush_directory(path: Path) -> None:
    """Make a rename or a removal in this directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append(path: Path, content: bytes, mode: int = 0o644) -> int:
    """Add whole lines to a file with one write call, so that writers at once do not tear each other's lines; its size then, in bytes."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, mode)
    try:
        os.write(descriptor, content)
        return os.lseek(descriptor, 0, os.SEEK_CUR)
    finally:
        os.close(descriptor)


def overwrite(path: Path, offset: int, content: bytes, flush: bool = True) -> None:
    """Write bytes in place at an offset and flush them unless told not to; the file must exist and is never truncated."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], offset + written)
        if flush:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory and its parents; the mode is that of the last one."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)


def link(path: Path, target: str) -> None:
    """Make a symbolic link atomically, replacing another link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(path)


def remove(path: Path) -> None:
    """Remove one file; a file that is gone is no error."""
    path.unlink(missing_ok=True)


def move(path: Path, target: Path) -> None:
    """Give a file another name in the same file system; a file of that name is replaced."""
    path.replace(target)
