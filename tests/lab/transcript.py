"""Transcripts: what machines said and services logged, kept for the reader of a failure."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.lab import processes
from tests.lab.ips import Ips
from tests.lab.yard import Yard

PLACE = processes.CACHE / "transcripts"


def keep(name: str, yards: Sequence[Yard], ips: Ips) -> Path:
    """Put the transcript of this moment into a folder of this name and return it."""
    place = PLACE / "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for made in yards:
        made.keep(place)
    ips.keep_logs(place)
    return place
