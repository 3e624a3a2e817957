"""The network interfaces of this machine, as `ip -json address` tells them (ip-address(8))."""

import dataclasses
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hps.errors import InvalidInput
from hps.system import command


@dataclass(frozen=True)
class Interface:
    """One interface: its name, whether it is up, its addresses with their networks, and its hardware address."""

    name: str
    up: bool = True
    ipv4: tuple[ipaddress.IPv4Interface, ...] = ()
    ipv6: tuple[ipaddress.IPv6Interface, ...] = ()
    ipv6_enabled: bool = False
    mac: str = ""

    def holds(self, address: str) -> bool:
        """Whether this IPv4 address is one of its own."""
        return any(str(own.ip) == address for own in self.ipv4)


def parse(text: str) -> tuple[Interface, ...]:
    """Read the JSON of `ip -json address show`; the loopback interface is left out. Raises InvalidInput."""
    try:
        return tuple(_interface(entry) for entry in json.loads(text or "[]") if entry and "LOOPBACK" not in entry.get("flags", ()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"ip told something that is no list of interfaces: {error}") from error


def _interface(entry: dict[str, Any]) -> Interface:
    found = [(each["family"], f"{each['local']}/{each['prefixlen']}") for each in entry.get("addr_info", ()) if "local" in each]
    return Interface(
        name=str(entry["ifname"]),
        up="UP" in entry.get("flags", ()),
        ipv4=tuple(ipaddress.IPv4Interface(text) for family, text in found if family == "inet"),
        ipv6=tuple(ipaddress.IPv6Interface(text) for family, text in found if family == "inet6"),
        mac=str(entry.get("address", "")),
    )


def read() -> tuple[Interface, ...]:
    """The interfaces of this machine, or of the network namespace that this process is in."""
    return tuple(
        dataclasses.replace(each, ipv6_enabled=_ipv6_enabled(each.name))
        for each in parse(command.run(("ip", "-json", "address", "show"), timeout=10))
    )


def _ipv6_enabled(name: str) -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf", name, "disable_ipv6").read_text().strip() == "0"
    except OSError:
        return False
