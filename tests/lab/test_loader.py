"""The static loader on a real disk, BIOS and UEFI: which slot starts, for every state of the environment that matters."""

import shutil
import uuid
from pathlib import Path

import pytest

from hps.disks import mbr
from hps.images import cpio, loader
from tests.lab import processes

pytestmark = [pytest.mark.lab]
MIB = 1 << 20
BIOS, ESP, A, B = (1, 1), (2, 64), (66, 48), (114, 48)
"""Start and size of the partitions in MiB: small, but in the order of a real disk."""

INIT = b"""#!/bin/sh
mount -t proc proc /proc
echo "STARTED $(cat /proc/cmdline) END"
echo o >/proc/sysrq-trigger
sleep 60
"""
BOTH = pytest.mark.parametrize("firmware", ["bios", "uefi"])


@pytest.fixture(scope="session")
def kernel() -> bytes:
    """Any kernel that the builds of this machine have made."""
    found = sorted((processes.CACHE / "images").glob("x86_64-*-SCH-*/boot/vmlinuz"))
    if not found:
        pytest.skip("no image was built on this machine yet: hps image build x86_64-debian_12 SCH")
    return found[-1].read_bytes()


@pytest.fixture(scope="session")
def initrd() -> bytes:
    """An initrd that prints its command line and switches the machine off."""
    members = {"init": cpio.file(INIT, 0o755), "bin/busybox": cpio.file(Path("/bin/busybox").read_bytes(), 0o755)}
    members |= {f"bin/{name}": cpio.link("busybox") for name in ("sh", "mount", "cat", "echo", "sleep")}
    members |= {"proc": cpio.directory(), "dev": cpio.directory(), "dev/console": cpio.character_device(5, 1)}
    return cpio.archive(members, 0)


def environment(**values: str) -> bytes:
    """A GRUB environment of 512 bytes."""
    text = "# GRUB Environment Block\n" + "".join(f"{name}={value}\n" for name, value in values.items())
    return text.encode().ljust(512, b"#")


