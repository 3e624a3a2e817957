"""Modules are chosen by where they lie, with all that they need."""

import pytest

from hps.images.modules import INSTALLER, LEFT_OUT, choose, parse_dependencies

TEXT = """\
kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/mbcache.ko kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/fs/mbcache.ko:
kernel/lib/crc16.ko:
kernel/drivers/scsi/lpfc/lpfc.ko: kernel/drivers/scsi/scsi_transport_fc.ko
kernel/drivers/scsi/scsi_transport_fc.ko:
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko
kernel/drivers/net/net_failover.ko:
kernel/sound/soundcore.ko:
"""


@pytest.mark.parametrize(
    ("wanted", "left_out", "chosen"),
    [
        (("fs/ext4",), (), ("fs/ext4/ext4", "fs/jbd2/jbd2", "fs/mbcache", "lib/crc16")),
        (("drivers/scsi",), ("drivers/scsi/lpfc",), ("drivers/scsi/scsi_transport_fc",)),
        (("drivers/net/virtio_net",), ("drivers/net/net_failover",), ("drivers/net/net_failover", "drivers/net/virtio_net")),
        (("nothing",), (), ()),
    ],
)
def test_choose(wanted: tuple[str, ...], left_out: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert choose(parse_dependencies(TEXT), wanted, left_out) == tuple(f"kernel/{name}.ko" for name in chosen)


def test_the_installer_takes_disks_network_and_file_systems_but_no_sound() -> None:
    names = choose(parse_dependencies(TEXT), INSTALLER, LEFT_OUT)
    assert "kernel/drivers/net/virtio_net.ko" in names
    assert "kernel/fs/ext4/ext4.ko" in names
    assert not [name for name in names if "sound" in name or "lpfc" in name]
