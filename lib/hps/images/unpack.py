"""Write the tree of an image into an empty directory or a new file system, in one pass over its pack."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hps.errors import InvalidInput
from hps.images.check import DECOMPRESS, PIPE, widen
from hps.images.manifest import Entry, Manifest, encode
from hps.system import command
from hps.system.tree import TreeWriter, failure

_NODES = {"char": stat.S_IFCHR, "block": stat.S_IFBLK, "fifo": stat.S_IFIFO}
_STEP = 16 << 20
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LocalImage:
    """An image whose pack is here and verified."""

    manifest: Manifest
    pack: Path


def unpack(image: LocalImage, target: Path, progress: Progress | None = None) -> None:
    """Write every entry with its owner, mode, attributes, capabilities and time.

    The pack is read once, in the order of the manifest; nothing is decompressed into memory or onto another place.
    Directories get their owner, mode and time last, deepest first.

    Args:
        image: a verified image; objects are not digested a second time.
        target: an empty directory; no symbolic link is followed below it.
        progress: called about every 16 MiB with the bytes written and the bytes of the whole.

    Raises:
        Refused: the target is not empty, or cannot be written (full, read-only).
        InvalidInput: the pack ends early.
    """
    with TreeWriter(target) as writer:
        if not image.manifest.objects:
            _write_entries(image.manifest, writer, -1, progress)
        else:
            with image.pack.open("rb") as source, command.pipe(DECOMPRESS, stdin=source) as stream:
                widen(stream)
                _write_entries(image.manifest, writer, stream.fileno(), progress)
        for entry in reversed(image.manifest.entries):
            if entry.kind == "directory":
                try:
                    writer.finish_directory(entry.path, entry.mode, (entry.uid, entry.gid), entry.mtime, _values(entry))
                except OSError as error:
                    raise failure(encode(entry.path), error) from error


def _write_entries(manifest: Manifest, writer: TreeWriter, stream: int, progress: Progress | None) -> None:
    first: dict[str, str] = {}
    done, reported, total = 0, 0, sum(size for _, size in manifest.objects)
    for entry in manifest.entries:
        try:
            if entry.kind == "file":
                if entry.digest in first:
                    _write_copy(entry, writer, first[entry.digest])
                    continue
                _write_file(entry, writer, stream)
                if entry.size:
                    first[entry.digest] = entry.path
                    done += entry.size
            else:
                _write_other(entry, writer)
        except OSError as error:
            raise failure(encode(entry.path), error) from error
        if progress is not None and (done - reported >= _STEP or (done == total and reported < done)):
            reported = done
            progress(done, total)


def _write_file(entry: Entry, writer: TreeWriter, stream: int) -> None:
    descriptor = writer.new_file(entry.path, entry.mode)
    try:
        missing = entry.size
        while missing:
            # The kernel moves the bytes from the pipe to the file; they never pass through this process.
            count = os.splice(stream, descriptor, min(missing, PIPE))
            if count == 0:
                raise InvalidInput(f"the pack ends within {encode(entry.path)}", hint="fetch the image again")
            missing -= count
        writer.finish_file(descriptor, entry.mode, (entry.uid, entry.gid), entry.mtime, _values(entry))
    finally:
        os.close(descriptor)


def _write_copy(entry: Entry, writer: TreeWriter, first: str) -> None:
    source = writer.read_file(first)
    try:
        descriptor = writer.new_file(entry.path, entry.mode)
        try:
            offset = 0
            while offset < entry.size:
                offset += os.sendfile(descriptor, source, offset, entry.size - offset)
            writer.finish_file(descriptor, entry.mode, (entry.uid, entry.gid), entry.mtime, _values(entry))
        finally:
            os.close(descriptor)
    finally:
        os.close(source)


def _write_other(entry: Entry, writer: TreeWriter) -> None:
    if entry.kind == "directory":
        if entry.path != ".":
            writer.make_directory(entry.path)
    elif entry.kind == "hardlink":
        writer.make_hard_link(entry.path, entry.target)
    else:
        if entry.kind == "symlink":
            writer.make_link(entry.path, entry.target)
        else:
            writer.make_node(entry.path, _NODES[entry.kind] | entry.mode, entry.device)
        writer.finish_special(entry.path, (entry.uid, entry.gid), entry.mtime, _values(entry))


def _values(entry: Entry) -> dict[str, bytes] | None:
    return {name: bytes.fromhex(value) for name, value in entry.xattrs} if entry.xattrs else None
