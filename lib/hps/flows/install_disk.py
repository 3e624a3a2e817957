"""The part of an install that writes to the disk: permission, table, file systems, tree, loader, identity, and a clean end."""

import logging
import os
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hps.disks import facts, layout, plan
from hps.disks.model import Disk, Layout, differences, partition_path, readable_size
from hps.errors import CommandFailed, InvalidInput, Refused, Unreachable
from hps.images.unpack import LocalImage, unpack
from hps.inventory import facts as inventory
from hps.node import credentials
from hps.node.configuration import FILES, InstallConfiguration
from hps.node.credentials import Credentials
from hps.node.report import MemoryLog, Report
from hps.steps import Plan, Write
from hps.system import executor, files, http, mounts

log = logging.getLogger(__name__)

CONSOLE = "console=tty0 console=ttyS0,115200n8"


@dataclass(frozen=True)
class Work:
    """All that was fetched and verified before: nothing here needs the network any more, but for permission and reports."""

    url: str
    identity: Credentials
    texts: dict[str, str]
    wanted: InstallConfiguration
    image: LocalImage
    run: Path
    mounts: Path
    log: MemoryLog

    @property
    def install_id(self) -> str:
        """The id of this install: GUID of the disk, and the seed of every other one."""
        return self.wanted.node.hps.install_id


def install_disk(work: Work, report: Report) -> None:
    """Choose the disk, ask for permission, and make it the node's; raises before anything is written where it can."""
    storage = work.wanted.storage
    slot = layout.slot_size(work.image.manifest.size_bytes, storage.minimum_free, storage.minimum_bytes)
    found = facts.read_disks()
    log.info("disks: %s", "; ".join(describe(disk) for disk in found) or "none")
    disk = layout.choose(found, work.install_id, slot)
    decided = layout.make(disk, work.install_id, slot)
    permission = ask(work, disk)
    report.step("armed", f"{disk.name} {disk.identity}: {permission}")
    erase(disk, decided)
    report.step("erased", readable_size(disk.size))
    partition(disk, decided)
    report.step("partitions", f"{len(decided.partitions)} partitions, slots of {readable_size(slot)}")
    executor.apply(plan.filesystem_plan(disk, decided), may_destroy={disk.identity})
    report.step("filesystems")
    with ExitStack() as stack:
        fill(work, report, disk, decided, stack)
    report.step("unmounted")
    report.step("restart")


def describe(disk: Disk) -> str:
    """A disk for the log. Pure."""
    words = [disk.name, readable_size(disk.size), disk.identity, "empty" if disk.blank else "holds data"]
    return " ".join(words + ["removable"] * disk.removable + ["unreadable"] * (not disk.readable))


def ask(work: Work, disk: Disk) -> str:
    """Ask the IPS whether this disk may be erased; raises Refused. Only after its yes may the executor destroy anything."""
    value = {"disk": disk.identity, "size": str(disk.size), "blank": "true" if disk.blank else "false"}
    answer = http.post_json(f"{work.url}/api/install_begin", value, work.identity.tls())
    if not isinstance(answer, dict) or answer.get("disk") != disk.identity:
        raise Refused("the IPS gave permission for another disk", hint="hps host arm on the IPS")
    return str(answer.get("permission", ""))


def erase(disk: Disk, decided: Layout) -> None:
    """Give all blocks back where that works, then clear every place where an old signature could lie."""
    try:
        executor.apply(plan.discard_plan(disk), may_destroy={disk.identity})
    except CommandFailed as error:
        log.warning("%s cannot discard: %s", disk.name, error)
    executor.apply(plan.erase_plan(disk, decided), may_destroy={disk.identity})


