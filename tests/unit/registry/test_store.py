"""Records on files: written by real processes at once, read as seldom as can be."""

import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from hps.registry import store, stored
from hps.registry.model import host_name, setting
from hps.registry.store import FileRegistry
from hps.values import Mac

FORK = multiprocessing.get_context("fork")
HOST = host_name("prod", Mac("525400770001"))


def increment(root: Path) -> None:
    """Add one to INSTALL_TRIES."""

    def edit(old: Mapping[str, str]) -> Mapping[str, str]:
        return {**old, "INSTALL_TRIES": str(int(old.get("INSTALL_TRIES", "0")) + 1)}

    FileRegistry(root).change(HOST, edit, create=True)


def allocate(root: Path, number: int) -> None:
    """Make the next host."""
    registry = FileRegistry(root)
    with registry.transaction("allocation"):
        taken = {registry.read(name).get("HOSTNAME") for name in registry.names("host", "prod")}
        free = next(word for word in (f"sch-{index:03d}" for index in range(1, 100)) if word not in taken)
        registry.change(host_name("prod", Mac(f"5254007700{number:02x}")), setting(HOSTNAME=free), create=True)


def stay_in_a_change(root: Path, entered: Event) -> None:
    """Hold the record's lock for ever."""

    def edit(old: Mapping[str, str]) -> Mapping[str, str]:
        entered.set()
        time.sleep(60)
        return {**old, "STATE": "INSTALLED"}

    FileRegistry(root).change(HOST, edit)


@pytest.mark.feature("CF1")
@pytest.mark.programs
def test_fifty_increments_at_once_are_fifty(tmp_path: Path) -> None:
    workers = [FORK.Process(target=increment, args=(tmp_path,)) for _ in range(50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 50
    assert FileRegistry(tmp_path).read(HOST).get("INSTALL_TRIES") == "50"


@pytest.mark.feature("CF1")
@pytest.mark.programs
def test_a_holder_that_is_killed_leaves_the_record_as_it_was_and_free(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLING"), create=True)
    entered = FORK.Event()
    holder = FORK.Process(target=stay_in_a_change, args=(tmp_path, entered))
    holder.start()
    try:
        assert entered.wait(20)
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        assert registry.read(HOST).values == {"STATE": "INSTALLING"}
        assert registry.change(HOST, setting(STATE="INSTALL_FAILED")).get("STATE") == "INSTALL_FAILED"
    finally:
        holder.kill()
        holder.join()


@pytest.mark.programs
def test_twenty_allocations_at_once_are_twenty_hosts(tmp_path: Path) -> None:
    """Twenty processes take the next free number under one transaction: no two get the same."""
    registry = FileRegistry(tmp_path)
    workers = [FORK.Process(target=allocate, args=(tmp_path, number)) for number in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 20
    names = [registry.read(name).get("HOSTNAME") for name in registry.names("host", "prod")]
    assert sorted(names) == [f"sch-{number:03d}" for number in range(1, 21)]


@pytest.mark.feature("CF7")
def test_a_host_key_is_unset_and_the_others_stay(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED", SLOT="a"), create=True)
    assert registry.change(HOST, setting(SLOT=None)).values == {"STATE": "INSTALLED"}
    assert registry.path(HOST).read_text() == "STATE=INSTALLED\n# end 2\n"


def test_a_change_that_changes_nothing_does_not_touch_the_file(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    before = registry.path(HOST).stat()
    registry.change(HOST, setting(STATE="INSTALLED"))
    assert registry.path(HOST).stat().st_ino == before.st_ino
    assert registry.revision() == 1


def test_an_unknown_value_that_is_there_survives_other_changes(tmp_path: Path) -> None:
    """Written by hand, or by a later version: it is kept, and named only when it is itself changed."""
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    registry.path(HOST).write_text("LATER_KEY=x\nSTATE=INSTALLED\n# end 1\n")
    assert registry.change(HOST, setting(SLOT="a")).values == {"LATER_KEY": "x", "SLOT": "a", "STATE": "INSTALLED"}


def test_the_version_before_is_kept(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    for state in ("INSTALLING", "INSTALL_FAILED", "INSTALLED"):
        registry.change(HOST, setting(STATE=state), create=True)
    assert registry.previous(HOST).read_text() == "STATE=INSTALL_FAILED\n# end 2\n"
    assert stat.S_IMODE(registry.previous(HOST).stat().st_mode) == 0o600
    registry.remove(HOST)
    assert list(registry.path(HOST).parent.iterdir()) == []


def test_a_reader_sees_what_another_process_wrote_at_once(tmp_path: Path) -> None:
    """What is kept in memory is never older than the file, however fast versions follow each other."""
    registry = FileRegistry(tmp_path)
    for number in range(200):
        registry.change(HOST, setting(INSTALL_TRIES=str(number)), create=True)
        assert FileRegistry(tmp_path).read(HOST).get("INSTALL_TRIES") == str(number)


def test_a_settled_record_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    hour = time.time() - 3600
    os.utime(registry.path(HOST), (hour, hour))
    asked: list[str] = []
    monkeypatch.setattr(store, "load", lambda path: asked.append(path) or stored.load(path))  # type: ignore[func-returns-value]
    for _ in range(5):
        assert FileRegistry(tmp_path).read(HOST).get("STATE") == "INSTALLED"
    assert len(asked) == 1
    os.utime(registry.path(HOST), (hour + 1, hour + 1))
    registry.read(HOST)
    assert len(asked) == 2


def test_the_names_of_ten_thousand_hosts_are_listed_without_reading_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "clusters" / "prod" / "hosts"
    folder.mkdir(parents=True)
    for number in range(10_000):
        (folder / f"{number:012x}.conf").touch()
    hour = time.time() - 3600
    os.utime(folder, (hour, hour))
    monkeypatch.setattr(store, "load", pytest.fail)
    registry = FileRegistry(tmp_path)
    names = registry.names("host", "prod")
    assert len(names) == 10_000
    assert names == tuple(sorted(names))
    monkeypatch.setattr(os, "listdir", pytest.fail)
    assert FileRegistry(tmp_path).names("host", "prod") is names


@pytest.mark.feature("S22")
def test_records_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    old = os.umask(0)
    try:
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    finally:
        os.umask(old)
    assert stat.S_IMODE(registry.path(HOST).stat().st_mode) == 0o600
