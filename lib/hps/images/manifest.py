"""The manifest of an image: every path of a root tree with all its attributes, as canonical text. Pure.

Header lines `key value`, the line `entries`, one line an entry, and (see `signature`) one signature line:

    KIND MODE UID GID MTIME SIZE WHAT PATH XATTRS

KIND is one of `d f l h c b p`; WHAT is the digest of a file, the target of a link, `major:minor` of a device, else `-`.
PATH is relative and the root is `.`; XATTRS is `-` or `name=hex,...`, sorted. Bytes that are not printable ASCII, space
and `%` are written as `%XX` (a comma and `=` too in the name of an attribute). Lines are sorted by PATH as written,
so a directory always comes before what is in it. A file with several names is one `f` line, the name that sorts first,
and `h` lines whose WHAT is that name: links survive, and their content travels once.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hps.errors import HpsError, InvalidInput
from hps.values import checked_name, checked_version

FORMAT = "hps-image 1"
MAXIMUM_ENTRIES = 1_000_000
MAXIMUM_BYTES = 64 << 20
MAXIMUM_FILE = 16 << 30
BLOCK = 4096
EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

LETTERS = {"directory": "d", "file": "f", "symlink": "l", "hardlink": "h", "char": "c", "block": "b", "fifo": "p"}
KINDS = {letter: kind for kind, letter in LETTERS.items()}
HEADERS = ("name", "sequence", "architecture", "kernel", "created", "size_bytes", "inodes", "pack_bytes", "pack")

_NUMBER = "(0|[1-9][0-9]{0,%d})"
_LINE = re.compile(
    rf"([dflhcbp]) ([0-7]{{4}}) {_NUMBER % 9} {_NUMBER % 9} {_NUMBER % 10} {_NUMBER % 12} ([!-~]{{1,12288}}) ([!-~]{{1,12288}}) ([!-~]+)"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DEVICE = re.compile(r"(0|[1-9][0-9]{0,6}):(0|[1-9][0-9]{0,6})")
_XATTR = re.compile(r"([!-~]{1,765}?)=((?:[0-9a-f]{2}){0,65536})")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")


class Entry(NamedTuple):
    """One path of the tree; `mtime` is in seconds, `xattrs` are (name, hexadecimal value) pairs sorted by name."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    digest: str = ""
    target: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()
    device: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Manifest:
    """A whole image: what it is, what room it needs, and its entries in order.

    `created` is in seconds since 1970, `size_bytes` counts 4096-byte blocks of files and directories, `pack_bytes` and
    `pack` are the size and SHA-256 of the pack that was made with it.
    """

    name: str
    sequence: int
    architecture: str
    kernel: str
    created: int
    entries: tuple[Entry, ...]
    pack_bytes: int = 0
    pack: str = EMPTY

    @property
    def reference(self) -> str:
        """The image as records and URLs name it: `<name>/<sequence>`."""
        return f"{self.name}/{self.sequence}"

    @cached_property
    def size_bytes(self) -> int:
        """The bytes that the tree takes in blocks of 4096: files, and one block for each directory."""
        return sum(-(-entry.size // BLOCK) if entry.kind == "file" else entry.kind == "directory" for entry in self.entries) * BLOCK

    @cached_property
    def inodes(self) -> int:
        """How many inodes the tree takes."""
        return sum(entry.kind != "hardlink" for entry in self.entries)

    @cached_property
    def objects(self) -> tuple[tuple[str, int], ...]:
        """The distinct contents as (digest, size), in order of first use; an empty file has none."""
        return tuple({entry.digest: entry.size for entry in self.entries if entry.size}.items())


def encode(text: str, also: bytes = b"") -> str:
    """A path, target or attribute name as the manifest writes it."""
    raw = os.fsencode(text)
    return "".join(chr(byte) if 33 <= byte <= 126 and byte != 37 and byte not in also else f"%{byte:02X}" for byte in raw)


def _decode(text: str, also: bytes = b"") -> str:
    if "%" not in text and not also:
        return text
    plain = os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text.encode("ascii")))
    if encode(plain, also) != text or "\0" in plain:
        raise InvalidInput(f"{text[:80]!r} is not written the canonical way")
    return plain


def render_manifest(manifest: Manifest) -> bytes:
    """The canonical text, without a signature; the entries must be sorted already."""
    values = (str(getattr(manifest, key)) for key in HEADERS)
    header = "".join(f"{key} {value}\n" for key, value in zip(HEADERS, values, strict=True))
    return f"{FORMAT}\n{header}entries\n{''.join(map(render_entry, manifest.entries))}".encode("ascii")


def render_entry(entry: Entry) -> str:
    """One line of the manifest."""
    if entry.kind == "file":
        what = entry.digest
    elif entry.kind in ("symlink", "hardlink"):
        what = encode(entry.target)
    else:
        what = "{}:{}".format(*entry.device) if entry.kind in ("char", "block") else "-"
    xattrs = ",".join(f"{encode(name, b',=')}={value}" for name, value in entry.xattrs) or "-"
    numbers = f"{entry.mode:04o} {entry.uid} {entry.gid} {entry.mtime} {entry.size}"
    return f"{LETTERS[entry.kind]} {numbers} {what} {encode(entry.path)} {xattrs}\n"


