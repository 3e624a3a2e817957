"""Locks between real processes."""

import errno
import fcntl
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from hps.errors import Refused, Unreachable
from hps.system import lock

FORK = multiprocessing.get_context("fork")


def hold(path: Path, held: Event) -> None:
    with lock.exclusive(path):
        held.set()
        time.sleep(60)


@pytest.mark.programs
def test_a_held_lock_is_waited_for_and_a_killed_holder_frees_it(tmp_path: Path) -> None:
    held = FORK.Event()
    holder = FORK.Process(target=hold, args=(tmp_path / "lock", held))
    holder.start()
    try:
        assert held.wait(20)
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="held by another"), lock.exclusive(tmp_path / "lock", timeout=0.2):
            pytest.fail("the lock was held twice")
        assert time.monotonic() - begun >= 0.2
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        with lock.exclusive(tmp_path / "lock", timeout=20):
            pass
    finally:
        holder.kill()
        holder.join()


def test_an_exception_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.exclusive(tmp_path / "deep" / "lock"):
        raise ZeroDivisionError
    with lock.exclusive(tmp_path / "deep" / "lock", timeout=0):
        pass


def test_a_link_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused), lock.exclusive(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_parts_of_one_file_do_not_wait_for_each_other(tmp_path: Path) -> None:
    place = tmp_path / "deep" / ".locks"
    with lock.exclusive(place, part="a"), lock.exclusive(place, part="b", timeout=0):
        for part in ("a", "b"):
            with pytest.raises(Unreachable), lock.exclusive(place, part=part, timeout=0.01):
                pytest.fail("a part was held twice")
    with lock.exclusive(place, part="a", timeout=0):
        pass
    assert [path.name for path in place.parent.iterdir()] == [".locks"]


def hold_part(path: Path, held: Event) -> None:
    with lock.exclusive(path, part="a"):
        held.set()
        time.sleep(60)


@pytest.mark.feature("CF1")
@pytest.mark.programs
def test_a_killed_holder_frees_its_part(tmp_path: Path) -> None:
    held = FORK.Event()
    holder = FORK.Process(target=hold_part, args=(tmp_path / "lock", held))
    holder.start()
    try:
        assert held.wait(20)
        with pytest.raises(Unreachable), lock.exclusive(tmp_path / "lock", timeout=0.01, part="a"):
            pytest.fail("the part was held twice")
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        with lock.exclusive(tmp_path / "lock", timeout=20, part="a"):
            pass
    finally:
        holder.kill()
        holder.join()


def test_whoever_gave_up_does_not_hold_the_lock_later(tmp_path: Path) -> None:
    place = tmp_path / "lock"
    for part in ("", "a"):
        with lock.exclusive(place, part=part), pytest.raises(Unreachable), lock.exclusive(place, timeout=0.01, part=part):
            pytest.fail("the lock was held twice")
        with lock.exclusive(place, timeout=20, part=part):
            pass


def test_waiting_threads_get_the_lock_one_after_another(tmp_path: Path) -> None:
    inside, most, done = 0, 0, list[int]()

    def work(number: int) -> None:
        nonlocal inside, most
        with lock.exclusive(tmp_path / "lock", timeout=60, part="a"):
            inside += 1
            most = max(most, inside)
            os.sched_yield()
            inside -= 1
            done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, sorted(done)) == (1, list(range(30)))


def test_a_lock_that_is_not_granted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(descriptor: int, command: int, *_: object) -> None:
        raise BlockingIOError if command == fcntl.F_OFD_SETLK else OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "fcntl", ask)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(Refused, match="No locks available"), lock.exclusive(tmp_path / "lock", part="a"):
        pytest.fail("the lock was not held")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
