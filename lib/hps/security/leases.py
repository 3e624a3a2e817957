"""Which machine holds an address: the lease file of dnsmasq and the kernel's neighbour table. Pure parsers.

Lease file: `expiry mac address name client-id`, one a line (dnsmasq(8)); expiry in epoch seconds, 0 for never.
/proc/net/arp: columns `IP address, HW type, Flags, HW address, Mask, Device`; flag 0x2 says that the entry is complete (proc(5)).
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


def neighbour(text: str, address: str) -> Mac | None:
    """The machine that the kernel last saw at an address, or None where it has no complete entry."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) >= 4 and words[0] == address and words[2] not in ("0x0",):
            try:
                return Mac.parse(words[3])
            except InvalidInput:
                return None
    return None


def _lease(words: list[str]) -> Lease | None:
    if len(words) < 4 or not words[0].isdigit() or words[2].count(".") != 3:
        return None
    try:
        return Lease(int(words[0]), Mac.parse(words[1]), words[2], "" if words[3] == "*" else words[3])
    except InvalidInput:
        return None
