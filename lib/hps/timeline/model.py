"""The words of the timeline: event names in their order, and one event as a line of JSON. Pure."""

import json
import math
from dataclasses import dataclass

from hps.errors import InvalidInput

INSTALL_ORDER = (
    "dhcp", "loader", "script", "kernel", "network", "clock", "certificate", "configuration", "manifest", "objects", "verified",
    "armed", "erased", "partitions", "filesystems", "tree", "loader-installed", "identity", "unmounted", "restart",
)  # fmt: skip
"""The events of a boot that installs, in order."""

DISK_ORDER = ("dhcp", "loader", "script", "local", "kernel", "identity-applied", "registered")
"""The events of a boot from the disk, in order."""

FAILED = "failed"
EVENTS = frozenset((*INSTALL_ORDER, *DISK_ORDER, FAILED))
SOURCES = ("dnsmasq", "api", "installer", "node")
MAXIMUM_DETAIL = 400

MEANING = {
    "dhcp": "asked for an address",
    "loader": "fetched its boot loader",
    "script": "was told what to do",
    "local": "was sent to its own disk",
    "kernel": "the kernel runs",
    "network": "the installer has an address",
    "clock": "its clock is set",
    "certificate": "got its certificate",
    "configuration": "read its configuration",
    "manifest": "verified the image's signature",
    "objects": "fetched the image",
    "verified": "verified every object",
    "armed": "was allowed to erase the disk",
    "erased": "erased the disk",
    "partitions": "made partitions",
    "filesystems": "made file systems",
    "tree": "wrote the operating system",
    "loader-installed": "installed the boot loader",
    "identity": "was given its identity",
    "unmounted": "closed the disk",
    "restart": "restarts from its disk",
    "identity-applied": "took its name",
    "registered": "registered",
    FAILED: "failed",
}
"""What each event says about the machine."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to a machine: when (epoch seconds), in which boot, what, and who says so."""

    time: float
    session: str
    event: str
    detail: str = ""
    source: str = "api"

    def line(self) -> str:
        """The event as one line of its file."""
        fields = {"time": round(self.time, 3), "session": self.session, "event": self.event, "detail": self.detail, "source": self.source}
        return json.dumps(fields, ensure_ascii=False) + "\n"


def parse_events(text: str) -> tuple[Event, ...]:
    """The events of a file in the order of their times; a damaged or cut-off line is skipped, not fatal."""
    found = [event for line in text.splitlines() if (event := _parse(line)) is not None]
    return tuple(sorted(found, key=lambda one: one.time))


def checked_event(name: str) -> str:
    """A known event name; raises InvalidInput."""
    if name not in EVENTS:
        raise InvalidInput(f"{name[:40]!r} is not a step of a boot", hint="use one of: " + ", ".join(INSTALL_ORDER))
    return name


def one_line(detail: str) -> str:
    """Words for an event: one line, no control characters, bounded."""
    plain = detail if detail.isprintable() else "".join(character if character.isprintable() else " " for character in detail)
    return plain[:MAXIMUM_DETAIL].strip()


def _parse(line: str) -> Event | None:
    try:
        data = json.loads(line)
        event = Event(
            float(data["time"]), str(data["session"]), str(data["event"]), str(data.get("detail", "")), str(data.get("source", ""))
        )
    except (ValueError, TypeError, KeyError):
        return None
    return event if math.isfinite(event.time) else None
