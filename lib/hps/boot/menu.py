"""The menu of a machine that nobody has configured yet: what it offers, and how its items are named. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hps.boot.model import Item
from hps.errors import InvalidInput
from hps.registry.keys import TYPES

Values = Mapping[str, str]

TYPE_WORDS = {
    "SCH": "storage host",
    "TCH": "thin compute host, diskless",
    "CCH": "compute host with disks",
    "DRH": "disaster recovery host",
}
WAIT_ITEM = "init_menu"
_CHOICE = re.compile(r"(boot|erase)_([A-Z]{3})(?:@([A-Za-z0-9_]{1,16}:[a-z0-9]{1,16}:[A-Za-z0-9.]{1,16}))?")


@dataclass(frozen=True)
class Choice:
    """What a menu item of the kind `boot_SCH@x86_64:debian:12` asks for."""

    type: str
    os_id: str
    erase: bool


def parse_choice(item: str) -> Choice | None:
    """The choice that an item stands for, or None where it is another item; raises InvalidInput for an unknown type."""
    found = _CHOICE.fullmatch(item)
    if found is None:
        return None
    if found[2] not in TYPES:
        raise InvalidInput(f"{found[2]} is not a host type", hint="use one of: " + ", ".join(TYPES))
    return Choice(found[2], found[3] or "", found[1] == "erase")


def folder(os_id: str) -> str:
    """`x86_64:debian:12` as a folder name, `x86_64-debian_12`."""
    return os_id.replace(":", "-", 1).replace(":", "_", 1)


def has_image(system: Values, kind: str) -> bool:
    """Whether an operating system has a published image for a host type."""
    return bool(system.get(f"IMAGE_{kind}"))


def offers(systems: Sequence[Values], arch: str) -> tuple[tuple[str, str], ...]:
    """The (type, operating system) pairs with a published image for this architecture, retired and test ones left out."""
    return tuple(
        (kind, system["OS_ID"])
        for system in sorted(systems, key=lambda one: one.get("OS_ID", ""))
        if system.get("ARCH") == arch and system.get("OS_ID") and system.get("STATUS", "prod") == "prod"
        for kind in TYPES
        if has_image(system, kind)
    )


def items(pairs: Sequence[tuple[str, str]]) -> tuple[Item, ...]:
    """The lines of the menu for these pairs."""
    install = tuple(Item(f"boot_{kind}@{os_id}", f"{kind} {TYPE_WORDS[kind]}, {_spoken(os_id)}") for kind, os_id in pairs)
    erase = tuple(Item(f"erase_{kind}@{os_id}", f"{kind} {TYPE_WORDS[kind]}, {_spoken(os_id)}") for kind, os_id in pairs)
    return (
        Item("", "Install on an empty disk"),
        *install,
        Item("", "Install and ERASE whatever is on the disk"),
        *erase,
        Item("", "Other"),
        Item(WAIT_ITEM, "Keep waiting, ask the IPS again"),
        Item("show_host", "Show what the IPS knows about this machine"),
        Item("unmanage", "Leave this machine alone, start from its own disk from now on"),
        Item("reboot", "Restart"),
    )


def _spoken(os_id: str) -> str:
    arch, name, version = os_id.split(":")
    return f"{name} {version} for {arch}"
