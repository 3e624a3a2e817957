"""Who else answers DHCP on an interface, and whether it is another HPS: then the new one joins its cluster, or stays away.

Two DHCP servers on one network give machines to whoever is faster, and two clusters there give them to the wrong one.
"""

import json
from dataclasses import dataclass

from hps.errors import HpsError, Refused
from hps.network import dhcp_probe, interfaces
from hps.network.dhcp_probe import Offer
from hps.system import http
from hps.values import checked_name

ASK_SECONDS = 3.0
"""How long a server is given to say whether it is an HPS."""


@dataclass(frozen=True)
class Rival:
    """Another DHCP server, and the cluster that it serves where it is an HPS."""

    address: str
    mac: str
    cluster: str = ""


def find(interface: str, seconds: float) -> tuple[Rival, ...]:
    """The other servers that make offers on this interface; raises Refused where it cannot be listened on.

    Args:
        interface: its name.
        seconds: how long to listen; a server that pings an address first needs more than 3.
    """
    own = next((each for each in interfaces.read() if each.name == interface), None)
    offers = dhcp_probe.probe(interface, seconds)
    return tuple(Rival(offer.server, offer.server_mac, ask(offer.server)) for offer in offers if not _is_own(offer, own))


def _is_own(offer: Offer, own: interfaces.Interface | None) -> bool:
    """Whether we made this offer ourselves: a server with our address and another hardware address is somebody else."""
    return own is not None and own.holds(offer.server) and offer.server_mac == own.mac


def ask(server: str) -> str:
    """The cluster that an HPS at this address serves; empty where there is none, or where it is no HPS."""
    try:
        answer = http.request(
            "GET", f"http://{server}/hps-api?cmd=health", headers={"Accept": "application/json"}, timeout=ASK_SECONDS, limit=4096
        )
        told = json.loads(answer.body)
        return checked_name(told["result"]["cluster"]) if answer.status == 200 and told["ok"] is True else ""
    except (HpsError, ValueError, KeyError, TypeError):
        return ""


def refuse_cluster(interface: str, seconds: float) -> None:
    """Raise Refused where another HPS serves a cluster on this interface; an interface that is down hears nobody."""
    if any(each.name == interface and each.up for each in interfaces.read()):
        _refuse_joinable(find(interface, seconds), interface)


def refuse(interface: str, seconds: float) -> None:
    """Raise Refused where anybody else answers DHCP on this interface, naming each."""
    found = find(interface, seconds)
    _refuse_joinable(found, interface)
    if found:
        named = ", ".join(f"{each.address} ({each.mac})" for each in found)
        raise Refused(
            f"another DHCP server answers on {interface}: {named}",
            hint="switch it off or connect another network: two servers on one network give machines to whoever is faster",
        )


def _refuse_joinable(found: tuple[Rival, ...], interface: str) -> None:
    for each in found:
        if each.cluster:
            raise Refused(
                f"the cluster {each.cluster} is served on {interface} already, by the HPS at {each.address} ({each.mac})",
                hint=f"this IPS joins it rather than serve another one: there, hps cluster add-ips {each.cluster} gives the name for it",
            )
