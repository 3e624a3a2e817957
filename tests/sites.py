"""A site for tests: real records, a real authority and a lease file below a folder of the test; nothing is served."""

import time
from collections.abc import Sequence
from pathlib import Path

from hps.flows import site
from hps.flows.model import BOOTING, NODE, Caller, Site
from hps.paths import Paths
from hps.registry.model import HPS, cluster_name, os_name, setting
from hps.registry.store import FileRegistry
from hps.security import authority
from hps.system import files
from hps.values import Mac

OS_ID = "x86_64:debian:12"
IMAGE = "x86_64-debian_12-SCH/1"


def make_site(base: Path, *, image: str = IMAGE, **cluster: str) -> Site:
    """A site below this folder with the cluster `lab` and one operating system; `cluster` sets further keys of the cluster."""
    paths = Paths(base)
    registry = FileRegistry(paths.config)
    values = {
        "CLUSTER_NAME": "lab",
        "DHCP_IFACE": "hps0",
        "DHCP_IP": "10.77.0.1",
        "NETWORK_CIDR": "10.77.0.0/24",
        "DNS_DOMAIN": "lab.example",
    }
    registry.change(HPS, setting(ACTIVE_CLUSTER="lab"), create=True)
    registry.change(cluster_name("lab"), setting(**{**values, **cluster}), create=True)
    if image:
        system = setting(OS_ID=OS_ID, ARCH="x86_64", HPS_TYPES="SCH", IMAGE_SCH=image)
        registry.change(os_name(OS_ID), system, create=True)
    authority.ensure_authority(paths.authority("lab"), "lab")
    return site.open_site(paths)


def mac_of(number: int) -> Mac:
    """The MAC address of the machine with this number."""
    return Mac.parse(f"525400{number:06x}")


def booting(number: int) -> Caller:
    """That machine, as a caller that boots."""
    return Caller(BOOTING, mac_of(number), "10.77.0.210")


def node(number: int) -> Caller:
    """That machine, as a caller with its certificate."""
    return Caller(NODE, mac_of(number), "10.77.0.2")


def write_leases(paths: Paths, leases: Sequence[tuple[Mac, str]], seconds: int = 3600) -> None:
    """The lease file of dnsmasq with these leases."""
    expiry = int(time.time()) + seconds
    files.write(paths.leases, "".join(f"{expiry} {mac} {address} * *\n" for mac, address in leases).encode())
