"""Who asks. Only what nginx says about the connection counts, and what we know ourselves; nothing that the caller claims.

nginx overwrites every header read here and is the only one that reaches our socket. `X-Forwarded-For`, a `mac`
parameter and the like are never read. A header that was sent twice arrives as one odd value (RFC 9110, 5.3): a stranger.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from hps.errors import HpsError
from hps.flows import certificates, site
from hps.flows.model import BOOTING, NODE, OPERATOR, STRANGER, Caller, Site
from hps.paths import Paths
from hps.security.certificates import certificate_owner
from hps.security.lease_file import LeaseFile
from hps.system import neighbour
from hps.values import Mac, checked_address

__all__ = ["BOOTING", "NODE", "OPERATOR", "STRANGER", "Caller", "identify"]

LOCAL = "local"
"""The name of whoever comes through the operator's socket: no account may have it."""


def identify(headers: Headers, paths: Paths, now: float, opened: Callable[[Paths], Site] = site.open_site) -> Caller:
    """The caller of a request: operator by the local door, member by its certificate, booting by its lease, else a stranger.

    Args:
        headers: those of the request.
        paths: the folders of this IPS.
        now: epoch seconds.
        opened: opens the site, where that is needed.
    """
    door, address = headers.get("X-Hps-Door", ""), _address(headers)
    stranger = Caller(STRANGER, address=address)
    if door == "local":
        return Caller(OPERATOR, name=LOCAL)
    if door not in ("tls", "plain") or not address:
        return stranger
    try:
        at = opened(paths)
        found = _member(headers, at, address, now) if door == "tls" else _booting(at, address, now)
    except HpsError:
        return stranger
    return found or stranger


def _member(headers: Headers, at: Site, address: str, now: float) -> Caller | None:
    """A node, operator or IPS: nginx verified its certificate against our authority, and its record names exactly this one."""
    if headers.get("X-Hps-Verified", "") != "SUCCESS":
        return None
    owner = certificate_owner(unquote(headers.get("X-Hps-Certificate", "")))
    # nginx looked at the time when the connection was made, which may be long ago.
    if not owner.valid_at(now) or not certificates.accept(at, owner):
        return None
    return Caller(NODE, Mac(owner.name), address) if owner.kind == NODE else Caller(owner.kind, None, address, owner.name)


def _booting(at: Site, address: str, now: float) -> Caller | None:
    """A machine that boots: its address holds an unexpired lease of ours, and the kernel saw no other machine there."""
    mac = _leases(at.paths.leases).holder(address, now)
    if mac is None or neighbour.ask(at.setting("DHCP_IFACE"), address) not in (None, mac):
        return None
    return Caller(BOOTING, mac, address)


@functools.cache
def _leases(path: Path) -> LeaseFile:
    return LeaseFile(path)


def _address(headers: Headers) -> str:
    """The IPv4 address that nginx saw; empty where it is none."""
    return _checked(headers.get("X-Hps-Address", ""))


@functools.lru_cache(maxsize=4096)
def _checked(text: str) -> str:
    try:
        return checked_address(text)
    except HpsError:
        return ""
