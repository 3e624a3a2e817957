"""What an operator sees: every host with its current boot, and one host's timeline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hps.errors import NotFound
from hps.flows import enlist, site
from hps.flows.model import Caller, Site
from hps.host.model import Host
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


def hosts(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """The records of the hosts, or only of those that nobody has configured."""
    unconfigured = parameters.get("unconfigured") == "true"
    return {"hosts": [host.public() for host in site.hosts(at) if not (unconfigured and host.configured)]}


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
        "done": found.done,
        "missing": found.missing,
        "waiting": round(found.seconds, 1),
        "cause": found.cause,
    }


def story(host: Host, session: Session) -> str:
    """A boot as text for a terminal: each event with its time since the first and since the one before; then what is missing."""
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(session.started))
    lines = [f"{host.name}  {host.mac}  {host.state}  boot {session.id}  {began}"]
    previous = session.started
    for one in session.events:
        words = ": ".join(part for part in (MEANING.get(one.event, ""), one.detail) if part)
        lines.append(f"{one.time - session.started:8.1f} s  +{one.time - previous:6.1f}  {one.event:16}  {words}")
        previous = one.time
    found = diagnose(session, time.time())
    if found.failed:
        lines.append(f"failed {found.seconds:.0f} s ago: {found.cause}")
    elif not found.done:
        lines.append(f"missing: {found.missing}, for {found.seconds:.0f} s; usual cause: {found.cause}")
    return "\n".join(lines) + "\n"


def host_configure(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Configure a host, as `hps host configure` does."""
    mac = Mac.parse(parameters["mac"])
    return enlist.configure(at, mac, parameters["type"], parameters.get("os", ""), parameters.get("erase") == "true").public()


def host_change(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Do one of the operator's verbs to a host, and return it as it is then."""
    host = site.find(at, parameters["host"])
    erase = parameters.get("erase") == "true"
    match parameters["action"]:
        case "arm":
            host = enlist.arm(at, host.mac, erase)
        case "reinstall":
            host = enlist.reinstall(at, host.mac, erase)
        case "unconfigure":
            host = enlist.unconfigure(at, host.mac)
        case "reboot":
            host = enlist.set_state(at, host.mac, STATUS="reboot")
        case "rescue":
            host = enlist.set_state(at, host.mac, RESCUE="true")
        case "normal":
            host = enlist.set_state(at, host.mac, RESCUE=None)
        case "remove":
            enlist.remove(at, host.mac)
    return host.public()


ACTIONS = ("arm", "reinstall", "unconfigure", "reboot", "rescue", "normal", "remove")
