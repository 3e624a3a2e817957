"""The steps that turn a disk into a layout. Pure; every step that loses data says so with `destroys`."""

from dataclasses import dataclass
from pathlib import Path

from hps.disks import mbr
from hps.disks.model import MIB, Disk, Extent, Layout, Partition, partition_path
from hps.errors import InvalidInput
from hps.steps import MakeDirectory, Overwrite, Plan, Run, Write

ERASE = 4 * MIB
"""Bytes cleared at each end of the disk and of each partition: signatures of md, LUKS, LVM, ZFS and file systems lie there."""

_EXT4 = "64bit,metadata_csum,^metadata_csum_seed,^orphan_file"


def discard_plan(disk: Disk) -> Plan:
    """Give every block back where the disk can take it; it may fail, and erasing does not rely on it."""
    return (Run(("blkdiscard", str(disk.path)), destroys=disk.identity),) if disk.discards else ()


def erase_plan(disk: Disk, layout: Layout) -> Plan:
    """Clear both ends of the disk, of each partition that is on it and of each that will be (I34); runs that touch are joined."""
    whole = Extent(0, disk.size)
    spots = []
    for extent in (whole, *disk.old, *(partition.extent for partition in layout.partitions)):
        start, end = max(0, extent.start), min(extent.end, disk.size)
        if start < end:
            spots += [(start, min(start + ERASE, end)), (max(start, end - ERASE), end)]
    return tuple(
        Overwrite(disk.path, offset, bytes(min(ERASE, end - offset)), destroys=disk.identity)
        for start, end in _joined(spots)
        for offset in range(start, end, ERASE)
    )


def table_script(layout: Layout) -> str:
    """The partition table as sfdisk reads it on its standard input (sfdisk(8), "script")."""
    lines = ["label: gpt", f"label-id: {layout.disk_guid}", "unit: sectors", f"first-lba: {MIB // layout.sector}", ""]
    lines += [
        f"start={each.extent.start // layout.sector}, size={each.extent.size // layout.sector}, "
        f'type={each.type_guid}, uuid={each.guid}, name="{each.name}"'
        for each in layout.partitions
    ]
    return "\n".join(lines) + "\n"


def table_plan(disk: Disk, layout: Layout) -> Plan:
    """Write the partition table."""
    arguments = ("sfdisk", "--quiet", "--wipe", "always", "--wipe-partitions", "always", str(disk.path))
    return (Run(arguments, table_script(layout).encode(), destroys=disk.identity),)


def filesystem_plan(disk: Disk, layout: Layout) -> Plan:
    """Make the file system of every partition that has one."""
    return tuple(
        Run(_make(partition, partition_path(disk.path, partition.number)), destroys=disk.identity)
        for partition in layout.partitions
        if partition.filesystem
    )


def _make(partition: Partition, device: Path) -> tuple[str, ...]:
    if partition.filesystem == "vfat":
        return ("mkfs.fat", "-F", "32", "-i", partition.filesystem_id, "-n", partition.label, str(device))
    # Inode tables are cleared by the kernel later, which checksums make safe. The journal is cleared now: a repeated install
    # has the same file system id, so blocks of its predecessor's journal would look valid. The erase has discarded already.
    extended = "lazy_itable_init=1,lazy_journal_init=0,nodiscard"
    journal = ("-J", "size=64") if partition.name in ("hps-a", "hps-b") else ()
    options = ("-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0", *journal, "-O", _EXT4, "-E", extended)
    return ("mke2fs", *options, "-U", partition.filesystem_id, "-L", partition.label, str(device))


@dataclass(frozen=True)
class Loader:
    """The loader's files as the image brings them."""

    boot: bytes
    core: bytes
    efi: bytes
    configuration: bytes


def environment_block(**values: str) -> bytes:
    """GRUB's environment: exactly 512 bytes, so that it is always one sector and never resized; raises InvalidInput."""
    text = "# GRUB Environment Block\n" + "".join(f"{key}={value}\n" for key, value in sorted(values.items()))
    if len(text) > 512 or not text.isascii() or text.count("\n") != len(values) + 1:
        raise InvalidInput("the values do not fit the loader's environment")
    return text.ljust(512, "#").encode()


def esp_plan(esp: Path, loader: Loader, console: str = "") -> Plan:
    """The files of the EFI system partition that is mounted there: the loader for UEFI, and what both loaders read.

    `console` is put at the end of the kernel command line of either slot.
    """
    return (
        MakeDirectory(esp / "EFI/BOOT"),
        MakeDirectory(esp / "grub"),
        Write(esp / "grub/grubenv", environment_block(ab_good="a", **({"ab_console": console} if console else {}))),
        Write(esp / "grub/grub.cfg", loader.configuration),
        Write(esp / "EFI/BOOT/BOOTX64.EFI", loader.efi),
    )


def bios_plan(disk: Disk, layout: Layout, loader: Loader) -> Plan:
    """The loader for BIOS, its first sector last: until that is written, the BIOS goes on to the network.

    A disk with sectors of 4096 bytes cannot be started by a BIOS; it gets no such loader.
    """
    if disk.sector != mbr.SECTOR:
        return ()
    start = layout["hps-bios"].extent.start
    return (
        Overwrite(disk.path, start, mbr.placed_core(loader.core, start, layout["hps-bios"].extent.size), destroys=disk.identity),
        Overwrite(disk.path, 0, mbr.boot_code(loader.boot, start), destroys=disk.identity),
    )


def render_fstab(slot: str) -> str:
    """The file system table of a slot, `a` or `b`: everything by label; only the root is needed to reach a login (I40).

    The state is waited for longest: it holds the identity, and a node without that is none.
    """
    rows = (
        (f"LABEL=hps-{slot}", "/", "ext4", "errors=remount-ro", 1),
        ("LABEL=hps-state", "/var/lib/hps", "ext4", "nofail,nosuid,nodev,x-systemd.device-timeout=5min", 2),
        ("LABEL=hps-data", "/data/0", "ext4", "nofail,nosuid,nodev,x-systemd.device-timeout=30s", 2),
        ("LABEL=HPS-ESP", "/boot/efi", "vfat", "noauto,nofail,umask=0077", 0),
    )
    return "# Written by the installer; each slot has its own.\n" + "".join(
        f"{device} {target} {kind} {options} 0 {order}\n" for device, target, kind, options, order in rows
    )


def _joined(spots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spots):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
