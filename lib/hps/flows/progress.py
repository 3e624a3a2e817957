"""What a machine reports while it is installed: may it begin, where is it, why did it fail."""

import logging
from collections.abc import Mapping

from hps.errors import Refused
from hps.flows import serve, site
from hps.flows.model import Caller, Site
from hps.host.model import Host
from hps.registry.model import Values, setting
from hps.timeline.model import one_line
from hps.values import Mac

log = logging.getLogger(__name__)

LAST_STEP = "restart"
"""The step after which the next boot is from the disk; the host is DISK_BOOT until the node has registered."""

MAXIMUM_TRIES = 5
"""How often one permission may be begun again on the same disk, after power cuts."""


def install_begin(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Allow the installer to write to one disk, once: the permission is spent by it (S25).

    Raises:
        Refused: the host is not armed for this disk.
    """
    mac, disk, blank = caller.machine, parameters["disk"], parameters["blank"] == "true"
    spent: list[str] = []

    def edit(old: Values) -> Values:
        spent.append(_permission(Host(mac, old), disk, blank))
        tries = int(old.get("INSTALL_TRIES", "0")) + 1
        return setting(INSTALL_ARMED=None, INSTALL_DISK=disk, INSTALL_TRIES=str(tries))(old)

    record = at.registry.change(site.record_name(at, mac), edit)
    words = "empty" if blank else "holds data"
    log.warning("%s may write to disk %s (%s bytes, %s): %s", record.get("HOSTNAME"), disk, parameters["size"], words, spent[-1])
    return {"permission": spent[-1], "disk": disk, "tries": record.get("INSTALL_TRIES")}


def install_step(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Write a step of a machine into its timeline; the last one of an installation sends it to its own disk from now on."""
    mac = caller.machine
    values = site.host_values(at, mac)
    source = "installer" if values.get("STATE") == "INSTALLING" else "node"
    moment = float(parameters["time"]) if parameters.get("time") else None
    session = site.timeline(at).record(mac, parameters["step"], parameters.get("detail", ""), source, values.get("HOSTNAME", ""), moment)
    if source == "installer" and parameters["step"] == LAST_STEP:
        _start_from_disk(at, mac)
    return {"session": session}


def _start_from_disk(at: Site, mac: Mac) -> None:
    """The disk is complete: no boot may install again, and the permission that was spent on the disk ends (S25)."""

    def edit(old: Values) -> Values:
        if old.get("STATE") != "INSTALLING":
            return old
        return setting(STATE="DISK_BOOT", INSTALL_ARMED=None, INSTALL_DISK=None)(old)

    at.registry.change(site.record_name(at, mac), edit)
    serve.publish_host(at.paths, at.registry, at.cluster, mac)


def install_failed(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The installation ended without a result: remember why, take the permission back, install nothing until an operator says so."""
    mac, reason = caller.machine, one_line(parameters["reason"])

    def edit(old: Values) -> Values:
        if old.get("STATE") != "INSTALLING":
            raise Refused(f"{Host(mac, old).name} is not being installed")
        return setting(STATE="INSTALL_FAILED", INSTALL_ERROR=reason, INSTALL_ARMED=None, INSTALL_DISK=None)(old)

    record = at.registry.change(site.record_name(at, mac), edit)
    session = site.timeline(at).record(mac, "failed", reason, "installer", record.get("HOSTNAME"))
    site.tokens(at).void(mac)
    serve.publish_host(at.paths, at.registry, at.cluster, mac)
    return {"session": session, "state": record.get("STATE")}


def log_message(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Write a line of a machine into the log of the IPS, with its name and boot."""
    mac = caller.machine
    current = site.timeline(at).current(mac)
    name = site.host_values(at, mac).get("HOSTNAME") or str(mac)
    session = current.id if current else "------"
    log.warning("%s [%s] %s: %s", name, session, one_line(parameters.get("function", "") or "-"), one_line(parameters["message"]))
    return {"session": session}


def health(at: Site, _caller: Caller, _parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Whether decisions can be made: the records can be read, and a cluster is active."""
    return {"status": "ready" if at.cluster else "idle", "cluster": at.cluster}


def _permission(host: Host, disk: str, blank: bool) -> str:
    """Why the installer may begin; raises Refused where it may not."""
    values = host.values
    armed = values.get("INSTALL_ARMED", "")
    if values.get("STATE") != "INSTALLING":
        raise Refused(f"{host.name} is not being installed", hint=f"its state is {host.state or 'unknown'}")
    if armed == "erase":
        return "armed to erase"
    if armed == "blank" and blank:
        return "armed for an empty disk"
    if armed == "blank":
        raise Refused(f"the disk of {host.name} holds data and may not be erased", hint=f"hps host arm {host.name} --erase")
    if not values.get("INSTALL_DISK") or values["INSTALL_DISK"] != disk:
        raise Refused(f"{host.name} is not armed for this disk", hint=f"hps host arm {host.name} --erase")
    if int(values.get("INSTALL_TRIES", "0")) >= MAXIMUM_TRIES:
        raise Refused(
            f"{host.name} began this installation {MAXIMUM_TRIES} times without coming to its end", hint=f"hps host arm {host.name} --erase"
        )
    return "the same installation goes on"
