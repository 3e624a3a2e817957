"""Which machine holds an address: the lease file of dnsmasq. Pure parsers.

`expiry mac address name client-id`, one a line (dnsmasq(8)); expiry in epoch seconds, 0 for never.
"""

from dataclasses import dataclass

from hps.errors import InvalidInput
from hps.values import Mac


@dataclass(frozen=True)
class Lease:
    """One lease: who holds which address until when, in epoch seconds (0: for ever)."""

    expiry: int
    mac: Mac
    address: str
    name: str = ""


def parse_leases(text: str) -> tuple[Lease, ...]:
    """Every well-formed IPv4 lease; other lines (the server's DUID, IPv6) are skipped."""
    return tuple(lease for line in text.splitlines() if (lease := _lease(line.split())) is not None)


def holder(leases: tuple[Lease, ...], address: str, now: float) -> Mac | None:
    """The machine that holds an address at this time, or None."""
    for lease in leases:
        if lease.address == address and (lease.expiry == 0 or lease.expiry > now):
            return lease.mac
    return None


def _lease(words: list[str]) -> Lease | None:
    if len(words) < 4 or not words[0].isdigit() or words[2].count(".") != 3:
        return None
    try:
        return Lease(int(words[0]), Mac.parse(words[1]), words[2], "" if words[3] == "*" else words[3])
    except InvalidInput:
        return None
