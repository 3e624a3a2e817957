"""Read what the machine is made of, from sysfs and procfs; no program is started."""

from pathlib import Path

from hps.inventory.model import Audit, Part, parse_memory, parse_processors


def read_audit(system: Path = Path("/sys"), processes: Path = Path("/proc"), architecture: str = "", kernel: str = "") -> Audit:
    """The audit of this machine; what cannot be read is empty. `system` and `processes` are other roots in tests."""
    dmi = system / "class/dmi/id"
    cpu, count = parse_processors(_text(processes / "cpuinfo"))
    return Audit(
        manufacturer=_text(dmi / "sys_vendor"),
        product=_text(dmi / "product_name"),
        serial=_text(dmi / "product_serial"),
        uuid=_text(dmi / "product_uuid").lower(),
        cpu=cpu,
        cpu_count=count,
        memory_mib=parse_memory(_text(processes / "meminfo")),
        disks=tuple(_disk(entry) for entry in sorted((system / "block").glob("*")) if (entry / "device").exists()),
        nics=tuple(_nic(entry) for entry in sorted((system / "class/net").glob("*")) if (entry / "device").exists()),
        pci=tuple(_pci(entry) for entry in sorted((system / "bus/pci/devices").glob("*"))),
        firmware="uefi" if (system / "firmware/efi").exists() else "bios",
        kernel=kernel or _text(processes / "sys/kernel/osrelease"),
        architecture=architecture,
    )


def memory_words(processes: Path = Path("/proc")) -> str:
    """How much memory is left, for the log of an install."""
    text = _text(processes / "meminfo")
    return f"memory: {parse_memory(text, 'MemAvailable')} of {parse_memory(text)} MiB available"


def _disk(entry: Path) -> Part:
    serial = _text(entry / "serial") or _text(entry / "device/serial") or _text(entry / "wwid") or _text(entry / "device/wwid")
    size = _text(entry / "size")
    return Part((entry.name, serial, str(int(size) * 512 if size.isdigit() else 0)))


def _nic(entry: Path) -> Part:
    driver = (entry / "device/driver").resolve().name if (entry / "device/driver").exists() else ""
    speed = _text(entry / "speed")
    # Part joins with colons, so the MAC address is written without them.
    return Part((_text(entry / "address").replace(":", ""), driver, speed if speed.isdigit() else ""))


def _pci(entry: Path) -> str:
    return f"{_text(entry / 'vendor').removeprefix('0x')}:{_text(entry / 'device').removeprefix('0x')}"


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""
