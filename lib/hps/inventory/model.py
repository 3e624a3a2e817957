"""The audit as keys of the host record, and the parsers of what the kernel says. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hps.errors import InvalidInput


@dataclass(frozen=True)
class Part:
    """One disk or network card: its words, joined by `:` in the record."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return ":".join(re.sub(r"[\s,]+", "_", word) for word in self.words)


@dataclass(frozen=True)
class Audit:
    """What a machine is made of; texts are as the machine says them, memory in MiB."""

    manufacturer: str = ""
    product: str = ""
    serial: str = ""
    uuid: str = ""
    cpu: str = ""
    cpu_count: int = 0
    memory_mib: int = 0
    disks: tuple[Part, ...] = ()
    nics: tuple[Part, ...] = ()
    pci: tuple[str, ...] = ()
    firmware: str = "bios"
    kernel: str = ""
    architecture: str = ""

    def values(self) -> dict[str, str]:
        """The audit as `HOST_*` keys; what is not known is left out, nothing is longer than a record allows."""
        found = {
            "HOST_MANUFACTURER": self.manufacturer,
            "HOST_PRODUCT": self.product,
            "HOST_SERIAL": self.serial,
            "HOST_UUID": self.uuid,
            "HOST_CPU": self.cpu,
            "HOST_CPU_COUNT": str(self.cpu_count or ""),
            "HOST_MEMORY_MIB": str(self.memory_mib or ""),
            "HOST_DISKS": joined(tuple(map(str, self.disks))),
            "HOST_NICS": joined(tuple(map(str, self.nics))),
            "HOST_PCI": joined(self.pci),
            "HOST_FIRMWARE": self.firmware,
            "HOST_KERNEL": self.kernel,
            "HOST_BUILDARCH": self.architecture,
        }
        return {key: clean(value) for key, value in found.items() if clean(value)}


def joined(words: Sequence[str], limit: int = 4000) -> str:
    """Words with commas between them; those that do not fit are left out and counted."""
    kept: list[str] = []
    size = 0
    for word in words:
        size += len(word) + 1
        if size > limit:
            return ",".join(kept) + f",+{len(words) - len(kept)}"
        kept.append(word)
    return ",".join(kept)


def clean(text: str) -> str:
    """One line of printable text."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def parse_memory(text: str, key: str = "MemTotal") -> int:
    """The whole memory in MiB, from /proc/meminfo (proc(5)), or what another key of it counts; 0 where it does not say."""
    found = re.search(rf"^{re.escape(key)}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found.group(1)) // 1024 if found else 0


def parse_processors(text: str) -> tuple[str, int]:
    """The model name and the number of processors, from /proc/cpuinfo (proc(5))."""
    names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return (names[0] if names else "", len(re.findall(r"^processor\s*:", text, re.MULTILINE)))


def parse_os_release(text: str) -> Mapping[str, str]:
    """ID, VERSION_ID and PRETTY_NAME of os-release(5), quotes taken away."""
    found = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and key in ("ID", "VERSION_ID", "PRETTY_NAME"):
            found[key] = re.sub(r"\\(.)", r"\1", value.strip().strip("\"'"))[:256]
    return found


def checked_audit(value: object) -> dict[str, str]:
    """The audit of a node: `HOST_*` keys with text; raises InvalidInput."""
    if not isinstance(value, dict) or len(value) > 200:
        raise InvalidInput("audit is not an object of HOST_ keys")
    for key, item in value.items():
        if (
            not isinstance(key, str)
            or not key.startswith("HOST_")
            or key == "HOST_PROFILE"
            or not isinstance(item, str)
            or len(item) > 4096
        ):
            raise InvalidInput(f"audit: {str(key)[:40]!r} is not a HOST_ key with text")
    return value


def checked_system(value: object) -> dict[str, str]:
    """The interesting lines of /etc/os-release; raises InvalidInput."""
    if not isinstance(value, dict) or not all(isinstance(item, str) and len(item) <= 256 for item in value.values()):
        raise InvalidInput("os is not an object of ID, VERSION_ID and PRETTY_NAME")
    return {str(key): item for key, item in value.items()}
