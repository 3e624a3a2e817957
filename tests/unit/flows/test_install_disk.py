"""The writing half of an install, from a signed image to a clean disk, on a loop device."""

import re
import uuid
from pathlib import Path

import pytest

from hps.disks.model import Disk
from hps.disks.plan import environment_block
from hps.errors import InvalidInput
from hps.flows import install_disk
from hps.flows.install_disk import Work
from hps.images.manifest import Manifest
from hps.images.unpack import LocalImage
from hps.node.configuration import parse_files
from hps.node.credentials import Credentials
from hps.node.report import MemoryLog
from hps.steps import Write
from tests.unit.node.test_configuration import FILES


def work(folder: Path) -> Work:
    image = LocalImage(Manifest("x86_64-debian_12-SCH", 3, "x86_64", "6.1", 0, ()), folder / "pack")
    return Work(
        "https://10.77.0.1", Credentials(folder / "identity"), dict(FILES), parse_files(FILES), image, folder, folder / "mnt", MemoryLog()
    )


@pytest.mark.feature("I42")
def test_slot_keeps_its_configuration_byte_for_byte_and_for_root_only(tmp_path: Path) -> None:
    steps = {str(step.path): step for step in install_disk.slot_plan(work(tmp_path), Path("/slot")) if isinstance(step, Write)}
    for name, text in FILES.items():
        kept = steps[f"/slot/var/log/installer/{name}"]
        assert (kept.content, kept.mode) == (text.encode(), 0o600)
    assert steps["/slot/etc/hps/image"].content == b"x86_64-debian_12-SCH/3\n"
    assert steps["/slot/etc/fstab"].content.startswith(b"# Written by the installer")
    assert not any("token" in name or name.endswith("key") for name in steps)


def test_kernel_words_fit_the_loader_and_name_the_machine(tmp_path: Path) -> None:
    words = install_disk.kernel_words(work(tmp_path))
    assert re.fullmatch(r"console=ttyS0,115200n8 systemd\.machine_id=[0-9a-f]{32}", words)
    assert uuid.UUID(words[-32:]).version == 5
    assert len(environment_block(ab_good="a", ab_console=words)) == 512


def test_image_without_a_loader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no loader"):
        install_disk.read_loader(tmp_path)


@pytest.mark.feature("I49")
def test_dhcp_answers_are_kept_in_lines(tmp_path: Path) -> None:
    (tmp_path / "dhcp").mkdir()
    (tmp_path / "dhcp/script").write_text("#!/bin/sh")
    (tmp_path / "dhcp/eth0").write_bytes(b"ip=10.77.0.11\0subnet=255.255.255.0\0")
    install_disk.keep_answers(work(tmp_path), tmp_path / "log")
    assert [path.name for path in (tmp_path / "log/dhcp").iterdir()] == ["eth0"]
    assert (tmp_path / "log/dhcp/eth0").read_text() == "ip=10.77.0.11\nsubnet=255.255.255.0\n"


def test_disks_are_described_for_the_log() -> None:
    disk = Disk("sda", "usb1", 8 << 30, serial="S1", removable=True, readable=False)
    assert install_disk.describe(disk) == "sda 8192 MiB S1 holds data removable unreadable"
    assert install_disk.describe(Disk("vda", "pci/1", 20 << 30, blank=True)) == "vda 20.0 GiB at:pci/1 empty"
