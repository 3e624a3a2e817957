"""The Ethernet interfaces of this machine: which there are, whether they have a carrier, and how they are raised."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hps.errors import InvalidInput
from hps.steps import Plan, Run
from hps.values import Mac

_ETHERNET = "1"


@dataclass(frozen=True)
class Link:
    """One interface as the kernel shows it; `driver` and `speed` (Mbit/s) are empty where it does not say."""

    name: str
    mac: Mac
    carrier: bool = False
    driver: str = ""
    speed: str = ""


def read_links(system: Path = Path("/sys")) -> tuple[Link, ...]:
    """Every Ethernet interface but loopback and bridges, sorted by name; `system` is another root in tests."""
    found = [_read_link(entry) for entry in sorted((system / "class/net").glob("*"))]
    return tuple(link for link in found if link is not None)


def raise_plan(links: tuple[Link, ...]) -> Plan:
    """Raise every interface before anything else, so that slow ones begin to look for their partner (I24)."""
    return tuple(Run(("ip", "link", "set", "dev", link.name, "up")) for link in links)


def wait_for_carrier(deadline: float, read: Callable[[], tuple[Link, ...]] = read_links) -> tuple[Link, ...]:
    """The interfaces with a carrier, as soon as there is one; none when the deadline (time.monotonic()) passes."""
    while True:
        up = tuple(link for link in read() if link.carrier)
        if up or time.monotonic() >= deadline:
            return up
        time.sleep(0.1)


def _read_link(entry: Path) -> Link | None:
    if _text(entry / "type") != _ETHERNET or entry.name == "lo" or (entry / "bridge").exists():
        return None
    with contextlib.suppress(InvalidInput):
        driver = (entry / "device/driver").resolve().name if (entry / "device/driver").exists() else ""
        speed = _text(entry / "speed")
        return Link(
            entry.name, Mac.parse(_text(entry / "address")), _text(entry / "carrier") == "1", driver, speed if speed.isdigit() else ""
        )
    return None


def _text(path: Path) -> str:
    # The carrier of an interface that is down cannot be read: EINVAL.
    try:
        return path.read_text().strip()
    except OSError:
        return ""
