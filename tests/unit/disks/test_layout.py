import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.disks import layout
from hps.disks.model import MIB, Disk, Extent
from hps.errors import NotFound, Refused

GIB = 1 << 30
INSTALL = "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111"


def disk(name: str = "vda", size: int = 20 * GIB, **facts: object) -> Disk:
    return Disk(name, f"pci0000:00/0000:00:03.0/virtio0/{name}", size, **facts)  # type: ignore[arg-type]


@given(st.integers(300 * MIB, 3 * GIB), st.integers(0, 4 * GIB), st.integers(0, 200 * GIB), st.sampled_from([512, 4096]))
@pytest.mark.feature("AB4")
def test_layouts_are_aligned_ordered_and_inside_the_disk(image: int, free: int, extra: int, sector: int) -> None:
    slot = layout.slot_size(image, free)
    found = layout.make(disk(size=layout.needed_size(slot) + extra // 4096 * 4096, sector=sector), INSTALL, slot)
    assert [each.name for each in found.partitions] == ["hps-bios", "hps-esp", "hps-a", "hps-b", "hps-state", "hps-data"]
    end = MIB
    for each in found.partitions:
        assert each.extent.start == end
        assert each.extent.start % MIB == 0 == each.extent.size % MIB
        end = each.extent.end
    assert end <= layout.needed_size(slot) + extra - MIB
    assert found["hps-a"].extent.size == found["hps-b"].extent.size == slot
    assert found["hps-data"].extent.size >= 32 * MIB
    assert len({each.guid for each in found.partitions}) == 6


def test_same_install_gives_same_names_and_another_gives_others() -> None:
    first = layout.make(disk(), INSTALL, 3 * GIB)
    assert first == layout.make(disk(), INSTALL.upper(), 3 * GIB)
    other = layout.make(disk(), str(uuid.UUID(int=7)), 3 * GIB)
    assert not {each.guid for each in first.partitions} & {each.guid for each in other.partitions}
    assert first.disk_guid == INSTALL


@given(st.integers(0, 4 * GIB), st.integers(0, 8 * GIB))
@pytest.mark.feature("I58")
def test_slot_leaves_the_larger_of_image_and_minimum_free(image: int, free: int) -> None:
    slot = layout.slot_size(image, free)
    assert slot >= image + max(image, free) + 88 * MIB
    assert layout.slot_size(image, free, 50 * GIB) == 50 * GIB


@pytest.mark.feature("I33")
def test_removable_unreadable_and_usb_disks_are_not_candidates() -> None:
    good = disk()
    stick = disk("sda", removable=True)
    broken = disk("sdb", readable=False)
    locked = disk("sdc", writable=False)
    drive = Disk("sdd", "pci0000:00/0000:00:14.0/usb2/2-1/host0/sdd", 20 * GIB)
    assert layout.candidates((stick, broken, locked, drive, good)) == (good,)
    with pytest.raises(NotFound, match=r"sda \(removable\), sdb \(cannot be read\), sdc \(write protected\), sdd \(removable\)"):
        layout.choose((stick, broken, locked, drive), INSTALL, GIB)
    with pytest.raises(NotFound, match="none at all"):
        layout.choose((), INSTALL, GIB)


def test_choice_is_the_disk_of_this_install_then_the_first_that_is_large_enough() -> None:
    small, first, ours = disk("vda", 2 * GIB), disk("vdb"), disk("vdc", disk_guid=INSTALL)
    assert layout.choose((small, first, disk("vdd")), INSTALL, GIB) == first
    assert layout.choose((small, first, ours), INSTALL.upper(), GIB) == ours
    with pytest.raises(Refused, match=r"2851 MiB are needed, vda has 2048 MiB"):
        layout.choose((disk("vda", 2 * GIB),), INSTALL, GIB)


def test_too_small_is_refused_with_both_sizes() -> None:
    with pytest.raises(Refused, match="vda is too small: 2851 MiB are needed, it has 1024 MiB"):
        layout.make(disk(size=GIB), INSTALL, GIB)


def test_extent_ends_after_its_last_byte() -> None:
    assert Extent(MIB, MIB).end == 2 * MIB
