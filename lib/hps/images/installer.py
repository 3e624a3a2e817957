"""Make the installer's kernel and initrd from a root tree: what one machine needs to install itself, and no more."""

from pathlib import Path

from hps.images import cpio, select
from hps.images.cache import EPOCH, content_key, forget_old, kept
from hps.images.layer import APPLICATION
from hps.images.loader import asset
from hps.system import command, files

_LEVEL = "-15"
"""zstd's level: 15 takes a few seconds, and 19 saves 3 % more in a minute."""


def base_archive(tree: Path, cache: Path) -> bytes:
    """The part of the initrd that changes only with the tree, compressed; kept in the cache."""
    sources = (Path(__file__).with_name(f"{name}.py") for name in ("installer", "select", "modules", "cpio"))
    key = content_key((tree.name, _LEVEL, *(source.read_bytes() for source in sources)))

    def make(target: Path) -> None:
        members = {**select.programs(tree), **select.python(tree), **select.kernel_modules(tree), **select.settings(tree)}
        raw = target.with_name(f"{target.name}.cpio")
        files.write(raw, cpio.archive(members, EPOCH))
        try:
            command.run(["zstd", "-q", _LEVEL, "-T1", str(raw), "-o", str(target)])
        finally:
            files.remove(raw)

    content = kept(cache / f"installer-{key}.zst", make).read_bytes()
    forget_old(cache, "installer-*.zst", keep=8)
    return content


def front_archive(application: bytes, keys: dict[str, bytes], built: int) -> bytes:
    """The part that changes with every build: /init, HPS itself, the keys that images are checked with, the time.

    `built` is in seconds since 1970: the installer's clock is never set to before it.
    """
    members = {
        "init": cpio.file(asset("installer/init"), 0o755),
        APPLICATION: cpio.file(application, 0o755),
        "usr/bin/hps": cpio.link(f"../../{APPLICATION}"),
        "build-timestamp": cpio.file(f"{built}\n".encode()),
        **{f"etc/hps/image-keys/{name}": cpio.file(content) for name, content in keys.items()},
        **{name: cpio.directory() for name in ("proc", "sys", "dev", "run", "mnt", "root")},
        "tmp": cpio.directory(0o1777),
        "dev/console": cpio.character_device(5, 1),
        "dev/null": cpio.character_device(1, 3, 0o666),
    }
    return cpio.archive(members, EPOCH)


def installer(tree: Path, cache: Path, application: bytes, keys: dict[str, bytes], built: int) -> dict[str, bytes]:
    """`vmlinuz` and `initrd.img` of the installer.

    The initrd is two archives, one after the other: the small one plain, the large one compressed; the kernel reads both.
    """
    return {
        "vmlinuz": (tree / "boot/vmlinuz").read_bytes(),
        "initrd.img": front_archive(application, keys, built) + base_archive(tree, cache),
    }
