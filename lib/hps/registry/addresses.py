"""How a cluster's network is divided: the IPS, static addresses after it, and the dynamic pool at the end. Pure."""

import ipaddress
from collections.abc import Iterator, Mapping

from hps.errors import InvalidInput
from hps.registry.keys import default
from hps.values import checked_address, checked_network

Address = ipaddress.IPv4Address


def dynamic_pool(values: Mapping[str, str]) -> tuple[Address, Address]:
    """The first and last address of the dynamic pool: the last DHCP_RANGESIZE addresses of NETWORK_CIDR.

    Raises InvalidInput when DHCP_IP is not an address of that network, or when the pool leaves no static address after it.
    """
    network = ipaddress.IPv4Network(checked_network(values["NETWORK_CIDR"]))
    own = Address(checked_address(values["DHCP_IP"]))
    size = int(values.get("DHCP_RANGESIZE") or default("cluster", "DHCP_RANGESIZE"))
    if own not in network or own in (network.network_address, network.broadcast_address):
        raise InvalidInput(f"DHCP_IP {own} is not an address of {network}", hint=f"choose one from {network[1]} to {network[-2]}")
    free = int(network[-2]) - int(own) - 1
    if size > free:
        raise InvalidInput(
            f"a pool of {size} addresses does not fit into {network} behind {own}",
            hint=f"DHCP_RANGESIZE can be at most {free} here: one static address must remain" if free >= 4 else "choose a lower DHCP_IP",
        )
    return network[-1 - size], network[-2]


def static_addresses(values: Mapping[str, str]) -> Iterator[Address]:
    """The addresses that hosts may keep, in the order in which they are given: from DHCP_IP + 1 up to the pool."""
    first, _ = dynamic_pool(values)
    number = int(Address(values["DHCP_IP"])) + 1
    while number < int(first):
        yield Address(number)
        number += 1
