"""Answer a machine that asks over the network what to do: enlist it, decide, and write down what was decided."""

import dataclasses
import time
from collections.abc import Mapping

from hps.boot import menu
from hps.boot.decision import decide as decision_of
from hps.boot.model import Decision, Explain, Install, Introduce, Local, Menu, Request, Rescue, Restart, Wait
from hps.errors import InvalidInput, Refused
from hps.flows import enlist, site
from hps.flows.model import Caller, Site
from hps.registry.model import Values, setting
from hps.security import fingerprint
from hps.values import Mac

Parameters = Mapping[str, str]

_WORDS = {
    Menu: "menu: what shall this machine become",
    Introduce: "introduce: its architecture is asked for",
    Restart: "restart: the operator asked for it",
    Rescue: "rescue: a shell, no disk is touched",
    Local: "local: its own disk",
}


def init(at: Site, caller: Caller, parameters: Parameters) -> Decision:
    """The boot decision for a machine; a new one is enlisted first."""
    arch = parameters.get("arch", "")
    values = enlist.first_contact(at, caller.machine, arch)
    if values.get("STATE") == "REINSTALL" and values.get("RESCUE") != "true":
        values = enlist.set_state(at, caller.machine, STATE="UNCONFIGURED").values
    return _answer(at, caller.machine, values, arch)


def install(at: Site, caller: Caller, _parameters: Parameters) -> Decision:
    """Straight to the installer where the host is to be installed; in any other state the boot decision."""
    return init(at, caller, {})


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
    session = site.timeline(at).record(mac, "script", _words(decision), "api", values.get("HOSTNAME", ""))
    if isinstance(decision, Install | Rescue):
        authority = fingerprint.of(at.paths.config / "ca")
        decision = dataclasses.replace(decision, authority=authority, session=session, time=int(time.time()))
    if isinstance(decision, Install):
        decision = dataclasses.replace(decision, token=site.tokens(at).mint(mac))
    return decision


def _remember_waiting(at: Site, mac: Mac, values: Values, decision: Decision) -> None:
    """STATUS says `searching` while a machine waits; any other answer clears it, a restart too, so that it happens once."""
    status = "searching" if isinstance(decision, Menu | Wait) and values.get("STATE") in ("UNCONFIGURED", "REINSTALL") else None
    if values.get("STATUS") != status:
        at.registry.change(site.record_name(at, mac), setting(STATUS=status))


def _words(decision: Decision) -> str:
    match decision:
        case Wait():
            return f"wait: {decision.title}"
        case Explain():
            return f"explain: {decision.message}"
        case Install():
            return f"install: {decision.host} as {decision.type} with {decision.folder}"
        case _:
            return _WORDS[type(decision)]


def _show(values: Values, mac: Mac) -> Decision:
    keys = ("STATE", "TYPE", "HOSTNAME", "IP", "OS_ID", "ARCH", "CREATED")
    return Wait(f"what the IPS knows about {mac}", tuple(f"{key} = {values[key]}" for key in keys if key in values), 20)
