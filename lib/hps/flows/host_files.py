"""The files of a host: its line for DHCP, its names for DNS, and its boot script where its decision can stand in a file."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hps import steps
from hps.boot import ipxe, script
from hps.boot.decision import decide
from hps.boot.model import STATIC, Request
from hps.errors import HpsError, InvalidInput, NotFound
from hps.paths import Paths
from hps.registry.model import Registry, Values
from hps.services import dnsmasq
from hps.system import files
from hps.values import Mac

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HostFiles:
    """What dnsmasq reads, and what nginx serves to the addresses of the hosts."""

    entries: tuple[steps.Write, ...] = ()
    scripts: tuple[steps.Write, ...] = ()


def of_host(paths: Paths, cluster: Values, systems: Sequence[Values], mac: Mac, host: Values) -> HostFiles:
    """The files of one host; none as long as it has no name or no address. Raises InvalidInput for what may not stand in them."""
    name, address = host.get("HOSTNAME", ""), host.get("IP", "")
    if not name or not address:
        return HostFiles()
    entries = (
        steps.Write(dnsmasq.hosts_folder(paths) / mac.digits, dnsmasq.host_entry(mac, address, name).encode()),
        steps.Write(dnsmasq.names_folder(paths) / mac.digits, dnsmasq.name_entry(address, name, cluster["DNS_DOMAIN"]).encode()),
    )
    decision = decide(host, cluster, systems, Request(mac))
    if not isinstance(decision, STATIC):
        return HostFiles(entries)
    text = ipxe.render_file(decision, mac, cluster["DHCP_IP"])
    return HostFiles(entries, (steps.Write(paths.scripts / address, text.encode()),))


def of_all(paths: Paths, registry: Registry, cluster: Values | None) -> HostFiles:
    """The files of every host of a cluster; a host whose record cannot stand in files is left out, and said."""
    entries: list[steps.Write] = []
    scripts: list[steps.Write] = []
    if cluster is not None:
        systems = systems_of(registry)
        for name in registry.names("host", cluster["CLUSTER_NAME"]):
            try:
                found = of_host(paths, cluster, systems, Mac.parse(name.parts[-1]), registry.read(name).values)
            except HpsError as error:
                log.warning("%s is not published: %s", name, error)
                continue
            entries += found.entries
            scripts += found.scripts
    return HostFiles(tuple(entries), tuple(scripts))


def systems_of(registry: Registry) -> tuple[Values, ...]:
    """The values of every operating system's record."""
    return tuple(registry.read(name).values for name in registry.names("os"))


def entries_of(paths: Paths, mac: Mac) -> frozenset[Path]:
    """The files of one host that dnsmasq reads now."""
    places = (dnsmasq.hosts_folder(paths) / mac.digits, dnsmasq.names_folder(paths) / mac.digits)
    return frozenset(path for path in places if path.is_file())


def scripts_of(paths: Paths, mac: Mac) -> frozenset[Path]:
    """The boot script that one host has now: at the address of its line for DHCP, where it says that it is this host's."""
    address = dnsmasq.entry_address(_text(dnsmasq.hosts_folder(paths) / mac.digits))
    path = paths.scripts / address
    return frozenset((path,)) if address and script.owner_of(_text(path)) == str(mac) else frozenset()


def _text(path: Path) -> str:
    try:
        return files.read_text(path)
    except (NotFound, InvalidInput):
        return ""
