"""Frozen values of disks and partitions, and the parsers of what programs and devices say. Pure."""

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from hps.errors import InvalidInput

MIB = 1 << 20

TYPE_BIOS = "21686148-6449-6e6f-744e-656564454649"
TYPE_ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
TYPE_LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


@dataclass(frozen=True)
class Extent:
    """A run of bytes on a disk: where it starts and how long it is, in bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.start + self.size


@dataclass(frozen=True)
class Disk:
    """One whole disk as it was found.

    `bus` is its place in the machine (the sysfs device path), `serial` what it says of itself (may be empty), `blank`
    whether its first and last 4 MiB are zero, `old` the partitions that the kernel sees on it, `disk_guid` the GUID of its
    partition table in lower case, or empty. Sizes are bytes.
    """

    name: str
    bus: str
    size: int
    sector: int = 512
    serial: str = ""
    removable: bool = False
    readable: bool = True
    writable: bool = True
    blank: bool = False
    discards: bool = False
    old: tuple[Extent, ...] = ()
    disk_guid: str = ""

    @property
    def path(self) -> Path:
        """Its device file."""
        return Path("/dev") / self.name

    @property
    def identity(self) -> str:
        """The word under which it is erased: its serial number, or its place in the machine where it has none."""
        return self.serial or f"at:{self.bus}"


@dataclass(frozen=True)
class Partition:
    """One partition of a layout: all names and identities are chosen before anything is written; bytes."""

    number: int
    name: str
    type_guid: str
    guid: str
    extent: Extent
    filesystem: str = ""
    filesystem_id: str = ""
    label: str = ""


@dataclass(frozen=True)
class Layout:
    """A partition table that is fully decided: GUID of the disk, sector size, partitions in order."""

    disk_guid: str
    sector: int
    partitions: tuple[Partition, ...]

    def __getitem__(self, name: str) -> Partition:
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise KeyError(name)


@dataclass(frozen=True)
class Entry:
    """One partition as `sfdisk -J` read it back; bytes, GUIDs in lower case."""

    number: int
    name: str
    type_guid: str
    guid: str
    extent: Extent


@dataclass(frozen=True)
class Table:
    """A partition table as `sfdisk -J` read it back."""

    kind: str
    disk_guid: str
    entries: tuple[Entry, ...]


def parse_table(text: str) -> Table:
    """Read the output of `sfdisk -J` (sfdisk(8)); raises InvalidInput."""
    try:
        table = json.loads(text)["partitiontable"]
        sector = int(table.get("sectorsize", 512))
        entries = tuple(
            Entry(
                number=int(re.findall(r"[0-9]+$", found["node"])[0]),
                name=found.get("name", ""),
                type_guid=found["type"].lower(),
                guid=found.get("uuid", "").lower(),
                extent=Extent(found["start"] * sector, found["size"] * sector),
            )
            for found in table.get("partitions", ())
        )
        return Table(table["label"], table.get("id", "").lower(), entries)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInput("sfdisk printed a partition table that cannot be read", hint=text[:200]) from error


def differences(layout: Layout, table: Table) -> tuple[str, ...]:
    """What a table that was read back has otherwise than the layout, one sentence each; nothing when they agree."""
    found = []
    if table.kind != "gpt" or table.disk_guid != layout.disk_guid:
        found.append(f"the table is {table.kind} {table.disk_guid}, not gpt {layout.disk_guid}")
    want = tuple(Entry(each.number, each.name, each.type_guid, each.guid, each.extent) for each in layout.partitions)
    if len(want) != len(table.entries):
        found.append(f"there are {len(table.entries)} partitions, not {len(want)}")
    found.extend(
        f"partition {left.number} is {right}, not {left}" for left, right in zip(want, table.entries, strict=False) if left != right
    )
    return tuple(found)


def parse_disk_guid(header: bytes) -> str:
    """The disk GUID of a GPT header (UEFI specification, 5.3.2), lower case; empty where there is no such header."""
    if len(header) < 72 or header[:8] != b"EFI PART":
        return ""
    return str(uuid.UUID(bytes_le=header[56:72]))


def parse_serial_page(page: bytes) -> str:
    """The serial number in a SCSI vital product data page 80h (SPC-4, 7.8.14); empty where there is none."""
    if len(page) < 4 or page[1] != 0x80:
        return ""
    return clean_serial(page[4 : 4 + int.from_bytes(page[2:4], "big")].decode("ascii", "replace"))


def clean_serial(text: str) -> str:
    """A serial number as one word: what is not a letter, digit or `._:+-` becomes `_`, ends trimmed, 64 characters."""
    return re.sub(r"[^A-Za-z0-9._:+-]+", "_", text.strip(" \t\r\n\0"))[:64].strip("_")


def partition_path(disk: Path, number: int) -> Path:
    """The device file of a partition: `vda1`, but `nvme0n1p1` where the name of the disk ends in a digit."""
    return disk.with_name(f"{disk.name}{'p' if disk.name[-1].isdigit() else ''}{number}")


def readable_size(size: int) -> str:
    """A size for people, in MiB or GiB."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 10 << 30 else f"{size // MIB} MiB"
