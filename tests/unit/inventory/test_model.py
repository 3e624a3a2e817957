import pytest

from hps.inventory import model
from hps.inventory.model import Audit, Part
from hps.registry.keys import check_values
from hps.registry.text import parse_record, render_record

AUDIT = Audit(
    manufacturer="QEMU",
    product="Standard PC (Q35 + ICH9, 2009)",
    serial="S\n1",
    uuid="00000000-0000-4000-8000-000000000001",
    cpu="QEMU Virtual CPU version 2.5+",
    cpu_count=2,
    memory_mib=470,
    disks=(Part(("vda", "DISK 0001", "6442450944")),),
    nics=(Part(("525400770001", "virtio_net", "")),),
    pci=("8086:29c0", "1af4:1041"),
    firmware="uefi",
    kernel="6.1.0-56-amd64",
    architecture="x86_64",
)


@pytest.mark.feature("AB14")
def test_audit_as_keys_that_a_host_record_takes() -> None:
    values = AUDIT.values()
    assert values == {
        "HOST_MANUFACTURER": "QEMU",
        "HOST_PRODUCT": "Standard PC (Q35 + ICH9, 2009)",
        "HOST_SERIAL": "S 1",
        "HOST_UUID": "00000000-0000-4000-8000-000000000001",
        "HOST_CPU": "QEMU Virtual CPU version 2.5+",
        "HOST_CPU_COUNT": "2",
        "HOST_MEMORY_MIB": "470",
        "HOST_DISKS": "vda:DISK_0001:6442450944",
        "HOST_NICS": "525400770001:virtio_net:",
        "HOST_PCI": "8086:29c0,1af4:1041",
        "HOST_FIRMWARE": "uefi",
        "HOST_KERNEL": "6.1.0-56-amd64",
        "HOST_BUILDARCH": "x86_64",
    }
    check_values("host", values)
    assert parse_record(render_record(values)) == values


def test_what_is_not_known_is_left_out() -> None:
    assert Audit().values() == {"HOST_FIRMWARE": "bios"}


def test_long_lists_are_cut_and_counted() -> None:
    text = model.joined(["8086:29c0"] * 1000)
    assert len(text) <= 4010
    assert text.endswith(",+600")


def test_memory_and_processors() -> None:
    assert model.parse_memory("MemFree: 1 kB\nMemTotal:         481280 kB\n") == 470
    assert model.parse_memory("MemTotal: 481280 kB\nMemAvailable:  102400 kB\n", "MemAvailable") == 100
    assert model.parse_memory("") == 0
    assert model.parse_processors("processor\t: 0\nmodel name\t: X 1\n\nprocessor\t: 1\nmodel name\t: X 1\n") == ("X 1", 2)
    assert model.parse_processors("") == ("", 0)


def test_os_release() -> None:
    text = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nHOME_URL="x"\n# c\n'
    assert model.parse_os_release(text) == {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}
