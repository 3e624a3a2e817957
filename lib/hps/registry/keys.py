"""The one table of record keys: kind, name, how its value is checked, default, secrecy, and what it means."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hps.errors import InvalidInput
from hps.registry.text import checked_key
from hps.values import (
    checked_address,
    checked_domain,
    checked_host_name,
    checked_name,
    checked_network,
    checked_plain,
)

Check = Callable[[str], object]


def one_of(*words: str) -> Check:
    """A check that accepts exactly these words."""

    def check(value: str) -> str:
        if value not in words:
            raise InvalidInput(f"{value[:40]!r} is not allowed here", hint="use one of: " + ", ".join(words))
        return value

    return check


def number(low: int, high: int) -> Check:
    """A check that accepts a decimal number between two bounds."""

    def check(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", value) or not low <= int(value) <= high:
            raise InvalidInput(f"{value[:40]!r} is not a number from {low} to {high}")
        return int(value)

    return check


def optional(check: Check) -> Check:
    """The same check, and the empty value."""
    return lambda value: value if value == "" else check(value)


def _plain(value: str) -> str:
    return checked_plain(value, "the value")


def _any(value: str) -> str:
    return value


def _os_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,16}:[a-z0-9]{1,16}:[A-Za-z0-9.]{1,16}", value):
        raise InvalidInput(f"{value[:60]!r} is not an operating system", hint="write it as x86_64:debian:12")
    return value


def _interface(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", value):
        raise InvalidInput(f"{value[:40]!r} is not the name of a network interface", hint="ip link lists them")
    return value


def _hexadecimal(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{0,128}", value):
        raise InvalidInput("the value is not lower-case hexadecimal")
    return value


def _ips_names(value: str) -> str:
    names = value.split(",")
    for name in names:
        checked_host_name(name)
    if len(set(names)) != len(names):
        raise InvalidInput("a name of an IPS is given twice", hint="each IPS has a name of its own: ips-01, ips-02")
    return value


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


@dataclass(frozen=True)
class Key:
    """One key: the kind of record it belongs to, its check, its default, and whether it is secret."""

    kind: str
    name: str
    check: Check
    help: str
    default: str = ""
    secret: bool = False


_server = optional(checked_address)

TABLE: tuple[Key, ...] = (
    Key("hps", "ACTIVE_CLUSTER", checked_name, "the cluster that this IPS serves; nothing is served before it is set"),
    Key("hps", "IPS_NAME", checked_host_name, "the name of this IPS, ips-01 for the first one", "ips-01"),
    Key("cluster", "CLUSTER_NAME", checked_name, "the name of the cluster"),
    Key("cluster", "CREATED", _plain, "when the cluster was made, RFC 3339, UTC"),
    Key("cluster", "IPS_NAMES", _ips_names, "the names of its provisioning servers, comma separated, each one once", "ips-01"),
    Key("cluster", "DESCRIPTION", _any, "words for people"),
    Key("cluster", "DHCP_IFACE", _interface, "the interface that DHCP is answered on"),
    Key("cluster", "DHCP_IP", checked_address, "the address of the IPS on it"),
    Key("cluster", "NETWORK_CIDR", checked_network, "the network of the cluster"),
    Key("cluster", "DHCP_RANGESIZE", number(4, 65536), "how many addresses first contacts draw from", "50"),
    Key("cluster", "DHCP_LEASE", number(120, 604800), "lease time in seconds", "3600"),
    Key("cluster", "DNS_DOMAIN", checked_domain, "the DNS domain of the cluster"),
    Key("cluster", "DNS_LOCAL_SERVER", _server, "the name server that nodes use; the IPS by default"),
    Key("cluster", "NTP_LOCAL_SERVER", _server, "the time server that nodes use; the IPS by default"),
    Key("cluster", "SYSLOG_LOCAL_SERVER", _server, "the syslog server that nodes use; the IPS by default"),
    Key("cluster", "DNS_UPSTREAM_SERVER", _server, "where the IPS asks for names outside the cluster; nowhere by default"),
    Key("cluster", "SMTP_LOCAL_SERVER", _server, "the mail relay that nodes use; the IPS by default"),
    Key("cluster", "DEFAULT_ROUTE", _server, "the router that nodes use; none by default"),
    Key(
        "cluster",
        "CONFIGURE_AT",
        one_of("terminal", "cli"),
        "where hosts are configured: menu at the terminal, or only the CLI",
        "terminal",
    ),
    Key("cluster", "MENU_TIMEOUT", number(0, 86400), "seconds until the menu takes its default; 0 waits for ever", "30"),
    Key("cluster", "DEFAULT_TYPE", optional(one_of(*TYPES)), "what the menu chooses when nobody does; empty: keep waiting"),
    Key("cluster", "DEFAULT_OS", optional(_os_id), "the operating system that the menu chooses when nobody does"),
    Key("cluster", "POLL_INTERVAL", number(1, 600), "seconds between two questions of a waiting machine", "5"),
    Key("cluster", "CONSOLE", _plain, "console arguments of the kernel command line", "console=tty0 console=ttyS0,115200n8"),
    Key("cluster", "OPERATOR_SSH_KEYS", _any, "public keys that may log in to nodes as root, one a line"),
    Key("host", "STATE", one_of(*STATES), "where the host is in its life"),
    Key("host", "STATUS", optional(one_of("searching", "reboot")), "what a waiting machine is told; reboot makes it restart once"),
    Key("host", "TYPE", one_of(*TYPES), "what kind of node it is"),
    Key("host", "HOST_PROFILE", checked_name, "the profile within its type", "DEFAULT"),
    Key("host", "OS_ID", _os_id, "the operating system chosen for it"),
    Key("host", "HOSTNAME", checked_host_name, "its name, <type>-NNN, kept for a MAC that comes back"),
    Key("host", "IP", checked_address, "its static address, outside the dynamic pool"),
    Key("host", "ARCH", checked_name, "its architecture as its loader reported it"),
    Key("host", "CREATED", _plain, "when it was first seen, RFC 3339, UTC"),
    Key("host", "RESCUE", one_of("true", "false"), "boot the rescue shell whatever the state", "false"),
    Key("host", "INSTALL_ID", _plain, "the identity of the current install; also the GUID of its disk"),
    Key("host", "INSTALL_ARMED", one_of("blank", "erase"), "one permission to erase: only a blank disk, or whatever is on it"),
    Key("host", "INSTALL_DISK", _any, "serial number of the disk that the permission was spent on"),
    Key("host", "INSTALL_TRIES", number(0, 1000), "how often the current install was started"),
    Key("host", "INSTALL_ERROR", _any, "why the last install failed"),
    Key("host", "CERTIFICATE", _hexadecimal, "SHA-256 of the one client certificate that speaks for this host"),
    Key("host", "SLOT", one_of("a", "b"), "the slot that it runs"),
    Key("host", "IMAGE", _plain, "the image in that slot, <name>/<sequence>"),
    Key("host", "OS_NAME", _any, "ID of /etc/os-release on the node"),
    Key("host", "OS_VERSION", _any, "VERSION_ID of /etc/os-release on the node"),
    Key("host", "OS_PRETTY_NAME", _any, "PRETTY_NAME of /etc/os-release on the node"),
    Key("host", "REGISTERED", _plain, "when it last registered, RFC 3339, UTC"),
    Key("os", "OS_ID", _os_id, "arch:name:version"),
    Key("os", "ARCH", checked_name, "architecture"),
    Key("os", "NAME", checked_name, "name of the distribution"),
    Key("os", "VERSION", checked_name, "version of the distribution"),
    Key("os", "STATUS", one_of("prod", "test", "retired"), "whether it is offered", "prod"),
    Key("os", "HPS_TYPES", _plain, "types that have a published image, comma separated"),
    Key("os", "PROFILE", checked_name, "the folder below profiles/ that it is made of"),
)

FAMILIES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("host", re.compile(r"HOST_[A-Z0-9_]{1,40}"), "what the hardware audit found"),
    ("os", re.compile(r"IMAGE_[A-Z]{3}"), "the published image of a type, <name>/<sequence>"),
)

KEYS = {(key.kind, key.name): key for key in TABLE}


def default(kind: str, name: str) -> str:
    """The default of a declared key."""
    return KEYS[kind, name].default


def check_values(kind: str, values: Mapping[str, str]) -> None:
    """Check each key and value of a record of this kind; raises InvalidInput naming the first that is wrong."""
    for name, value in values.items():
        checked_key(name)
        key = KEYS.get((kind, name))
        if key is None:
            if not any(family == kind and pattern.fullmatch(name) for family, pattern, _ in FAMILIES):
                raise InvalidInput(f"{name} is not a key of a {kind} record", hint="docs/reference/keys.md lists them")
            continue
        try:
            key.check(value)
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error.message}", hint=error.hint) from error


def checked_type(word: str) -> str:
    """A host type in upper case, aliases resolved (TCN is TCH, CCN is CCH); raises InvalidInput."""
    word = TYPE_ALIASES.get(word.upper(), word.upper())
    if word not in TYPES:
        raise InvalidInput(f"{word[:20]!r} is not a host type", hint="use one of: " + ", ".join(TYPES))
    return word
