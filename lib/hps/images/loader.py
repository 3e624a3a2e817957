"""Make the boot loaders once, from the GRUB and iPXE packages of the IPS: the files that machines start with."""

import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from hps.errors import NotFound
from hps.system import command, files

GRUB = Path("/usr/lib/grub")
IPXE = Path("/usr/lib/ipxe")
_COMMON = (
    *(
        "normal",
        "configfile",
        "echo",
        "eval",
        "test",
        "true",
        "regexp",
        "sleep",
        "reboot",
        "halt",
        "probe",
        "loadenv",
        "search",
        "search_label",
    ),
    *("linux", "ext2", "fat", "part_gpt", "part_msdos", "serial", "terminal", "hashsum", "gcry_sha256", "minicmd", "ls", "cat"),
)
BIOS_MODULES = ("biosdisk", *_COMMON)
EFI_MODULES = ("efi_gop", "efi_uga", "video", *_COMMON)
LOCAL_MODULES = ("part_gpt", "part_msdos", "fat", "chain", "search", "search_label", "search_fs_file", "echo", "sleep", "reboot")

LOCAL_BOOT = """\
search --no-floppy --file --set=root /EFI/BOOT/BOOTX64.EFI
search --no-floppy --label --set=root HPS-ESP
chainloader /EFI/BOOT/BOOTX64.EFI
boot
echo "No disk of this machine starts. Next try in 30 seconds."
sleep 30
reboot
"""
"""Run by GRUB's first parser, which knows no `if`: each line that fails is passed by, so the last one that fits wins."""

TFTP = ("undionly.kpxe", "snponly.efi")


def asset(name: str) -> bytes:
    """A file delivered with HPS that is not Python."""
    return resources.files("hps").joinpath("assets", name).read_bytes()


def mkimage_arguments(
    platform: str, prefix: str, output: Path, modules: tuple[str, ...], configuration: Path | None = None
) -> tuple[str, ...]:
    """The command line of grub-mkimage.

    A prefix without a disk, `(,gpt2)/grub`, means that partition of the disk that the loader itself came from.
    """
    embedded = ("-c", str(configuration)) if configuration else ()
    return ("grub-mkimage", "-O", platform, "-d", str(GRUB / platform), "-p", prefix, "-o", str(output), *embedded, *modules)


def node_loader() -> dict[str, bytes]:
    """What an installed disk starts with, by file name: boot.img and core.img for a BIOS, grubx64.efi, and their grub.cfg.

    Both read `grub/grub.cfg` of the EFI system partition, which is partition 2 of the disk that they came from.
    Raises NotFound where GRUB's packages are missing.
    """
    return {
        "boot.img": _boot_sector(),
        "core.img": _made(lambda output: mkimage_arguments("i386-pc", "(,gpt2)/grub", output, BIOS_MODULES)),
        "grubx64.efi": _made(lambda output: mkimage_arguments("x86_64-efi", "(,gpt2)/grub", output, EFI_MODULES)),
        "grub.cfg": asset("loader/grub.cfg"),
    }


def network_loader() -> dict[str, bytes]:
    """What machines with UEFI fetch over HTTP to go on to their own disk: `local.efi`."""
    with tempfile.TemporaryDirectory(prefix="hps-loader-") as folder:
        configuration = Path(folder, "local.cfg")
        files.write(configuration, LOCAL_BOOT.encode())
        image = _made(lambda output: mkimage_arguments("x86_64-efi", "/grub", output, LOCAL_MODULES, configuration))
    return {"local.efi": image}


def tftp_loader() -> dict[str, bytes]:
    """The first stage of a network boot, iPXE for BIOS and for UEFI; raises NotFound where the package ipxe is missing."""
    missing = [name for name in TFTP if not (IPXE / name).exists()]
    if missing:
        raise NotFound(f"{IPXE}/{missing[0]} does not exist", hint="install the package ipxe")
    return {name: (IPXE / name).read_bytes() for name in TFTP}


def _boot_sector() -> bytes:
    path = GRUB / "i386-pc" / "boot.img"
    if not path.exists():
        raise NotFound(f"{path} does not exist", hint="install the packages grub-pc-bin, grub-efi-amd64-bin and grub-common")
    return path.read_bytes()


def _made(arguments: Callable[[Path], tuple[str, ...]]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="hps-loader-") as folder:
        output = Path(folder, "image")
        command.run(arguments(output))
        return output.read_bytes()