def parse_manifest(content: bytes) -> Manifest:
    """Read the text that `render_manifest` writes; raises InvalidInput naming the first line that is wrong.

    Whatever is accepted can be unpacked without leaving the target: paths are relative, have no `..`, are unique, and
    lie below directories of the manifest, never below a link.
    """
    if len(content) > MAXIMUM_BYTES:
        raise InvalidInput(f"the manifest is larger than {MAXIMUM_BYTES} bytes")
    try:
        lines = content.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"byte {error.start} of the manifest is not ASCII") from error
    if lines.pop() != "":
        raise InvalidInput("the last line of the manifest is cut off", hint="fetch it again")
    first = len(HEADERS) + 2
    if lines[:1] != [FORMAT] or len(lines) < first or lines[first - 1] != "entries":
        raise InvalidInput(f"line 1 does not begin a manifest of the form {FORMAT!r}", hint="this HPS is older or newer than the image")
    if len(lines) - first > MAXIMUM_ENTRIES:
        raise InvalidInput(f"the manifest has more than {MAXIMUM_ENTRIES} entries")
    header = _header(lines[1 : first - 1])
    tree = _Tree()
    number = first
    try:
        for line in lines[first:]:
            number += 1
            tree.add(line)
    except HpsError as error:
        raise InvalidInput(f"line {number} of the manifest: {error.message}") from error
    return _assemble(header, tuple(tree.entries))


def _header(lines: list[str]) -> Mapping[str, str]:
    values = {}
    for number, (key, line) in enumerate(zip(HEADERS, lines, strict=True), start=2):
        word, _, value = line.partition(" ")
        pattern = {"name": r"\S+", "architecture": r"\S+", "kernel": r"\S+", "pack": _DIGEST.pattern}.get(key, r"0|[1-9][0-9]{0,15}")
        if word != key or not re.fullmatch(pattern, value):
            raise InvalidInput(f"line {number} of the manifest is not a valid {key}")
        values[key] = value
    return values


def _assemble(header: Mapping[str, str], entries: tuple[Entry, ...]) -> Manifest:
    manifest = Manifest(
        name=checked_name(header["name"], "image name"),
        sequence=int(header["sequence"]),
        architecture=checked_name(header["architecture"], "architecture"),
        kernel=checked_version(header["kernel"]),
        created=int(header["created"]),
        entries=entries,
        pack_bytes=int(header["pack_bytes"]),
        pack=header["pack"],
    )
    if not entries:
        raise InvalidInput("the manifest has no entries")
    for key in ("size_bytes", "inodes"):
        if str(getattr(manifest, key)) != header[key]:
            raise InvalidInput(f"{key} of the manifest is not what its entries add up to")
    return manifest


class _Tree:
    """The entries read so far, and what the next one is checked against."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.directories: set[str] = set()
        self.files: dict[str, int] = {}
        self.sizes: dict[str, int] = {EMPTY: 0}
        self.previous = ""

    def add(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise InvalidInput("it is not KIND MODE UID GID MTIME SIZE WHAT PATH XATTRS")
        letter, mode, uid, gid, mtime, size, what, written, xattrs = found.groups()
        path = self._checked_path(letter, written)
        entry = Entry(path, KINDS[letter], int(mode, 8), int(uid), int(gid), int(mtime))
        if letter == "f":
            entry = entry._replace(size=int(size), digest=self._checked_digest(what, int(size)))
            self.files[path] = len(self.entries)
        elif size != "0":
            raise InvalidInput("only a file has a size")
        else:
            entry = self._with_target(entry, letter, what)
            if letter == "d":
                self.directories.add(path)
        if xattrs != "-":
            entry = entry._replace(xattrs=_xattrs(xattrs))
        self.entries.append(entry)

    def _checked_path(self, letter: str, written: str) -> str:
        if not self.entries:
            if (letter, written) != ("d", "."):
                raise InvalidInput("the first entry is not the directory '.'")
            return written
        path = _decode(written)
        parent, slash, name = path.rpartition("/")
        if name in ("", ".", "..") or len(name) > 255 or len(path) > 4095 or (len(path) != len(written) and len(os.fsencode(name)) > 255):
            raise InvalidInput(f"{written[:200]!r} is not a path within the image")
        if (parent if slash else ".") not in self.directories:
            raise InvalidInput(f"{written[:200]!r} is not below a directory of the image")
        if written <= self.previous:
            raise InvalidInput(f"{written[:200]!r} is not sorted, or there twice")
        self.previous = written
        return path

    def _checked_digest(self, digest: str, size: int) -> str:
        if size > MAXIMUM_FILE:
            raise InvalidInput(f"a file larger than {MAXIMUM_FILE} bytes")
        if not _DIGEST.fullmatch(digest) or self.sizes.setdefault(digest, size) != size or (size == 0) != (digest == EMPTY):
            raise InvalidInput("its digest is malformed, or belongs to another size")
        return digest

    def _with_target(self, entry: Entry, letter: str, what: str) -> Entry:
        if letter in "cb":
            device = _DEVICE.fullmatch(what)
            if device is None:
                raise InvalidInput("its device number is not major:minor")
            return entry._replace(device=(int(device[1]), int(device[2])))
        if letter in "dp":
            if what != "-":
                raise InvalidInput("a directory or fifo has no target")
            return entry
        target = _decode(what)
        if len(os.fsencode(target)) > 4095:
            raise InvalidInput("its target is too long")
        if letter == "h":
            if target not in self.files:
                raise InvalidInput("a hard link to something that is not a file before it")
            first = self.entries[self.files[target]]
            if (entry.mode, entry.uid, entry.gid, entry.mtime) != (first.mode, first.uid, first.gid, first.mtime):
                raise InvalidInput("a hard link whose attributes differ from those of its file")
        return entry._replace(target=target)


def _xattrs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for item in text.split(","):
        found = _XATTR.fullmatch(item)
        if found is None:
            raise InvalidInput("its extended attributes are not name=hex,...")
        pairs.append((_decode(found[1], b",="), found[2]))
    if [name for name, _ in pairs] != sorted({name for name, _ in pairs}):
        raise InvalidInput("its extended attributes are not sorted, or there twice")
    return tuple(pairs)
