"""The one module that writes files: atomically, or in place where a loader or a device needs that."""

import os
import secrets
from pathlib import Path

from hps.errors import InvalidInput, NotFound, Refused


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
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                if owner is not None:
                    os.fchown(stream.fileno(), *owner)
                os.fchmod(stream.fileno(), mode)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush_directory(path.parent)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", hint="free some space or mend the permissions; the old file is as it was"
        ) from error


def flush_directory(path: Path) -> None:
    """Make a rename or a removal in this directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Add whole lines to a file with one write call, so that writers at once do not tear each other's lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def overwrite(path: Path, offset: int, content: bytes) -> None:
    """Write bytes in place at an offset and flush them; the file must exist and is never truncated."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], offset + written)
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
