"""Measure power-on to registered, split by phase, beside the parts that cannot be avoided, in the same run.

Unavoidable are: a network boot of a bare kernel and a small initrd, unpacking a tar of the same tree onto the same disk
in the same machine, and a boot of the installed disk to its login prompt. The goal is at most 1.5 times their sum.
"""

import gzip
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab import disk_image, processes, resources
from tests.lab.ips import Ips
from tests.lab.machine import Machine
from tests.lab.network import ADDRESS, Network
from tests.lab.yard import Yard

GOAL = 1.5
_PHASES = (
    ("firmware to address", "on", "dhcp"),
    ("loader and decision", "dhcp", "kernel"),
    ("installer starts", "kernel", "network"),
    ("certificate and configuration", "network", "manifest"),
    ("objects fetched and verified", "manifest", "verified"),
    ("disk erased and formatted", "verified", "filesystems"),
    ("tree written", "filesystems", "tree"),
    ("loader, identity, unmount", "tree", "restart"),
    ("firmware and loader again", "restart", "local"),
    ("boot from disk to registered", "local", "registered"),
)
_INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc p /proc; $b mount -t sysfs s /sys; $b mount -t devtmpfs d /dev
$b echo HPS-BARE-UP
for module in /modules/*.ko; do $b insmod $module; done
$b mount -t ext4 /dev/vda /target
$b echo HPS-TAR-BEGIN
$b tar -x -C /target -f /dev/vdb && $b sync && $b umount /target && $b echo HPS-TAR-END
$b poweroff -f
"""
_VIRTIO = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
_MODULES = (*_VIRTIO, "crc32c_generic", "crc16", "mbcache", "jbd2", "ext4")


@dataclass
class Measured:
    """The seconds of one firmware: each phase of the whole path, and each unavoidable part."""

    firmware: str
    phases: list[tuple[str, float]]
    parts: list[tuple[str, float]]
    memory: int
    """The most memory in MiB that the installer had in use, of those moments that it logs: image in memory, tree written."""

    @property
    def ratio(self) -> float:
        """The whole path as a multiple of the unavoidable parts."""
        return sum(seconds for _, seconds in self.phases) / sum(seconds for _, seconds in self.parts)


def measure(ips: Ips, yard: Yard, firmware: str) -> Measured:
    """Install one machine, then do the unavoidable parts one by one with the same firmware."""
    machine = yard.configured("bench", firmware)
    started = time.time()
    machine.power_on()
    ips.wait_event(machine.mac, "registered", 1800)
    times = {"on": started}
    for event in ips.events(machine.mac):
        later = event["event"] in ("local", "registered") or event["event"] not in times
        if later:
            times[event["event"]] = event["time"]
    phases = _split(times)
    machine.serial.wait("login:", 300)
    memory = [int(whole) - int(left) for left, whole in re.findall(r"memory: (\d+) of (\d+) MiB available", machine.serial_log())]
    machine.cut()
    login = _disk_boot(machine)
    bare, tar = _bare(ips, yard, machine, firmware)
    parts = [("network boot of a bare kernel", bare), ("tar of the same tree onto the same disk", tar), ("disk boot to login", login)]
    return Measured(firmware, phases, parts, max(memory))


def _split(times: dict[str, float]) -> list[tuple[str, float]]:
    times.setdefault("local", times["restart"])
    return [(words, max(0.0, times[last] - times[first])) for words, first, last in _PHASES if first in times and last in times]


def _disk_boot(machine: Machine) -> float:
    """The installed disk from power on to its login prompt, with no network boot before it."""
    nics = machine.nics
    machine.nics = tuple(type(nic)(nic.mac, own_rom=False, boot=False) for nic in nics)
    started = time.monotonic()
    machine.power_on()
    machine.serial.wait("login:", 600)
    seconds = time.monotonic() - started
    machine.cut()
    machine.nics = nics
    return seconds


def _bare(ips: Ips, yard: Yard, installed: Machine, firmware: str) -> tuple[float, float]:
    """A network boot of the kernel with a busybox initrd, which then unpacks a tar of the same tree."""
    machine = yard.configured("bare", firmware)
    machine.folder.mkdir(parents=True)
    serial = machine.disks[0].serial
    tar, modules = _contents(installed, machine.folder)
    blank = machine.folder / "blank.raw"
    processes.run(["mke2fs", "-q", "-t", "ext4", str(blank), machine.disks[0].size])
    processes.run(["qemu-img", "convert", "-O", "qcow2", str(blank), str(machine.disk(serial))])
    blank.unlink()
    folder = ips.paths.boot / "installer" / resources.FOLDER
    kept = folder / "initrd.img.kept"
    (folder / "initrd.img").rename(kept)
    (folder / "initrd.img").write_bytes(_initrd(modules))
    try:
        machine.more = ("-drive", f"if=none,id=tar,file={tar},format=raw,readonly=on", "-device", "virtio-blk-pci,drive=tar")
        started = time.monotonic()
        machine.power_on()
        machine.serial.wait("HPS-BARE-UP", 600)
        bare = time.monotonic() - started
        machine.serial.wait("HPS-TAR-BEGIN", 120)
        started = time.monotonic()
        machine.serial.wait("HPS-TAR-END", 1200)
        return bare, time.monotonic() - started
    finally:
        kept.replace(folder / "initrd.img")
        machine.cut()


def _contents(installed: Machine, folder: Path) -> tuple[Path, list[Path]]:
    """A tar of the installed slot, and the kernel modules that its own kernel needs to read a disk."""
    tar = folder / "tree.tar"
    with disk_image.mounted(installed.raw(installed.disks[0].serial), "hps-a", folder / "slot") as tree:
        processes.run(["tar", "-c", "-C", str(tree), "-f", str(tar), "."])
        found: list[Path] = []
        for name in _MODULES:
            for path in sorted(tree.glob(f"usr/lib/modules/*/kernel/**/{name}.ko")) or sorted(
                tree.glob(f"lib/modules/*/kernel/**/{name}.ko")
            ):
                found.append(Path(shutil.copy(path, folder / f"{len(found):02d}-{name}.ko")))
    with tar.open("ab") as stream:
        stream.truncate(-(-stream.tell() // 4096) * 4096)
    return tar, found


def _initrd(modules: list[Path]) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("bin", "modules", "proc", "sys", "dev", "target"):
            (root / folder).mkdir()
        shutil.copy("/bin/busybox", root / "bin/busybox")
        for module in modules:
            shutil.copy(module, root / "modules")
        (root / "init").write_text(_INIT)
        (root / "init").chmod(0o755)
        paths = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        archive = root.with_suffix(".cpio")
        processes.run(["cpio", "-o", "-H", "newc", "--quiet", "-D", str(root), "-F", str(archive)], stdin=paths + "\n")
        content = gzip.compress(archive.read_bytes(), 1)
        archive.unlink()
        return content


def table(found: Measured) -> str:
    """The measurement as text."""
    lines = [f"power-on to registered, {found.firmware}"]
    lines += [f"  {words:42} {seconds:7.1f} s" for words, seconds in found.phases]
    lines += [f"  {'together':42} {sum(seconds for _, seconds in found.phases):7.1f} s", " cannot be avoided"]
    lines += [f"  {words:42} {seconds:7.1f} s" for words, seconds in found.parts]
    lines += [f"  {'together':42} {sum(seconds for _, seconds in found.parts):7.1f} s"]
    lines += [f"  memory of the installer at its peak         {found.memory:5} MiB"]
    return "\n".join([*lines, f"  ratio {found.ratio:.2f} (goal: at most {GOAL})"]) + "\n"


def main() -> int:
    """Measure both firmwares and print the tables; 1 when the goal is missed."""
    network = Network.for_this_run()
    folder = Path(tempfile.mkdtemp(prefix="hps-bench-"))
    ips = Ips(network, folder / "ips")
    yard = Yard(ips, folder / "machines")
    results = []
    try:
        network.create()
        ips.prepare()
        ips.start()
        ips.activate()
        print(f"network {ADDRESS}, software emulation or KVM as the lab chooses")
        installer = ips.paths.boot / "installer" / resources.FOLDER
        print("installer: " + ", ".join(f"{file.name} {file.stat().st_size:,} bytes" for file in sorted(installer.iterdir())) + "\n")
        for firmware in ("bios", "uefi"):
            results.append(measure(ips, yard, firmware))
            print(table(results[-1]), flush=True)
    finally:
        yard.cut_all()
        ips.stop()
        network.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return int(any(found.ratio > GOAL for found in results))
