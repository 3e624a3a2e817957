import json
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from hps.disks import model
from hps.disks.layout import make
from hps.disks.model import Disk, Extent, Table
from hps.errors import InvalidInput

INSTALL = "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111"
LAYOUT = make(Disk("vda", "x", 10 << 30), INSTALL, 2 << 30)


def as_json(sector: int) -> str:
    rows = [
        {
            "node": f"/dev/nvme0n1p{each.number}",
            "start": each.extent.start // sector,
            "size": each.extent.size // sector,
            "type": each.type_guid.upper(),
            "uuid": each.guid.upper(),
            "name": each.name,
        }
        for each in LAYOUT.partitions
    ]
    table = {"label": "gpt", "id": INSTALL.upper(), "device": "/dev/nvme0n1", "unit": "sectors", "sectorsize": sector, "partitions": rows}
    return json.dumps({"partitiontable": table})


@pytest.mark.parametrize("sector", [512, 4096])
def test_table_read_back_equals_its_layout(sector: int) -> None:
    assert model.differences(LAYOUT, model.parse_table(as_json(sector))) == ()


def test_every_difference_is_named() -> None:
    table = model.parse_table(as_json(512))
    moved = replace(table.entries[2], extent=Extent(0, 1))
    assert "partition 3" in model.differences(LAYOUT, replace(table, entries=(*table.entries[:2], moved, *table.entries[3:])))[0]
    assert model.differences(LAYOUT, replace(table, kind="dos"))[0].startswith("the table is dos")
    assert model.differences(LAYOUT, Table("gpt", INSTALL, table.entries[:5])) == ("there are 5 partitions, not 6",)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"partitiontable": {"label": "gpt", "partitions": [{"node": "/dev/vda"}]}}', "null"])
def test_unreadable_tables_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        model.parse_table(text)


def test_disk_guid_is_read_from_the_header() -> None:
    header = b"EFI PART" + bytes(48) + uuid.UUID(INSTALL).bytes_le + bytes(20)
    assert model.parse_disk_guid(header) == INSTALL
    assert model.parse_disk_guid(header[:60]) == ""
    assert model.parse_disk_guid(bytes(512)) == ""


@pytest.mark.parametrize(
    ("page", "serial"),
    [(b"\x00\x80\x00\x08 WD-1234", "WD-1234"), (b"\x00\x83\x00\x04abcd", ""), (b"", ""), (b"\x00\x80\x00\x04ab", "ab")],
)
def test_serial_page(page: bytes, serial: str) -> None:
    assert model.parse_serial_page(page) == serial


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("  S3Z 9NX0\n", "S3Z_9NX0"),
        ("\0\0", ""),
        ("naa.5000c500a1b2c3d4", "naa.5000c500a1b2c3d4"),
        ("a;rm -rf$(b)", "a_rm_-rf_b"),
        ("x" * 99, "x" * 64),
    ],
)
def test_serial_becomes_one_word(text: str, word: str) -> None:
    assert model.clean_serial(text) == word


@pytest.mark.parametrize(
    ("disk", "number", "path"),
    [("sda", 1, "sda1"), ("vda", 6, "vda6"), ("nvme0n1", 3, "nvme0n1p3"), ("loop7", 2, "loop7p2"), ("mmcblk0", 1, "mmcblk0p1")],
)
def test_partition_paths(disk: str, number: int, path: str) -> None:
    assert model.partition_path(Path("/dev") / disk, number) == Path("/dev") / path


def test_disk_without_serial_is_known_by_its_place() -> None:
    assert Disk("vda", "pci/3", 1).identity == "at:pci/3"
    assert Disk("vda", "pci/3", 1, serial="abc").identity == "abc"


def test_sizes_for_people() -> None:
    assert model.readable_size(3 << 30) == "3072 MiB"
    assert model.readable_size(20 << 30) == "20.0 GiB"
