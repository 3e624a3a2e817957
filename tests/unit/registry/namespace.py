"""Run a check where it may mount what it likes: a process of its own in a mount namespace of its own (mount_namespaces(7))."""

import ctypes
import multiprocessing
import os
import subprocess
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

_CLONE_NEWNS = 0x20000


def mount(*arguments: str) -> None:
    """Run mount(8)."""
    subprocess.run(["mount", *arguments], check=True)


def in_private_mounts(folder: Path, check: Callable[[Path], None]) -> None:
    """Call `check` with a new file system of 8 MiB that nobody else sees; what it raises fails the test."""
    place = folder / "disk"
    place.mkdir()
    context = multiprocessing.get_context("fork")
    mine, other = context.Pipe()
    child = context.Process(target=_run, args=(place, check, other))
    child.start()
    other.close()
    words = mine.recv()
    child.join()
    assert words == "", words


def _run(place: Path, check: Callable[[Path], None], pipe: Connection) -> None:
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        mount("--make-rprivate", "/")
        mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place))
        check(place)
    except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
        pipe.send(traceback.format_exc())
    else:
        pipe.send("")
