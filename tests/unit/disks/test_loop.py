"""The plans carried out with the real programs on loop devices."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.disks import facts, layout, plan
from hps.disks.model import MIB, Disk, differences, partition_path
from hps.errors import CommandFailed
from hps.system import command, executor, mounts

pytestmark = [pytest.mark.root, pytest.mark.programs]
INSTALL = "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111"
SLOT = 256 * MIB


def attach(backing: Path) -> str:
    return command.run(("losetup", "--find", "--show", "--partscan", str(backing))).strip().removeprefix("/dev/")


def detach(name: str) -> None:
    with contextlib.suppress(CommandFailed):
        command.run(("partx", "--delete", f"/dev/{name}"))
    command.run(("losetup", "--detach", f"/dev/{name}"))


def show_partitions(device: Path) -> None:
    """Tell the kernel of the partitions: this machine's kernel may be one that reads no tables by itself."""
    if not partition_path(device, 1).exists():
        command.run(("partx", "--add", str(device)))


@pytest.fixture
def backing(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    with path.open("wb") as stream:
        stream.truncate(layout.needed_size(SLOT) + 300 * MIB)
    return path


@pytest.fixture
def loop(backing: Path) -> Iterator[Disk]:
    name = attach(backing)
    yield facts.read_disk(name)
    detach(name)


def signatures(device: str) -> str:
    return command.run(("wipefs", "--no-act", "--noheadings", device))


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.mark.feature("AB4")
@pytest.mark.feature("I35")
def test_plan_makes_the_table_and_the_file_systems(loop: Disk) -> None:
    decided = layout.make(loop, INSTALL, SLOT)
    executor.apply(plan.erase_plan(loop, decided) + plan.table_plan(loop, decided), may_destroy={loop.identity})
    table = facts.read_table(loop.path)
    assert differences(decided, table) == ()
    assert all(entry.extent.start % MIB == 0 for entry in table.entries)
    assert facts.read_disk(loop.name).disk_guid == INSTALL
    show_partitions(loop.path)
    executor.apply(plan.filesystem_plan(loop, decided), may_destroy={loop.identity})
    for each in decided.partitions[1:]:
        device = str(partition_path(loop.path, each.number))
        assert command.run(("blkid", "-p", "-o", "value", "-s", "LABEL", device)).strip() == each.label
        found = command.run(("blkid", "-p", "-o", "value", "-s", "UUID", device)).strip().lower().replace("-", "")
        assert found == each.filesystem_id.replace("-", "")


@pytest.mark.feature("I50")
@pytest.mark.feature("I58")
@pytest.mark.parametrize(("image", "free"), [(40, 60), (500, 2048), (40, 20000)])
def test_slot_has_the_free_space_that_was_asked_for_and_is_clean_after_unmount(tmp_path: Path, image: int, free: int) -> None:
    backing = tmp_path / "large"
    slot = layout.slot_size(image * MIB, free * MIB)
    with backing.open("wb") as stream:
        stream.truncate(layout.needed_size(slot))
    loop = facts.read_disk(attach(backing))
    try:
        _check_free_space(loop, slot, image * MIB, free * MIB, tmp_path / "slot")
    finally:
        detach(loop.name)


def _check_free_space(loop: Disk, slot: int, image: int, free: int, place: Path) -> None:
    decided = layout.make(loop, INSTALL, slot)
    executor.apply(plan.table_plan(loop, decided), may_destroy={loop.identity})
    show_partitions(loop.path)
    executor.apply(plan.filesystem_plan(loop, decided), may_destroy={loop.identity})
    device = partition_path(loop.path, 3)
    with mounts.mounted(device, place, "ext4") as target:
        command.run(("fallocate", "--length", str(image), str(target / "image")))
        found = int(command.run(("df", "--output=avail", "-B1", str(target))).split()[-1])
        assert found >= free
    assert "Filesystem state:         clean" in command.run(("dumpe2fs", "-h", str(device)))
    command.run(("e2fsck", "-fn", str(device)))


def test_loader_leaves_the_partition_table_whole(loop: Disk) -> None:
    grub = Path("/usr/lib/grub/i386-pc")
    decided = layout.make(loop, INSTALL, SLOT)
    loader = plan.Loader((grub / "boot.img").read_bytes(), (grub / "diskboot.img").read_bytes() + bytes(30000), b"MZ", b"")
    executor.apply((*plan.table_plan(loop, decided), *plan.bios_plan(loop, decided, loader)), may_destroy={loop.identity})
    assert differences(decided, facts.read_table(loop.path)) == ()
    first = loop.path.open("rb").read(512)
    assert first[510:] == b"\x55\xaa"
    assert first[0x1BE + 4] == 0xEE


@pytest.mark.feature("I34")
def test_erase_removes_stale_signatures(loop: Disk, backing: Path) -> None:
    path = loop.path
    command.run(("sfdisk", "--quiet", str(path)), stdin=b"label: gpt\nsize=200MiB\nsize=200MiB\n")
    show_partitions(path)
    for number in (1, 2):
        command.run(("mke2fs", "-q", "-F", "-t", "ext4", str(partition_path(path, number))))
    old = facts.read_disk(loop.name)
    assert [each.size for each in old.old] == [200 * MIB, 200 * MIB]
    _plant_stale_headers(path, [(0, old.size), *((each.start, each.size) for each in old.old)])
    assert "linux_raid_member" in signatures(str(path))
    assert {"ext4", "linux_raid_member"} <= set(signatures(f"{path}p1").split())
    assert {"crypto_LUKS", "linux_raid_member"} <= set(signatures(f"{path}p2").split())
    decided = layout.make(old, INSTALL, SLOT)
    executor.apply(plan.erase_plan(old, decided), may_destroy={old.identity})
    assert facts.read_disk(loop.name).blank
    for device in (str(path), f"{path}p1", f"{path}p2"):
        assert signatures(device) == ""
    command.run(("partx", "--delete", str(path)))
    executor.apply(plan.table_plan(old, decided), may_destroy={old.identity})
    show_partitions(path)
    for each in decided.partitions:
        assert signatures(str(partition_path(path, each.number))) == ""


def _plant_stale_headers(path: Path, places: list[tuple[int, int]]) -> None:
    """Put an md 1.0 superblock at the end of each place, and LUKS2 headers at the start of the last one."""
    superblock = bytearray(256)
    superblock[0:8] = bytes.fromhex("fc4e2ba901000000")
    with path.open("r+b") as stream:
        for start, size in places:
            sector = ((size // 512) - 16) & ~7
            superblock[144:152] = sector.to_bytes(8, "little")
            checksum = sum(int.from_bytes(superblock[at : at + 4], "little") for at in range(0, 256, 4) if at != 216)
            superblock[216:220] = ((checksum & 0xFFFFFFFF) + (checksum >> 32)).to_bytes(4, "little")
            stream.seek(start + sector * 512)
            stream.write(superblock)
            superblock[216:220] = bytes(4)
        start = places[-1][0]
        for offset, magic in ((0, b"LUKS\xba\xbe"), (0x4000, b"SKUL\xba\xbe")):
            stream.seek(start + offset)
            stream.write(
                magic + (2).to_bytes(2, "big") + (0x4000).to_bytes(8, "big") + bytes(152) + b"2f7c9a54-93a7-4c39-9df2-06a3a4d2b111\0"
            )


@pytest.mark.feature("I34")
def test_discard_gives_the_blocks_back(loop: Disk, backing: Path) -> None:
    with loop.path.open("r+b") as stream:
        stream.seek(500 * MIB)
        stream.write(b"old data" * (MIB // 2))
    command.run(("sync",))
    before = allocated(backing)
    assert before >= 4 * MIB
    assert loop.discards
    executor.apply(plan.discard_plan(loop), may_destroy={loop.identity})
    assert allocated(backing) < MIB
