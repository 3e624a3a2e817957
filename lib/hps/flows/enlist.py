"""Hosts come and go: first contact, configuration, permission to erase, and removal."""

import time
import uuid
from collections.abc import Collection

from hps.boot.decision import ARCHITECTURES, LOCAL_STATES
from hps.boot.menu import has_image
from hps.errors import InvalidInput, NotFound, Refused
from hps.flows import serve, site
from hps.flows.model import Site
from hps.host.allocation import choose_address, choose_name
from hps.host.model import Host
from hps.registry.keys import checked_type
from hps.registry.model import Record, Values, setting
from hps.security.leases import parse_leases
from hps.system import files
from hps.values import Mac

_INSTALL_KEYS = ("INSTALL_ID", "INSTALL_ARMED", "INSTALL_DISK", "INSTALL_TRIES", "INSTALL_ERROR")
_SERVERS = ("DHCP_IP", "DEFAULT_ROUTE", "DNS_LOCAL_SERVER", "NTP_LOCAL_SERVER", "SYSLOG_LOCAL_SERVER", "SMTP_LOCAL_SERVER")


def timestamp() -> str:
    """Now, RFC 3339, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def first_contact(at: Site, mac: Mac, arch: str = "") -> Values:
    """The values of a host, enlisted now where it is new; its architecture is kept where its loader said one that we know."""
    told = ARCHITECTURES.get(arch, "")
    known = site.host_values(at, mac)
    if known and (not told or known.get("ARCH") == told):
        return known

    def edit(old: Values) -> Values:
        new = dict(old) or {"STATE": "UNCONFIGURED", "CREATED": timestamp()}
        return new | ({"ARCH": told} if told else {})

    return at.registry.change(site.record_name(at, mac), edit, create=True).values


def configure(at: Site, mac: Mac, kind: str, os_id: str = "", erase: bool = False) -> Host:
    """Decide what a host becomes: its name, address, type and operating system, and one permission to use its disk.

    Args:
        at: the site.
        mac: the host; it need not have been seen yet.
        kind: its type; aliases are taken.
        os_id: its operating system; by default the cluster's default, or the only one with an image of that type.
        erase: whether a disk that holds data may be erased, once; else only an empty disk is used.

    Raises:
        Refused: it is installed already, there is no image for it, or no address is left; nothing is changed then.
    """
    kind = checked_type(kind)
    chosen = _system(at, kind, os_id)
    with at.registry.transaction("allocation"):
        old = site.host_values(at, mac)
        if old.get("STATE") in LOCAL_STATES and not erase:
            hint = "to install it again: hps host reinstall NAME; to erase it and make it something else: --erase"
            raise Refused(f"{Host(mac, old).name} is {old['STATE']}, configuring it would install over it", hint=hint)
        others = [host.values for host in site.whole_hosts(at) if host.mac != mac]
        name = choose_name(kind, old.get("HOSTNAME", ""), {values.get("HOSTNAME", "") for values in others})
        address = choose_address(at.values, old.get("IP", ""), _taken(at, mac, others))
        change = setting(
            **dict.fromkeys(_INSTALL_KEYS),
            **{"HOSTNAME": name, "IP": address, "TYPE": kind, "OS_ID": chosen or None, "STATUS": None},
        )
        fresh: Values = {"CREATED": timestamp()}
        record = at.registry.change(site.record_name(at, mac), lambda values: _permit({**fresh, **change(values)}, erase), create=True)
    return _published(at, mac, record)


def unconfigure(at: Site, mac: Mac) -> Host:
    """Forget what a host shall be; its name and address stay with its MAC address, for when it comes back."""

    def edit(old: Values) -> Values:
        kept = {key: value for key, value in old.items() if key in ("HOSTNAME", "IP", "ARCH", "CREATED") or key.startswith("HOST_")}
        return {**kept, "STATE": "UNCONFIGURED"}

    site.tokens(at).void(mac)
    return _published(at, mac, at.registry.change(site.record_name(at, mac), edit))


def arm(at: Site, mac: Mac, erase: bool = False) -> Host:
    """Give one permission to install: on an empty disk, or with `erase` on whatever is there.

    Raises:
        Refused: the host is not one that waits to be installed.
    """

    def edit(old: Values) -> Values:
        if old.get("STATE") not in ("INSTALLING", "INSTALL_FAILED", "CONFIGURED") or not old.get("TYPE"):
            hint = "a new host: hps host configure MAC --type SCH; an installed one: hps host reinstall NAME --erase"
            raise Refused(f"{Host(mac, old).name} is {old.get('STATE', 'in no state')}: it does not wait to be installed", hint=hint)
        return _permit({key: value for key, value in old.items() if key not in _INSTALL_KEYS}, erase)

    return _published(at, mac, at.registry.change(site.record_name(at, mac), edit))


def reinstall(at: Site, mac: Mac, erase: bool = False) -> Host:
    """At the next network boot choose again; with `erase` install the same again, over what is on the disk."""
    values = _known(at, mac)
    if erase:
        if not values.get("TYPE"):
            raise Refused(f"{Host(mac, values).name} has no type to install again", hint="hps host configure MAC --type SCH --erase")
        return configure(at, mac, values["TYPE"], values.get("OS_ID", ""), erase=True)
    return _published(at, mac, at.registry.change(site.record_name(at, mac), setting(STATE="REINSTALL")))


def set_state(at: Site, mac: Mac, **values: str | None) -> Host:
    """Set plain values of a host, as STATUS=reboot, RESCUE=true or STATE=UNMANAGED, and tell the services."""
    return _published(at, mac, at.registry.change(site.record_name(at, mac), setting(**values)))


def remove(at: Site, mac: Mac) -> None:
    """Forget a host: its record, its name and address, its token and its timeline."""
    _known(at, mac)
    at.registry.remove(site.record_name(at, mac))
    site.tokens(at).void(mac)
    site.timeline(at).forget(mac)
    serve.publish_host(at.paths, at.registry, at.cluster, mac)


def _permit(values: Values, erase: bool) -> Values:
    """The values of a host that may install once (a diskless one has nothing to install)."""
    if values.get("TYPE") == "TCH":
        return {**values, "STATE": "NETWORK_BOOT"}
    armed = {"INSTALL_ID": str(uuid.uuid4()), "INSTALL_ARMED": "erase" if erase else "blank", "INSTALL_TRIES": "0"}
    return {**values, "STATE": "INSTALLING", **armed}


def _known(at: Site, mac: Mac) -> Values:
    values = site.host_values(at, mac)
    if not values:
        raise NotFound(f"there is no host {mac}", hint="hps host list names them all")
    return values


def _published(at: Site, mac: Mac, record: Record) -> Host:
    serve.publish_host(at.paths, at.registry, at.cluster, mac)
    return Host(mac, record.values)


def _system(at: Site, kind: str, os_id: str) -> str:
    """The operating system to install: the one asked for, the default, or the only one; a diskless host needs none yet."""
    known = {values.get("OS_ID", ""): values for values in site.systems(at)}
    if os_id:
        if os_id not in known:
            raise InvalidInput(f"there is no operating system {os_id[:60]!r}", hint="known are: " + (", ".join(sorted(known)) or "none"))
        ready = [os_id] if has_image(known[os_id], kind) else []
    else:
        ready = sorted(name for name, values in known.items() if has_image(values, kind) and values.get("STATUS", "prod") == "prod")
        if at.setting("DEFAULT_OS") in ready:
            ready = [at.setting("DEFAULT_OS")]
    if kind == "TCH" and not ready:
        return os_id
    if not ready:
        raise Refused(
            f"no image of {os_id or 'any operating system'} for {kind} is published",
            hint="hps image build; hps image list shows what there is",
        )
    if len(ready) > 1:
        raise InvalidInput(f"more than one operating system has an image for {kind}", hint="choose with --os: " + ", ".join(ready))
    return ready[0]


def _taken(at: Site, mac: Mac, others: Collection[Values]) -> set[str]:
    taken = {values.get("IP", "") for values in others} | {at.values.get(key, "") for key in _SERVERS}
    try:
        leases = parse_leases(files.read_text(at.paths.leases))
    except NotFound:
        leases = ()
    return (taken | {lease.address for lease in leases if lease.mac != mac and (lease.expiry == 0 or lease.expiry > time.time())}) - {""}
