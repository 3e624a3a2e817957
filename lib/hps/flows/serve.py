"""Bring the services of the IPS to what the records say: facts, plan, apply; a second time plans nothing.

dnsmasq runs only where a cluster is active, its interface exists and holds its address, and no other DHCP server
answers there. Whatever hinders that is said, and everything else is still brought up.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hps import steps
from hps.boot.decision import shortcut
from hps.errors import HpsError, NotFound, Refused
from hps.flows import served
from hps.network import dhcp_probe, interfaces
from hps.paths import Paths
from hps.registry.model import HPS, Registry, Values, cluster_name, host_name
from hps.security import authority
from hps.services import control, dnsmasq, facts, plan
from hps.services.plan import Action, Reconciliation
from hps.system import executor
from hps.values import Mac

log = logging.getLogger(__name__)
PROBE_SECONDS = 4.0


@dataclass(frozen=True)
class Report:
    """What was planned, and what hinders the cluster from being served."""

    plan: Reconciliation
    problem: HpsError | None = None


@dataclass(frozen=True)
class Situation:
    """The cluster to serve, or None; and why the active one cannot be served."""

    values: Values | None
    interface: interfaces.Interface | None = None
    problem: HpsError | None = None


def active_cluster(registry: Registry) -> str:
    """The name of the active cluster; empty where there is none."""
    return registry.read(HPS).get("ACTIVE_CLUSTER") if registry.exists(HPS) else ""


def ips_name(registry: Registry) -> str:
    """The name of this IPS."""
    return (registry.read(HPS).get("IPS_NAME") if registry.exists(HPS) else "") or "ips-01"


def check_interface(values: Mapping[str, str], found: tuple[interfaces.Interface, ...]) -> interfaces.Interface:
    """The interface of a cluster; raises Refused where it is missing, down, or without the cluster's address."""
    name, address = values["DHCP_IFACE"], values["DHCP_IP"]
    here = {each.name: each for each in found}
    if name not in here:
        raise Refused(f"there is no interface {name} here", hint="choose one of: " + (", ".join(sorted(here)) or "none exists"))
    if not here[name].holds(address):
        own = ", ".join(str(each) for each in here[name].ipv4) or "none"
        raise Refused(f"{name} does not hold {address} (it has {own})", hint=f"as root: ip address add {address}/LENGTH dev {name}")
    if not here[name].up:
        raise Refused(f"{name} is down", hint=f"as root: ip link set {name} up")
    return here[name]


def check_alone(values: Mapping[str, str], seconds: float = PROBE_SECONDS) -> None:
    """Ask the cluster's interface who answers DHCP there; raises Refused naming each server but ourselves."""
    foreign = [offer for offer in dhcp_probe.probe(values["DHCP_IFACE"], seconds) if offer.server != values["DHCP_IP"]]
    if foreign:
        named = ", ".join(f"{offer.server} ({offer.server_mac})" for offer in foreign)
        raise Refused(
            f"another DHCP server answers on {values['DHCP_IFACE']}: {named}",
            hint="switch it off or connect another network: two servers on one network give machines to whoever is faster",
        )


def situation(registry: Registry) -> Situation:
    """Which cluster is to be served now, and what hinders it."""
    name = active_cluster(registry)
    if not name:
        return Situation(None)
    try:
        values = registry.read(cluster_name(name)).values
        return Situation(values, check_interface(values, interfaces.read()))
    except NotFound:
        return Situation(None, problem=Refused(f"the active cluster {name} has no record", hint="hps cluster list"))
    except HpsError as error:
        return Situation(None, problem=error)


def reconcile(paths: Paths, registry: Registry, dry_run: bool = False, probe_seconds: float = PROBE_SECONDS) -> Report:
    """Render, check and put in place every configuration, and start, stop, restart or reload what that asks for.

    Args:
        paths: the folders of this IPS.
        registry: its records.
        dry_run: plan only.
        probe_seconds: how long to listen for another DHCP server before dnsmasq starts; 0: the caller has listened.

    Raises:
        CommandFailed: a program refuses its new configuration; the old one is in place.
    """
    with registry.transaction("services"), registry.transaction("publish"):
        now = situation(registry)
        if now.values is not None and not dry_run:
            _certify(paths, registry, now.values)
        found = _plan(paths, registry, now)
        problem = now.problem
        if now.values is not None and probe_seconds and not dry_run and _newly_served(found, paths, now.values):
            try:
                check_alone(now.values, probe_seconds)
            except Refused as error:
                problem = error
                found = _plan(paths, registry, now, serve=False)
        if not dry_run:
            _apply(paths, found)
    return Report(found, problem)


