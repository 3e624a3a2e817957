"""Three blank machines that are installed at the same time, each another way; many tests look at them afterwards."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.ips import Event, Ips
from tests.lab.machine import Disk, Machine, Nic
from tests.lab.yard import Yard

MINUTES = 20


@dataclass
class Fleet:
    """The machines when all have registered, and what was noted on the way.

    `bios` and `uefi` were unknown and took the menu's default; `other` (e1000e, SCSI) was configured beforehand. Its
    power was cut when it restarted after the install, so that its disk could be read as the installer left it.
    """

    ips: Ips
    bios: Machine
    uefi: Machine
    other: Machine
    raw: Path
    """The disk of `other` as the installer left it."""
    install_id: str = ""
    """The id of the install that made it."""
    requests: dict[str, int] = field(default_factory=dict)
    """How many lines the access logs had when the machine restarted from its disk, by name."""

    def of(self, firmware: str) -> Machine:
        """The machine with this firmware."""
        return self.bios if firmware == "bios" else self.uefi

    def boots(self, machine: Machine) -> list[list[Event]]:
        """The events of a machine, one list a boot session, in order."""
        sessions: dict[str, list[Event]] = {}
        for event in self.ips.events(machine.mac):
            sessions.setdefault(event["session"], []).append(event)
        return list(sessions.values())


def install(yard: Yard) -> Fleet:
    """Switch all three on at once and follow them until they have registered."""
    ips = yard.ips
    bios = yard.machine("bios")
    uefi = yard.machine("uefi", firmware="uefi")
    nic = Nic(yard.mac(), model="e1000e")
    other = yard.machine("other", disks=(Disk("SCSI0001", "6G", "scsi-hd"),), nics=(nic,))
    ips.hps("host", "configure", other.mac, "--type", "SCH")
    for machine in (other, bios, uefi):
        machine.power_on()
    fleet = Fleet(ips, bios, uefi, other, Path())
    ips.wait_event(other.mac, "restart", MINUTES * 60)
    other.qmp.wait_event("RESET", 300)
    other.cut()
    fleet.raw = other.raw("SCSI0001")
    fleet.install_id = ips.record(other.mac).get("INSTALL_ID")
    for machine in (bios, uefi):
        ips.wait_event(machine.mac, "restart", MINUTES * 60)
        machine.qmp.wait_event("RESET", 300)
        fleet.requests[machine.name] = len(ips.access_log())
    other.power_on()
    for machine in (bios, uefi, other):
        ips.wait_event(machine.mac, "registered", MINUTES * 60)
        ips.wait_record(machine.mac, 60, STATE="INSTALLED")
    return fleet


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def duration(events: list[Event]) -> float:
    """Seconds from the first event to the last."""
    times: list[Any] = [event["time"] for event in events]
    return float(times[-1] - times[0]) if times else 0.0
