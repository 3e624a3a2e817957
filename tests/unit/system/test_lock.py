"""Locks between real processes."""

import multiprocessing
import os
import signal
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
