"""The archive is what cpio reads, byte for byte the same for the same members."""

import subprocess
from pathlib import Path

import pytest

from hps.images import cpio

MEMBERS = {
    "init": cpio.file(b"#!/bin/sh\n", 0o755),
    "bin": cpio.link("usr/bin"),
    "usr/bin/busybox": cpio.file(b"\x7fELF", 0o755),
    "tmp": cpio.directory(0o1777),
}


def test_parents_come_before_what_they_hold() -> None:
    assert list(cpio.with_parents({"a/b/c": cpio.file(b"")})) == ["a", "a/b", "a/b/c"]


def test_the_order_of_members_does_not_matter() -> None:
    again = dict(reversed(MEMBERS.items()))
    assert cpio.archive(MEMBERS, 1) == cpio.archive(again, 1)
    assert len(cpio.archive(MEMBERS, 1)) % 512 == 0


@pytest.mark.programs
def test_cpio_unpacks_it(tmp_path: Path) -> None:
    subprocess.run(["cpio", "-i", "--quiet"], input=cpio.archive(MEMBERS, 1760000000), cwd=tmp_path, check=True)
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "init").stat().st_mtime != 0
    assert str((tmp_path / "bin").readlink()) == "usr/bin"
    assert (tmp_path / "usr/bin/busybox").read_bytes() == b"\x7fELF"
    assert (tmp_path / "tmp").stat().st_mode & 0o7777 == 0o1777
