"""What the installer left on the disk, read from outside before the machine's first boot."""

import re

import pytest

from hps.images import scan, signature
from hps.images.manifest import Entry
from tests.lab import disk_image, processes
from tests.lab.fleet import Fleet

pytestmark = [pytest.mark.lab, pytest.mark.root]
WRITTEN = re.compile(
    r"lost\+found|etc/fstab|etc/hps(/.*)?|var/log/installer(/.*)?|mnt/.*|data(/0)?|var/lib/hps(/.*)?|boot/(efi|grub)(/.*)?"
)
"""Paths of the slot that the installer adds or changes; everything else is the image."""


@pytest.mark.feature("AB4", "I35")
def test_the_partitions_are_what_the_plan_says(fleet: Fleet) -> None:
    table = disk_image.table(fleet.raw)
    assert table["label"] == "gpt"
    assert table["id"].lower() == fleet.install_id.lower()
    names = [entry["name"] for entry in table["partitions"]]
    assert names == ["hps-bios", "hps-esp", "hps-a", "hps-b", "hps-state", "hps-data"]
    assert all(entry["start"] % 2048 == 0 for entry in table["partitions"])
    sizes = {entry["name"]: entry["size"] * 512 for entry in table["partitions"]}
    assert sizes["hps-a"] == sizes["hps-b"]
    assert (sizes["hps-bios"], sizes["hps-esp"], sizes["hps-state"]) == (1 << 20, 256 << 20, 512 << 20)
    assert processes.run(["sfdisk", "--verify", str(fleet.raw)], check=False).returncode == 0


@pytest.mark.feature("AB6")
def test_the_slot_holds_exactly_the_image(fleet: Fleet) -> None:
    folder = fleet.ips.paths.base
    manifest = signature.verify(fleet.ips.image_manifest().read_bytes(), sorted((folder / "config/keys").glob("*.pub")))
    with disk_image.mounted(fleet.raw, "hps-a", folder / "slot") as tree:
        found = {entry.path: _timeless(entry) for entry in scan.scan(tree, manifest.created)}
    wanted = {entry.path: _timeless(entry) for entry in manifest.entries}
    differing = {path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path)}
    assert sorted(path for path in differing if not WRITTEN.fullmatch(path)) == []
    assert len(found) > 1000


def _timeless(entry: Entry) -> Entry:
    """The entry; a directory without its time, which changes when a file is put into it."""
    return entry._replace(mtime=0) if entry.kind == "directory" else entry


@pytest.mark.feature("I50")
def test_the_file_systems_are_clean(fleet: Fleet) -> None:
    for name in ("hps-a", "hps-state", "hps-data"):
        with disk_image.loop(fleet.raw, name) as device:
            assert re.search(r"Filesystem state:\s+clean\n", processes.run(["dumpe2fs", "-h", device]).stdout), name
            processes.run(["e2fsck", "-fn", device])


@pytest.mark.feature("AB7", "AB9")
def test_the_loader_starts_slot_a(fleet: Fleet) -> None:
    assert len(disk_image.fat_file(fleet.raw, "hps-esp", "EFI/BOOT/BOOTX64.EFI")) > 10_000
    environment = disk_image.fat_file(fleet.raw, "hps-esp", "grub/grubenv")
    assert b"hps_start" in disk_image.fat_file(fleet.raw, "hps-esp", "grub/grub.cfg")
    assert len(environment) in (512, 1024)
    assert b"ab_good=a\n" in environment


@pytest.mark.feature("I34")
def test_the_disk_was_erased_and_is_sparse(fleet: Fleet) -> None:
    taken = fleet.raw.stat().st_blocks * 512
    assert taken < 3 << 30, "the whole disk was written"
