"""Read what disks there are, from sysfs and from the disks themselves; nothing is written."""

import contextlib
import re
from pathlib import Path

from hps.disks.model import MIB, Disk, Extent, Table, clean_serial, parse_disk_guid, parse_serial_page, parse_table
from hps.system import command

EDGE = 4 * MIB
"""Bytes at each end of a disk that must be zero for it to count as blank."""


def read_disks(system: Path = Path("/sys"), devices: Path = Path("/dev")) -> tuple[Disk, ...]:
    """Every whole disk of the machine, sorted by its place on the buses; `system` and `devices` are other roots in tests."""
    found = [_read_disk(entry, system, devices) for entry in (system / "class/block").iterdir() if _is_disk(entry)]
    return tuple(sorted(found, key=lambda disk: _natural(disk.bus)))


def read_disk(name: str, system: Path = Path("/sys"), devices: Path = Path("/dev")) -> Disk:
    """One disk by its kernel name, of any kind."""
    return _read_disk(system / "class/block" / name, system, devices)


def read_table(device: Path) -> Table:
    """The partition table that is on a disk now; raises CommandFailed where there is none."""
    return parse_table(command.run(("sfdisk", "-J", str(device))))


def _is_disk(entry: Path) -> bool:
    if (entry / "partition").exists() or not (entry / "device").exists() or _number(entry / "hidden"):
        return False
    return not re.match(r"(loop|ram|zram|dm-|md|sr|fd|nbd)\d", entry.name)


def _read_disk(entry: Path, system: Path, devices: Path) -> Disk:
    place = entry.resolve()
    size = _number(entry / "size") * 512
    sector = _number(entry / "queue/logical_block_size") or 512
    edges = _read_edges(devices / entry.name, size, sector)
    bus = str(place.parent).removeprefix(str(system.resolve())).removesuffix("/block")
    return Disk(
        name=entry.name,
        bus=bus.strip("/").removeprefix("devices/"),
        size=size,
        sector=sector,
        serial=_serial(entry),
        removable=bool(_number(entry / "removable")),
        readable=edges is not None,
        writable=not _number(entry / "ro"),
        blank=edges is not None and not any(edge.strip(b"\0") for edge in edges),
        discards=_number(entry / "queue/discard_max_bytes") > 0,
        old=_old_partitions(entry),
        disk_guid=parse_disk_guid(edges[0][sector:]) if edges else "",
    )


def _read_edges(device: Path, size: int, sector: int) -> tuple[bytes, bytes] | None:
    if size < 2 * sector:
        return None
    try:
        with device.open("rb", buffering=0) as stream:
            first = stream.read(min(EDGE, size))
            stream.seek(max(0, size - EDGE))
            last = stream.read(min(EDGE, size))
    except OSError:
        return None
    return (first, last) if len(first) == len(last) == min(EDGE, size) else None


def _serial(entry: Path) -> str:
    for place in ("serial", "device/serial"):
        found = clean_serial(_text(entry / place))
        if found:
            return found
    with contextlib.suppress(OSError):
        found = parse_serial_page((entry / "device/vpd_pg80").read_bytes())
        if found:
            return found
    return clean_serial(_text(entry / "wwid") or _text(entry / "device/wwid"))


def _old_partitions(entry: Path) -> tuple[Extent, ...]:
    found = [
        Extent(_number(part / "start") * 512, _number(part / "size") * 512)
        for part in entry.glob(f"{entry.name}*")
        if (part / "partition").exists()
    ]
    return tuple(sorted(found, key=lambda extent: extent.start))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdigit() else 0


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]
