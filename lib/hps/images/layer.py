"""Put the HPS layer over a root tree: the application, its units, the boot loader and the keys that vouch for images."""

import hashlib
from pathlib import Path

from hps.errors import Refused
from hps.images import zipapp
from hps.images.cache import EPOCH, remove_tree
from hps.images.loader import asset
from hps.system import command, files

PACKAGE = Path(__file__).resolve().parents[1]
UNITS = {
    "hps-identity.service": "sysinit.target",
    "hps-register.service": "multi-user.target",
    "hps-renew.service": "",
    "hps-renew.timer": "timers.target",
}
"""The units of a node, and what wants each; the empty text: another unit starts it."""
APPLICATION = "usr/lib/hps/hps.pyz"
FUNCTIONS = PACKAGE.parents[1] / "node-functions"
"""The shell functions of a node, in the source tree of the IPS."""
IDENTITY = (
    *("etc/ssh/ssh_host_*", "etc/hostname", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "etc/iscsi/initiatorname.iscsi"),
    *("etc/nvme/hostnqn", "etc/nvme/hostid", "etc/hostid", "root/.ssh/*", "root/.bash_history", "etc/hps/identity*", "var/lib/hps/*"),
    *("etc/systemd/network/*.network", "usr/local/share/ca-certificates/*", "var/lib/systemd/credential.secret"),
)
"""Paths that would make every node the same machine, or carry something of the machine that built it."""


def compiled_application(tree: Path) -> bytes:
    """hps.pyz with its modules compiled by the Python of that tree, so that a node never compiles them.

    The tree is written to while this runs. The compiled code is never compared with a file's time (PEP 552).
    """
    modules = zipapp.sources(PACKAGE)
    work = tree / "run" / "hps-compile"
    try:
        for name, text in modules.items():
            files.write(work / name, text)
        options = ["-q", "-b", "--invalidation-mode", "unchecked-hash", "-s", "/run/hps-compile", "-p", f"/{APPLICATION}"]
        command.run(["chroot", str(tree), "python3", "-m", "compileall", *options, "/run/hps-compile"])
        compiled = {f"{name}c": (work / f"{name}c").read_bytes() for name in modules}
    finally:
        remove_tree(work)
    return zipapp.pack(modules | compiled)


def identity_left(tree: Path) -> tuple[str, ...]:
    """What is in the tree that belongs to one machine only, sorted; empty for a clean one."""
    found = [str(path.relative_to(tree)) for pattern in IDENTITY for path in tree.glob(pattern)]
    machine = tree / "etc/machine-id"
    if machine.exists() and machine.read_bytes():
        found.append("etc/machine-id")
    return tuple(sorted(found))


def sums(tree: Path) -> bytes:
    """The digests of kernel and initrd as `sha256sum` writes them: the loader checks them before a trial."""
    lines = (f"{hashlib.sha256((tree / 'boot' / name).read_bytes()).hexdigest()}  {name}\n" for name in ("vmlinuz", "initrd.img"))
    return "".join(lines).encode()


def copy_tree(base: Path, target: Path) -> None:
    """A tree at `target`, on the same file system, whose files are those of `base` by hard links: replace them, never write into them."""
    command.run(["cp", "-a", "--link", "--", str(base), str(target)])


def add_layer(target: Path, application: bytes, loader: dict[str, bytes], key: Path) -> None:
    """Put HPS into a tree that `copy_tree` made.

    Args:
        target: the tree.
        application: hps.pyz.
        loader: the boot loader's files by name.
        key: the public key that images are checked with.

    Raises Refused when the tree holds the identity of a machine, or where the functions of nodes are missing.
    """
    files.write(target / APPLICATION, application, mode=0o755)
    files.link(target / "usr/bin/hps", f"../../{APPLICATION}")
    functions = sorted(FUNCTIONS.glob("*.sh"))
    if not functions:
        raise Refused(f"there are no functions for nodes in {FUNCTIONS}", hint="build images from the whole source tree")
    for path in functions:
        files.write(target / "usr/lib/hps" / path.name, path.read_bytes())
    for name, content in loader.items():
        files.write(target / "usr/lib/hps/loader" / name, content)
    files.write(target / "etc/hps/image-keys" / key.name, key.read_bytes())
    for name, wanted_by in UNITS.items():
        files.write(target / "usr/lib/systemd/system" / name, asset(f"node/{name}"))
        if wanted_by:
            files.link(target / f"etc/systemd/system/{wanted_by}.wants" / name, f"/usr/lib/systemd/system/{name}")
    files.write(target / "boot/SUMS", sums(target))
    left = identity_left(target)
    if left:
        raise Refused(f"the tree holds the identity of one machine: {', '.join(left[:5])}", hint="remove it in install-scripts/90-identity")
    command.run(["find", str(target), "-newermt", f"@{EPOCH}", "-exec", "touch", "-h", "-d", f"@{EPOCH}", "{}", "+"])
