"""Ask for an address on every interface at once; the first valid answer wins (I7, I8, I24, I25)."""

import ipaddress
import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hps.errors import HpsError, InvalidInput, Unreachable
from hps.network import links
from hps.network.links import Link
from hps.steps import Plan, Run, Write
from hps.system import command, files
from hps.values import Mac, checked_address

log = logging.getLogger(__name__)

LIMIT = 300
"""Seconds for the whole search: the five minutes of the contract."""
GRACE = 5
"""Seconds that the interface this machine was started from may still take when another has answered first."""

# udhcpc hands an answer over in the environment of a program. This one only writes that environment down, NUL separated:
# nothing of what came over the network is ever read by a shell.
_SCRIPT = b'#!/bin/sh\n[ "$1" = bound ] || exit 0\nenv -0 >"$HPS_ANSWER.new" && mv "$HPS_ANSWER.new" "$HPS_ANSWER"\n'


@dataclass(frozen=True)
class Answer:
    """What a DHCP server gave: an address and what goes with it; `boot_server` from siaddr or option 66."""

    interface: str
    address: str
    prefix: int
    server: str
    router: str = ""
    name_servers: tuple[str, ...] = ()
    domain: str = ""
    boot_server: str = ""


def parse_answer(environment: bytes) -> Answer:
    """Read the environment that udhcpc gave its script (NUL separated); raises InvalidInput. Pure."""
    values: dict[str, str] = {}
    for word in environment.split(b"\0"):
        name, separator, value = word.partition(b"=")
        if separator:
            values[name.decode(errors="replace")] = value.decode(errors="replace")
    routers = values.get("router", "").split()
    return Answer(
        interface=_matching(values, "interface", r"[A-Za-z0-9._-]{1,15}"),
        address=checked_address(values.get("ip", "")),
        prefix=_prefix(values.get("subnet", "")),
        server=checked_address(values.get("serverid", "")),
        router=checked_address(routers[0]) if routers else "",
        name_servers=tuple(checked_address(each) for each in values.get("dns", "").split()),
        domain=_matching(values, "domain", r"([A-Za-z0-9.-]{1,253})?"),
        boot_server=_boot_server(values),
    )


def select(answers: Mapping[str, Answer], known: tuple[Link, ...], preferred: Mac | None, waited: float) -> Answer | None:
    """Which answer to use, or None to wait on. Pure.

    The interface that the machine was started from wins; another one is taken when that one has no carrier or has had its
    grace. `waited` is the time in seconds since the first answer; the order of `answers` is the order of their arrival.
    """
    first = next(iter(answers.values()), None)
    favourite = next((link for link in known if link.mac == preferred), None)
    if favourite is None:
        return first
    if favourite.name in answers:
        return answers[favourite.name]
    return first if not favourite.carrier or waited >= GRACE else None


def address_plan(answer: Answer, resolver: Path = Path("/etc/resolv.conf")) -> Plan:
    """Set the address, the route and the resolver as the answer says. Pure."""
    device = answer.interface
    route = (Run(("ip", "route", "replace", "default", "via", answer.router, "dev", device)),) if answer.router else ()
    return (
        Run(("ip", "addr", "flush", "dev", device)),
        Run(("ip", "addr", "add", f"{answer.address}/{answer.prefix}", "dev", device)),
        *route,
        Write(resolver, render_resolver(answer.name_servers, answer.domain).encode()),
    )


def render_resolver(name_servers: tuple[str, ...], domain: str) -> str:
    """The text of resolv.conf. Pure."""
    return (f"search {domain}\n" if domain else "") + "".join(f"nameserver {server}\n" for server in name_servers)


def find_address(preferred: Mac | None, folder: Path, limit: float = LIMIT) -> Answer:
    """Ask on every interface that has or gets a carrier until one has a valid answer.

    Args:
        preferred: the interface that the machine was started from.
        folder: where the raw answers are kept, one file an interface; for the log.
        limit: seconds for everything.

    Raises:
        Unreachable: no interface had a valid answer in time; the message says what each one was like.
    """
    files.make_directory(folder)
    files.write(folder / "script", _SCRIPT, mode=0o755)
    deadline = time.monotonic() + limit
    state = _Search()
    first: float | None = None
    try:
        while time.monotonic() < deadline:
            known = links.read_links()
            for link in known:
                if link.carrier:
                    state.ask(link.name, folder, deadline)
            if state.answers and first is None:
                first = time.monotonic()
            chosen = select(dict(state.answers), known, preferred, time.monotonic() - first if first is not None else 0)
            if chosen is not None:
                return chosen
            time.sleep(0.1)
    finally:
        state.stop.set()
    seen = ", ".join(f"{link.name} ({link.mac}, {'no DHCP answer' if link.carrier else 'no link'})" for link in links.read_links())
    raise Unreachable(
        f"no DHCP answer within {limit:.0f} seconds on: {seen or 'no network interface at all'}", hint="check cables and the IPS"
    )


class _Search:
    """One thread an interface; each keeps asking until it has an answer or the search is over."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.stop = threading.Event()
        self._asking: set[str] = set()

    def ask(self, interface: str, folder: Path, deadline: float) -> None:
        if interface not in self._asking:
            self._asking.add(interface)
            threading.Thread(target=self._ask, args=(interface, folder, deadline), daemon=True).start()

    def _ask(self, interface: str, folder: Path, deadline: float) -> None:
        place = folder / interface
        while not self.stop.is_set() and time.monotonic() < deadline:
            try:
                self._ask_once(interface, folder / "script", place)
                self.answers[interface] = parse_answer(place.read_bytes())
                return
            except InvalidInput as error:
                log.warning("%s: an answer was not valid and is ignored: %s", interface, error)
            except (HpsError, OSError) as error:
                log.info("%s: no answer yet: %s", interface, error)
            self.stop.wait(1)

    @staticmethod
    def _ask_once(interface: str, script: Path, place: Path) -> None:
        options = [word for option in ("tftp", "domain", "dns", "router", "subnet") for word in ("-O", option)]
        arguments = ("busybox", "udhcpc", "-f", "-q", "-n", "-t", "4", "-T", "2", "-i", interface, "-s", str(script), *options)
        command.run(arguments, timeout=30, environment={"HPS_ANSWER": str(place)})


def _matching(values: Mapping[str, str], name: str, pattern: str) -> str:
    value = values.get(name, "")
    if not re.fullmatch(pattern, value):
        raise InvalidInput(f"the DHCP answer has no valid {name}")
    return value


def _prefix(mask: str) -> int:
    try:
        return ipaddress.IPv4Network(f"0.0.0.0/{checked_address(mask)}").prefixlen
    except ValueError as error:
        raise InvalidInput(f"{mask!r} is not a network mask") from error


def _boot_server(values: Mapping[str, str]) -> str:
    for name in ("siaddr", "tftp"):
        value = values.get(name, "")
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", value) and value != "0.0.0.0":  # noqa: S104
            return value
    return ""
