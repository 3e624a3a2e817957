"""Writers that are killed with SIGKILL at any moment: nothing acknowledged is lost, nothing half written is read."""

import logging
import multiprocessing
import os
import random
import signal
import struct
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from hps.registry.model import RecordName, host_name, setting
from hps.registry.store import FileRegistry
from hps.values import Mac

FORK = multiprocessing.get_context("fork")
WRITERS = 3
SHARED = host_name("prod", Mac("5254007700ff"))
ACKNOWLEDGED = struct.Struct("II")


def own(number: int) -> RecordName:
    """The record that only this writer changes."""
    return host_name("prod", Mac(f"5254007700{number:02x}"))


def write_for_ever(root: Path, number: int, pipe: int) -> None:
    """Count in a record of its own and in one that all share, and say so after each change that was acknowledged."""
    registry = FileRegistry(root)

    def counted(old: Mapping[str, str]) -> Mapping[str, str]:
        count = int(old.get("INSTALL_ERROR", "0").partition(" ")[0]) + 1
        return {**old, "INSTALL_ERROR": f"{count} {'x' * (count % 4000)}"}

    while True:
        for which, name in enumerate((own(number), SHARED)):
            registry.change(name, counted, create=True)
            os.write(pipe, ACKNOWLEDGED.pack(number, which))


def count_of(registry: FileRegistry, name: RecordName) -> int:
    """What a record has counted; it must be whole."""
    if not registry.exists(name):
        return 0
    count, _, rest = registry.read(name).get("INSTALL_ERROR").partition(" ")
    assert rest == "x" * (int(count) % 4000)
    return int(count)


def start(root: Path, number: int, pipe: int) -> BaseProcess:
    """Another writer."""
    writer = FORK.Process(target=write_for_ever, args=(root, number, pipe), daemon=True)
    writer.start()
    return writer


@pytest.mark.feature("CF1", "CF4")
@pytest.mark.programs
@pytest.mark.parametrize("writes", [300, pytest.param(10_000, marks=pytest.mark.prove)])
def test_what_killed_writers_leave(writes: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry = FileRegistry(tmp_path)
    chance = random.Random(writes)
    reading, writing = os.pipe()
    writers = [start(tmp_path, number, writing) for number in range(WRITERS)]
    acknowledged = dict.fromkeys((*(own(number) for number in range(WRITERS)), SHARED), 0)
    killed = dict.fromkeys(acknowledged, 0)
    until_kill, seen = chance.randrange(1, 12), 0
    try:
        while sum(acknowledged.values()) < writes:
            number, shared = ACKNOWLEDGED.unpack(os.read(reading, ACKNOWLEDGED.size))
            acknowledged[SHARED if shared else own(number)] += 1
            assert count_of(registry, SHARED) >= acknowledged[SHARED]
            assert count_of(registry, own(number)) >= acknowledged[own(number)]
            assert registry.revision() >= max(seen, sum(acknowledged.values()))
            seen = registry.revision()
            until_kill -= 1
            if until_kill == 0:
                victim = chance.randrange(WRITERS)
                pid = writers[victim].pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                writers[victim].join()
                killed[SHARED] += 1
                killed[own(victim)] += 1
                writers[victim] = start(tmp_path, victim, writing)
                until_kill = chance.randrange(1, 12)
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
        os.set_blocking(reading, False)
    os.close(writing)
    while rest := os.read(reading, ACKNOWLEDGED.size):
        number, shared = ACKNOWLEDGED.unpack(rest)
        acknowledged[SHARED if shared else own(number)] += 1
    os.close(reading)
    for name, count in acknowledged.items():
        last = WRITERS if name == SHARED else 1
        # A change that was in place when its writer was killed may have gone unacknowledged: one for each kill, no more.
        assert count <= count_of(registry, name) <= count + killed[name] + last
        registry.change(name, setting(SLOT="a"))
        files = {registry.path(name).name, registry.previous(name).name}
        assert {path.name for path in registry.path(name).parent.glob(f"*{name.parts[1]}*")} <= files
    assert killed[SHARED] > writes / 20
    assert registry.check() == ()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
