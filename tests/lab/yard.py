"""The machines of one run: each gets a number, and from it a name and an address; all are switched off at the end."""

import itertools
import shutil
from pathlib import Path

from tests.lab.ips import Ips
from tests.lab.machine import Disk, Machine, Nic


class Yard:
    """Makes machines on the network of an IPS and remembers them."""

    def __init__(self, ips: Ips, folder: Path) -> None:
        self.ips = ips
        self.folder = folder
        self.machines: list[Machine] = []
        self._numbers = itertools.count(1)

    def mac(self) -> str:
        """The next address."""
        return f"52:54:00:77:00:{next(self._numbers):02x}"

    def machine(
        self,
        word: str,
        firmware: str = "bios",
        disks: tuple[Disk, ...] | None = None,
        nics: tuple[Nic, ...] | None = None,
        memory: int = 512,
        rtc: str = "",
    ) -> Machine:
        """A machine that is off; with one blank disk of 6 GiB and one card unless something else is given."""
        nics = nics or (Nic(self.mac(), own_rom=firmware == "bios"),)
        number = len(self.machines) + 1
        disks = (Disk(f"DISK{number:04d}", "6G"),) if disks is None else disks
        made = Machine(f"{word}{number}", self.ips.network, self.folder / f"{word}{number}", nics, disks, firmware, memory, rtc)
        self.machines.append(made)
        return made

    def configured(
        self, word: str, firmware: str = "bios", disks: tuple[Disk, ...] | None = None, memory: int = 512, rtc: str = ""
    ) -> Machine:
        """A machine that is off and whose host the operator has configured as a storage host beforehand."""
        made = self.machine(word, firmware, disks, memory=memory, rtc=rtc)
        self.ips.hps("host", "configure", made.mac, "--type", "SCH")
        return made

    def scrap(self, machine: Machine) -> None:
        """Switch a machine off and throw it away with its disks."""
        machine.cut()
        for tap in machine.taps:
            self.ips.network.remove_tap(tap)
        shutil.rmtree(machine.folder, ignore_errors=True)

    def cut_all(self) -> None:
        """Switch everything off."""
        for machine in self.machines:
            machine.cut()

    def keep(self, folder: Path) -> None:
        """Keep the serial transcripts of all machines and the screens of those that run."""
        for machine in self.machines:
            if machine.serial_log():
                (folder / f"{machine.name}.serial").write_text(machine.serial_log())
            if machine.running:
                machine.screen(folder / f"{machine.name}.png")
