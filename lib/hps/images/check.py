"""Check a pack against its signed manifest: as a whole, or object by object, in one pass and constant memory."""

import fcntl
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from hps.errors import HpsError, InvalidInput
from hps.images.manifest import Manifest, encode
from hps.system import command

PIPE = 1 << 20
DECOMPRESS = ("zstd", "-dcq", "--no-asyncio", "--memory=64MiB")
"""Without asynchronous output whatever precedes damage is delivered, so the damaged object is named exactly."""


def check_whole(manifest: Manifest, pack: Path) -> None:
    """Compare the pack with the one digest of it that the signed manifest holds: then every object in it is the published one.

    Nothing is decompressed, which is most of the work on a slow machine. A pack that differs is looked at object by
    object, to say what is wrong. Raises InvalidInput.
    """
    with pack.open("rb") as source:
        if f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}" == manifest.pack:
            return
    check_pack(manifest, pack)
    raise InvalidInput(f"the pack of {manifest.reference} is not the published one, though each object is", hint="publish the image again")


def check_pack(manifest: Manifest, pack: Path) -> None:
    """Decompress the pack once and compare each object with its digest in the manifest.

    Raises InvalidInput that names the first damaged, missing or superfluous object and a path that it belongs to.
    """
    if pack.stat().st_size != manifest.pack_bytes:
        raise InvalidInput(f"the pack of {manifest.reference} has {pack.stat().st_size} bytes instead of {manifest.pack_bytes}")
    objects = manifest.objects
    if not objects:
        return
    with pack.open("rb") as source, command.pipe(DECOMPRESS, stdin=source) as stream:
        widen(stream)
        wrong = _first_wrong(stream, objects)
        if wrong is not None:
            raise _damaged(manifest, objects[wrong][0])
        if stream.read(1):
            raise InvalidInput(f"the pack of {manifest.reference} holds more than its manifest says", hint="publish the image again")


def widen(stream: IO[bytes]) -> None:
    """Let a pipe hold one MiB, so that its two ends wait less for each other (pipe(7))."""
    fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE)


def _first_wrong(stream: IO[bytes], objects: Sequence[tuple[str, int]]) -> int | None:
    buffer = memoryview(bytearray(PIPE))
    for number, (digest, size) in enumerate(objects):
        hasher = hashlib.sha256()
        missing = size
        while missing:
            count = stream.readinto(buffer[: min(missing, PIPE)])  # type: ignore[attr-defined]
            if not count:
                return number
            hasher.update(buffer[:count])
            missing -= count
        if f"sha256:{hasher.hexdigest()}" != digest:
            return number
    return None


def _damaged(manifest: Manifest, digest: str) -> HpsError:
    path = next(encode(entry.path) for entry in manifest.entries if entry.digest == digest)
    return InvalidInput(
        f"the object {digest} of {manifest.reference} ({path}) is missing or damaged",
        hint="fetch it again; if it stays so, publish the image again",
    )
