import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.errors import InvalidInput, Refused
from hps.images.manifest import EMPTY, Manifest
from hps.images.scan import scan
from hps.images.signature import public_key
from hps.images.store import read_manifest
from hps.images.unpack import LocalImage, unpack
from hps.system.tree import TreeWriter
from tests.unit.images.conftest import CREATED
from tests.unit.images.test_store import publish

pytestmark = [pytest.mark.programs, pytest.mark.root]


@pytest.fixture
def image(tree: Path, tmp_path: Path, key: Path) -> LocalImage:
    folder = publish(tree, tmp_path / "images", key).folder
    return LocalImage(read_manifest(folder, [public_key(key)]), folder / "pack")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "target").mkdir()
    before = os.umask(0o077)
    yield tmp_path / "target"
    assert os.umask(before) == 0o077


@pytest.mark.feature("AB6")
def test_the_tree_is_the_image(image: LocalImage, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    unpack(image, target, lambda done, total: seen.append((done, total)))
    assert scan(target, CREATED) == image.manifest.entries
    assert seen[-1][0] == seen[-1][1] == sum(size for _, size in image.manifest.objects)
    assert (target / "usr/bin/first").stat().st_ino == (target / "usr/bin/second").stat().st_ino
    assert (target / "etc/hosts").stat().st_ino != (target / "etc/copy").stat().st_ino
    assert stat.S_IMODE((target / "usr/bin/su").stat().st_mode) == 0o6755
    assert os.getxattr(target / "usr/bin/ping", "security.capability").hex().startswith("01000002002")


@pytest.mark.feature("AB6")
def test_a_new_file_system_with_its_lost_and_found_is_a_target(image: LocalImage, target: Path) -> None:
    (target / "lost+found").mkdir()
    unpack(image, target)
    (target / "lost+found").rmdir()
    os.utime(target, (image.manifest.entries[0].mtime,) * 2)
    assert scan(target, CREATED) == image.manifest.entries


def test_an_image_may_hold_lost_and_found_itself(tree: Path, target: Path, tmp_path: Path, key: Path) -> None:
    (tree / "lost+found").mkdir(mode=0o700)
    (target / "lost+found").mkdir()
    folder = publish(tree, tmp_path / "images", key).folder
    manifest = read_manifest(folder, [public_key(key)])
    unpack(LocalImage(manifest, folder / "pack"), target)
    assert scan(target, CREATED) == manifest.entries


def test_a_target_with_something_in_it_is_refused(image: LocalImage, target: Path) -> None:
    (target / "data").write_text("precious")
    with pytest.raises(Refused, match="not empty"):
        unpack(image, target)
    assert [path.name for path in target.iterdir()] == ["data"]


def test_a_target_that_is_a_link_is_refused(image: LocalImage, target: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(Refused):
        unpack(image, tmp_path / "link")


def test_a_pack_that_ends_early_is_named(image: LocalImage, target: Path) -> None:
    image.pack.write_bytes(image.pack.read_bytes()[:1000])
    with pytest.raises(InvalidInput, match="ends within boot/vmlinuz-6"):
        unpack(image, target)


def test_an_image_without_content(target: Path, tmp_path: Path) -> None:
    manifest = Manifest("none", 1, "x86_64", "none", CREATED, scan(target, CREATED), 0, EMPTY)
    unpack(LocalImage(manifest, tmp_path / "absent"), target)
    assert scan(target, CREATED) == manifest.entries


@pytest.mark.feature("S7")
def test_a_link_that_appears_below_the_target_is_not_followed(target: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    with TreeWriter(target) as writer:
        writer.make_link("door", str(tmp_path / "outside"))
        writer.make_link("file", str(tmp_path / "outside/made"))
        for act in (
            lambda: writer.new_file("door/made", 0o644),
            lambda: writer.new_file("file", 0o644),
            lambda: writer.make_directory("door/made"),
            lambda: writer.make_link("door/made", "x"),
            lambda: writer.finish_directory("door", 0o777, (1, 1), 0),
            lambda: writer.read_file("file"),
        ):
            with pytest.raises(OSError, match=r"Not a directory|File exists|symbolic links"):
                act()
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_full_disk_is_named(image: LocalImage, target: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(target)], check=True)
    try:
        with pytest.raises(Refused, match="no space left to write boot/vmlinuz-6"):
            unpack(image, target)
    finally:
        subprocess.run(["umount", str(target)], check=True)
