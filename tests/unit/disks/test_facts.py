import uuid
from pathlib import Path

import pytest

from hps.disks import facts
from hps.disks.layout import candidates
from hps.disks.model import Disk

MIB = 1 << 20


class Machine:
    """A small sysfs and the device files that belong to it."""

    def __init__(self, root: Path) -> None:
        self.system, self.devices = root / "sys", root / "dev"
        (self.system / "class/block").mkdir(parents=True)
        self.devices.mkdir()

    def add(
        self, name: str, bus: str, content: bytes | None = b"", mebibytes: int = 16, parts: tuple[tuple[int, int], ...] = (), **files: str
    ) -> Path:
        place = self.system / "devices" / bus / "block" / name
        (place / "queue").mkdir(parents=True)
        (place / "device").mkdir()
        values = {"size": str(mebibytes * 2048), "queue/logical_block_size": "512", "removable": "0", "ro": "0"}
        for path, text in {**values, **{key.replace("__", "/"): text for key, text in files.items()}}.items():
            (place / path).write_text(text + "\n")
        for number, (start, size) in enumerate(parts, start=1):
            (place / f"{name}{number}").mkdir()
            for path, value in (("partition", number), ("start", start), ("size", size)):
                (place / f"{name}{number}" / path).write_text(f"{value}\n")
        (self.system / "class/block" / name).symlink_to(place)
        if content is not None:
            with (self.devices / name).open("wb") as stream:
                stream.write(content)
                stream.truncate(mebibytes * MIB)
        return place


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def read(machine: Machine) -> dict[str, Disk]:
    return {disk.name: disk for disk in facts.read_disks(machine.system, machine.devices)}


def test_disks_come_in_the_order_of_their_places(machine: Machine) -> None:
    machine.add("sda", "pci0/ata10/host9")
    machine.add("sdb", "pci0/ata2/host1")
    machine.add("vda", "pci0/ata2/host0")
    assert [disk.name for disk in facts.read_disks(machine.system, machine.devices)] == ["vda", "sdb", "sda"]
    assert read(machine)["sda"].bus == "pci0/ata10/host9"


@pytest.mark.feature("I33")
def test_usb_sticks_and_broken_devices_are_not_candidates(machine: Machine) -> None:
    machine.add("vda", "pci0/virtio0")
    machine.add("sda", "pci0/usb1/1-1", removable="1")
    machine.add("sdb", "pci0/usb1/1-2")
    machine.add("sdc", "pci0/ata1", content=None)
    machine.add("sdd", "pci0/ata2", mebibytes=0)
    machine.add("sr0", "pci0/ata3", removable="1")
    machine.add("loop0", "virtual")
    machine.add("sde", "pci0/ata4", ro="1")
    found = facts.read_disks(machine.system, machine.devices)
    assert {disk.name for disk in found} == {"vda", "sda", "sdb", "sdc", "sdd", "sde"}
    assert [disk.name for disk in candidates(found)] == ["vda"]


def test_serial_is_found_where_each_kind_of_disk_keeps_it(machine: Machine) -> None:
    machine.add("vda", "a", serial="VIRTIO 7")
    machine.add("nvme0n1", "b", device__serial="S4NV ")
    page = machine.add("sda", "c")
    (page / "device/vpd_pg80").write_bytes(b"\x00\x80\x00\x06 WD-77")
    machine.add("sdb", "d", device__wwid="naa.5000c5")
    machine.add("sdc", "e")
    assert {name: disk.identity for name, disk in read(machine).items()} == {
        "vda": "VIRTIO_7",
        "nvme0n1": "S4NV",
        "sda": "WD-77",
        "sdb": "naa.5000c5",
        "sdc": "at:e",
    }


@pytest.mark.parametrize(
    ("content", "blank"), [(b"", True), (b"\0" * 100 + b"x", False), (bytes(15 * MIB) + b"x", False), (bytes(8 * MIB) + b"x", True)]
)
def test_blank_means_zero_at_both_ends(machine: Machine, content: bytes, blank: bool) -> None:
    machine.add("vda", "a", content)
    assert read(machine)["vda"].blank is blank


def test_old_partitions_guid_and_discard_are_read(machine: Machine) -> None:
    guid = uuid.uuid4()
    header = bytes(512) + b"EFI PART" + bytes(48) + guid.bytes_le
    machine.add("vda", "a", header, parts=((2048, 4096), (8192, 2048)), queue__discard_max_bytes="2147450880")
    disk = read(machine)["vda"]
    assert disk.disk_guid == str(guid)
    assert disk.discards
    assert [(old.start, old.size) for old in disk.old] == [(MIB, 2 * MIB), (4 * MIB, MIB)]
    machine.add("nvme0n1", "b", bytes(4096) + header[512:], queue__logical_block_size="4096")
    assert read(machine)["nvme0n1"].disk_guid == str(guid)
    assert not read(machine)["nvme0n1"].discards
