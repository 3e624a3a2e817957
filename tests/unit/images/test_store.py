import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from hps.errors import Denied, InvalidInput, NotFound, Refused
from hps.images.manifest import encode
from hps.images.pack import parse_index, ranges
from hps.images.scan import scan
from hps.images.signature import create_key, public_key
from hps.images.store import PublishedImage, create_image, list_images, newest_image, read_manifest, verify_image
from tests.unit.images.conftest import CREATED

pytestmark = [pytest.mark.programs, pytest.mark.root]
NAME = "x86_64-debian_12-SCH"


def publish(tree: Path, directory: Path, key: Path, sequence: int | None = None) -> PublishedImage:
    return create_image(tree, NAME, "x86_64", CREATED, directory, key, sequence)


def test_an_image_is_published_and_verified(tree: Path, tmp_path: Path, key: Path) -> None:
    image = publish(tree, tmp_path / "images", key)
    assert image == PublishedImage(NAME, 1, tmp_path / "images" / NAME / "1")
    assert {path.name for path in image.folder.iterdir()} == {"manifest", "pack", "index"}
    manifest = verify_image(image.folder, [public_key(key)])
    assert manifest.kernel == "6.1.0-1-amd64"
    assert manifest.entries == scan(tree, CREATED)
    assert max(entry.mtime for entry in manifest.entries) == CREATED
    assert list_images(tmp_path / "images") == (image,)


def test_the_same_content_is_published_once_and_other_content_gets_the_next_number(tree: Path, tmp_path: Path, key: Path) -> None:
    first = publish(tree, tmp_path / "images", key)
    assert publish(tree, tmp_path / "images", key) == first
    (tree / "etc/hosts").write_text("changed")
    second = publish(tree, tmp_path / "images", key)
    assert second.sequence == 2
    assert newest_image(tmp_path / "images", NAME) == second
    with pytest.raises(Refused, match="published already"):
        publish(tree, tmp_path / "images", key, sequence=1)
    assert [image.sequence for image in list_images(tmp_path / "images")] == [1, 2]
    with pytest.raises(NotFound):
        newest_image(tmp_path / "images", "other")


def test_the_same_tree_makes_the_same_bytes(tree: Path, tmp_path: Path, key: Path) -> None:
    one, two = publish(tree, tmp_path / "one", key), publish(tree, tmp_path / "two", key)
    for part in ("manifest", "pack", "index"):
        assert (one.folder / part).read_bytes() == (two.folder / part).read_bytes()


def test_a_tree_that_is_built_again_later_is_the_same_image(tree: Path, tmp_path: Path, key: Path) -> None:
    first = create_image(tree, NAME, "x86_64", CREATED + 5, tmp_path / "images", key, newest=CREATED)
    os.utime(tree / "etc/copy", (CREATED + 1000, CREATED + 1000))
    assert create_image(tree, NAME, "x86_64", CREATED + 2000, tmp_path / "images", key, newest=CREATED) == first
    assert read_manifest(first.folder, [public_key(key)]).created == CREATED + 5


def test_a_part_of_the_pack_is_the_object_asked_for(tree: Path, tmp_path: Path, key: Path) -> None:
    folder = publish(tree, tmp_path / "images", key).folder
    wanted = next(entry for entry in read_manifest(folder, [public_key(key)]).entries if entry.path == "etc/hosts")
    ((offset, length),) = ranges(parse_index((folder / "index").read_bytes()), [wanted.digest])
    frame = (folder / "pack").read_bytes()[offset : offset + length]
    assert subprocess.run(["zstd", "-dc"], input=frame, capture_output=True, check=True).stdout == b"127.0.0.1 localhost\n"


