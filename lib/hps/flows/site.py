"""Open the site that an IPS serves, and find the hosts of its cluster."""

import functools
from collections.abc import Iterator
from pathlib import Path

from hps.errors import InvalidInput, NotFound, Refused
from hps.flows.model import Site
from hps.host.model import Host
from hps.paths import Paths
from hps.registry import settings
from hps.registry.model import RecordName, Values, cluster_name, host_name
from hps.registry.store import FileRegistry
from hps.security.tokens import TokenStore
from hps.timeline.store import Timeline
from hps.values import Mac


def open_ips(paths: Paths) -> Site:
    """The site of this IPS; its cluster is the active one, or empty where none is."""
    registry = _registry(paths.config)
    own = settings.read(registry)
    active = own.get("ACTIVE_CLUSTER", "")
    cluster = registry.read(cluster_name(active)).values if active else _NOTHING
    kept = _opened.get(paths)
    # The registry gives the same values as long as their record is the same.
    if kept is None or kept[0] is not own or kept[1] is not cluster:
        kept = _opened[paths] = (own, cluster, Site(settings.located(paths, own), registry, active, cluster))
    return kept[2]


_NOTHING: Values = {}
_opened: dict[Paths, tuple[Values, Values, Site]] = {}


@functools.lru_cache(maxsize=64)
def _registry(folder: Path) -> FileRegistry:
    return FileRegistry(folder)


def open_site(paths: Paths) -> Site:
    """The site of the active cluster; raises Refused where none is active."""
    return need_cluster(open_ips(paths))


def need_cluster(site: Site) -> Site:
    """The same site; raises Refused where no cluster is active."""
    if not site.cluster:
        raise Refused("no cluster is active", hint="make one with cluster-configure, and activate it with hps cluster activate NAME")
    return site


def record_name(site: Site, mac: Mac) -> RecordName:
    """The name of a host's record."""
    return host_name(site.cluster, mac)


def host_values(site: Site, mac: Mac) -> Values:
    """The values of a host; empty where it has no record."""
    try:
        return site.registry.read(record_name(site, mac)).values
    except NotFound:
        return {}


def hosts(site: Site) -> tuple[Host, ...]:
    """Every host of the cluster; a record that was removed meanwhile is left out, a damaged one has no values."""
    return tuple(host or Host(mac, _NOTHING) for mac, host in _hosts(site))


def whole_hosts(site: Site) -> tuple[Host, ...]:
    """Every host of the cluster, for whoever gives names and addresses; raises Refused where a record is damaged and may hold any."""
    found = []
    for mac, host in _hosts(site):
        if host is None:
            raise Refused(f"the record of {mac} is damaged, and may hold any name and address", hint="hps records check")
        found.append(host)
    return tuple(found)


def _hosts(site: Site) -> Iterator[tuple[Mac, Host | None]]:
    for name in site.registry.names("host", site.cluster):
        mac = Mac(name.parts[1])
        try:
            yield mac, Host(mac, site.registry.read(name).values)
        except NotFound:
            continue
        except InvalidInput:
            yield mac, None


def systems(site: Site) -> tuple[Values, ...]:
    """The values of every operating system's record."""
    return tuple(site.registry.read(name).values for name in site.registry.names("os"))


def find(site: Site, text: str) -> Host:
    """The host of this name or MAC address; raises NotFound."""
    try:
        mac = Mac.parse(text)
    except InvalidInput:
        found = [host for host in hosts(site) if host.values.get("HOSTNAME") == text.lower().split(".")[0]]
        if not found:
            raise NotFound(f"there is no host {text[:80]!r}", hint="hps host list names them all") from None
        return found[0]
    values = host_values(site, mac)
    if not values:
        raise NotFound(f"there is no host {mac}", hint="hps host list names them all")
    return Host(mac, values)


def timeline(site: Site) -> Timeline:
    """The boot events."""
    return _timeline(site.paths)


@functools.lru_cache(maxsize=64)
def _timeline(paths: Paths) -> Timeline:
    return Timeline(paths.log / "boots")


def tokens(site: Site) -> TokenStore:
    """The one-time tokens of the active cluster."""
    return TokenStore(site.paths.config / "clusters" / site.cluster / "tokens")
