"""A host as a person reads it: one line of a list, and the details. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from hps.registry.keys import public
from hps.values import Mac


@dataclass(frozen=True)
class Host:
    """One host: its MAC address and the values of its record."""

    mac: Mac
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name, or its MAC address while it has none."""
        return self.values.get("HOSTNAME", "") or str(self.mac)

    @property
    def state(self) -> str:
        """Its state."""
        return self.values.get("STATE", "")

    @property
    def configured(self) -> bool:
        """Whether somebody decided what it shall be."""
        return self.state not in ("", "UNCONFIGURED")

    def public(self) -> dict[str, str]:
        """Its values without the secret ones, and its MAC address."""
        return {"MAC": str(self.mac), **public("host", self.values)}


COLUMNS = ("NAME", "MAC", "STATE", "TYPE", "IP", "OS", "STATUS")


def table(hosts: tuple[Host, ...]) -> str:
    """The hosts as text in columns, one line each, with a heading."""
    rows = [COLUMNS, *(_row(host) for host in hosts)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def _row(host: Host) -> tuple[str, ...]:
    value = host.values.get
    return (
        value("HOSTNAME", "-"),
        str(host.mac),
        host.state or "-",
        value("TYPE", "-"),
        value("IP", "-"),
        value("OS_ID", "-"),
        value("STATUS", "-") or "-",
    )
