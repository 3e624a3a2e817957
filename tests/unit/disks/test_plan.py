import struct
from dataclasses import replace
from pathlib import Path

import pytest

from hps.disks import mbr, plan
from hps.disks.layout import make
from hps.disks.model import MIB, Disk, Extent
from hps.errors import InvalidInput, Refused
from hps.steps import Overwrite, Run, Write, describe
from hps.system import executor

INSTALL = "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111"
DISK = Disk("vda", "pci/3", 10 << 30, serial="DISK-1", discards=True, old=(Extent(MIB, 100 * MIB), Extent(300 * MIB, 2 * MIB)))
LAYOUT = make(DISK, INSTALL, 2 << 30)
BOOT = bytes(range(256)) * 2
BOOT = BOOT[:510] + b"\x55\xaa"
LOADER = plan.Loader(BOOT, b"\xee" * 30000, b"MZ", b"menu\n")


@pytest.mark.feature("S25")
def test_every_step_that_touches_the_disk_names_what_it_destroys_and_is_refused_without_permission(tmp_path: Path) -> None:
    steps = (
        *plan.discard_plan(DISK),
        *plan.erase_plan(DISK, LAYOUT),
        *plan.table_plan(DISK, LAYOUT),
        *plan.filesystem_plan(DISK, LAYOUT),
        *plan.bios_plan(DISK, LAYOUT, LOADER),
    )
    assert {step.destroys for step in steps} == {"DISK-1"}
    with pytest.raises(Refused, match="DISK-1"):
        executor.apply(steps, may_destroy={"ANOTHER-DISK"})


@pytest.mark.feature("I34")
def test_erase_covers_both_ends_of_the_disk_and_of_old_and_new_partitions() -> None:
    cleared: list[tuple[int, int]] = []
    for step in plan.erase_plan(DISK, LAYOUT):
        assert isinstance(step, Overwrite)
        assert not step.content.strip(b"\0")
        assert not cleared or step.offset >= cleared[-1][1]
        cleared.append((step.offset, step.offset + len(step.content)))
    assert cleared[-1][1] == DISK.size

    def is_cleared(start: int, end: int) -> bool:
        return all(any(left <= at < right for left, right in cleared) for at in range(start, end, 4096))

    for extent in (Extent(0, DISK.size), *DISK.old, *(each.extent for each in LAYOUT.partitions)):
        length = min(plan.ERASE, extent.size)
        assert is_cleared(extent.start, extent.start + length)
        assert is_cleared(extent.end - length, extent.end)
    assert not is_cleared(1 << 30, (1 << 30) + 4096)


def test_erase_stays_on_the_disk_when_an_old_table_lies_about_its_size() -> None:
    steps = plan.erase_plan(replace(DISK, old=(Extent(9 << 30, 5 << 30), Extent(20 << 30, MIB))), LAYOUT)
    assert max(step.offset + len(step.content) for step in steps if isinstance(step, Overwrite)) == DISK.size


def test_discard_only_where_the_disk_can() -> None:
    assert describe(plan.discard_plan(DISK)) == "run blkdiscard /dev/vda\n"
    assert plan.discard_plan(replace(DISK, discards=False)) == ()


def test_table_script_is_closed() -> None:
    script = plan.table_script(LAYOUT)
    lines = script.splitlines()
    assert lines[:4] == ["label: gpt", f"label-id: {INSTALL}", "unit: sectors", "first-lba: 2048"]
    assert lines[5].startswith("start=2048, size=2048, type=21686148-6449-6e6f-744e-656564454649, uuid=")
    assert lines[6].startswith("start=4096, size=524288, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b, uuid=")
    assert [line.rpartition("name=")[2] for line in lines[5:]] == [
        '"hps-bios"',
        '"hps-esp"',
        '"hps-a"',
        '"hps-b"',
        '"hps-state"',
        '"hps-data"',
    ]


def test_file_systems_get_names_that_were_chosen_before() -> None:
    steps = [step for step in plan.filesystem_plan(DISK, LAYOUT) if isinstance(step, Run)]
    assert [step.arguments[-1] for step in steps] == ["/dev/vda2", "/dev/vda3", "/dev/vda4", "/dev/vda5", "/dev/vda6"]
    assert steps[0].arguments[:-1] == ("mkfs.fat", "-F", "32", "-i", LAYOUT["hps-esp"].filesystem_id, "-n", "HPS-ESP")
    assert steps[1].arguments[-5:-1] == ("-U", LAYOUT["hps-a"].filesystem_id, "-L", "hps-a")


def test_environment_block_is_one_sector() -> None:
    block = plan.environment_block(ab_good="a")
    assert len(block) == 512
    assert block.startswith(b"# GRUB Environment Block\nab_good=a\n####")
    for bad in ("x" * 500, "é", "a\nb=c"):
        with pytest.raises(InvalidInput):
            plan.environment_block(key=bad)


@pytest.mark.feature("AB9")
def test_esp_holds_the_loader_its_configuration_and_slot_a_as_the_good_one() -> None:
    written = {step.path: step.content for step in plan.esp_plan(Path("/esp"), LOADER) if isinstance(step, Write)}
    assert written[Path("/esp/EFI/BOOT/BOOTX64.EFI")] == b"MZ"
    assert written[Path("/esp/grub/grub.cfg")] == b"menu\n"
    assert b"\nab_good=a\n" in written[Path("/esp/grub/grubenv")]


def test_bios_loader_points_at_core_and_leaves_the_protective_table_alone() -> None:
    core, boot = plan.bios_plan(DISK, LAYOUT, LOADER)
    assert isinstance(core, Overwrite)
    assert isinstance(boot, Overwrite)
    assert (core.offset, boot.offset, len(boot.content)) == (MIB, 0, 440)
    assert struct.unpack_from("<Q", boot.content, 0x5C) == (2048,)
    assert boot.content[0x66:0x68] == b"\x90\x90"
    assert len(core.content) == 59 * 512
    assert struct.unpack_from("<QHH", core.content, 0x1F4) == (2049, 58, 0x820)
    assert core.content[0x1E8:0x1F4] == bytes(12)
    assert plan.bios_plan(replace(DISK, sector=4096), LAYOUT, LOADER) == ()


@pytest.mark.parametrize(("boot", "start"), [(BOOT[:100], MIB), (bytes(512), MIB), (BOOT, 100), (BOOT, 0)])
def test_no_boot_code_from_something_else(boot: bytes, start: int) -> None:
    with pytest.raises(InvalidInput):
        mbr.boot_code(boot, start)


@pytest.mark.parametrize("size", [0, 512, MIB + 1])
def test_core_must_fit(size: int) -> None:
    with pytest.raises(InvalidInput):
        mbr.placed_core(bytes(size), MIB)


@pytest.mark.feature("AB8")
@pytest.mark.feature("I40")
@pytest.mark.parametrize("slot", ["a", "b"])
def test_each_slot_mounts_itself_and_needs_nothing_else(slot: str) -> None:
    rows = [line.split() for line in plan.render_fstab(slot).splitlines() if not line.startswith("#")]
    assert rows[0] == [f"LABEL=hps-{slot}", "/", "ext4", "errors=remount-ro", "0", "1"]
    assert {row[1]: row[0] for row in rows[1:]} == {
        "/var/lib/hps": "LABEL=hps-state",
        "/data/0": "LABEL=hps-data",
        "/boot/efi": "LABEL=HPS-ESP",
    }
    assert all("nofail" in row[3].split(",") for row in rows[1:])
