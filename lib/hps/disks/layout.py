"""Choose the boot drive and decide its layout. Pure: every name, GUID and offset is fixed before the disk is touched."""

import uuid
from collections.abc import Sequence

from hps.disks.model import MIB, TYPE_BIOS, TYPE_ESP, TYPE_LINUX, Disk, Extent, Layout, Partition, readable_size
from hps.errors import NotFound, Refused

FIRST = MIB
"""The first partition starts here; everything is aligned to 1 MiB."""
BIOS_SIZE = MIB
ESP_SIZE = 256 * MIB
STATE_SIZE = 512 * MIB
DATA_MINIMUM = 32 * MIB
TAIL = MIB
"""Left free at the end for the backup partition table."""


def slot_size(image_bytes: int, minimum_free: int, minimum_bytes: int = 0) -> int:
    """The bytes of one slot: the image, as much free space again (or more where asked for), and what ext4 itself takes.

    After the install at least max(minimum_free, image_bytes) is free (I58). ext4's own share is its inode tables
    (256 bytes for each 16 KiB: a 64th), bitmaps and descriptors, a journal of 64 MiB, and 16 MiB that the kernel holds back.
    A 56th and 144 MiB cover it and what the first boot writes: host keys and a journal.
    """
    net = image_bytes + max(minimum_free, image_bytes)
    return _aligned(max(net + net // 56 + 144 * MIB, minimum_bytes))


def needed_size(slot_bytes: int) -> int:
    """The smallest disk that holds the layout with two slots of this size; bytes."""
    return FIRST + BIOS_SIZE + ESP_SIZE + 2 * slot_bytes + STATE_SIZE + DATA_MINIMUM + TAIL


def candidates(disks: Sequence[Disk]) -> tuple[Disk, ...]:
    """The disks that may be installed on, in the order of their places: fixed, readable, writable, not behind USB (I33)."""
    return tuple(
        disk for disk in disks if disk.readable and disk.writable and not disk.removable and "/usb" not in disk.bus and disk.size > 0
    )


def choose(disks: Sequence[Disk], install_id: str, slot_bytes: int) -> Disk:
    """The boot drive: the disk that already carries this install, else the first that is large enough.

    Raises NotFound when no disk may be used, Refused when all are too small; both name what was seen.
    """
    usable = candidates(disks)
    if not usable:
        seen = ", ".join(f"{disk.name} ({_objection(disk)})" for disk in disks) or "none at all"
        raise NotFound(f"no disk can be installed on; seen: {seen}", hint="connect a fixed disk, or load the driver of its controller")
    need = needed_size(slot_bytes)
    large = [disk for disk in usable if disk.size >= need]
    if not large:
        seen = ", ".join(f"{disk.name} has {readable_size(disk.size)}" for disk in usable)
        raise Refused(
            f"every disk is too small: {readable_size(need)} are needed, {seen}",
            hint="use a larger disk, or ask for less free space in the profile",
        )
    return next((disk for disk in large if disk.disk_guid == install_id.lower()), large[0])


def make(disk: Disk, install_id: str, slot_bytes: int) -> Layout:
    """The closed layout of a disk: all GUIDs follow from the id of the install; raises Refused when it does not fit."""
    if disk.size < needed_size(slot_bytes):
        raise Refused(f"{disk.name} is too small: {readable_size(needed_size(slot_bytes))} are needed, it has {readable_size(disk.size)}")
    seed = uuid.UUID(install_id)
    partitions = []
    start = FIRST
    rows = (
        ("hps-bios", TYPE_BIOS, BIOS_SIZE, "", ""),
        ("hps-esp", TYPE_ESP, ESP_SIZE, "vfat", "HPS-ESP"),
        ("hps-a", TYPE_LINUX, slot_bytes, "ext4", "hps-a"),
        ("hps-b", TYPE_LINUX, slot_bytes, "ext4", "hps-b"),
        ("hps-state", TYPE_LINUX, STATE_SIZE, "ext4", "hps-state"),
        ("hps-data", TYPE_LINUX, 0, "ext4", "hps-data"),
    )
    for number, (name, type_guid, size, filesystem, label) in enumerate(rows, start=1):
        extent = Extent(start, size or (disk.size - TAIL - start) // MIB * MIB)
        partitions.append(
            Partition(
                number,
                name,
                type_guid,
                str(uuid.uuid5(seed, f"partition {name}")),
                extent,
                filesystem,
                _filesystem_id(seed, name, filesystem),
                label,
            )
        )
        start = extent.end
    return Layout(str(seed), disk.sector, tuple(partitions))


def _filesystem_id(seed: uuid.UUID, name: str, filesystem: str) -> str:
    made = uuid.uuid5(seed, f"filesystem {name}")
    return made.hex[:8] if filesystem == "vfat" else str(made) if filesystem else ""


def _aligned(size: int) -> int:
    return -(-size // MIB) * MIB


def _objection(disk: Disk) -> str:
    if disk.removable or "/usb" in disk.bus:
        return "removable"
    if not disk.readable:
        return "cannot be read"
    return "write protected" if not disk.writable else "no medium"