def damage(path: Path, place: int, bit: int = 3) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def test_damage_is_found_and_named(tree: Path, tmp_path: Path, key: Path) -> None:
    keys = [public_key(key)]
    folder = publish(tree, tmp_path / "images", key).folder
    kinds = {"manifest": Denied, "index": InvalidInput, "pack": InvalidInput}
    for part, kind in kinds.items():
        whole = (folder / part).read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            damage(folder / part, place)
            with pytest.raises(kind):
                verify_image(folder, keys)
            (folder / part).write_bytes(whole)
        (folder / part).write_bytes(whole[:-1])
        with pytest.raises(kind):
            verify_image(folder, keys)
        (folder / part).unlink()
        with pytest.raises(NotFound):
            verify_image(folder, keys)
        (folder / part).write_bytes(whole)
    verify_image(folder, keys)


def test_the_damaged_object_is_named_exactly(tree: Path, tmp_path: Path, key: Path) -> None:
    folder = publish(tree, tmp_path / "images", key).folder
    manifest = read_manifest(folder, [public_key(key)])
    whole = (folder / "pack").read_bytes()
    for frame in parse_index((folder / "index").read_bytes()):
        path = next(entry.path for entry in manifest.entries if entry.digest == frame.digest)
        damage(folder / "pack", frame.offset + frame.length - 1)
        with pytest.raises(InvalidInput) as found:
            verify_image(folder, [public_key(key)])
        assert f"({encode(path)})" in found.value.message
        (folder / "pack").write_bytes(whole)


def test_a_manifest_of_another_image_or_key_is_refused(tree: Path, tmp_path: Path, key: Path) -> None:
    folder = publish(tree, tmp_path / "images", key).folder
    with pytest.raises(Denied):
        verify_image(folder, [public_key(create_key(tmp_path))])
    folder.rename(folder.with_name("2"))
    with pytest.raises(InvalidInput, match="holds the manifest of"):
        verify_image(folder.with_name("2"), [public_key(key)])


def test_a_publication_that_fails_leaves_nothing(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="signing key"):
        publish(tree, tmp_path / "images", tmp_path / "absent.key")
    assert list_images(tmp_path / "images") == ()
    assert [path.name for path in (tmp_path / "images" / NAME).iterdir()] == [".lock"]


@pytest.mark.feature("S7")
def test_special_files_are_recorded_and_never_read(tree: Path, tmp_path: Path, key: Path) -> None:
    os.mknod(tree / "etc/zero", 0o020666, os.makedev(1, 5))
    (tree / "etc/endless").symlink_to("/dev/zero")
    (tree / "etc/host-secret").symlink_to("/etc/shadow")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "etc/socket"))
    began = time.monotonic()
    manifest = verify_image(publish(tree, tmp_path / "images", key).folder, [public_key(key)])
    assert time.monotonic() - began < 20
    kinds = {entry.path: entry.kind for entry in manifest.entries}
    assert (kinds["etc/zero"], kinds["etc/pipe"], kinds["etc/endless"], kinds["etc/host-secret"]) == ("char", "fifo", "symlink", "symlink")
    assert "etc/socket" not in kinds


@pytest.mark.feature("S7")
def test_a_sparse_terabyte_is_refused_at_once(tree: Path, tmp_path: Path, key: Path) -> None:
    with (tree / "etc/sparse").open("wb") as stream:
        stream.truncate(1 << 40)
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="larger than"):
        publish(tree, tmp_path / "images", key)
    assert time.monotonic() - began < 5
    assert list_images(tmp_path / "images") == ()


@pytest.mark.feature("S7")
def test_what_is_mounted_in_the_tree_is_refused(tree: Path, tmp_path: Path, key: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", str(tree / "usr-x")], check=True)
    try:
        with pytest.raises(Refused, match="mounted"):
            publish(tree, tmp_path / "images", key)
    finally:
        subprocess.run(["umount", str(tree / "usr-x")], check=True)


def test_a_tree_must_be_a_directory(tree: Path, tmp_path: Path, key: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    for wrong in (tmp_path / "link", tree / "etc/hosts", tmp_path / "absent"):
        with pytest.raises(NotFound):
            publish(wrong, tmp_path / "images", key)
