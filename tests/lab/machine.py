"""Machines as objects: QEMU with a firmware, disks and NICs; power, reset, cables, serial line and screen."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import accelerator, processes
from tests.lab.network import Network
from tests.lab.qmp import Qmp
from tests.lab.serial import Serial, plain

_OVMF = Path("/usr/share/OVMF")


@dataclass(frozen=True)
class Disk:
    """A disk: its serial number, its size (as qemu-img writes it) and how it is attached.

    `kind` is a QEMU device: virtio-blk-pci, scsi-hd, ide-hd, nvme or usb-storage (a removable stick).
    """

    serial: str
    size: str = "4G"
    kind: str = "virtio-blk-pci"


@dataclass(frozen=True)
class Nic:
    """A network card. `own_rom` is QEMU's iPXE ROM; without it UEFI uses its own PXE, and BIOS has none."""

    mac: str
    own_rom: bool = True
    model: str = "virtio-net-pci"
    link: bool = True
    boot: bool = True


@dataclass
class Machine:
    """One machine. Its disks stay between power cycles; its UEFI variables are fresh for every machine.

    `rtc` is what its clock says at power on, for example 2001-01-01T00:00:00; memory is in MiB.
    """

    name: str
    network: Network
    folder: Path
    nics: tuple[Nic, ...]
    disks: tuple[Disk, ...] = ()
    firmware: str = "bios"
    memory: int = 512
    rtc: str = ""
    more: tuple[str, ...] = ()
    taps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._qmp: Qmp | None = None
        self._serial: Serial | None = None
        self.transcript = ""

    @property
    def mac(self) -> str:
        """The address of the first card, which is the machine's name in the records."""
        return self.nics[0].mac

    def power_on(self) -> None:
        """Switch it on: the disks are made when they are missing; returns when QEMU runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for disk in self.disks:
            if not self.disk(disk.serial).exists():
                processes.run(["qemu-img", "create", "-q", "-f", "qcow2", str(self.disk(disk.serial)), disk.size])
        if self.firmware == "uefi" and not (self.folder / "vars.fd").exists():
            shutil.copy(_OVMF / "OVMF_VARS_4M.fd", self.folder / "vars.fd")
        while len(self.taps) < len(self.nics):
            self.taps.append(self.network.tap(f"{self.name[:12]}-{len(self.taps)}"))
        self.network.run(self._arguments(), timeout=120)
        self.attach()
        for index, nic in enumerate(self.nics):
            if not nic.link:
                self.set_link(index, up=False)
        self.qmp.command("cont")

    def attach(self) -> None:
        """Connect to the QEMU of this folder: after power on, or from another process than the one that started it."""
        self._qmp = Qmp(self.folder / "qmp.sock")
        self._serial = Serial(self.folder / "serial.sock")

    @property
    def qmp(self) -> Qmp:
        """The control connection; only of a machine that was switched on."""
        assert self._qmp is not None, f"{self.name} is not switched on"
        return self._qmp

    @property
    def serial(self) -> Serial:
        """The serial line; only of a machine that was switched on."""
        assert self._serial is not None, f"{self.name} is not switched on"
        return self._serial

    @property
    def running(self) -> bool:
        """Whether its QEMU is there."""
        pid = self.folder / "pid"
        return pid.exists() and processes.alive(int(pid.read_text()))

    @property
    def resets(self) -> int:
        """How often the machine was reset, by itself or by us, since it was switched on."""
        return self.qmp.count("RESET")

    def cut(self) -> None:
        """Take the power away; what the disks have not been told to keep may be lost."""
        if self._qmp is None:
            return
        pid = int((self.folder / "pid").read_text()) if (self.folder / "pid").exists() else 0
        self._qmp.hang_up("quit")
        if pid:
            processes.until(lambda: not processes.alive(pid), 30, f"the end of {self.name}")
        self.leave()

    def leave(self) -> None:
        """Disconnect, and keep what the serial line said."""
        if self._serial is not None:
            self.transcript += self._serial.text()
            self._serial.close()
        if self._qmp is not None:
            self._qmp.close()
        self._qmp = self._serial = None

    def reset(self) -> None:
        """Press the reset button."""
        self.qmp.command("system_reset")

    def set_link(self, index: int, up: bool) -> None:
        """Plug or unplug the cable of a card."""
        self.qmp.command("set_link", name=f"n{index}", up=up)

    def screen(self, path: Path) -> Path:
        """Write what the screen shows as a PNG file."""
        self.qmp.command("screendump", filename=str(path), format="png")
        return path

    def serial_log(self) -> str:
        """Everything that the serial line said since the first power on."""
        return self.transcript + (self._serial.text() if self._serial is not None else "")

    def tail(self) -> str:
        """The last lines of the serial line, for an error."""
        return plain(self.serial_log())[-1000:]

    def press(self, *keys: str) -> None:
        """Press keys on the keyboard, by QEMU's names: down, ret, esc."""
        for key in keys:
            self.qmp.command("send-key", keys=[{"type": "qcode", "data": key}])

    def disk(self, serial: str) -> Path:
        """The file of a disk."""
        return self.folder / f"{serial}.qcow2"

    def raw(self, serial: str) -> Path:
        """A raw copy of a disk, sparse, beside it; the machine must be off."""
        assert not self.running, f"{self.name} still runs"
        copy = self.folder / f"{serial}.raw"
        processes.run(["qemu-img", "convert", "-O", "raw", str(self.disk(serial)), str(copy)])
        return copy

    def digest(self, serial: str) -> str:
        """SHA-256 of everything on a disk; the machine must be off."""
        copy = self.raw(serial)
        with copy.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        copy.unlink()
        return found

    def _arguments(self) -> list[str]:
        arguments = ["qemu-system-x86_64", "-name", self.name, "-daemonize", "-S", "-nodefaults", "-vga", "std", "-display", "none"]
        arguments += ["-machine", f"q35,graphics=off,accel={accelerator.choice()}", "-m", str(self.memory)]
        arguments += ["-smbios", f"type=1,manufacturer=HPS lab,product=lab,serial={self.name}", "-boot", "menu=off,splash-time=0"]
        arguments += ["-device", "virtio-rng-pci", "-pidfile", str(self.folder / "pid")]
        arguments += ["-qmp", f"unix:{self.folder}/qmp.sock,server=on,wait=off"]
        arguments += [
            "-chardev",
            f"socket,id=s0,path={self.folder}/serial.sock,server=on,wait=off,logfile={self.folder}/serial.log,logappend=on",
        ]
        arguments += ["-serial", "chardev:s0"]
        if self.rtc:
            arguments += ["-rtc", f"base={self.rtc}"]
        if self.firmware == "uefi":
            arguments += ["-drive", f"if=pflash,format=raw,readonly=on,file={_OVMF}/OVMF_CODE_4M.fd"]
            arguments += ["-drive", f"if=pflash,format=raw,file={self.folder}/vars.fd"]
        for index, (nic, tap) in enumerate(zip(self.nics, self.taps, strict=True)):
            rom = "" if nic.own_rom else ",romfile="
            order = f",bootindex={index + 1}" if nic.boot else ""
            arguments += ["-netdev", f"tap,id=n{index},ifname={tap},script=no,downscript=no"]
            arguments += ["-device", f"{nic.model},id=card{index},netdev=n{index},mac={nic.mac}{rom}{order}"]
        for index, disk in enumerate(self.disks):
            arguments += self._disk_arguments(index, disk)
        return [*arguments, *self.more]

    def _disk_arguments(self, index: int, disk: Disk) -> list[str]:
        arguments = [
            "-drive",
            f"if=none,id=d{index},file={self.disk(disk.serial)},format=qcow2,discard=unmap,detect-zeroes=off,cache=writeback",
        ]
        order = f"bootindex={100 + index}"
        match disk.kind:
            case "virtio-blk-pci" | "nvme" | "ide-hd":
                arguments += ["-device", f"{disk.kind},drive=d{index},serial={disk.serial},{order}"]
            case "scsi-hd":
                arguments += ["-device", f"virtio-scsi-pci,id=scsi{index}"]
                arguments += ["-device", f"scsi-hd,drive=d{index},bus=scsi{index}.0,serial={disk.serial},{order}"]
            case "usb-storage":
                arguments += ["-device", f"qemu-xhci,id=usb{index}"]
                arguments += ["-device", f"usb-storage,drive=d{index},bus=usb{index}.0,serial={disk.serial},removable=on"]
            case other:
                raise AssertionError(f"the lab has no disk of the kind {other}")
        return arguments
