"""Boots: which events belong together, and which step a machine is missing. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hps.timeline.model import DISK_ORDER, FAILED, INSTALL_ORDER, Event

RACE = 5.0
"""Seconds within which DHCP's word may arrive after the machine's own next question: two programs write one story."""

SILENCE = 300.0
"""Seconds after which another DHCP request is a new attempt, although the last one went nowhere."""

_EARLY = ("dhcp", "loader")
_DECIDED = ("script", "local")


@dataclass(frozen=True)
class Session:
    """One boot of one machine."""

    id: str
    events: tuple[Event, ...]

    @property
    def started(self) -> float:
        """When it began, epoch seconds."""
        return self.events[0].time

    @property
    def last(self) -> Event:
        """The latest event."""
        return self.events[-1]


@dataclass(frozen=True)
class Diagnosis:
    """Where a boot stands: finished, failed, or which step is missing, for how many seconds, and what usually causes that."""

    done: bool
    missing: str
    seconds: float
    cause: str
    failed: bool = False


def session_id(who: str, start: float) -> str:
    """The id of a boot: the first six hexadecimal digits of SHA-256 of `<host name or MAC>:<epoch second>`."""
    return hashlib.sha256(f"{who}:{int(start)}".encode()).hexdigest()[:6]


def sessions(events: Sequence[Event]) -> tuple[Session, ...]:
    """The boots in these events, oldest first."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.session, []).append(event)
    return tuple(sorted((Session(name, tuple(group)) for name, group in groups.items()), key=lambda one: one.started))


def outline(session: Session) -> Session:
    """As much of a boot as `begins_session` and `repeats` look at: its first event, and the last one of each name."""
    latest = {event.event: event for event in session.events}
    kept = [event for event in session.events[1:] if latest[event.event] is event]
    return Session(session.id, (session.events[0], *kept))


def begins_session(current: Session | None, event: str, now: float) -> bool:
    """Whether an event is the first one of a new boot: the order goes back to the beginning after a later phase."""
    if current is None:
        return True
    names = {one.event for one in current.events}
    last = current.last
    if event in _EARLY:
        if names <= set(_EARLY):
            return now - last.time > SILENCE
        settled = names - {*_EARLY, *_DECIDED}
        return bool(settled) or now - last.time > RACE
    if event in _DECIDED:
        return bool(names - {*_EARLY, *_DECIDED, FAILED})
    return False


def repeats(current: Session | None, event: str, detail: str) -> bool:
    """Whether an event only says again what the last one said: a waiting machine asks every few seconds."""
    if current is None:
        return False
    if event in _DECIDED:
        decided = [one for one in current.events if one.event in _DECIDED]
        return bool(decided) and (decided[-1].event, decided[-1].detail) == (event, detail) and current.last == decided[-1]
    return event == current.last.event and detail == current.last.detail and event in _EARLY


def order_of(session: Session) -> tuple[str, ...]:
    """The steps that this boot should take: of an installation, or of a start from the disk."""
    names = {one.event for one in session.events}
    if names & {"local", "identity-applied", "registered"}:
        return DISK_ORDER
    last_script = next((one.detail for one in reversed(session.events) if one.event == "script"), "")
    return DISK_ORDER if last_script.startswith("local") else INSTALL_ORDER


def diagnose(session: Session, now: float) -> Diagnosis:
    """Which step is missing, how long it has been, and what usually causes that."""
    last = session.last
    waited = max(0.0, now - last.time)
    if last.event == FAILED:
        return Diagnosis(False, "", waited, last.detail or "no reason was given", failed=True)
    order = order_of(session)
    names = [one.event for one in session.events if one.event in order]
    if not names:
        return Diagnosis(False, order[0], waited, CAUSES[order[0]])
    reached = max(order.index(name) for name in names)
    if reached == len(order) - 1:
        return Diagnosis(True, "", waited, "")
    script = next((one.detail for one in reversed(session.events) if one.event == "script"), "")
    if last.event == "script" and script.startswith(("menu", "wait", "explain")):
        return Diagnosis(False, "a decision of an operator", waited, script)
    missing = next(name for name in order[reached + 1 :] if name not in ("loader", "local"))
    return Diagnosis(False, missing, waited, CAUSES[missing])


CAUSES = {
    "dhcp": "the machine is off, its cable is out, or it does not boot from the network",
    "script": "the loader did not reach hps-api: look at the machine's screen, and at the logs of nginx and hps-api",
    "kernel": "the kernel and initrd are still loading, could not be fetched, or the machine has too little memory",
    "network": "the installer has no driver for the network card, or got no address",
    "clock": "the installer could not set its clock from the IPS",
    "certificate": "the token was used or is older than 15 minutes, or the IPS is not the one that the machine was told to trust",
    "configuration": "the host is not in the state INSTALLING, or its certificate was replaced",
    "manifest": "no image is published for this type, or its signature is not of a key that the installer knows",
    "objects": "the download of the image stalls: the network or the disk of the IPS",
    "verified": "an object arrived damaged",
    "armed": "the disk holds data and the host is not armed: hps host arm NAME --erase",
    "erased": "the disk does not answer",
    "partitions": "the disk could not be partitioned, or is too small",
    "filesystems": "making file systems takes long, or the disk has errors",
    "tree": "writing the operating system takes long, or the disk is full",
    "loader-installed": "the boot loader could not be written",
    "identity": "the state partition could not be written",
    "unmounted": "the disk is still flushing what was written",
    "restart": "the installer did not come to its end",
    "identity-applied": "the operating system did not start from the disk: boot order, or its loader",
    "registered": "the operating system runs, but cannot reach the IPS: its network, its clock or its certificate",
}
"""The missing step -> what usually causes that."""
