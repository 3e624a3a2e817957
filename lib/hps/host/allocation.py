"""Which name and which address a host gets: the lowest free one. Pure."""

import itertools
from collections.abc import Collection, Mapping

from hps.errors import Refused
from hps.registry.addresses import Address, dynamic_pool, static_addresses


def choose_name(kind: str, kept: str, taken: Collection[str]) -> str:
    """`<type>-NNN`: the name that the host had where it is of this type and free, else the lowest free number."""
    prefix = f"{kind.lower()}-"
    if kept.startswith(prefix) and kept not in taken:
        return kept
    return next(name for number in itertools.count(1) if (name := f"{prefix}{number:03d}") not in taken)


def choose_address(cluster: Mapping[str, str], kept: str, taken: Collection[str]) -> str:
    """A static address: the one that the host had where it still fits, else the first free one after the IPS.

    Args:
        cluster: the values of the cluster's record.
        kept: the address that the host had, or the empty text.
        taken: every address that is somebody else's.

    Raises:
        Refused: no address is left.
        InvalidInput: the network of the cluster is not well formed.
    """
    first, _ = dynamic_pool(cluster)
    if kept and kept not in taken and Address(cluster["DHCP_IP"]) < Address(kept) < first:
        return kept
    # A network can hold millions of addresses: none is made before it is needed.
    free = next((str(address) for address in static_addresses(cluster) if str(address) not in taken), None)
    if free is not None:
        return free
    raise Refused(
        f"no address is left for another host: all between {cluster['DHCP_IP']} and the dynamic pool at {first} are taken",
        hint="remove hosts that are gone (hps host list, hps host remove NAME), or make DHCP_RANGESIZE smaller or NETWORK_CIDR larger",
    )
