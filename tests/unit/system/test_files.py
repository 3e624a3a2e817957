"""Files are replaced whole, or not at all."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.errors import InvalidInput, NotFound, Refused
from hps.system import files


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_file_is_written_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        files.write(tmp_path / "deep" / "file", b"secret", mode=0o600)
    finally:
        os.umask(old)
    assert (tmp_path / "deep" / "file").read_bytes() == b"secret"
    assert stat.S_IMODE((tmp_path / "deep" / "file").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "file").symlink_to("target")
    files.write(tmp_path / "file", b"new")
    assert (tmp_path / "target").read_text() == "old"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.root
def test_a_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    files.write(small_disk / "file", b"old")
    with pytest.raises(Refused, match="cannot be written") as refusal:
        files.write(small_disk / "file", b"x" * 200_000)
    assert "as it was" in refusal.value.hint
    assert (small_disk / "file").read_bytes() == b"old"
    assert [path.name for path in small_disk.iterdir()] == ["file"]


@pytest.mark.root
def test_a_read_only_place_is_refused(small_disk: Path) -> None:
    files.write(small_disk / "file", b"old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(Refused, match="Read-only"):
        files.write(small_disk / "file", b"new")
    assert (small_disk / "file").read_bytes() == b"old"


def test_text_is_read_as_utf_8(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("grün\r\n".encode())
    assert files.read_text(tmp_path / "file") == "grün\r\n"
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(InvalidInput):
        files.read_text(tmp_path / "file")
    with pytest.raises(NotFound):
        files.read_text(tmp_path / "none")
    with pytest.raises(NotFound):
        files.read_text(tmp_path / "file" / "below")


def test_lines_are_appended(tmp_path: Path) -> None:
    files.append(tmp_path / "log" / "x", b"1\n")
    files.append(tmp_path / "log" / "x", b"2\n")
    assert (tmp_path / "log" / "x").read_bytes() == b"1\n2\n"


def test_bytes_are_overwritten_in_place(tmp_path: Path) -> None:
    place = tmp_path / "grubenv"
    place.write_bytes(b"a" * 8)
    inode = place.stat().st_ino
    files.overwrite(place, 2, b"bb")
    assert place.read_bytes() == b"aabbaaaa"
    assert place.stat().st_ino == inode
    with pytest.raises(FileNotFoundError):
        files.overwrite(tmp_path / "none", 0, b"x")


def test_links_and_directories_may_be_there_already(tmp_path: Path) -> None:
    files.make_directory(tmp_path / "a" / "b", 0o700)
    files.make_directory(tmp_path / "a" / "b", 0o750)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o750
    files.link(tmp_path / "a" / "link", "one")
    files.link(tmp_path / "a" / "link", "two")
    assert (tmp_path / "a" / "link").readlink() == Path("two")
    files.remove(tmp_path / "a" / "link")
    files.remove(tmp_path / "a" / "link")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b"]


def test_the_version_before_keeps_its_second_name(tmp_path: Path) -> None:
    file, previous = tmp_path / "deep" / "file", tmp_path / "deep" / ".file.previous"
    for content in (b"one", b"two", b"three"):
        files.replace(file, content, previous)
    assert (file.read_bytes(), previous.read_bytes()) == (b"three", b"two")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == [".file.previous", "file"]


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    file, previous = tmp_path / "file", tmp_path / ".file.previous"
    (tmp_path / ".file.new").write_bytes(b"half")
    (tmp_path / ".file.previous.new").write_bytes(b"half")
    previous.write_bytes(b"of a file that was removed")
    files.replace(file, b"one", previous)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    # Killed between the second name and the new content: both names are of one file.
    previous.hardlink_to(file)
    files.replace(file, b"two", previous)
    assert (file.read_bytes(), previous.read_bytes()) == (b"two", b"one")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.previous", "file"]


@pytest.mark.feature("CF4")
@pytest.mark.parametrize("old", [b"old", None])
def test_what_is_read_back_differently_is_put_back(old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that stores other bytes than it was given."""
    file, previous = tmp_path / "file", tmp_path / ".file.previous"
    if old is not None:
        files.replace(file, old, previous)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data).replace(b"e", b"a")))
    with pytest.raises(Refused, match="does not hold what was written"):
        files.replace(file, b"new", previous)
    monkeypatch.undo()
    assert (file.read_bytes() if file.exists() else None) == old


def test_a_change_needs_a_place_that_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.check_room(tmp_path / "not" / "made" / "yet")
    with monkeypatch.context() as patch:
        patch.setattr(files, "MINIMUM_FREE", 2**60)
        with pytest.raises(Refused, match="KiB left") as refusal:
            files.check_room(tmp_path)
        assert refusal.value.hint
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Refused, match="cannot be written by this user"):
        files.check_room(tmp_path)


def test_folders_are_made_with_their_names_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(files, "flush_directory", flushed.append)
    files.make_parents(tmp_path / "a" / "b")
    files.make_parents(tmp_path / "a" / "b")
    assert flushed == [tmp_path, tmp_path / "a"]
