"""What the lab's IPS serves: built once by the product's own command, kept outside the tree by what it was made of."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen

from hps.registry.model import HPS, setting
from hps.registry.store import FileRegistry
from tests.lab import processes

FOLDER = "x86_64-debian_12"
IMAGE = f"{FOLDER}-SCH"
OS_ID = "x86_64:debian:12"
_SOURCES = ("lib/hps", "profiles", "node-functions")
_KEPT = ("resources", "config/keys", "config/os")


def hps(base: Path, *arguments: str) -> list[str]:
    """The command line of `hps` of this tree; the base travels in the environment."""
    return ["env", f"HPS_BASE={base}", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m", "hps", *arguments]


def digest() -> str:
    """What the image and the installer are made of, as 16 hexadecimal digits."""
    found = hashlib.sha256()
    for source in _SOURCES:
        for path in sorted((processes.TREE / source).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and "egg-info" not in str(path):
                found.update(f"{path.relative_to(processes.TREE)}\0{path.stat().st_mode:o}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def place(base: Path) -> None:
    """Put the built resources and the image key below the base of a new IPS; files are shared by hard links."""
    built = build()
    for part in _KEPT:
        source, target = built / part, base / part
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            processes.run(["cp", "-a", "--link" if part == "resources" else "--no-preserve=links", f"{source}/.", f"{target}/"])


def build(say: Callable[[str], None] = lambda line: None) -> Path:
    """The base in which image, installer and loaders of this tree were built; builds them when they are not there.

    `say` is told each line that the build prints.
    """
    store = processes.CACHE / "lab" / "resources"
    place = store / digest()
    if (place / "complete").exists():
        os.utime(place)
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    FileRegistry(place / "config").change(HPS, setting(CACHE=str(processes.CACHE)), create=True)
    with (
        (place / "build.log").open("w") as log,
        Popen(
            hps(place, "image", "build", FOLDER, "SCH"), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, text=True, errors="replace"
        ) as program,
    ):
        assert program.stdout is not None
        for line in program.stdout:
            log.write(line)
            log.flush()
            say(line.rstrip())
    if program.returncode != 0:
        raise AssertionError(f"the image could not be built:\n{(place / 'build.log').read_text()[-3000:]}")
    (place / "complete").touch()
    _forget_old(store)
    return place


def _forget_old(store: Path, keep: int = 3) -> None:
    for old in sorted(store.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
