"""What an operator sees: every host with its current boot, and one host's timeline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hps.errors import InvalidInput, NotFound
from hps.flows import enlist, site
from hps.flows.model import Caller, Site
from hps.host.model import Host, table
from hps.timeline.model import MEANING
from hps.timeline.sessions import Diagnosis, Session, diagnose
from hps.values import Mac


@dataclass(frozen=True)
class View:
    """One host as the status page shows it."""

    host: Host
    current: Session | None
    diagnosis: Diagnosis | None

    @property
    def latest(self) -> float:
        """When something happened last, epoch seconds; 0 where nothing has."""
        return self.current.last.time if self.current else 0.0


def views(at: Site, now: float | None = None) -> tuple[View, ...]:
    """Every host, the one that something happened to last first."""
    found = [view(at, host, now) for host in site.hosts(at)]
    return tuple(sorted(found, key=lambda one: (-one.latest, one.host.mac)))


def view(at: Site, host: Host, now: float | None = None) -> View:
    """One host with its current boot."""
    current = site.timeline(at).current(host.mac)
    moment = time.time() if now is None else now
    return View(host, current, diagnose(current, moment) if current else None)


def session_of(at: Site, host: Host, wanted: str = "") -> Session:
    """A boot of a host by its id, by default the current one; raises NotFound."""
    found = site.timeline(at).sessions(host.mac)
    if wanted:
        found = tuple(one for one in found if one.id == wanted)
    if not found:
        raise NotFound(f"{host.name} has no boot {wanted}".rstrip(), hint=f"hps host timeline {host.name} shows the current one")
    return found[-1]


def host_list(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """The records of the hosts, or only of those that nobody has configured."""
    unconfigured = parameters.get("unconfigured") == "true"
    return {"hosts": [host.public() for host in site.hosts(at) if not (unconfigured and host.configured)]}


def host_show(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The record of a host, without the secret keys."""
    return site.find(at, parameters["host"]).public()


def host_timeline(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """The events of one boot of a host, and the step that is missing."""
    host = site.find(at, parameters["host"])
    session = session_of(at, host, parameters.get("session", ""))
    return timeline_data(host, session)


def timeline_data(host: Host, session: Session) -> Mapping[str, Any]:
    """A boot as plain data."""
    found = diagnose(session, time.time())
    return {
        "host": host.name,
        "mac": str(host.mac),
        "session": session.id,
        "events": [{"time": one.time, "event": one.event, "detail": one.detail, "source": one.source} for one in session.events],
        "state": host.state,
        "done": found.done,
        "failed": found.failed,
        "missing": found.missing,
        "waiting": round(found.seconds, 1),
        "cause": found.cause,
    }


def show_timeline(boot: Mapping[str, Any]) -> str:
    """A boot as text for a terminal: each event with its time since the first and since the one before; then what is missing."""
    events = boot["events"]
    started = previous = events[0]["time"]
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started))
    lines = [f"{boot['host']}  {boot['mac']}  {boot['state']}  boot {boot['session']}  {began}"]
    for one in events:
        words = ": ".join(part for part in (MEANING.get(one["event"], ""), one["detail"]) if part)
        lines.append(f"{one['time'] - started:8.1f} s  +{one['time'] - previous:6.1f}  {one['event']:16}  {words}")
        previous = one["time"]
    if boot["failed"]:
        lines.append(f"failed {boot['waiting']:.0f} s ago: {boot['cause']}")
    elif not boot["done"]:
        lines.append(f"missing: {boot['missing']}, for {boot['waiting']:.0f} s; usual cause: {boot['cause']}")
    return "\n".join(lines) + "\n"


def host_configure(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Decide what a host becomes; one that was not seen yet is named by its MAC address."""
    try:
        mac = Mac.parse(parameters["host"])
    except InvalidInput:
        mac = site.find(at, parameters["host"]).mac
    return enlist.configure(at, mac, parameters["type"], parameters.get("os", ""), parameters.get("erase") == "true").public()


def host_arm(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Give one permission to install."""
    return enlist.arm(at, site.find(at, parameters["host"]).mac, parameters.get("erase") == "true").public()


def host_reinstall(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Choose again at the next network boot, or install the same again."""
    return enlist.reinstall(at, site.find(at, parameters["host"]).mac, parameters.get("erase") == "true").public()


def host_unconfigure(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Forget what a host shall be."""
    return enlist.unconfigure(at, site.find(at, parameters["host"]).mac).public()


def host_reboot(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Make a waiting machine restart once."""
    return enlist.set_state(at, site.find(at, parameters["host"]).mac, STATUS="reboot").public()


def host_rescue(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Boot the rescue shell at every network boot."""
    return enlist.set_state(at, site.find(at, parameters["host"]).mac, RESCUE="true").public()


def host_normal(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """End the rescue mode."""
    return enlist.set_state(at, site.find(at, parameters["host"]).mac, RESCUE=None).public()


def host_remove(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Forget a host; what it was is answered."""
    host = site.find(at, parameters["host"])
    enlist.remove(at, host.mac)
    return host.public()


def show_list(result: Mapping[str, Any]) -> str:
    """The hosts in columns."""
    return table(tuple(Host(Mac.parse(values["MAC"]), values) for values in result["hosts"]))


def show_configured(values: Mapping[str, str]) -> str:
    """One line about a host that was configured."""
    return f"{values['HOSTNAME']}: {values['STATE']}, {values['TYPE']}, {values['IP']}, {values.get('OS_ID', 'no operating system yet')}\n"


def show_change(values: Mapping[str, str]) -> str:
    """One line about a host that was changed."""
    return f"{values.get('HOSTNAME', values['MAC'])}: {values.get('STATE', '')}\n"


def show_removal(values: Mapping[str, str]) -> str:
    """One line about a host that was removed."""
    return f"{values.get('HOSTNAME', values['MAC'])}: removed\n"
