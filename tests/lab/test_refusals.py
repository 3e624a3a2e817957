"""What must not be installed is refused with its reason, and the disk is as it was."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import processes
from tests.lab.ips import Ips
from tests.lab.machine import Disk, Machine, Nic
from tests.lab.yard import Yard

pytestmark = pytest.mark.lab
_BOOT = 600


def _with_data(machine: Machine) -> None:
    """Put a file system with a file on the first disk of a machine that is off."""
    machine.folder.mkdir(parents=True)
    raw, disk = machine.folder / "data.raw", machine.disks[0]
    processes.run(["mke2fs", "-q", "-t", "ext4", "-L", "precious", str(raw), disk.size])
    processes.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(machine.disk(disk.serial))])
    raw.unlink()


def _failed(ips: Ips, machine: Machine) -> str:
    """Wait until the install has failed; the reason in the record, which is also on the serial line."""
    ips.wait_event(machine.mac, "failed", _BOOT)
    reason = ips.wait_record(machine.mac, 60, STATE="INSTALL_FAILED").get("INSTALL_ERROR")
    assert ips.names(machine.mac)[-1] == "failed"
    assert "partitions" not in ips.names(machine.mac)
    assert reason
    machine.serial.wait(re.escape(reason[:40]), 60)
    return reason


@pytest.mark.feature("I63", "S25", "I33", "I23")
def test_a_disk_with_data_and_a_machine_without_a_disk(machines: Yard) -> None:
    ips = machines.ips
    full = machines.configured("full", disks=(Disk("FULL0001", "6G"),))
    none = machines.configured("none", disks=(Disk("STICK001", "6G", "usb-storage"),), rtc="2001-01-01T00:00:00")
    _with_data(full)
    before = full.digest("FULL0001")
    for machine in (full, none):
        machine.power_on()
    assert "data" in _failed(ips, full) or "armed" in _failed(ips, full)
    assert "disk" in _failed(ips, none)
    assert "clock" in ips.names(none.mac), "an old clock was mended before anything was verified"
    start = full.serial.position
    full.serial.send("\n")
    full.serial.wait(r"[#$] ?$", 120, start)
    full.serial.send("echo shell-$((6 * 7))\n")
    full.serial.wait("shell-42", 60, start)
    for machine in (full, none):
        machine.cut()
    assert full.digest("FULL0001") == before
    full.power_on()
    full.serial.wait("what helps|asking again", 300, 0)
    assert ips.record(full.mac).get("STATE") == "INSTALL_FAILED", "a failed host is not installed again by itself"


@pytest.mark.feature("I8", "I24")
def test_a_small_disk_and_a_machine_whose_second_card_has_the_cable(machines: Yard) -> None:
    ips = machines.ips
    small = machines.configured("small", disks=(Disk("SMALL001", "1G"),))
    nics = (Nic(machines.mac(), link=False), Nic(machines.mac()))
    second = machines.machine("cable", nics=nics)
    ips.hps("host", "configure", nics[1].mac, "--type", "SCH")
    for machine in (small, second):
        machine.power_on()
    assert "small" in _failed(ips, small) or "room" in _failed(ips, small)
    ips.wait_event(nics[1].mac, "manifest", _BOOT)
    second.cut()
    small.cut()
    assert processes.run(["qemu-img", "map", "--output=json", str(small.disk("SMALL001"))]).stdout.count('"data": true') == 0


@contextmanager
def _damaged(path: Path, offset: int | None) -> Iterator[None]:
    """A published file with one bit flipped at an offset, or without its second half; mended afterwards."""
    kept = path.with_name(f".{path.name}.kept")
    path.rename(kept)
    shutil.copy(kept, path)
    try:
        with path.open("r+b") as stream:
            if offset is None:
                stream.truncate(path.stat().st_size // 2)
            else:
                stream.seek(offset)
                byte = stream.read(1)[0]
                stream.seek(offset)
                stream.write(bytes([byte ^ 1]))
        yield
    finally:
        kept.replace(path)


@pytest.mark.feature("I31")
@pytest.mark.parametrize(("name", "share"), [("manifest", 0.5), ("pack", 0.5), ("pack", None)], ids=["signature", "flipped", "missing"])
def test_a_damaged_image_is_refused_before_the_disk_is_touched(machines: Yard, name: str, share: float | None) -> None:
    ips = machines.ips
    path = ips.image_manifest().with_name(name)
    offset = None if share is None else int(path.stat().st_size * share)
    machine = machines.configured("damaged")
    with _damaged(path, offset):
        machine.power_on()
        reason = _failed(ips, machine)
    assert any(word in reason for word in ("signature", "signed", "manifest", "object", "pack", "digest")), reason
    assert "armed" not in ips.names(machine.mac)
    machine.cut()
    assert processes.run(["qemu-img", "map", "--output=json", str(machine.disk(machine.disks[0].serial))]).stdout.count('"data": true') == 0


@pytest.mark.feature("I31")
def test_the_ips_goes_away_in_the_middle_of_the_download(machines: Yard) -> None:
    ips = machines.ips
    machine = machines.configured("gone")
    machine.power_on()
    ips.wait_event(machine.mac, "manifest", _BOOT)
    start = machine.serial.position
    ips.service("stop", "nginx")
    try:
        machine.serial.wait("(?i)again|unreachable|no answer|does not answer", 300, start)
        blank = processes.run(["qemu-img", "map", "-U", "--output=json", str(machine.disk(machine.disks[0].serial))]).stdout
        assert blank.count('"data": true') == 0
    finally:
        ips.service("start", "nginx")
    ips.wait_event(machine.mac, "verified", _BOOT)


@pytest.mark.feature("I65")
@pytest.mark.parametrize(
    "step",
    [
        "filesystems",
        *(
            pytest.param(step, marks=pytest.mark.prove)
            for step in ("armed", "erased", "partitions", "tree", "loader-installed", "identity")
        ),
    ],
)
def test_a_power_cut_in_the_middle_is_completed_at_the_next_boot(machines: Yard, step: str) -> None:
    ips = machines.ips
    machine = machines.configured("cut")
    machine.power_on()
    ips.wait_event(machine.mac, step, 1200)
    machine.cut()
    start = len(ips.events(machine.mac))
    machine.power_on()
    ips.wait_event(machine.mac, "registered", 1200, start)
    ips.wait_record(machine.mac, 60, STATE="INSTALLED")
    assert ips.names(machine.mac).count("armed") == 2
