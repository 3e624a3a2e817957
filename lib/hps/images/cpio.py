"""Write a cpio archive of the form newc, which the kernel unpacks as its first root file system. Pure.

Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
"""

import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One path of the archive: its type and mode as `st_mode`, its content, or the target of a link."""

    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(content: bytes, mode: int = 0o644) -> Member:
    """A regular file."""
    return Member(stat.S_IFREG | mode, content)


def link(target: str) -> Member:
    """A symbolic link."""
    return Member(stat.S_IFLNK | 0o777, target.encode())


def directory(mode: int = 0o755) -> Member:
    """A directory."""
    return Member(stat.S_IFDIR | mode)


def character_device(major: int, minor: int, mode: int = 0o600) -> Member:
    """A character device."""
    return Member(stat.S_IFCHR | mode, device=(major, minor))


def with_parents(members: Mapping[str, Member]) -> dict[str, Member]:
    """The members sorted by path, with each directory that one of them needs."""
    found = dict(members)
    for path in members:
        parent = posixpath.dirname(path)
        while parent and parent not in found:
            found[parent] = directory()
            parent = posixpath.dirname(parent)
    return dict(sorted(found.items()))


def archive(members: Mapping[str, Member], modified: int) -> bytes:
    """The archive, all owned by root and of one time, in seconds since 1970; padded to 512 bytes, so that another may follow."""
    content = b"".join(_parts(with_parents(members), modified))
    return content + b"\0" * (-len(content) % 512)


def _parts(members: Mapping[str, Member], modified: int) -> Iterator[bytes]:
    for number, (path, member) in enumerate(members.items(), start=1):
        yield _header(number, path, member, modified)
        yield member.content
        yield b"\0" * (-len(member.content) % 4)
    yield _header(0, "TRAILER!!!", Member(0), 0)


def _header(number: int, path: str, member: Member, modified: int) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(member.mode) else 1
    fields = (number, member.mode, 0, 0, links, modified, len(member.content), 0, 0, *member.device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields) + name
    return header + b"\0" * (-len(header) % 4)