def partition(disk: Disk, decided: Layout, patience: float = 20) -> None:
    """Write the table, read it back, and wait for the kernel to show the partitions; raises InvalidInput, Unreachable."""
    executor.apply(plan.table_plan(disk, decided), may_destroy={disk.identity})
    wrong = differences(decided, facts.read_table(disk.path))
    if wrong:
        raise InvalidInput(f"the partition table of {disk.name} is not what was written", hint="; ".join(wrong))
    deadline = time.monotonic() + patience
    for each in decided.partitions:
        while not partition_path(disk.path, each.number).is_block_device():
            if time.monotonic() > deadline:
                raise Unreachable(f"the kernel does not show partition {each.number} of {disk.name}")
            time.sleep(0.05)


def fill(work: Work, report: Report, disk: Disk, decided: Layout, stack: ExitStack) -> None:
    """Write the tree, the loader and the identity; everything is unmounted when the stack closes."""

    def mount(name: str, target: Path) -> Path:
        part = decided[name]
        return stack.enter_context(mounts.mounted(partition_path(disk.path, part.number), target, part.filesystem))

    slot = mount("hps-a", work.mounts / "slot")
    state, esp = mount("hps-state", work.mounts / "state"), mount("hps-esp", work.mounts / "esp")
    start = time.monotonic()
    unpack(work.image, slot, Progress())
    seconds = time.monotonic() - start
    report.step("tree", f"{len(work.image.manifest.entries)} entries, {work.image.manifest.size_bytes >> 20} MiB in {seconds:.1f} s")
    log.info("%s", inventory.memory_words())
    loader = read_loader(slot)
    executor.apply(plan.esp_plan(esp, loader, kernel_words(work)) + plan.bios_plan(disk, decided, loader), may_destroy={disk.identity})
    report.step("loader-installed", "BIOS and UEFI")
    credentials.move(work.identity, state / "identity", work.texts["config.json"])
    executor.apply(slot_plan(work, slot))
    report.step("identity", f"{work.wanted.node.machine.hostname}")
    keep_answers(work, slot / "var/log/installer")
    log.info("unmounting slot, state and ESP")
    files.write(slot / "var/log/installer/log", work.log.text(), mode=0o640)
    os.sync()


def kernel_words(work: Work) -> str:
    """What either slot gets on its kernel command line beyond its root: the consoles, and the machine id of this install. Pure."""
    machine = uuid.uuid5(uuid.UUID(work.install_id), "machine-id").hex
    return f"{work.wanted.node.hps.console or CONSOLE} systemd.machine_id={machine}"


def read_loader(slot: Path) -> plan.Loader:
    """The loader's files, which the image brings; raises InvalidInput where one is missing."""
    folder = slot / "usr/lib/hps/loader"
    try:
        return plan.Loader(*((folder / name).read_bytes() for name in ("boot.img", "core.img", "grubx64.efi", "grub.cfg")))
    except OSError as error:
        raise InvalidInput(f"the image has no loader: {error}", hint="on the IPS: hps image build") from error


def slot_plan(work: Work, slot: Path) -> Plan:
    """What the installer adds to the tree of the image: the slot's own file system table, what it holds, how it was made. Pure."""
    folder = slot / "var/log/installer"
    return (
        Write(slot / "etc/fstab", plan.render_fstab("a").encode()),
        Write(slot / "etc/hps/image", f"{work.image.manifest.reference}\n".encode()),
        *(Write(folder / name, work.texts[name].encode(), 0o600) for name in FILES),
    )


def keep_answers(work: Work, folder: Path) -> None:
    """Keep what the DHCP servers said; of the environment only what udhcpc put there is told."""
    for answer in sorted((work.run / "dhcp").glob("*")):
        if answer.name != "script":
            files.write(folder / "dhcp" / answer.name, answer.read_bytes().replace(b"\0", b"\n"), mode=0o600)


class Progress:
    """Says every five seconds how far the tree is."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Bytes written, and bytes of the whole."""
        if time.monotonic() - self.last >= 5:
            self.last = time.monotonic()
            log.info("tree: %d of %d MiB", done >> 20, total >> 20)
