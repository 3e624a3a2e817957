"""What dnsmasq tells of a lease becomes an event of the timeline. Imports little: it starts with every lease."""

from collections.abc import Mapping, Sequence

from hps.boot.script import owner_of, words_of
from hps.errors import InvalidInput, NotFound
from hps.paths import Paths
from hps.security.leases import holder, parse_leases
from hps.system import files
from hps.timeline.store import Timeline
from hps.values import Mac, checked_address, checked_host_name

FIRMWARE = ("PXEClient", "HTTPClient")
"""How the vendor class of a machine begins while its firmware or loader speaks; an operating system sends another."""


def lease_event(paths: Paths, arguments: Sequence[str], environment: Mapping[str, str], now: float) -> str:
    """Record one call of the lease hook; returns the boot's id, or the empty text where it says nothing about a boot.

    Args:
        paths: the folders of this IPS.
        arguments: `add|old MAC ADDRESS [NAME]` or `tftp SIZE ADDRESS FILE`; every other action is ignored (dnsmasq(8), --dhcp-script).
        environment: of which DNSMASQ_TAGS, DNSMASQ_VENDOR_CLASS, DNSMASQ_DATA_MISSING and DNSMASQ_TIME_REMAINING are read, never evaluated.
        now: epoch seconds.
    """
    timeline = Timeline(paths.log / "boots")
    match list(arguments):
        case ["add" | "old", mac, address, *rest]:
            return _dhcp(paths, timeline, Mac.parse(mac), checked_address(address), rest, environment)
        case ["tftp", size, address, path, *_]:
            return _loader(paths, timeline, size, checked_address(address), path, now)
    return ""


def _dhcp(paths: Paths, timeline: Timeline, mac: Mac, address: str, rest: list[str], environment: Mapping[str, str]) -> str:
    # A restarted dnsmasq tells every lease again without knowing anything about its machine: that is no boot.
    if "DNSMASQ_DATA_MISSING" in environment:
        return ""
    name = _host_name(rest[0] if rest else "")
    tags = environment.get("DNSMASQ_TAGS", "").split()
    detail = f"{address} {name}".strip()
    if not environment.get("DNSMASQ_VENDOR_CLASS", "").startswith(FIRMWARE) and "ipxe" not in tags:
        # The first request of another program than the firmware: the kernel that the machine was sent to runs.
        current = timeline.current(mac)
        # The hook is slower than the API: the firmware's own request may stand after the script that answered it.
        sent = current is not None and any(one.event == "script" and one.detail.startswith(("install", "rescue")) for one in current.events)
        if current is None or not sent or any(one.event == "kernel" for one in current.events):
            return ""
        return timeline.record(mac, "kernel", f"asked for {detail}", "dnsmasq", name)
    session = timeline.record(mac, "dhcp", detail, "dnsmasq", name)
    event, told = _told(paths, mac, address) if "ipxe" in tags else ("", "")
    return timeline.record(mac, event, told, "dnsmasq", name) if event else session


def _told(paths: Paths, mac: Mac, address: str) -> tuple[str, str]:
    """The event for the boot script that nginx has for this machine, which no other program sees; empty where it has none."""
    try:
        text = files.read_text(paths.scripts / address)
    except (NotFound, InvalidInput):
        return "", ""
    words = words_of(text) if owner_of(text) == str(mac) else ""
    kind, _, rest = words.partition(": ")
    return ("local", rest) if kind == "local" else ("script", words) if words else ("", "")


def _loader(paths: Paths, timeline: Timeline, size: str, address: str, path: str, now: float) -> str:
    try:
        mac = holder(parse_leases(files.read_text(paths.leases)), address, now)
    except NotFound:
        return ""
    if mac is None:
        return ""
    return timeline.record(mac, "loader", f"{path.rsplit('/', 1)[-1]}, {size} bytes", "dnsmasq")


def _host_name(text: str) -> str:
    try:
        return checked_host_name(text.split(".")[0])
    except InvalidInput:
        return ""
