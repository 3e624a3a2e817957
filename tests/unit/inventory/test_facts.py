from pathlib import Path

from hps.inventory import facts
from hps.inventory.model import Part


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(f"{text}\n")


def test_machine_is_read_from_its_files(tmp_path: Path) -> None:
    system, processes = tmp_path / "sys", tmp_path / "proc"
    for path, text in {
        "class/dmi/id/sys_vendor": "QEMU",
        "class/dmi/id/product_uuid": "ABCD",
        "block/vda/size": "2048",
        "block/vda/serial": "DISK1",
        "block/vda/device/x": "",
        "block/loop0/size": "0",
        "class/net/eth0/address": "52:54:00:77:00:01",
        "class/net/eth0/speed": "-1",
        "class/net/eth0/device/x": "",
        "class/net/lo/address": "00:00:00:00:00:00",
        "bus/pci/devices/0000:00:00.0/vendor": "0x8086",
        "bus/pci/devices/0000:00:00.0/device": "0x29c0",
    }.items():
        put(system, path, text)
    put(processes, "meminfo", "MemTotal: 524288 kB")
    put(processes, "cpuinfo", "processor\t: 0\nmodel name\t: X")
    found = facts.read_audit(system, processes, "x86_64", "6.1")
    assert (found.manufacturer, found.uuid, found.serial) == ("QEMU", "abcd", "")
    assert (found.cpu, found.cpu_count, found.memory_mib) == ("X", 1, 512)
    assert found.disks == (Part(("vda", "DISK1", "1048576")),)
    assert found.nics == (Part(("525400770001", "", "")),)
    assert found.pci == ("8086:29c0",)
    assert found.firmware == "bios"
    put(system, "firmware/efi/x", "")
    assert facts.read_audit(system, processes).firmware == "uefi"


def test_this_machine_can_be_read() -> None:
    assert facts.read_audit().memory_mib > 0
