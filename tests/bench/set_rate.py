"""How many records a second eight writers on one machine set, against the least that keeps a file through a power cut.

The goal is 500 a second, with every flush made: the flushes are counted, and each set must have two, of the file and of its
folder. The other way, in the same run: eight writers that write, fsync, rename and fsync the folder, and do nothing else: no
lock, no check, no version before, no revision.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

from hps.registry.model import RecordName, host_name, setting
from hps.registry.store import FileRegistry
from hps.registry.text import end_mark, render_record
from hps.values import Mac

GOAL = 500.0
WRITERS = 8
SETS = 150
"""Sets of each writer in a round."""

ROUNDS = 3
VALUES = {
    "STATE": "INSTALLED",
    "TYPE": "SCH",
    "OS_ID": "x86_64:debian:12",
    "HOSTNAME": "sch-001",
    "IP": "10.77.0.2",
    "ARCH": "x86_64",
    "CERTIFICATE": "ab" * 32,
    **{f"HOST_{name}": "as the audit found it" for name in ("VENDOR", "MODEL", "SERIAL", "CPU", "MEMORY", "DISKS", "NICS")},
}
FORK = multiprocessing.get_context("fork")
Writer = Callable[[Path, int], None]


def host(number: int) -> RecordName:
    """The host with this number."""
    return host_name("bench", Mac(f"{number:012x}"))


def set_own(root: Path, number: int) -> None:
    """Each writer sets a record of its own."""
    registry = FileRegistry(root)
    for index in range(SETS):
        registry.change(host(number), setting(INSTALL_TRIES=str(index % 2)))


def set_same(root: Path, number: int) -> None:
    """All writers set one record; none finds its value there already."""
    registry = FileRegistry(root)
    for index in range(SETS):
        registry.change(host(0), setting(INSTALL_ERROR=f"{number} {index}"))


def write_raw(root: Path, number: int) -> None:
    """The same bytes, and nothing but what keeps them."""
    folder = root / "raw"
    content = (render_record(VALUES) + end_mark(1)).encode()
    for _ in range(SETS):
        temporary = folder / f".{number}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(descriptor, content)
        os.fsync(descriptor)
        os.close(descriptor)
        temporary.rename(folder / str(number))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)


def _work(writer: Writer, root: Path, number: int, ready: Barrier, pipe: int) -> None:
    """Run one writer, and say how often it flushed."""
    flushed = 0
    flush = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal flushed
        flush(descriptor)
        flushed += 1

    os.fsync = counted  # type: ignore[assignment]
    ready.wait()
    writer(root, number)
    os.write(pipe, flushed.to_bytes(4))


def timed(writer: Writer, root: Path) -> tuple[float, float]:
    """Sets a second of all writers together, and flushes for each set."""
    ready = FORK.Barrier(WRITERS + 1)
    reading, writing = os.pipe()
    workers = [FORK.Process(target=_work, args=(writer, root, number, ready, writing)) for number in range(WRITERS)]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.monotonic()
    flushes = sum(int.from_bytes(os.read(reading, 4)) for _ in workers)
    seconds = time.monotonic() - began
    for worker in workers:
        worker.join()
    os.close(reading)
    os.close(writing)
    return WRITERS * SETS / seconds, flushes / (WRITERS * SETS)


def measure(root: Path) -> dict[str, tuple[float, float]]:
    """Each way -> median sets a second, and the fewest flushes for a set."""
    registry = FileRegistry(root)
    (root / "raw").mkdir()
    for number in range(WRITERS):
        registry.change(host(number), setting(**VALUES), create=True)
    ways: dict[str, Writer] = {"raw": write_raw, "own": set_own, "same": set_same}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, writer in ways.items():
            found[name].append(timed(writer, root))
    return {name: (statistics.median(rate for rate, _ in runs), min(flushes for _, flushes in runs)) for name, runs in found.items()}


def main() -> int:
    """Print one line for each way, and fail where the goal is missed or a flush is spared."""
    with tempfile.TemporaryDirectory(prefix="hps-bench-", dir="/var/tmp") as folder:
        found = measure(Path(folder))
    raw = found["raw"][0]
    words = {"raw": "write, fsync, rename, fsync the folder", "own": "set, a host for each writer", "same": "set, one host for all"}
    for name, (rate, flushes) in found.items():
        print(f"{words[name]}: {rate:.0f}/s by {WRITERS} writers, {flushes:.2f} flushes each, ratio {rate / raw:.2f} of the raw way")
    print(f"goal: {GOAL:.0f}/s")
    return int(any(rate < GOAL or flushes < 2 for name, (rate, flushes) in found.items() if name != "raw"))


if __name__ == "__main__":
    sys.exit(main())
