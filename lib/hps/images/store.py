"""Make, check and list published images. Runs on the IPS only: packs are written with the zstandard library."""

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import zstandard

from hps.errors import HpsError, InvalidInput, NotFound, Refused
from hps.images.check import check_pack
from hps.images.manifest import EMPTY, Entry, Manifest, render_manifest
from hps.images.pack import Frame, parse_index, render_index
from hps.images.scan import open_file, scan
from hps.images.signature import public_key, sign, verify
from hps.system import files, lock
from hps.system import tree as trees
from hps.values import checked_name, checked_version

LEVEL = 9
"""Measured on a Debian tree: 28 % of the size in 10 s; level 12 takes twice as long for 0.1 % less, level 3 is 30 %."""


@dataclass(frozen=True, order=True)
class PublishedImage:
    """One published image: its name, its sequence number and the folder of its manifest, pack and index."""

    name: str
    sequence: int
    folder: Path

    @property
    def reference(self) -> str:
        """The image as records and URLs name it: `<name>/<sequence>`."""
        return f"{self.name}/{self.sequence}"


def list_images(directory: Path) -> tuple[PublishedImage, ...]:
    """The images below a directory, sorted by name, then by sequence; folders that are not whole are left out."""
    found = [manifest.parent for manifest in directory.glob("*/*/manifest")]
    return tuple(
        sorted(PublishedImage(path.parent.name, int(path.name), path) for path in found if path.name.isascii() and path.name.isdigit())
    )


def newest_image(directory: Path, name: str) -> PublishedImage:
    """The image of that name with the highest sequence number; raises NotFound."""
    found = [image for image in list_images(directory) if image.name == name]
    if not found:
        raise NotFound(f"there is no image {name}", hint="hps image build makes one")
    return found[-1]


def create_image(
    tree: Path,
    name: str,
    architecture: str,
    created: int,
    directory: Path,
    key: Path,
    sequence: int | None = None,
    newest: int | None = None,
) -> PublishedImage:
    """Publish a root tree as `<directory>/<name>/<sequence>`.

    Args:
        tree: the root tree; nothing may write to it meanwhile.
        name: of the image, `<os-folder>-<TYPE>`.
        architecture: as `uname -m` prints it.
        created: seconds since 1970; the floor of a node's clock. It does not make an image another one.
        directory: where images are published.
        key: the private key that signs it; its public half lies beside it.
        sequence: by default the next one, or none when the newest image has the same content: that one is returned.
        newest: no time in the image is later than this; `created` by default. Fixed, the same build is the same image tomorrow.

    Raises:
        Refused: the sequence is taken, the tree changes, or there is no space; nothing is published then.
    """
    base = directory / checked_name(name, "image name")
    with lock.exclusive(base / ".lock", timeout=600):
        entries = scan(tree, created if newest is None else newest)
        published = [image for image in list_images(directory) if image.name == name]
        if published and sequence in (None, published[-1].sequence) and _same(published[-1], entries, architecture, public_key(key)):
            return published[-1]
        number = sequence if sequence is not None else (published[-1].sequence + 1 if published else 1)
        if number in [image.sequence for image in published]:
            raise Refused(f"{name}/{number} is published already, with other content", hint="leave the number away to take the next one")
        manifest = Manifest(name, number, checked_name(architecture, "architecture"), _kernel(entries), created, entries)
        with trees.staged_folder(base / str(number)) as folder:
            frames, digest = _write_pack(tree, manifest, folder / "pack")
            manifest = replace(manifest, pack_bytes=sum(frame.length for frame in frames), pack=digest)
            files.write(folder / "index", render_index(frames))
            files.write(folder / "manifest", sign(render_manifest(manifest), key))
    return PublishedImage(name, number, base / str(number))


