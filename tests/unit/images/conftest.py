"""A small tree with everything that an image can hold, and keys to sign it with."""

import os
from pathlib import Path

import pytest

from hps.images.signature import create_key

CREATED = 1_700_000_000


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "usr/bin").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "boot").mkdir()
    (root / "boot/vmlinuz-6.1.0-1-amd64").write_bytes(os.urandom(300_000))
    (root / "boot/vmlinuz").symlink_to("vmlinuz-6.1.0-1-amd64")
    (root / "bin").symlink_to("usr/bin")
    (root / "etc/empty").write_bytes(b"")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "etc/copy").write_text("127.0.0.1 localhost\n")
    (root / "usr/bin/a b%ü\n").write_bytes(b"odd name" * 5000)
    os.chown(root / "usr/bin/a b%ü\n", 1000, 100)
    (root / "usr/bin/first").write_bytes(b"two names")
    (root / "usr/bin/second").hardlink_to(root / "usr/bin/first")
    (root / "usr/bin/ping").write_bytes(b"ping")
    os.setxattr(root / "usr/bin/ping", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    (root / "usr/bin/su").write_bytes(b"su")
    os.chown(root / "usr/bin/su", 0, 42)
    (root / "usr/bin/su").chmod(0o6755)
    (root / "usr/local").mkdir()
    os.chown(root / "usr/local", 0, 50)
    (root / "usr/local").chmod(0o2775)
    (root / "usr/local/below").mkdir()
    (root / "usr/local/below").chmod(0o700)
    (root / "usr-x").mkdir()
    (root / "usr-x").chmod(0o1777)
    os.mkfifo(root / "etc/pipe", 0o600)
    os.mknod(root / "etc/null", 0o020666, os.makedev(1, 3))
    os.utime(root / "etc/hosts", (1_600_000_000, 1_600_000_000))
    os.utime(root / "etc", (1_600_000_000, 1_600_000_000))
    return root
