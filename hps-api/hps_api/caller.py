"""Who asks. Only what nginx says about the connection counts, and what we know ourselves; nothing that the caller claims.

nginx overwrites every header read here and is the only one that reaches our socket. `X-Forwarded-For`, a `mac`
parameter and the like are never read.
"""

from urllib.parse import unquote

from werkzeug.datastructures import Headers

from hps.errors import HpsError, InvalidInput, NotFound
from hps.flows import site
from hps.flows.model import BOOTING, NODE, OPERATOR, STRANGER, Caller
from hps.paths import Paths
from hps.security.authority import certificate_owner
from hps.security.leases import holder, neighbour, parse_leases
from hps.system import files

__all__ = ["BOOTING", "NODE", "OPERATOR", "STRANGER", "Caller", "identify"]

NEIGHBOURS = "/proc/net/arp"


def identify(headers: Headers, paths: Paths, now: float) -> Caller:
    """The caller of a request: operator by the local door, node by its certificate, booting by its lease, else a stranger."""
    address = headers.get("X-Hps-Address", "")
    match headers.get("X-Hps-Door"):
        case "local":
            return Caller(OPERATOR)
        case "tls":
            return _node(headers, paths, address)
        case "plain":
            return _booting(paths, address, now)
    return Caller(STRANGER)


def _node(headers: Headers, paths: Paths, address: str) -> Caller:
    """A node: nginx verified its certificate against our authority, and its record names exactly this certificate."""
    stranger = Caller(STRANGER, address=address)
    if headers.get("X-Hps-Verified") != "SUCCESS":
        return stranger
    try:
        mac, digest = certificate_owner(unquote(headers.get("X-Hps-Certificate", "")))
        known = site.host_values(site.open_site(paths), mac).get("CERTIFICATE", "")
    except HpsError:
        return stranger
    return Caller(NODE, mac, address) if known and known == digest else stranger


def _booting(paths: Paths, address: str, now: float) -> Caller:
    """A machine that boots: its address holds an unexpired lease of ours, and the kernel saw no other machine there."""
    stranger = Caller(STRANGER, address=address)
    if not address:
        return stranger
    try:
        mac = holder(parse_leases(files.read_text(paths.leases)), address, now)
        seen = neighbour(_neighbours(), address)
    except (NotFound, InvalidInput):
        return stranger
    if mac is None or (seen is not None and seen != mac):
        return stranger
    return Caller(BOOTING, mac, address)


def _neighbours() -> str:
    try:
        with open(NEIGHBOURS, encoding="ascii", errors="replace") as stream:  # noqa: PTH123
            return stream.read()
    except FileNotFoundError:
        return ""
