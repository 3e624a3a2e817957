"""Object write speed: unpacking an image against `tar -x` of the same tree, as a ratio within one run.

The goal is 0.7: `tar` at most 0.7 times as long as we need. Both write to the same file system and both are flushed.
The tree is the newest root tree that the image build keeps, else one that is made up.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hps.images.signature import create_key, public_key
from hps.images.store import create_image, read_manifest
from hps.images.unpack import LocalImage, unpack
from tests.lab import processes

GOAL = 0.7
ROUNDS = 3


def made_up_tree(root: Path) -> None:
    """About what a root tree is made of: 6,000 files, most of them small, half compressible, 200 MB."""
    chance = random.Random(1)
    for number in range(6000):
        folder = root / f"usr/{number % 61}/{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        size = int(chance.lognormvariate(8.5, 1.8))
        (folder / str(number)).write_bytes(chance.randbytes(size // 2) + b"text of some kind\n" * (size // 36))


def timed(act: Callable[[Path], object], scratch: Path) -> float:
    """Seconds that it takes to fill a new folder and to flush it."""
    target = Path(tempfile.mkdtemp(dir=scratch))
    os.sync()
    began = time.monotonic()
    act(target)
    os.sync()
    seconds = time.monotonic() - began
    subprocess.run(["rm", "-rf", str(target)], check=True)
    return seconds


def kept_tree() -> Path | None:
    """The newest root tree of the cache of images."""
    found = [path for path in (processes.CACHE / "images").glob("*_*-SCH-*") if (path / "etc/os-release").exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def measure(scratch: Path, tree: Path | None) -> dict[str, float]:
    """Median seconds of each way, and `ratio` = tar / ours."""
    if tree is None:
        tree = scratch / "tree"
        made_up_tree(tree)
    packed = scratch / "tree.tar"
    subprocess.run(["tar", "-cf", str(packed), "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", str(tree), "."], check=True)
    key = create_key(scratch)
    folder = create_image(tree, "bench", "x86_64", int(time.time()), scratch / "images", key).folder
    image = LocalImage(read_manifest(folder, [public_key(key)]), folder / "pack")
    extract = ["tar", "-xpf", str(packed), "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C"]
    ways: dict[str, Callable[[Path], object]] = {
        "tar": lambda target: subprocess.run([*extract, str(target)], check=True),
        "ours": lambda target: unpack(image, target),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, act in ways.items():
            times[name].append(timed(act, scratch))
    result = {name: statistics.median(seconds) for name, seconds in times.items()}
    sizes = {
        "files": float(len(image.manifest.entries)),
        "bytes": float(image.manifest.size_bytes),
        "pack_bytes": float(image.manifest.pack_bytes),
    }
    return result | sizes | {"ratio": result["tar"] / result["ours"]}


def main() -> int:
    """Print one line, and fail where the goal is missed."""
    with tempfile.TemporaryDirectory(prefix="hps-bench-", dir="/var/tmp") as folder:
        found = measure(Path(folder), kept_tree())
    print(
        f"object write: {found['files']:.0f} entries, {found['bytes'] / 1e6:.0f} MB (pack {found['pack_bytes'] / 1e6:.0f} MB): "
        f"tar -x {found['tar']:.2f} s, ours from the compressed pack {found['ours']:.2f} s, ratio {found['ratio']:.2f} (goal {GOAL})"
    )
    return 0 if found["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
