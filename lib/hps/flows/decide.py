"""Answer a machine that asks over the network what to do: enlist it, decide, and write down what was decided."""

import dataclasses
import time
from collections.abc import Mapping

from hps.boot import ipxe, menu
from hps.boot.decision import decide as decision_of
from hps.boot.model import Decision, Explain, Install, Menu, Request, Rescue, Restart, Wait
from hps.errors import InvalidInput, Refused
from hps.flows import enlist, site
from hps.flows.hold import PLACES
from hps.flows.model import Caller, Site
from hps.registry.model import Values, setting
from hps.security import fingerprint
from hps.values import Mac

Parameters = Mapping[str, str]

LONGEST_HOLD = 60
"""Seconds for which an answer is held back at most."""


def init(at: Site, caller: Caller, parameters: Parameters) -> Decision:
    """The boot decision for a machine; a new one is enlisted first.

    With `wait` the machine was told to wait before: where it still is, the answer is held back for so many seconds, or
    until it is another one. Where too many are held back it comes at once, and tells the machine to pause first.
    """
    mac, arch = caller.machine, parameters.get("arch", "")
    told = _enlisted(at, mac, arch)
    seconds = min(float(parameters.get("wait", "0")), LONGEST_HOLD)
    if not seconds or not isinstance(told, Wait | Explain):
        return told
    with PLACES.take(mac) as placed:
        if placed:
            return _held(at, mac, arch, told, seconds)
    return dataclasses.replace(told, pause=told.seconds) if isinstance(told, Wait) else told


def _enlisted(at: Site, mac: Mac, arch: str) -> Decision:
    values = enlist.first_contact(at, mac, arch)
    if values.get("STATE") == "REINSTALL" and values.get("RESCUE") != "true":
        values = enlist.set_state(at, mac, STATE="UNCONFIGURED").values
    return _answer(at, mac, values, arch)


def _held(at: Site, mac: Mac, arch: str, told: Decision, seconds: float) -> Decision:
    """What to tell a machine once that is something else; what it was told already when the time is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        seen = at.registry.revision()
        at = site.open_site(at.paths)
        if decision_of(site.host_values(at, mac), at.values, site.systems(at), Request(mac, arch)) != told:
            return _enlisted(at, mac, arch)
        at.registry.wait(seen, left)
    return told


def process_menu_item(at: Site, caller: Caller, parameters: Parameters) -> Decision:
    """Do what was chosen in the menu, and answer with what comes next.

    Raises:
        Refused: the host is not one that the menu was shown to.
        InvalidInput: there is no such item.
    """
    mac, item = caller.machine, parameters["menu_item"]
    if item == menu.WAIT_ITEM:
        return init(at, caller, {})
    values = enlist.first_contact(at, mac)
    if item == "show_host":
        return _show(values, mac)
    if values.get("STATE") not in ("UNCONFIGURED", "REINSTALL") or at.setting("CONFIGURE_AT") == "cli":
        raise Refused(f"{values.get('HOSTNAME') or mac} is not configured at the terminal", hint=f"on the IPS: hps host show {mac}")
    if item == "reboot":
        return Restart("you chose to restart")
    if item == "unmanage":
        enlist.set_state(at, mac, STATE="UNMANAGED", STATUS=None)
        return init(at, caller, {})
    choice = menu.parse_choice(item)
    if choice is None:
        raise InvalidInput(f"{item[:60]!r} is not an item of the menu")
    enlist.configure(at, mac, choice.type, choice.os_id, choice.erase)
    return init(at, caller, {})


def _answer(at: Site, mac: Mac, values: Values, arch: str) -> Decision:
    decision = decision_of(values, at.values, site.systems(at), Request(mac, arch))
    _remember_waiting(at, mac, values, decision)
    session = site.timeline(at).record(mac, "script", ipxe.words(decision), "api", values.get("HOSTNAME", ""))
    if isinstance(decision, Install | Rescue):
        authority = fingerprint.of(at.authority)
        decision = dataclasses.replace(decision, authority=authority, session=session, time=int(time.time()))
    if isinstance(decision, Install):
        decision = dataclasses.replace(decision, token=site.tokens(at).mint(mac))
    return decision


def _remember_waiting(at: Site, mac: Mac, values: Values, decision: Decision) -> None:
    """STATUS says `searching` while a machine waits; any other answer clears it, a restart too, so that it happens once."""
    status = "searching" if isinstance(decision, Menu | Wait) and values.get("STATE") in ("UNCONFIGURED", "REINSTALL") else None
    if values.get("STATUS") == "reboot":
        enlist.set_state(at, mac, STATUS=status)
    elif values.get("STATUS") != status:
        at.registry.change(site.record_name(at, mac), setting(STATUS=status))


def _show(values: Values, mac: Mac) -> Decision:
    keys = ("STATE", "TYPE", "HOSTNAME", "IP", "OS_ID", "ARCH", "CREATED")
    return Wait(f"what the IPS knows about {mac}", tuple(f"{key} = {values[key]}" for key in keys if key in values), 20, pause=20)
