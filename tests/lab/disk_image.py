"""Read a machine's disk from outside: its partition table, and one of its file systems mounted read-only."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import processes


def partitions(raw: Path) -> list[dict[str, Any]]:
    """The partitions as sfdisk reads them; start and size in sectors of 512 bytes."""
    found: list[dict[str, Any]] = table(raw)["partitions"]
    return found


def table(raw: Path) -> dict[str, Any]:
    """The partition table as sfdisk reads it."""
    found: dict[str, Any] = json.loads(processes.run(["sfdisk", "--json", str(raw)]).stdout)["partitiontable"]
    return found


def partition(raw: Path, name: str) -> dict[str, Any]:
    """The partition of this name."""
    return next(entry for entry in partitions(raw) if entry.get("name") == name)


@contextmanager
def loop(raw: Path, name: str) -> Iterator[str]:
    """A read-only loop device over the partition of this name."""
    entry = partition(raw, name)
    where = ["--offset", str(entry["start"] * 512), "--sizelimit", str(entry["size"] * 512)]
    device = processes.run(["losetup", "--find", "--show", "--read-only", *where, str(raw)]).stdout.strip()
    try:
        yield device
    finally:
        processes.run(["losetup", "--detach", device])


@contextmanager
def mounted(raw: Path, name: str, folder: Path) -> Iterator[Path]:
    """The file system of a partition, mounted read-only without replaying its journal."""
    with loop(raw, name) as device:
        folder.mkdir(exist_ok=True)
        kind = processes.run(["blkid", "-p", "-o", "value", "-s", "TYPE", device]).stdout.strip()
        processes.run(["mount", "-o", "ro,noload" if kind == "ext4" else "ro", device, str(folder)])
        try:
            yield folder
        finally:
            processes.run(["umount", str(folder)])


def fat_file(raw: Path, name: str, path: str) -> bytes:
    """A file of the FAT file system in the partition of this name; the kernel here need not know FAT."""
    start = partition(raw, name)["start"] * 512
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "file"
        processes.run(["mcopy", "-n", "-i", f"{raw}@@{start}", f"::/{path}", str(copy)])
        return copy.read_bytes()