def _newly_served(found: Reconciliation, paths: Paths, values: Values) -> bool:
    starts = {action.verb for action in found.actions if action.program == "dnsmasq"}
    old = facts.contents((dnsmasq.configuration(paths),)).get(dnsmasq.configuration(paths), b"").decode(errors="replace")
    return "start" in starts or ("restart" in starts and f"interface={values['DHCP_IFACE']}" not in old.splitlines())


def _certify(paths: Paths, registry: Registry, values: Values) -> None:
    folder, domain = paths.config / "ca", values["DNS_DOMAIN"]
    names = tuple(dict.fromkeys(("ips", ips_name(registry))))
    authority.ensure_authority(folder, values["CLUSTER_NAME"])
    authority.ensure_server_certificate(folder, (*names, *(f"{name}.{domain}" for name in names)), (values["DHCP_IP"],))


def _plan(paths: Paths, registry: Registry, now: Situation, serve: bool = True) -> Reconciliation:
    want = served.want(
        paths,
        served.Inputs(
            values=now.values,
            ips_name=ips_name(registry),
            home=served.home(),
            interface=now.interface,
            certificate=_digest(paths.config / "ca" / "ips.pem"),
            serve=serve,
        ),
        hosts=_all_hosts(paths, registry, now.values),
    )
    return plan.plan(want, facts.have(paths, (*(each.path for each in want.files), *(each.path for each in want.checked))))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else ""


def _apply(paths: Paths, found: Reconciliation) -> None:
    executor.apply(found.files)
    for action in found.actions:
        log.info("%s", action.describe())
        control.carry_out(paths, action)


def _host_files(paths: Paths, values: Values, mac: Mac, host: Values) -> tuple[steps.Write, ...]:
    """The two files of a host; none as long as it has no name or no address."""
    name, address = host.get("HOSTNAME", ""), host.get("IP", "")
    if not name or not address:
        return ()
    entry = dnsmasq.host_entry(mac, shortcut(host), address, name)
    return (
        steps.Write(dnsmasq.hosts_folder(paths) / mac.digits, entry.encode()),
        steps.Write(dnsmasq.names_folder(paths) / mac.digits, dnsmasq.name_entry(address, name, values["DNS_DOMAIN"]).encode()),
    )


def _all_hosts(paths: Paths, registry: Registry, values: Values | None) -> tuple[steps.Write, ...]:
    found: list[steps.Write] = []
    for name in registry.names("host", values["CLUSTER_NAME"]) if values is not None else ():
        try:
            found += _host_files(paths, values or {}, Mac.parse(name.parts[-1]), registry.read(name).values)
        except HpsError as error:
            log.warning("%s is not published: %s", name, error)
    return tuple(found)


def publish_host(paths: Paths, registry: Registry, cluster: str, mac: Mac) -> None:
    """Bring the two files of one host to its record, and dnsmasq to them; a cluster that is not active is left alone.

    Raises InvalidInput where a value may not stand in the files.
    """
    if active_cluster(registry) != cluster:
        return
    record = host_name(cluster, mac)
    with registry.transaction("publish"):
        values = registry.read(cluster_name(cluster)).values
        wanted = _host_files(paths, values, mac, registry.read(record).values) if registry.exists(record) else ()
        files = facts.contents((dnsmasq.hosts_folder(paths) / mac.digits, dnsmasq.names_folder(paths) / mac.digits))
        _publish(paths, wanted, plan.Have(files, frozenset(files), None))


def publish_all(paths: Paths, registry: Registry) -> None:
    """Bring the files of every host of the active cluster to the records, and remove those of hosts that are gone."""
    cluster = active_cluster(registry)
    if not cluster:
        return
    with registry.transaction("publish"):
        values = registry.read(cluster_name(cluster)).values
        files = facts.host_files(paths)
        _publish(paths, _all_hosts(paths, registry, values), plan.Have(facts.contents(files), files, None))


def _publish(paths: Paths, wanted: tuple[steps.Write, ...], have: plan.Have) -> None:
    found = plan.host_plan(wanted, have)
    executor.apply(found)
    if found and "dnsmasq" in (control.running(control.states(paths)) or ()):
        control.carry_out(paths, Action("dnsmasq", "refresh"))
