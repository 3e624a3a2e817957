"""Whoever waits for a file sleeps until the kernel says that it changed."""

import multiprocessing
import shutil
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from hps.errors import Refused
from hps.system import files, watch

FORK = multiprocessing.get_context("fork")
LONG = 60


def test_a_wait_asks_at_its_beginning_and_its_end_and_never_between(tmp_path: Path) -> None:
    answers = iter([False, False])
    assert not watch.wait_until([tmp_path / "file"], lambda: next(answers), 0.3)
    assert list(answers) == []


def test_changes_of_other_files_do_not_wake_it(tmp_path: Path) -> None:
    asked: list[None] = []

    def ask() -> bool:
        asked.append(None)
        if len(asked) == 1:
            for number in range(5):
                (tmp_path / f"other{number}").write_text("x")
        return False

    assert not watch.wait_until([tmp_path / "file"], ask, 0.3)
    assert len(asked) == 2


WAYS: dict[str, Callable[[Path], object]] = {
    "made": lambda file: file.write_bytes(b"new"),
    "written": lambda file: files.overwrite(file, 0, b"new", flush=False),
    "replaced": lambda file: files.write(file, b"new"),
    "appended": lambda file: files.append(file, b"new"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_change_a_file_wakes_it(way: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if way != "made":
        file.write_bytes(b"old")
    asked: list[None] = []

    def ask() -> bool:
        asked.append(None)
        if len(asked) == 1:
            WAYS[way](file)
        return len(asked) > 1

    assert watch.wait_until([file], ask, LONG)


def test_a_folder_that_is_removed_wakes_it_and_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    asked: list[None] = []

    def ask() -> bool:
        asked.append(None)
        shutil.rmtree(folder)
        return False

    with pytest.raises(Refused, match="cannot be watched"):
        watch.wait_until([folder / "file"], ask, LONG)
    assert len(asked) == 1


def test_a_hundred_waiters_share_one_watch_and_all_wake(tmp_path: Path) -> None:
    file = tmp_path / "file"
    waiting = threading.Barrier(101)
    woken: list[bool] = []

    def wait() -> None:
        first = True

        def ask() -> bool:
            nonlocal first
            if first:
                first = False
                waiting.wait(LONG)
                return False
            return file.exists()

        woken.append(watch.wait_until([file], ask, LONG))

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(100)]
    for thread in threads:
        thread.start()
    waiting.wait(LONG)
    file.write_text("x")
    for thread in threads:
        thread.join(LONG)
    assert woken == [True] * 100
    assert sum(thread.name == "watch" for thread in threading.enumerate()) == 1


def _wait_in_child(file: Path, woken: Event) -> None:
    if watch.wait_until([file], file.exists, LONG):
        woken.set()


@pytest.mark.programs
def test_a_forked_process_waits_by_itself(tmp_path: Path) -> None:
    watch.wait_until([tmp_path / "file"], lambda: True, 0)
    woken = FORK.Event()
    child = FORK.Process(target=_wait_in_child, args=(tmp_path / "file", woken))
    child.start()
    (tmp_path / "file").write_text("x")
    assert woken.wait(LONG)
    child.join(LONG)
    assert not watch.wait_until([tmp_path / "file"], lambda: False, 0)
