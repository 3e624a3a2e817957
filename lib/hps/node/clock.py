"""Set the clock of a machine whose battery is empty: certificates need the right year (I23)."""

import logging
import time
from pathlib import Path

from hps.errors import HpsError
from hps.system import command

log = logging.getLogger(__name__)

TOLERANCE = 60
"""Seconds by which the clock may differ from the IPS and is left alone."""


def decide(now: float, built: float, given: float) -> float | None:
    """What the clock must be set to, or None where it is good enough; seconds since 1970. Pure.

    `given` is the time of the IPS, 0 where it said none. Nothing earlier than `built`, the time when the installer was
    made, can be true.
    """
    target = max(given, built) if given else max(now, built)
    return target if now < built or (given and abs(target - now) > TOLERANCE) else None


def correct(built: Path, given: int) -> str:
    """Set the system clock and the hardware clock where they are wrong, and say what was done."""
    floor = built.stat().st_mtime if built.exists() else 0.0
    now = time.time()
    target = decide(now, floor, given)
    if target is None:
        return f"the clock is right: {_words(now)}"
    time.clock_settime(time.CLOCK_REALTIME, target)
    try:
        command.run(("hwclock", "-w", "-u"))
    except HpsError as error:
        log.warning("the hardware clock was not set: %s", error)
    return f"the clock was {_words(now)}, now {_words(target)}"


def _words(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
