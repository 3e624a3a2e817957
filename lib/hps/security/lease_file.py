"""The lease file of dnsmasq, read again only after it changed, and looked up by address: the same at 10 and at 10,000 leases."""

import time
from collections.abc import Mapping
from pathlib import Path

from hps.errors import InvalidInput, NotFound
from hps.security.leases import Lease, holder, parse_leases
from hps.system import files
from hps.values import Mac

_SETTLED = 100_000_000
"""Nanoseconds: a file that was written more recently than that may be written again without a new time stamp."""


class LeaseFile:
    """One lease file; threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[tuple[int, int, int], Mapping[str, tuple[Lease, ...]]] | None = None

    def holder(self, address: str, now: float) -> Mac | None:
        """The machine that holds an address at this time, or None."""
        return holder(self._leases().get(address, ()), address, now)

    def _leases(self) -> Mapping[str, tuple[Lease, ...]]:
        try:
            found = self.path.stat()
        except OSError:
            return {}
        stamp, seen = (found.st_ino, found.st_mtime_ns, found.st_size), self._seen
        if seen is not None and seen[0] == stamp:
            return seen[1]
        try:
            index = _by_address(parse_leases(files.read_text(self.path)))
        except (NotFound, InvalidInput):
            return {}
        settled = abs(time.time_ns() - found.st_mtime_ns) > _SETTLED
        self._seen = (stamp, index) if settled else None
        return index


def _by_address(leases: tuple[Lease, ...]) -> dict[str, tuple[Lease, ...]]:
    found: dict[str, tuple[Lease, ...]] = {}
    for lease in leases:
        found[lease.address] = (*found.get(lease.address, ()), lease)
    return found
