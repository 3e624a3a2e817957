"""Make, activate, change and show clusters."""

import contextlib
import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from hps.cluster import answers, questions
from hps.errors import HpsError, InvalidInput, Refused
from hps.flows import rivals, serve
from hps.network import interfaces
from hps.paths import Paths
from hps.registry import keys
from hps.registry.keys import default
from hps.registry.model import HPS, Edit, Record, RecordName, Registry, Values, cluster_name, setting


@dataclass(frozen=True)
class Configured:
    """The record of a cluster, and whether this call made it."""

    values: Values
    made: bool


@dataclass(frozen=True)
class Change:
    """A record after a change, whether that changed it, and what the services did where they follow it."""

    record: Record
    changed: bool
    report: serve.Report | None = None


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


def configure(
    registry: Registry, given: Mapping[str, str], dry_run: bool = False, probe_seconds: float = serve.PROBE_SECONDS
) -> Configured:
    """Make the record of a cluster from answers; one that exists must already say the same.

    Args:
        registry: where the record goes.
        given: the answers, by key; what is not given is suggested.
        dry_run: write nothing, and ask nobody.
        probe_seconds: how long to listen on its interface for another HPS, before a new record is made.

    Raises:
        Usage: a question has no answer and no suggestion.
        InvalidInput: an answer is not well formed, or the answers do not fit together.
        Refused: the interface does not exist, another HPS serves a cluster there, or a cluster of this name says something else.
    """
    name = given.get("CLUSTER_NAME", "")
    facts = facts_for(registry, name) if name else questions.Facts()
    values = answers.record(answers.complete(given, facts))
    with contextlib.nullcontext() if dry_run else registry.transaction("clusters"):
        if registry.exists(cluster_name(name)):
            existing = registry.read(cluster_name(name)).values
            different = answers.differences(answers.asked(existing), values)
            if different:
                raise Refused(
                    f"the cluster {name} exists and says something else about {', '.join(different)}",
                    hint=f"hps cluster show {name}; change it with: hps cluster set {name} KEY=VALUE",
                )
            return Configured(existing, made=False)
        if not dry_run:
            rivals.refuse_cluster(values["DHCP_IFACE"], probe_seconds)
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
    serve.check_alone(values, probe_seconds)
    before = serve.active_cluster(registry)
    registry.change(HPS, setting(ACTIVE_CLUSTER=name, IPS_NAME=own), create=True)
    try:
        return serve.reconcile(paths, registry, probe_seconds=0)
    except HpsError:
        registry.change(HPS, setting(ACTIVE_CLUSTER=before or None))
        raise


def deactivate(paths: Paths, registry: Registry) -> serve.Report:
    """Serve no cluster: DHCP falls silent and nginx keeps the operator's door only."""
    registry.change(HPS, setting(ACTIVE_CLUSTER=None), create=True)
    return serve.reconcile(paths, registry)


def changed(registry: Registry, name: RecordName, edit: Edit, expected: int | None = None, create: bool = False) -> Change:
    """Apply an edit to a record and tell whether that changed it; raises Refused where it has not the expected revision."""
    before: list[Values] = []

    def watched(old: Values) -> Values:
        before[:] = [old]
        return edit(old)

    record = registry.change(name, watched, create=create, expected=expected)
    return Change(record, dict(before[0]) != dict(record.values))


def change(paths: Paths, registry: Registry, name: str, pairs: Mapping[str, str | None], expected: int | None = None) -> Change:
    """Set keys of a cluster (None unsets) and, where that changes something and it is active, bring the services to it.

    Raises InvalidInput where the result does not fit together, Refused where the record has not the expected revision;
    nothing has changed then.
    """
    if pairs.get("CLUSTER_NAME", name) != name:
        raise InvalidInput("a cluster keeps its name", hint="make another one with cluster-configure")
    for key in pairs:
        keys.known("cluster", key)

    def edit(old: Values) -> Values:
        new = setting(**pairs)(old)
        answers.check_whole(new)
        return new

    done = changed(registry, cluster_name(name), edit, expected)
    if done.changed and serve.active_cluster(registry) == name:
        return Change(done.record, True, serve.reconcile(paths, registry))
    return done


def add_ips(registry: Registry, name: str, wanted: str = "") -> str:
    """Give one more IPS of a cluster its name and return it; raises Refused for a name that is taken."""
    chosen = ""

    def edit(old: Values) -> Values:
        nonlocal chosen
        names, chosen = answers.with_ips(old, wanted)
        return {**old, "IPS_NAMES": names}

    registry.change(cluster_name(name), edit)
    return chosen


def remove_ips(registry: Registry, name: str, unwanted: str) -> None:
    """Take the name of an IPS out of a cluster.

    Raises NotFound for a name that it does not have, Refused for its last one, and for this IPS while it serves the cluster.
    """
    if serve.active_cluster(registry) == name and serve.ips_name(registry) == unwanted:
        raise Refused(f"this IPS is {unwanted} and serves the cluster {name}", hint="first, here: hps cluster deactivate")
    registry.change(cluster_name(name), lambda old: {**old, "IPS_NAMES": answers.without_ips(old, unwanted)})
