"""Make the medium for machines that cannot start from the network: iPXE for BIOS and UEFI on one CD and USB image."""

import tempfile
from pathlib import Path

from hps.errors import NotFound, Refused
from hps.images.loader import IPXE, asset
from hps.system import command, files

_FILES = {"ipxe.lkrn": IPXE / "ipxe.lkrn", "ipxe.efi": IPXE / "ipxe.efi"}
_MODULES = "normal linux16 linux chain echo sleep reboot test iso9660 part_gpt part_msdos fat search"


def make_media(output: Path) -> int:
    """Write the image, and return its size in bytes.

    The same bytes start from a CD, a USB stick and the virtual drive of a BMC. They carry no address and no secret: iPXE asks
    DHCP, and the IPS takes it from there. Raises NotFound where a package is missing, Refused where the file exists.
    """
    if output.exists():
        raise Refused(f"{output} exists", hint="choose another name, or remove it")
    with tempfile.TemporaryDirectory(prefix="hps-media-") as folder:
        for name, source in _FILES.items():
            if not source.exists():
                raise NotFound(f"{source} does not exist", hint="install the package ipxe")
            files.write(Path(folder, "boot", name), source.read_bytes())
        files.write(Path(folder, "boot/grub/grub.cfg"), asset("media/grub.cfg"))
        options = [f"--install-modules={_MODULES}", "--fonts=", "--themes=", "--locales=", "--compress=xz"]
        command.run(["grub-mkrescue", *options, "-o", str(output), folder, "--", "-volid", "HPS"])
    return output.stat().st_size
