"""Bring the services of the IPS to what the records say: facts, plan, apply; a second time plans nothing.

dnsmasq runs only where a cluster is active, its interface exists and holds its address, and no other DHCP server
answers there. Whatever hinders that is said, and everything else is still brought up.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hps.errors import HpsError, NotFound, Refused
from hps.flows import host_files, rivals, served
from hps.flows.host_files import HostFiles
from hps.network import interfaces
from hps.paths import Paths
from hps.registry import settings
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
    rivals.refuse(values["DHCP_IFACE"], seconds)


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
    paths = settings.located(paths, settings.read(registry))
    with registry.transaction("services"), registry.transaction("publish"):
        now = _certified(paths, registry, situation(registry), dry_run)
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


def _certified(paths: Paths, registry: Registry, now: Situation, dry_run: bool) -> Situation:
    """The same situation with a good certificate; where the authority is missing or damaged nothing is served, and it is said."""
    if now.values is None:
        return now
    try:
        authority.check(paths.authority(now.values["CLUSTER_NAME"]))
        if not dry_run:
            _certify(paths, registry, now.values)
    except HpsError as error:
        return Situation(None, problem=error)
    return now


def _certify(paths: Paths, registry: Registry, values: Values) -> bool:
    """Bring the certificate of the IPS up to date; True where there is a new one."""
    folder, domain = paths.authority(values["CLUSTER_NAME"]), values["DNS_DOMAIN"]
    names = tuple(dict.fromkeys(("ips", ips_name(registry))))
    try:
        return authority.ensure_server_certificate(folder, (*names, *(f"{name}.{domain}" for name in names)), (values["DHCP_IP"],))
    except Refused as error:
        if not authority.server_usable(folder):
            raise
        log.warning("the certificate of the IPS is due and was not renewed: %s", error)
        return False


def renew(paths: Paths, registry: Registry) -> bool:
    """Renew the certificate of the IPS where that is due, and have nginx take it; True where that was so.

    Raises Refused where the authority is missing, damaged, or locked when there is no other way.
    """
    with registry.transaction("services"):
        values = situation(registry).values
        renewed = values is not None and _certify(paths, registry, values)
    if renewed:
        reconcile(paths, registry)
    return renewed


def _plan(paths: Paths, registry: Registry, now: Situation, serve: bool = True) -> Reconciliation:
    hosts = host_files.of_all(paths, registry, now.values)
    want = served.want(
        paths,
        served.Inputs(
            values=now.values,
            ips_name=ips_name(registry),
            home=served.home(),
            interface=now.interface,
            certificate=_digest(paths.authority(now.values["CLUSTER_NAME"]) / "ips.pem") if now.values is not None else "",
            serve=serve,
        ),
        hosts=hosts.entries,
        scripts=hosts.scripts,
    )
    return plan.plan(want, facts.have(paths, (*(each.path for each in want.files), *(each.path for each in want.checked))))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else ""


def _apply(paths: Paths, found: Reconciliation) -> None:
    executor.apply(found.files)
    for action in found.actions:
        log.info("%s", action.describe())
        control.carry_out(paths, action)


def publish_host(paths: Paths, registry: Registry, cluster: str, mac: Mac) -> None:
    """Bring the files of one host to its record, and dnsmasq to them; a cluster that is not active is left alone.

    Raises InvalidInput where a value may not stand in the files.
    """
    if active_cluster(registry) != cluster:
        return
    record = host_name(cluster, mac)
    with registry.transaction("publish"):
        wanted = HostFiles()
        if registry.exists(record):
            values, systems = registry.read(cluster_name(cluster)).values, host_files.systems_of(registry)
            wanted = host_files.of_host(paths, values, systems, mac, registry.read(record).values)
        _publish(paths, wanted, host_files.entries_of(paths, mac), host_files.scripts_of(paths, mac))


def publish_all(paths: Paths, registry: Registry) -> None:
    """Bring the files of every host of the active cluster to the records, and remove those of hosts that are gone."""
    cluster = active_cluster(registry)
    if not cluster:
        return
    with registry.transaction("publish"):
        wanted = host_files.of_all(paths, registry, registry.read(cluster_name(cluster)).values)
        _publish(paths, wanted, facts.host_files(paths), facts.script_files(paths))


def _publish(paths: Paths, wanted: HostFiles, entries: frozenset[Path], scripts: frozenset[Path]) -> None:
    """Write what is not so already. dnsmasq is told only where a name or an address is another one."""
    there = entries | scripts | {write.path for write in (*wanted.entries, *wanted.scripts)}
    contents = facts.contents(there)
    executor.apply(plan.host_plan(wanted.scripts, contents, scripts))
    found = plan.host_plan(wanted.entries, contents, entries)
    executor.apply(found)
    if found and "dnsmasq" in (control.running(control.states(paths)) or ()):
        control.carry_out(paths, Action("dnsmasq", "refresh"))
