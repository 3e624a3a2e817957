"""GRUB's BIOS loader as bytes to write: what grub-bios-setup does, as a pure function.

Sources: GRUB 2 manual "Images"; the addresses are those of GRUB's i386 boot sector: at 5Ch the 64-bit sector of core.img, at 66h a jump
that trusts the BIOS drive number, and in the first sector of core.img at 1F4h the list of the blocks that follow it.
"""

import struct

from hps.disks.model import MIB
from hps.errors import InvalidInput

SECTOR = 512
_CODE = 440
_CORE_SECTOR = 0x5C
_DRIVE_CHECK = 0x66
_BLOCK_LIST = 0x1F4
_LOAD_SEGMENT = 0x820


def boot_code(boot_image: bytes, core_start: int) -> bytes:
    """The first 440 bytes of the disk: GRUB's boot sector, pointed at core.img; bytes 440 to 511, the protective MBR, stay as they are.

    Args:
        boot_image: boot.img, 512 bytes.
        core_start: the byte where core.img lies on the disk.

    Raises:
        InvalidInput: the image is no boot sector, or the place is not on a sector boundary.
    """
    if len(boot_image) != SECTOR or boot_image[510:] != b"\x55\xaa":
        raise InvalidInput("boot.img is not a boot sector", hint="publish the image again with GRUB's i386-pc files")
    if core_start % SECTOR or core_start <= 0:
        raise InvalidInput("core.img must lie on a sector of its own")
    code = bytearray(boot_image[:_CODE])
    struct.pack_into("<Q", code, _CORE_SECTOR, core_start // SECTOR)
    code[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    return bytes(code)


def placed_core(core_image: bytes, core_start: int, room: int = MIB) -> bytes:
    """core.img with its block list set for one run of sectors from this place on, padded to whole sectors; raises InvalidInput."""
    if not SECTOR < len(core_image) <= room:
        raise InvalidInput(f"core.img has {len(core_image)} bytes; it must fit the {room} bytes of the BIOS boot partition")
    padded = bytearray(core_image + bytes(-len(core_image) % SECTOR))
    struct.pack_into("<QHH", padded, _BLOCK_LIST, core_start // SECTOR + 1, len(padded) // SECTOR - 1, _LOAD_SEGMENT)
    struct.pack_into("<QHH", padded, _BLOCK_LIST - 12, 0, 0, 0)
    return bytes(padded)