def verify_image(folder: Path, keys: Sequence[Path]) -> Manifest:
    """Check a published image whole: signature, manifest, index, and every object against its digest.

    Raises Denied for a signature that no key vouches for, InvalidInput for anything that is damaged, NotFound for a
    file that is missing.
    """
    manifest = read_manifest(folder, keys)
    if (manifest.name, str(manifest.sequence)) != (folder.parent.name, folder.name):
        raise InvalidInput(f"{folder} holds the manifest of {manifest.reference}", hint="publish the image again")
    index = parse_index(files.read_text(folder / "index").encode())
    if tuple(frame.digest for frame in index) != tuple(digest for digest, _ in manifest.objects):
        raise InvalidInput(f"the index of {manifest.reference} does not list the objects of its manifest", hint="publish the image again")
    if not (folder / "pack").is_file():
        raise NotFound(f"{folder / 'pack'} does not exist", hint="publish the image again")
    if sum(frame.length for frame in index) != manifest.pack_bytes:
        raise InvalidInput(f"the index of {manifest.reference} does not cover its pack", hint="publish the image again")
    check_pack(manifest, folder / "pack")
    return manifest


def read_manifest(folder: Path, keys: Sequence[Path]) -> Manifest:
    """The manifest of a published image, its signature checked; raises NotFound, Denied, InvalidInput."""
    return verify(files.read_text(folder / "manifest").encode(), keys)


def _same(image: PublishedImage, entries: tuple[Entry, ...], architecture: str, key: Path) -> bool:
    """Whether a published image holds exactly this; one that cannot be read does not."""
    try:
        old = read_manifest(image.folder, [key])
    except HpsError:
        return False
    whole = all((image.folder / part).is_file() for part in ("pack", "index"))
    return whole and (old.entries, old.architecture) == (entries, architecture)


def _kernel(entries: tuple[Entry, ...]) -> str:
    """The version of the kernel in the tree: where the link boot/vmlinuz leads, else the last one; `none` without one."""
    paths = [entry.path for entry in entries if entry.path.startswith("boot/vmlinuz-")]
    linked = [entry.target.rpartition("/")[2] for entry in entries if entry.path in ("boot/vmlinuz", "vmlinuz") and entry.target]
    for name in linked + paths[::-1]:
        version = name.rpartition("/")[2].removeprefix("vmlinuz-")
        if f"boot/vmlinuz-{version}" in paths:
            return checked_version(version)
    return "none"


class _Digested(io.RawIOBase):
    """A stream that passes on what is written, and knows its digest and its size."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.hasher = hashlib.sha256()
        self.size = 0

    def write(self, data: object) -> int:
        """Pass on some bytes."""
        content = bytes(data)  # type: ignore[call-overload]
        self.hasher.update(content)
        self.size += len(content)
        return self.stream.write(content)


def _write_pack(tree: Path, manifest: Manifest, path: Path) -> tuple[tuple[Frame, ...], str]:
    """Compress each distinct content in manifest order; the frames, and the digest of the pack."""
    first: dict[str, Entry] = {}
    for entry in manifest.entries:
        if entry.size:
            first.setdefault(entry.digest, entry)
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=True)
    frames = []
    with trees.new_file(path) as stream:
        target = _Digested(stream)
        for digest, entry in first.items():
            offset = target.size
            with os.fdopen(open_file(f"{tree}/{entry.path}"), "rb") as source:
                read = _Hashing(source)
                try:
                    compressor.copy_stream(read, target, size=entry.size)  # type: ignore[arg-type]
                except zstandard.ZstdError as error:
                    raise Refused(
                        f"{entry.path} changes while it is read", hint="make an image of a tree that nothing writes to"
                    ) from error
            if f"sha256:{read.hasher.hexdigest()}" != digest:
                raise Refused(f"{entry.path} changes while it is read", hint="make an image of a tree that nothing writes to")
            frames.append(Frame(digest, offset, target.size - offset))
    return tuple(frames), f"sha256:{target.hasher.hexdigest()}" if frames else EMPTY


class _Hashing:
    """A source that knows the digest of what was read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.hasher = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        content = self.stream.read(size)
        self.hasher.update(content)
        return content
