"""The one table of record keys: kind, name, type, default, secrecy, who may write it, and what it means."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hps.errors import Denied, InvalidInput
from hps.registry.text import checked_key
from hps.registry.types import (
    ADDRESS,
    DOMAIN,
    FOLDER,
    HEXADECIMAL,
    HOST_NAME,
    INTERFACE,
    IPS_NAMES,
    NAME,
    NETWORK,
    OS_ID,
    PLAIN,
    TEXT,
    TRUTH,
    ValueType,
    number,
    one_of,
    optional,
)

STATES = (
    "UNCONFIGURED",
    "CONFIGURED",
    "NETWORK_BOOT",
    "INSTALLING",
    "INSTALLED",
    "INSTALL_FAILED",
    "DISK_BOOT",
    "UNMANAGED",
    "REINSTALL",
)
TYPES = ("SCH", "TCH", "CCH", "DRH")
TYPE_ALIASES = {"TCN": "TCH", "CCN": "CCH"}

HPS, OPERATOR, NODE = "hps", "operator", "node"
"""Who may write a key: HPS itself alone, with its flows; also an operator by hand; also the node that the record is of."""


@dataclass(frozen=True)
class Key:
    """One key: the kind of record it belongs to, its type, what it means, its default, its secrecy, and who may write it.

    A secret key is written and never shown: no answer, page, log or export holds its value.
    """

    kind: str
    name: str
    type: ValueType
    help: str
    default: str = ""
    secret: bool = False
    writer: str = OPERATOR

    @property
    def check(self) -> Callable[[str], object]:
        """The check that a value passes; raises InvalidInput."""
        return self.type.check


_SERVER = optional(ADDRESS)

TABLE: tuple[Key, ...] = (
    Key("hps", "ACTIVE_CLUSTER", NAME, "the cluster that this IPS serves; nothing is served before it is set", writer=HPS),
    Key("hps", "IPS_NAME", HOST_NAME, "the name of this IPS, ips-01 for the first one", "ips-01"),
    Key("hps", "RESOURCES", FOLDER, "the folder of images, installers and loaders; <base>/resources by default"),
    Key("hps", "PROFILES", FOLDER, "the folder of profiles; that of the program by default"),
    Key("hps", "CACHE", FOLDER, "the folder of what can be made again: built root trees", "/var/cache/hps"),
    Key("hps", "LOG_LEVEL", one_of("debug", "info", "warning", "error"), "what programs write to their logs", "warning"),
    Key("hps", "DESCRIPTION", TEXT, "words for people"),
    Key("cluster", "CLUSTER_NAME", NAME, "the name of the cluster", writer=HPS),
    Key("cluster", "CREATED", PLAIN, "when the cluster was made, RFC 3339, UTC", writer=HPS),
    Key("cluster", "IPS_NAMES", IPS_NAMES, "the names of its provisioning servers, comma separated, each one once", "ips-01", writer=HPS),
    Key("cluster", "DESCRIPTION", TEXT, "words for people"),
    Key("cluster", "DHCP_IFACE", INTERFACE, "the interface that DHCP is answered on"),
    Key("cluster", "DHCP_IP", ADDRESS, "the address of the IPS on it"),
    Key("cluster", "NETWORK_CIDR", NETWORK, "the network of the cluster"),
    Key("cluster", "DHCP_RANGESIZE", number(4, 65536), "how many addresses first contacts draw from", "50"),
    Key("cluster", "DHCP_LEASE", number(120, 604800), "lease time in seconds", "3600"),
    Key("cluster", "DNS_DOMAIN", DOMAIN, "the DNS domain of the cluster"),
    Key("cluster", "DNS_LOCAL_SERVER", _SERVER, "the name server that nodes use; the IPS by default"),
    Key("cluster", "NTP_LOCAL_SERVER", _SERVER, "the time server that nodes use; the IPS by default"),
    Key("cluster", "SYSLOG_LOCAL_SERVER", _SERVER, "the syslog server that nodes use; the IPS by default"),
    Key("cluster", "DNS_UPSTREAM_SERVER", _SERVER, "where the IPS asks for names outside the cluster; nowhere by default"),
    Key("cluster", "SMTP_LOCAL_SERVER", _SERVER, "the mail relay that nodes use; the IPS by default"),
    Key("cluster", "DEFAULT_ROUTE", _SERVER, "the router that nodes use; none by default"),
    Key(
        "cluster",
        "CONFIGURE_AT",
        one_of("terminal", "cli"),
        "where hosts are configured: menu at the terminal, or only the CLI",
        "terminal",
    ),
    Key("cluster", "MENU_TIMEOUT", number(0, 86400), "seconds until the menu takes its default; 0 waits for ever", "30"),
    Key("cluster", "DEFAULT_TYPE", optional(one_of(*TYPES)), "what the menu chooses when nobody does; empty: keep waiting"),
    Key("cluster", "DEFAULT_OS", optional(OS_ID), "the operating system that the menu chooses when nobody does"),
    Key("cluster", "POLL_INTERVAL", number(1, 600), "seconds between two questions of a waiting machine", "5"),
    Key("cluster", "CONSOLE", PLAIN, "console arguments of the kernel command line", "console=tty0 console=ttyS0,115200n8"),
    Key("cluster", "CERTIFICATE_DAYS", number(2, 7300), "days for which the certificate of a node is good", "730"),
    Key("cluster", "OPENSVC_CLUSTER_SECRET", TEXT, "the secret that the nodes of an OpenSVC cluster share", secret=True),
    Key("cluster", "OPERATOR_SSH_KEYS", TEXT, "public keys that may log in to nodes as root, one a line"),
    Key("host", "STATE", one_of(*STATES), "where the host is in its life"),
    Key("host", "STATUS", optional(one_of("searching", "reboot")), "what a waiting machine is told; reboot makes it restart once"),
    Key("host", "TYPE", one_of(*TYPES), "what kind of node it is"),
    Key("host", "HOST_PROFILE", NAME, "the profile within its type", "DEFAULT"),
    Key("host", "OS_ID", OS_ID, "the operating system chosen for it"),
    Key("host", "HOSTNAME", HOST_NAME, "its name, <type>-NNN, kept for a MAC that comes back"),
    Key("host", "IP", ADDRESS, "its static address, outside the dynamic pool"),
    Key("host", "ARCH", NAME, "its architecture as its loader reported it", writer=HPS),
    Key("host", "CREATED", PLAIN, "when it was first seen, RFC 3339, UTC", writer=HPS),
    Key("host", "RESCUE", TRUTH, "boot the rescue shell whatever the state", "false"),
    Key("host", "INSTALL_ID", PLAIN, "the identity of the current install; also the GUID of its disk", writer=HPS),
    Key("host", "INSTALL_ARMED", one_of("blank", "erase"), "one permission to erase: only a blank disk, or whatever is on it", writer=HPS),
    Key("host", "INSTALL_DISK", TEXT, "serial number of the disk that the permission was spent on", writer=HPS),
    Key("host", "INSTALL_TRIES", number(0, 1000), "how often the current install was started", writer=HPS),
    Key("host", "INSTALL_ERROR", TEXT, "why the last install failed", writer=HPS),
    Key("host", "CERTIFICATE", HEXADECIMAL, "SHA-256 of the one client certificate that speaks for this host", writer=HPS),
    Key("host", "CERTIFICATE_NEXT", HEXADECIMAL, "SHA-256 of its renewed certificate, until that is used", writer=HPS),
    Key("host", "CERTIFICATE_EXPIRES", PLAIN, "when its certificate ends, RFC 3339, UTC", writer=HPS),
    Key("host", "BMC_ADDRESS", ADDRESS, "the address of its board management controller"),
    Key("host", "BMC_USER", NAME, "the user of its board management controller"),
    Key("host", "BMC_PASSWORD", TEXT, "the password of its board management controller", secret=True),
    Key("host", "DESCRIPTION", TEXT, "words for people"),
    Key("host", "LAST_REBOOT_COMMAND", TEXT, "what restarted it last, as the node says", writer=NODE),
    Key("host", "LAST_REBOOT_TIME", PLAIN, "when that was, RFC 3339, UTC", writer=NODE),
    Key("host", "SLOT", one_of("a", "b"), "the slot that it runs", writer=NODE),
    Key("host", "IMAGE", PLAIN, "the image in that slot, <name>/<sequence>", writer=NODE),
    Key("host", "OS_NAME", TEXT, "ID of /etc/os-release on the node", writer=NODE),
    Key("host", "OS_VERSION", TEXT, "VERSION_ID of /etc/os-release on the node", writer=NODE),
    Key("host", "OS_PRETTY_NAME", TEXT, "PRETTY_NAME of /etc/os-release on the node", writer=NODE),
    Key("host", "REGISTERED", PLAIN, "when it last registered, RFC 3339, UTC", writer=HPS),
    Key("account", "ROLE", one_of("operator", "ips"), "who it is: an operator, or another provisioning server", writer=HPS),
    Key("account", "CERTIFICATE", HEXADECIMAL, "SHA-256 of the one client certificate that speaks for it", writer=HPS),
    Key("account", "CERTIFICATE_NEXT", HEXADECIMAL, "SHA-256 of its renewed certificate, until that is used", writer=HPS),
    Key("account", "CREATED", PLAIN, "when it was made, RFC 3339, UTC", writer=HPS),
    Key("account", "EXPIRES", PLAIN, "when its certificate ends, RFC 3339, UTC", writer=HPS),
    Key("os", "OS_ID", OS_ID, "arch:name:version", writer=HPS),
    Key("os", "ARCH", NAME, "architecture", writer=HPS),
    Key("os", "NAME", NAME, "name of the distribution", writer=HPS),
    Key("os", "VERSION", NAME, "version of the distribution", writer=HPS),
    Key("os", "STATUS", one_of("prod", "test", "retired"), "whether it is offered", "prod"),
    Key("os", "HPS_TYPES", PLAIN, "types that have a published image, comma separated", writer=HPS),
    Key("os", "PROFILE", NAME, "the folder below profiles/ that it is made of", writer=HPS),
)


@dataclass(frozen=True)
class Family:
    """Keys that are named by a pattern; their values are text."""

    kind: str
    pattern: re.Pattern[str]
    help: str
    writer: str


FAMILIES: tuple[Family, ...] = (
    Family("host", re.compile(r"HOST_[A-Z0-9_]{1,40}"), "what the hardware audit found", NODE),
    Family("os", re.compile(r"IMAGE_[A-Z]{3}"), "the published image of a type, <name>/<sequence>", HPS),
)

KEYS = {(key.kind, key.name): key for key in TABLE}

OLD_NAMES = {
    ("cluster", "NETWORK_DHCP_IFACE"): "DHCP_IFACE",
    ("cluster", "NETWORK_DHCP_IP"): "DHCP_IP",
    ("cluster", "NETWORK_DHCP_RANGESIZE"): "DHCP_RANGESIZE",
    ("cluster", "NETWORK_DNS_DOMAIN"): "DNS_DOMAIN",
    ("cluster", "NETWORK_NAME_SERVER"): "DNS_LOCAL_SERVER",
    ("cluster", "NETWORK_SYSLOG_SERVER"): "SYSLOG_LOCAL_SERVER",
    ("cluster", "NETWORK_TIME_SERVER"): "NTP_LOCAL_SERVER",
    ("cluster", "NAME_SERVER"): "DNS_LOCAL_SERVER",
    ("cluster", "SYSLOG_SERVER"): "SYSLOG_LOCAL_SERVER",
    ("cluster", "TIME_SERVER"): "NTP_LOCAL_SERVER",
    ("cluster", "NTP_SERVER"): "NTP_LOCAL_SERVER",
    ("host", "PROFILE"): "HOST_PROFILE",
    ("host", "INITIALISED_AT"): "CREATED",
}
"""What keys are called elsewhere, and here; a record holds the name of the table only."""


def canonical(kind: str, name: str) -> str:
    """The name of a key as the table has it: in upper case, and an old name as the one that took its place."""
    upper = name.upper()
    return OLD_NAMES.get((kind, upper), upper if (kind, upper) in KEYS else name)


def default(kind: str, name: str) -> str:
    """The default of a declared key."""
    return KEYS[kind, name].default


def known(kind: str, name: str) -> Key | Family:
    """The declaration of a key; raises InvalidInput with the nearest known one as a hint."""
    key = KEYS.get((kind, checked_key(name)))
    found = key or next((family for family in FAMILIES if family.kind == kind and family.pattern.fullmatch(name)), None)
    if found is None:
        near = difflib.get_close_matches(name, [each.name for each in TABLE if each.kind == kind], 1)
        hint = f"did you mean {near[0]}?" if near else "docs/reference/keys.md lists them"
        raise InvalidInput(f"{name} is not a key of a record of kind {kind}", hint=hint)
    return found


def is_secret(kind: str, name: str) -> bool:
    """Whether the value of this key is never shown, by whatever name it is asked for."""
    key = KEYS.get((kind, canonical(kind, name)))
    return key is not None and key.secret


def public(kind: str, values: Mapping[str, str]) -> dict[str, str]:
    """The values that may be shown, sorted by their keys."""
    return {name: values[name] for name in sorted(values) if not is_secret(kind, name)}


def check_writer(kind: str, name: str, writer: str) -> None:
    """Whether an operator or a node may write this key by hand; raises InvalidInput for an unknown key, Denied for others."""
    key = known(kind, name)
    if isinstance(key, Family) and writer == OPERATOR:
        known_names = [each.name for each in TABLE if each.kind == kind]
        near = difflib.get_close_matches(name, known_names, 1)
        raise Denied(f"{name} is {key.help}, which HPS writes itself", hint=f"did you mean {near[0]}?" if near else "")
    if writer != key.writer and not (writer == OPERATOR and key.writer == NODE):
        raise Denied(f"{name} is not yours to write", hint=_OWNERS[key.writer])


_OWNERS = {
    HPS: "HPS keeps it itself: use the command whose result it is",
    OPERATOR: "an operator sets it: host_config, cluster_config, hps_config",
    NODE: "the node of the record writes it",
}


def check_values(kind: str, values: Mapping[str, str]) -> None:
    """Check each key and value of a record of this kind; raises InvalidInput naming the first that is wrong."""
    for name, value in values.items():
        key = known(kind, name)
        if isinstance(key, Family):
            continue
        try:
            key.check(value)
        except InvalidInput as error:
            if key.secret:
                raise InvalidInput(f"{name}: the value is not {key.type.words}") from None
            raise InvalidInput(f"{name}: {error.message}", hint=error.hint) from error


def checked_type(word: str) -> str:
    """A host type in upper case, aliases resolved (TCN is TCH, CCN is CCH); raises InvalidInput."""
    word = TYPE_ALIASES.get(word.upper(), word.upper())
    if word not in TYPES:
        raise InvalidInput(f"{word[:20]!r} is not a host type", hint="use one of: " + ", ".join(TYPES))
    return word
