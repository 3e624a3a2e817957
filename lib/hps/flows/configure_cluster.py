"""Make, activate, change and show clusters."""

import contextlib
import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from hps.cluster import answers, questions
from hps.errors import HpsError, InvalidInput, Refused
from hps.flows import serve
from hps.network import interfaces
from hps.paths import Paths
from hps.registry.keys import default
from hps.registry.model import HPS, Registry, Values, cluster_name, setting
from hps.services import control, dnsmasq
from hps.services import facts as service_facts


@dataclass(frozen=True)
class Configured:
    """The record of a cluster, and whether this call made it."""

    values: Values
    made: bool


def facts_for(registry: Registry, name: str) -> questions.Facts:
    """What the questions about a cluster of this name may be answered from."""
    existing: Values = {}
    if registry.exists(cluster_name(name)):
        existing = registry.read(cluster_name(name)).values
    return questions.Facts(
        interfaces={each.name: each.ipv4 for each in interfaces.read()},
        today=datetime.datetime.now(datetime.UTC).date().isoformat(),
        ips_name=serve.ips_name(registry),
        existing=existing,
    )


def configure(registry: Registry, given: Mapping[str, str], dry_run: bool = False) -> Configured:
    """Make the record of a cluster from answers; one that exists must already say the same.

    Raises:
        Usage: a question has no answer and no suggestion.
        InvalidInput: an answer is not well formed, or the answers do not fit together.
        Refused: the interface does not exist, or a cluster of this name says something else.
    """
    name = given.get("CLUSTER_NAME", "")
    facts = facts_for(registry, name) if name else questions.Facts()
    values = answers.record(answers.complete(given, facts))
    with contextlib.nullcontext() if dry_run else registry.transaction("clusters"):
        if registry.exists(cluster_name(name)):
            different = answers.differences(registry.read(cluster_name(name)).values, values)
            if different:
                raise Refused(
                    f"the cluster {name} exists and says something else about {', '.join(different)}",
                    hint=f"hps cluster show {name}; change it with: hps cluster set {name} KEY=VALUE",
                )
            return Configured(values, made=False)
        if not dry_run:
            registry.change(cluster_name(name), lambda _old: values, create=True)
    return Configured(values, made=not dry_run)


def activate(paths: Paths, registry: Registry, name: str, probe_seconds: float = serve.PROBE_SECONDS) -> serve.Report:
    """Make a cluster the one that this IPS serves.

    Raises:
        NotFound: there is no such cluster.
        Refused: its interface is missing, down or without its address, another DHCP server answers there, or this IPS
            is not one of the cluster's; nothing has changed then.
    """
    values = registry.read(cluster_name(name)).values
    answers.check_whole(values)
    own = serve.ips_name(registry)
    if own not in values.get("IPS_NAMES", default("cluster", "IPS_NAMES")).split(","):
        raise Refused(f"this IPS is {own}, which the cluster {name} does not know", hint=f"hps cluster add-ips {name} --name {own}")
    serve.check_interface(values, interfaces.read())
    if not _answers_already(paths, values):
        serve.check_alone(values, probe_seconds)
    before = serve.active_cluster(registry)
    registry.change(HPS, setting(ACTIVE_CLUSTER=name, IPS_NAME=own), create=True)
    try:
        return serve.reconcile(paths, registry, probe_seconds=0)
    except HpsError:
        registry.change(HPS, setting(ACTIVE_CLUSTER=before or None))
        raise


def _answers_already(paths: Paths, values: Values) -> bool:
    """Whether our own dnsmasq serves this interface now."""
    running = control.running(control.states(paths)) or frozenset()
    rendered = service_facts.contents((dnsmasq.configuration(paths),)).get(dnsmasq.configuration(paths), b"")
    return "dnsmasq" in running and f"interface={values['DHCP_IFACE']}" in rendered.decode(errors="replace").splitlines()


def deactivate(paths: Paths, registry: Registry) -> serve.Report:
    """Serve no cluster: DHCP falls silent and nginx keeps the operator's door only."""
    registry.change(HPS, setting(ACTIVE_CLUSTER=None), create=True)
    return serve.reconcile(paths, registry)


def change(paths: Paths, registry: Registry, name: str, pairs: Mapping[str, str]) -> serve.Report | None:
    """Set keys of a cluster (an empty value unsets) and, where it is active, bring the services to it.

    Raises InvalidInput where the result does not fit together; nothing has changed then.
    """
    if pairs.get("CLUSTER_NAME", name) != name:
        raise InvalidInput("a cluster keeps its name", hint="make another one with cluster-configure")

    def edit(old: Values) -> Values:
        new = {key: value for key, value in {**old, **pairs}.items() if value or default("cluster", key)}
        answers.check_whole(new)
        return new

    registry.change(cluster_name(name), edit)
    return serve.reconcile(paths, registry) if serve.active_cluster(registry) == name else None


def add_ips(registry: Registry, name: str, wanted: str = "") -> str:
    """Give one more IPS of a cluster its name and return it; raises Refused for a name that is taken."""
    chosen = ""

    def edit(old: Values) -> Values:
        nonlocal chosen
        names, chosen = answers.with_ips(old, wanted)
        return {**old, "IPS_NAMES": names}

    registry.change(cluster_name(name), edit)
    return chosen
