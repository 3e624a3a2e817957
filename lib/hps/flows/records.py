"""Records by hand: an operator reads, sets and unsets the keys of a host, of a cluster, and of the program itself.

Each function here makes the handler for one kind of record. A secret is set and unset, and never read.
"""

import ipaddress
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hps.errors import Denied, HpsError, NotFound, Refused
from hps.flows import configure_cluster, serve, site
from hps.flows.model import Caller, Site
from hps.registry import keys, settings
from hps.registry.addresses import dynamic_pool
from hps.registry.model import HPS, Record, RecordName, Values, cluster_name, parse_name, setting
from hps.services import facts
from hps.values import Mac

Parameters = Mapping[str, Any]
Answer = Mapping[str, Any]
Handler = Callable[[Site, Caller, Parameters], Answer]

RENDERED = ("RESOURCES", "IPS_NAME")
"""Settings of the program that stand in the configurations of the services."""


def get(kind: str) -> Handler:
    """The value of one key; raises NotFound where it is not set, Denied where it is secret."""

    def handler(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
        key = readable(kind, keys.canonical(kind, parameters["key"]))
        record = _read(at, _name(at, kind, parameters))
        return {"key": key, "value": _value(record, key), "revision": record.revision}

    return handler


def exists(kind: str) -> Handler:
    """Whether one key is set, of a secret one too; raises NotFound where it is not."""

    def handler(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
        key = keys.canonical(kind, parameters["key"])
        keys.known(kind, key)
        _value(_read(at, _name(at, kind, parameters)), key)
        return {"key": key, "exists": True}

    return handler


def list_all(kind: str) -> Handler:
    """Every key that is set, with its value where that is not secret."""

    def handler(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
        record = _read(at, _name(at, kind, parameters))
        return {"record": str(record.name), "values": keys.public(kind, record.values), "revision": record.revision}

    return handler


def put(kind: str) -> Handler:
    """Set one key, where a revision is given only if the record still has that revision."""

    def handler(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
        return _write(at, kind, parameters, parameters["value"])

    return handler


def unset(kind: str) -> Handler:
    """Unset one key; one that is not set is no error."""

    def handler(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
        return _write(at, kind, parameters, None)

    return handler


def search(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
    """The hosts whose key has exactly this value."""
    field = readable("host", keys.canonical("host", parameters["field"]))
    return {"hosts": [host.public() for host in site.hosts(at) if host.values.get(field) == parameters["value"]]}


def check(at: Site, _caller: Caller, _parameters: Parameters) -> Answer:
    """Every damaged record by its line, and every key and value that the table does not allow; no value is told."""
    found = at.registry.check()
    return {"problems": [{"record": str(one.name), "file": one.path, "line": one.line, "what": one.what} for one in found]}


def restore(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
    """Put the last good version of a damaged record back, and bring what is made of it to that."""
    record = at.registry.restore(parse_name(parameters["record"]))
    answer = {"record": str(record.name), "revision": record.revision}
    if record.name.kind == "host" and record.name.parts[0] == at.cluster:
        serve.publish_host(at.paths, at.registry, at.cluster, Mac(record.name.parts[1]))
        return answer
    problem = serve.reconcile(at.paths, at.registry).problem
    return {**answer, "problem": str(problem)} if problem is not None else answer


def readable(kind: str, key: str) -> str:
    """The same key, if its value may be shown; raises InvalidInput for an unknown one, Denied for a secret one."""
    keys.known(kind, key)
    if keys.is_secret(kind, key):
        raise Denied(f"{key} is secret: it is set and never shown", hint="exists says whether it is set; set gives it another value")
    return key


def _name(at: Site, kind: str, parameters: Parameters) -> RecordName:
    match kind:
        case "host":
            return site.record_name(at, site.find(at, parameters["host"]).mac)
        case "cluster":
            return cluster_name(parameters.get("cluster") or site.need_cluster(at).cluster)
    return HPS


def _read(at: Site, name: RecordName) -> Record:
    return at.registry.read(name) if name != HPS or at.registry.exists(name) else Record(HPS)


def _value(record: Record, key: str) -> str:
    if key not in record.values:
        declared = keys.KEYS.get((record.name.kind, key))
        words = f"its default is {declared.default}" if declared is not None and declared.default else ""
        raise NotFound(f"{key} is not set in the record {record.name}", hint=words)
    return record.values[key]


def _write(at: Site, kind: str, parameters: Parameters, value: str | None) -> Answer:
    key = keys.canonical(kind, parameters["key"])
    keys.check_writer(kind, key, keys.OPERATOR)
    name = _name(at, kind, parameters)
    expected = int(parameters["revision"]) if "revision" in parameters else None
    done = _WRITERS[kind](at, name, key, value, expected)
    answer = {"key": key, "state": "set" if value is not None else "unset", "changed": done.changed, "revision": done.record.revision}
    problem = done.report.problem if done.report is not None else None
    return {**answer, "problem": str(problem)} if problem is not None else answer


def _write_host(at: Site, name: RecordName, key: str, value: str | None, expected: int | None) -> configure_cluster.Change:
    mac = Mac(name.parts[1])
    with at.registry.transaction("allocation"):
        if value is not None and key in ("HOSTNAME", "IP"):
            keys.check_values("host", {key: value})
            _check_free(at, mac, key, value)
        done = configure_cluster.changed(at.registry, name, setting(**{key: value}), expected)
    if done.changed:
        serve.publish_host(at.paths, at.registry, at.cluster, mac)
    return done


def _check_free(at: Site, mac: Mac, key: str, value: str) -> None:
    """Raise Refused where another host has this name or address, or where the address is none that a host may keep."""
    for host in site.whole_hosts(at):
        if host.mac != mac and host.values.get(key) == value:
            raise Refused(f"{value} is the {'name' if key == 'HOSTNAME' else 'address'} of {host.mac}", hint="hps host list shows them all")
    if key == "IP":
        first, last = dynamic_pool(at.values)
        network, address = ipaddress.IPv4Network(at.values["NETWORK_CIDR"]), ipaddress.IPv4Address(value)
        own = (at.values["DHCP_IP"], str(network.network_address), str(network.broadcast_address))
        if address not in network or first <= address <= last or value in own:
            raise Refused(f"{value} is no address for a host of {network}", hint=f"the pool of first contacts is {first} to {last}")


def _write_cluster(at: Site, name: RecordName, key: str, value: str | None, expected: int | None) -> configure_cluster.Change:
    return configure_cluster.change(at.paths, at.registry, name.parts[0], {key: value}, expected)


def _write_program(at: Site, name: RecordName, key: str, value: str | None, expected: int | None) -> configure_cluster.Change:
    """Set a key of the program itself; where the services cannot follow it, the old value is put back."""
    if value is not None:
        keys.check_values("hps", {key: value})
    _check_setting(at, key, value)
    before: Values = settings.read(at.registry)
    done = configure_cluster.changed(at.registry, name, setting(**{key: value}), expected, create=True)
    if not done.changed or key not in RENDERED:
        return done
    try:
        return configure_cluster.Change(done.record, True, serve.reconcile(at.paths, at.registry))
    except HpsError:
        at.registry.change(name, setting(**{key: before.get(key)}))
        raise


def _check_setting(at: Site, key: str, value: str | None) -> None:
    if key == "RESOURCES":
        _check_resources(at, settings.located(at.paths, {"RESOURCES": value or ""}).resources)
    if key == "PROFILES" and value is not None and not Path(value).is_dir():
        raise NotFound(f"{value} is not a folder")
    if key == "IPS_NAME" and at.cluster:
        wanted, names = value or keys.default("hps", key), at.setting("IPS_NAMES").split(",")
        if wanted not in names:
            raise Refused(f"the cluster {at.cluster} knows no IPS {wanted}", hint=f"hps cluster add-ips --name {wanted}")


def _check_resources(at: Site, folder: Path) -> None:
    """Machines boot from this folder: it must be there, and whoever serves it must be able to reach it."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder", hint=f"move what machines boot from first: mv {at.paths.resources} {folder}")
    if any(facts.worker(user, at.paths) != "root" for user in ("www-data", "dnsmasq")):
        closed = [str(place) for place in (folder, *folder.parents) if not place.stat().st_mode & stat.S_IXOTH]
        if closed:
            raise Refused(f"nginx and dnsmasq may not enter {closed[-1]}", hint=f"chmod o+rx {closed[-1]}")


_WRITERS = {"host": _write_host, "cluster": _write_cluster, "hps": _write_program}