def make_disk(folder: Path, slots: dict[str, dict[str, bytes]], grubenv: bytes) -> Path:
    """A disk with both loaders and two slots that hold these files below /boot."""
    disk = folder / "disk"
    disk.write_bytes(b"")
    with disk.open("r+b") as stream:
        stream.truncate(180 * MIB)
    kinds = ("21686148-6449-6E6F-744E-656564454649", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", *["0FC63DAF-8483-4772-8E79-3D69D8477DE4"] * 2)
    lines = [
        f"start={start}MiB, size={size}MiB, type={kind}, uuid={uuid.uuid4()}"
        for (start, size), kind in zip((BIOS, ESP, A, B), kinds, strict=True)
    ]
    processes.run(["sfdisk", "-q", str(disk)], stdin="label: gpt\n" + "\n".join(lines) + "\n")
    made = loader.node_loader()
    with disk.open("r+b") as stream:
        stream.write(mbr.boot_code(made["boot.img"], BIOS[0] * MIB))
        stream.seek(BIOS[0] * MIB)
        stream.write(mbr.placed_core(made["core.img"], BIOS[0] * MIB))
    esp = folder / "esp"
    for name, content in {"EFI/BOOT/BOOTX64.EFI": made["grubx64.efi"], "grub/grub.cfg": made["grub.cfg"], "grub/grubenv": grubenv}.items():
        (esp / name).parent.mkdir(parents=True, exist_ok=True)
        (esp / name).write_bytes(content)
    image = f"{disk}@@{ESP[0] * MIB}"
    processes.run(["mformat", "-i", image, "-T", str(ESP[1] * MIB // 512), "-v", "HPS-ESP", "::"])
    processes.run(["mcopy", "-s", "-i", image, str(esp / "EFI"), str(esp / "grub"), "::"])
    for name, (start, size) in {"a": A, "b": B}.items():
        tree = folder / name
        (tree / "boot").mkdir(parents=True)
        for file, content in slots.get(name, {}).items():
            (tree / "boot" / file).write_bytes(content)
        options = f"offset={start * MIB}"
        processes.run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", options, "-d", str(tree), str(disk), f"{size}M"])
    return disk


def grubenv_of(disk: Path) -> bytes:
    """The environment as it is on the disk now."""
    out = disk.with_name("grubenv")
    processes.run(["mcopy", "-n", "-o", "-i", f"{disk}@@{ESP[0] * MIB}", "::grub/grubenv", str(out)])
    return out.read_bytes()


def boot(disk: Path, firmware: str, end: str = "END") -> str:
    """Start a machine with this disk; what its serial line said up to `end`."""
    log = disk.with_name("serial")
    log.unlink(missing_ok=True)
    arguments = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-m", "512", "-nodefaults", "-display", "none", "-daemonize"]
    arguments += ["-serial", f"file:{log}", "-pidfile", str(disk.with_name("pid")), "-no-reboot"]
    arguments += ["-drive", f"file={disk},format=raw,if=none,id=d0", "-device", "virtio-blk-pci,drive=d0,bootindex=1"]
    if firmware == "uefi":
        variables = disk.with_name("vars.fd")
        shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
        arguments += ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]
        arguments += ["-drive", f"if=pflash,format=raw,file={variables}"]
    processes.run(arguments)
    pid = int(disk.with_name("pid").read_text())
    try:
        processes.until(lambda: end in log.read_text(errors="replace") or not processes.alive(pid), 180, f"{end} on the serial line")
        return log.read_text(errors="replace")
    finally:
        processes.end([pid])


def started(text: str) -> dict[str, str]:
    """The kernel arguments of the slot that started."""
    line = text.partition("STARTED ")[2].partition(" END")[0]
    assert line, text[-1500:]
    return {word.partition("=")[0]: word.partition("=")[2] for word in line.split()}


@BOTH
@pytest.mark.feature("AB5")
@pytest.mark.parametrize(
    ("slots", "grubenv", "slot"),
    [
        pytest.param("ab", environment(ab_good="a"), "a", id="good-a"),
        pytest.param("ab", environment(ab_good="b"), "b", id="good-b"),
        pytest.param("b", environment(ab_good="a"), "b", id="a-without-initrd"),
        pytest.param("ab", b"", "a", id="environment-is-gone"),
    ],
)
def test_the_slot_that_starts(tmp_path: Path, kernel: bytes, initrd: bytes, firmware: str, slots: str, grubenv: bytes, slot: str) -> None:
    whole = {"vmlinuz": kernel, "initrd.img": initrd}
    disk = make_disk(tmp_path, {"a": whole if "a" in slots else {"vmlinuz": kernel}, "b": whole if "b" in slots else {}}, grubenv)
    words = started(boot(disk, firmware))
    assert words["hps.slot"] == slot
    assert words["root"].startswith("PARTUUID=")
    assert words["panic"] == "10"
    assert "hps.trial" not in words


@BOTH
@pytest.mark.feature("AB5")
def test_a_trial_is_counted_and_ends(tmp_path: Path, kernel: bytes, initrd: bytes, firmware: str) -> None:
    whole = {"vmlinuz": kernel, "initrd.img": initrd}
    disk = make_disk(tmp_path, {"a": whole, "b": whole}, environment(ab_good="a", ab_try="b", ab_left="1", ab_seq="7"))
    first = started(boot(disk, firmware))
    assert (first["hps.slot"], first["hps.trial"]) == ("b", "7")
    assert b"ab_left=0\n" in grubenv_of(disk)
    second = started(boot(disk, firmware))
    assert second["hps.slot"] == "a"


@pytest.mark.feature("AB5")
def test_a_disk_without_a_slot_says_so_and_restarts(tmp_path: Path) -> None:
    disk = make_disk(tmp_path, {}, environment(ab_good="a"))
    assert "neither slot of this disk can be started" in boot(disk, "bios", "Restart in 60 seconds")
