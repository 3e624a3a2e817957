"""The revision of a store: it grows, never goes back, and can be waited for."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import Refused
from hps.system import files, lock, revision
from hps.system.revision import STEP, Revisions, wait_any

FORK = multiprocessing.get_context("fork")
LONG = 60


def bump(path: Path, times: int) -> None:
    for _ in range(times):
        Revisions(path).bump()


def bump_when_told(path: Path, told: threading.Event) -> None:
    told.wait(LONG)
    Revisions(path).bump()


def another_boot(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on the kernel has started again."""
    monkeypatch.setattr(revision, "boot_id", lambda: name)


def test_it_begins_at_nothing_and_grows(tmp_path: Path) -> None:
    store = Revisions(tmp_path / "deep" / ".revision")
    assert store.now() == 0
    assert not (tmp_path / "deep").exists()
    assert [store.bump(), store.bump()] == [1, 2]
    assert Revisions(store.path).now() == 2


@pytest.mark.programs
def test_bumps_of_many_processes_are_all_counted(tmp_path: Path) -> None:
    path = tmp_path / ".revision"
    workers = [FORK.Process(target=bump, args=(path, 50)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert Revisions(path).now() == 400


@given(st.lists(st.sampled_from(["take", "publish", "publish first", "bump"]), max_size=30))
def test_every_change_that_is_told_makes_the_number_grow(acts: list[str]) -> None:
    """Whatever order writers finish in: whoever saw the number before a change was told sees a greater one after."""
    with pytest.MonkeyPatch.context() as patch:
        kept = {"numbers": b""}
        patch.setattr(files, "read_text", lambda path: kept["numbers"].decode())
        patch.setattr(files, "write", lambda path, content, mode: kept.update(numbers=content))
        patch.setattr(files, "overwrite", lambda path, offset, content, flush: kept.update(numbers=content))
        patch.setattr(revision, "boot_id", lambda: "b")
        patch.setattr(lock, "exclusive", lambda path: threading.Lock())
        store = Revisions(Path("/nowhere/.revision"))
        kept["numbers"] = revision._Numbers("b", 0, 0).line()
        taken: list[int] = []
        for act in acts:
            before = store.now()
            if act == "take":
                taken.append(store.take())
                assert store.now() == before, "a number that was only taken is told"
            elif act == "bump":
                assert store.bump() > before
            elif taken:
                number = taken.pop(0 if act == "publish first" else -1)
                assert store.publish(number) >= number
                assert store.now() > before


def test_after_a_restart_it_is_above_everything_that_was_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut brings an old number back, for it was never flushed; records carry later ones."""
    store = Revisions(tmp_path / ".revision")
    another_boot(monkeypatch, "first")
    store.bump()
    flushed = store.path.read_bytes()
    bump(store.path, 500)
    last = store.now()
    store.path.write_bytes(flushed)
    another_boot(monkeypatch, "second")
    after = store.now()
    assert after > last
    assert store.now() == after
    assert store.bump() == after + 1
    assert after == 1 + STEP


def test_the_number_of_a_new_boot_is_flushed_and_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    store = Revisions(tmp_path / ".revision")
    another_boot(monkeypatch, "first")
    store.bump()
    assert len(flushed) == 2, "the file and its folder"
    bump(store.path, 20)
    assert len(flushed) == 2
    another_boot(monkeypatch, "second")
    store.now()
    assert len(flushed) == 4


@pytest.mark.parametrize("damage", [None, b"", b"rubbish\n", b"\xff", b"a 000000000000000009 000000000000000009 00000000\n"])
def test_a_lost_or_damaged_number_goes_on_above_every_one_that_is_carried(damage: bytes | None, tmp_path: Path) -> None:
    store = Revisions(tmp_path / ".revision", lambda: 41)
    if damage is not None:
        store.path.write_bytes(damage)
    assert store.now() == 41 + STEP
    assert store.bump() == 42 + STEP


def test_a_place_that_cannot_be_written_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Revisions(tmp_path / ".revision")
    another_boot(monkeypatch, "first")
    store.bump()
    another_boot(monkeypatch, "second")

    def refuse(*_: object, **__: object) -> None:
        raise Refused("read-only")

    monkeypatch.setattr(files, "write", refuse)
    assert store.now() == store.now() == 1 + STEP
    with pytest.raises(Refused):
        store.bump()


def test_of_several_stores_any_ends_the_wait(tmp_path: Path) -> None:
    stores = [Revisions(tmp_path / name / ".revision") for name in ("a", "b")]
    for store in stores:
        store.bump()
    known = [(store, store.now()) for store in stores]
    for index, store in enumerate(stores):
        told = threading.Event()
        thread = threading.Thread(target=bump_when_told, args=(store.path, told), daemon=True)
        thread.start()
        told.set()
        found = wait_any(known, LONG)
        assert found[index] == known[index][1] + 1
        known = list(zip(stores, found, strict=True))
        thread.join(LONG)
    assert wait_any(known, 0.01) == tuple(number for _, number in known)


@pytest.mark.programs
def test_a_change_of_another_process_ends_the_wait(tmp_path: Path) -> None:
    store = Revisions(tmp_path / ".revision")
    store.bump()
    told = FORK.Event()
    other = FORK.Process(target=bump_when_told, args=(store.path, told))
    other.start()
    told.set()
    assert wait_any([(store, 1)], LONG) == (2,)
    other.join(LONG)


def test_a_folder_that_is_missing_cannot_be_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be watched"):
        wait_any([(Revisions(tmp_path / "none" / ".revision"), 0)], 1)
