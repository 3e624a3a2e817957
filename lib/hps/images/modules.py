"""Choose kernel modules: folders and names wanted, and whatever they need. Pure."""

from collections.abc import Iterable, Mapping

STORAGE = (
    *("drivers/ata", "drivers/nvme", "drivers/message", "drivers/virtio", "drivers/hv", "drivers/firmware/qemu_fw_cfg"),
    *(
        "drivers/block/virtio_blk",
        "drivers/block/xen-blkfront",
        "drivers/scsi",
        "drivers/usb/host",
        "drivers/usb/storage",
        "drivers/usb/core",
    ),
)
NETWORK = (
    *("drivers/net/ethernet", "drivers/net/phy", "drivers/net/mdio", "drivers/net/pcs", "drivers/net/hyperv", "drivers/net/vmxnet3"),
    *("drivers/net/virtio_net", "drivers/net/net_failover", "drivers/net/xen-netfront", "net/packet"),
)
FILES = ("fs/ext4", "fs/fat", "fs/nls/nls_ascii", "fs/nls/nls_cp437", "fs/nls/nls_utf8", "fs/nls/nls_iso8859-1")
OTHER = (
    *(
        "drivers/hid/hid",
        "drivers/hid/usbhid",
        "drivers/input/keyboard/atkbd",
        "drivers/input/serio/i8042",
        "drivers/char/hw_random/virtio-rng",
    ),
    *("crypto/crc32c", "crypto/crct10dif", "arch/x86/crypto/crc", "lib/crc", "drivers/rtc", "fs/efivarfs", "drivers/watchdog/i6300esb"),
)
INSTALLER = STORAGE + NETWORK + FILES + OTHER
"""What the installer may need on a real server or a virtual one: paths below `kernel/`, taken as beginnings."""

LEFT_OUT = (
    *("drivers/scsi/lpfc", "drivers/scsi/qla2xxx", "drivers/scsi/elx", "drivers/scsi/bfa", "drivers/scsi/qedf", "drivers/scsi/bnx2fc"),
    *(
        "drivers/scsi/fcoe",
        "drivers/scsi/fnic",
        "drivers/scsi/libfc",
        "drivers/scsi/csiostor",
        "drivers/scsi/cxgbi",
        "drivers/scsi/be2iscsi",
    ),
    *("drivers/scsi/bnx2i", "drivers/scsi/qedi", "drivers/scsi/pcmcia", "drivers/net/ethernet/mellanox/mlxsw", "drivers/scsi/ibmvscsi"),
    *("drivers/scsi/qla4xxx", "drivers/scsi/iscsi", "drivers/scsi/libiscsi", "drivers/scsi/st.ko"),
)
"""Storage that lies behind a fabric, which no node installs onto, and switches."""


def parse_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """Each module and all that it needs, from the text of modules.dep (modules.dep(5))."""
    found = {}
    for line in text.splitlines():
        name, colon, needs = line.partition(":")
        if colon:
            found[name] = tuple(needs.split())
    return found


def choose(dependencies: Mapping[str, tuple[str, ...]], wanted: Iterable[str], left_out: Iterable[str] = ()) -> tuple[str, ...]:
    """The modules whose path below `kernel/` begins with a wanted word and with none that is left out, and what they need."""
    begins = tuple(f"kernel/{word}" for word in wanted)
    without = tuple(f"kernel/{word}" for word in left_out)
    roots = {name for name in dependencies if name.startswith(begins) and not (without and name.startswith(without))}
    return tuple(sorted(roots | {need for name in roots for need in dependencies[name]}))
