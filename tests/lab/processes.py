"""Start and end the programs of the lab, and wait for what they do; every wait has an end and says what it waited for."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

PATIENCE = float(os.environ.get("HPS_LAB_PATIENCE", "1"))
"""Multiplies every deadline: a slow machine needs more."""

CACHE = Path(os.environ.get("HPS_CACHE", "/var/cache/hps"))
TREE = Path(__file__).resolve().parents[2]

Answer = TypeVar("Answer")


class Late(AssertionError):
    """Something that had to happen did not happen before its deadline."""


def until(question: Callable[[], Answer | None], seconds: float, what: str) -> Answer:
    """Ask until the answer is true and return it; raises Late after so many seconds (times HPS_LAB_PATIENCE).

    For what cannot be waited for otherwise: a file of another program, a process that ends.
    """
    end = time.monotonic() + seconds * PATIENCE
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Late(f"{what}: did not happen within {seconds * PATIENCE:.0f} seconds")
        time.sleep(0.1)


def run(
    arguments: Sequence[str],
    stdin: str | None = None,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with text in and out; with `check` a failure is an assertion that quotes its words."""
    done = subprocess.run(
        list(arguments),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout * PATIENCE,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}\nended with code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def alive(pid: int) -> bool:
    """Whether the process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def end(pids: Sequence[int], seconds: float = 15) -> None:
    """Ask processes to end, and kill those that are still there after so many seconds."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            if alive(pid):
                _send(pid, sign)
        try:
            until(lambda: not any(alive(pid) for pid in pids), seconds, "the end of the processes")
        except Late:
            continue
        return


def _send(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return
