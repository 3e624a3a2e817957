"""A machine becomes a member: its certificate, its configuration while it is installed, and its registration."""

import ipaddress
import json
import logging
from collections.abc import Mapping
from typing import Any

from hps.errors import Denied, NotFound
from hps.flows import certificates as member_certificates
from hps.flows import enlist, serve, site
from hps.flows.model import STRANGER, Caller, Site, Text
from hps.registry.model import Values, setting
from hps.security import authority, certificates
from hps.security.tokens import Fault, TokenDenied, parse_token
from hps.values import Mac

log = logging.getLogger(__name__)

STORAGE_LAYOUT: dict[str, Any] = {
    "BootDriveLayout": [{"FileSystemType": "ext4", "MountPoint": "/", "MinimumFreeBytes": 2147483648}],
    "ExtraMountPointsBasename": "/data/",
    "Encrypt": False,
    "UseKexec": False,
}
"""The layout of the boot drive where nothing else is said: the slots follow from the root's minimum of free bytes."""


def certificate(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """A client certificate for the machine that holds this token; the token is used up by it.

    Whoever guesses learns nothing: a wrong token gets one answer, whether there is such a machine or not.

    Raises:
        InvalidInput: the request is not well formed; the token stays good.
        Denied: the token is not, or the host is not being installed.
        Refused: the authority is locked; the token stays good.
    """
    certificates.check_request(parameters["csr"])
    authority.load(at.authority)
    mac = _named(caller, parameters["token"])
    if caller.mac is not None and caller.mac != mac:
        _record(at, caller.mac, "a token of another machine was shown")
        raise Denied("the token is not yours", hint="restart the machine: each network boot brings a new token")
    try:
        site.tokens(at).spend(parameters["token"])
    except TokenDenied as error:
        log.warning("token refused for %s: %s; asked from %s", mac, error.message, caller.address or "an unknown address")
        if error.fault != Fault.UNKNOWN:
            _record(at, mac, f"{error.message}; asked from {caller.address or 'an unknown address'}")
        _set_status(caller, error)
        raise
    values = site.host_values(at, mac)
    if values.get("STATE") != "INSTALLING" or not values.get("HOSTNAME"):
        raise Denied("the host is not being installed", hint="hps host list shows its state")
    days = member_certificates.lifetime(at, certificates.NODE)
    issued = certificates.issue(at.authority, parameters["csr"], certificates.NODE, mac.digits, days, values["HOSTNAME"])
    at.registry.change(site.record_name(at, mac), setting(**member_certificates.change_for("host", issued)))
    log.info("%s got the certificate %s", values["HOSTNAME"], issued.digest)
    return {"certificate": issued.pem}


def installer_config(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Text:
    """One of the files that an installer reads, while its host is being installed; raises NotFound at any other time (S11)."""
    mac, name = caller.machine, parameters["name"]
    values = site.host_values(at, mac)
    if values.get("STATE") != "INSTALLING":
        raise NotFound("there is nothing to install on this host", hint=f"its state is {values.get('STATE', 'unknown')}")
    if name == "config.json":
        return Text(json.dumps(configuration(at, mac, values), indent=2) + "\n", "application/json")
    if name == "imagename":
        return Text(_image(at, values) + "\n")
    if name == "imageserver":
        return Text(f"{at.values['DHCP_IP']}:80\n")
    return Text(json.dumps(STORAGE_LAYOUT, indent=2) + "\n", "application/json")


def configuration(at: Site, mac: Mac, values: Values) -> dict[str, Any]:
    """The machine, its network and what HPS adds, as the installer's config.json has them."""
    network = ipaddress.IPv4Network(at.values["NETWORK_CIDR"])
    own = at.values["DHCP_IP"]
    return {
        "Location": at.cluster,
        "Machine": {
            "Hostname": values["HOSTNAME"],
            "HostIpAddress": values["IP"],
            "HostMacAddress": str(mac),
            "SubnetId": "management",
            "GatewaySubnetId": "management",
            "Tags": {"RequiredImage": _image(at, values), "Type": values["TYPE"]},
        },
        "Subnets": [
            {
                "Id": "management",
                "IpGateway": at.values.get("DEFAULT_ROUTE", ""),
                "IpMask": str(network.netmask),
                "DomainName": at.values["DNS_DOMAIN"],
                "DomainNameServers": [at.values.get("DNS_LOCAL_SERVER") or own],
                "Manage": True,
                "VlanId": 0,
            }
        ],
        "Hps": {
            "Cluster": at.cluster,
            "Type": values["TYPE"],
            "Profile": values.get("HOST_PROFILE", "DEFAULT"),
            "OsId": values["OS_ID"],
            "InstallId": values["INSTALL_ID"],
            "Address": own,
            "NtpServer": at.values.get("NTP_LOCAL_SERVER") or own,
            "SyslogServer": at.values.get("SYSLOG_LOCAL_SERVER") or own,
            "SmtpServer": at.values.get("SMTP_LOCAL_SERVER") or own,
            "OperatorSshKeys": [line for line in at.values.get("OPERATOR_SSH_KEYS", "").splitlines() if line.strip()],
            "Console": at.setting("CONSOLE"),
        },
    }


def register(at: Site, caller: Caller, parameters: Mapping[str, Any]) -> Mapping[str, str]:
    """A node says that it runs, from which slot and image, and what it is made of."""
    mac = caller.machine
    system = parameters["os"]
    change = setting(
        **{key: str(value) for key, value in parameters.get("audit", {}).items()},
        OS_NAME=str(system.get("ID", "")),
        OS_VERSION=str(system.get("VERSION_ID", "")),
        OS_PRETTY_NAME=str(system.get("PRETTY_NAME", "")),
        SLOT=parameters.get("slot"),
        IMAGE=parameters.get("image"),
        REGISTERED=enlist.timestamp(),
    )

    def edit(old: Values) -> Values:
        new = dict(change(old))
        # DISK_BOOT with a count of tries is where an installation left the host; without one it is an operator's wish.
        if old.get("STATE") == "INSTALLING" or (old.get("STATE") == "DISK_BOOT" and old.get("INSTALL_TRIES", "0") != "0"):
            new = {key: value for key, value in new.items() if key not in ("INSTALL_ARMED", "INSTALL_TRIES", "INSTALL_ERROR", "STATUS")}
            new["STATE"] = "INSTALLED"
        return new

    record = at.registry.change(site.record_name(at, mac), edit)
    site.tokens(at).void(mac)
    serve.publish_host(at.paths, at.registry, at.cluster, mac)
    detail = f"{record.get('OS_PRETTY_NAME')}, slot {record.get('SLOT') or 'unknown'}, image {record.get('IMAGE') or 'unknown'}"
    session = site.timeline(at).record(mac, "registered", detail, "node", record.get("HOSTNAME"))
    return {"session": session, "state": record.get("STATE")}


def _image(at: Site, values: Values) -> str:
    wanted = f"IMAGE_{values['TYPE']}"
    found = next((system[wanted] for system in site.systems(at) if system.get("OS_ID") == values.get("OS_ID") and system.get(wanted)), "")
    if not found:
        raise NotFound(f"no image of {values.get('OS_ID', '')} for {values['TYPE']} is published", hint="on the IPS: hps image build")
    return found


def _named(caller: Caller, token: str) -> Mac:
    """The machine that a token names."""
    try:
        return parse_token(token)[0]
    except TokenDenied as error:
        _set_status(caller, error)
        raise


def _set_status(caller: Caller, error: TokenDenied) -> None:
    """Refuse a stranger as one: 401, everybody else 403."""
    if caller.kind == STRANGER:
        error.status = 401


def _record(at: Site, mac: Mac, words: str) -> None:
    site.timeline(at).record(mac, "failed", f"certificate: {words}", "api", site.host_values(at, mac).get("HOSTNAME", ""))
