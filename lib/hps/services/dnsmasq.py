"""The configuration of dnsmasq and its files for each host, from the records. Pure.

Every value is checked again here: dnsmasq reports nothing when a line of `hosts.d` is malformed. dnsmasq(8).

The files of hosts are read at the start and on SIGHUP, and are not watched: version 2.90 takes a changed line of a
watched file for a duplicate of the old one. It also frees a tag of a host, on SIGHUP, that an answer has linked to other
memory, and dies of it, so that before 2.91 (`reads_hosts_again`) a restart takes the place of the signal.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hps.paths import Paths
from hps.registry.addresses import dynamic_pool
from hps.registry.keys import check_values, default
from hps.services.text import checked_path, joined
from hps.values import Mac, checked_address, checked_host_name

FIRMWARE = (
    ("bios", (0,), "undionly.kpxe"),
    ("efi-x64", (7, 9), "snponly.efi"),
    ("efi-arm64", (11,), "snponly-arm64.efi"),
)
"""Tag, values of option 93 (RFC 4578 and its registry), and the first loader, by TFTP."""

HTTP_FIRMWARE = (("http-x64", 16, "snponly.efi"), ("http-arm64", 19, "snponly-arm64.efi"))
"""Tag, value of option 93, and the first loader, by HTTP with option 60 echoed (UEFI 2.10, 24.7)."""


@dataclass(frozen=True)
class Settings:
    """What the records do not say: the name of this IPS, and the user that serves."""

    ips_name: str = "ips-01"
    user: str = "dnsmasq"


def folder(paths: Paths) -> Path:
    """Where everything of dnsmasq is rendered."""
    return paths.services / "dnsmasq"


def configuration(paths: Paths) -> Path:
    """The configuration file."""
    return folder(paths) / "dnsmasq.conf"


def hosts_folder(paths: Paths) -> Path:
    """One file a host: its address and name for DHCP."""
    return folder(paths) / "hosts.d"


def names_folder(paths: Paths) -> Path:
    """One file a host: its names for DNS."""
    return folder(paths) / "names.d"


def lease_hook(paths: Paths) -> Path:
    """The program that dnsmasq starts for each change of a lease."""
    return folder(paths) / "lease-hook"


def render(values: Mapping[str, str], paths: Paths, settings: Settings) -> str:
    """The configuration for one cluster; raises InvalidInput for any value that may not stand in it."""
    check_values("cluster", values)
    checked_host_name(settings.ips_name)
    own = checked_address(values["DHCP_IP"])
    return joined(
        (
            "# Made by hps from the records; changes made here are lost.",
            *_process(values, paths, settings),
            *_names(values, paths, settings.ips_name),
            *_leases(values, paths),
            *_options(values),
            *_boot(own),
        )
    )


def _process(values: Mapping[str, str], paths: Paths, settings: Settings) -> tuple[str, ...]:
    return (
        f"user={checked_host_name(settings.user)}",
        f"interface={values['DHCP_IFACE']}",
        "except-interface=lo",
        "bind-dynamic",
        f"pid-file={checked_path(paths.run / 'dnsmasq.pid')}",
        "log-facility=-",
        "log-dhcp",
    )


def _names(values: Mapping[str, str], paths: Paths, ips_name: str) -> tuple[str, ...]:
    own, domain = values["DHCP_IP"], values["DNS_DOMAIN"]
    upstream = values.get("DNS_UPSTREAM_SERVER", "")
    aliases = (
        (ips_name, own),
        ("ips", own),
        *((alias, values.get(key) or own) for alias, key in (("ntp", "NTP_LOCAL_SERVER"), ("syslog", "SYSLOG_LOCAL_SERVER"))),
    )
    return (
        "port=53",
        "no-resolv",
        "no-hosts",
        "domain-needed",
        "bogus-priv",
        f"domain={domain}",
        f"local=/{domain}/",
        "expand-hosts",
        *(f"host-record={alias}.{domain},{alias},{address}" for alias, address in dict(aliases).items()),
        f"addn-hosts={checked_path(names_folder(paths))}",
        *((f"server={upstream}",) if upstream else ()),
    )


def _leases(values: Mapping[str, str], paths: Paths) -> tuple[str, ...]:
    first, last = dynamic_pool(values)
    network = ipaddress.IPv4Network(values["NETWORK_CIDR"])
    lease = values.get("DHCP_LEASE") or default("cluster", "DHCP_LEASE")
    return (
        f"dhcp-range={first},{last},{network.netmask},{lease}",
        f"dhcp-lease-max={min(network.num_addresses, 100000)}",
        "dhcp-authoritative",
        # The firmware, iPXE and the installed system each send another client id for the same machine.
        "dhcp-ignore-clid",
        "dhcp-ignore-names",
        "no-ping",
        f"dhcp-leasefile={checked_path(paths.leases)}",
        f"dhcp-hostsfile={checked_path(hosts_folder(paths))}",
        f"dhcp-script={checked_path(lease_hook(paths))}",
        # A machine that boots again has its lease already: that is a renewal, and the first event of its boot.
        "script-on-renewal",
    )


def _options(values: Mapping[str, str]) -> tuple[str, ...]:
    own, router = values["DHCP_IP"], values.get("DEFAULT_ROUTE", "")
    servers = (
        ("dns-server", "DNS_LOCAL_SERVER"),
        ("ntp-server", "NTP_LOCAL_SERVER"),
        ("log-server", "SYSLOG_LOCAL_SERVER"),
        ("smtp-server", "SMTP_LOCAL_SERVER"),
    )
    numbers = {"dns-server": "6", "ntp-server": "42", "log-server": "7", "smtp-server": "69"}
    return (
        # An empty router option, because dnsmasq would announce itself.
        f"dhcp-option=3,{router}" if router else "dhcp-option=3",
        *(f"dhcp-option={numbers[option]},{values.get(key) or own}" for option, key in servers),
        # iPXE need not wait for a proxy DHCP server (its option 175, number 176).
        "dhcp-option=tag:ipxe,encap:175,176,1b",
    )


def _boot(own: str) -> tuple[str, ...]:
    matches = [f"dhcp-match=set:{tag},option:client-arch,{arch}" for tag, archs, _ in FIRMWARE for arch in archs]
    matches += [f"dhcp-match=set:{tag},option:client-arch,{arch}" for tag, arch, _ in HTTP_FIRMWARE]
    first = [f"dhcp-boot=tag:!ipxe,tag:{tag},{loader},,{own}" for tag, _, loader in FIRMWARE]
    for tag, _, loader in HTTP_FIRMWARE:
        first.append(f"dhcp-boot=tag:!ipxe,tag:{tag},http://{own}/boot/{loader}")
        first.append(f"dhcp-option-force=tag:!ipxe,tag:{tag},60,HTTPClient")
    return (
        *matches,
        "dhcp-match=set:ipxe,175",
        "dhcp-userclass=set:ipxe,iPXE",
        *first,
        f"dhcp-boot=tag:ipxe,http://{own}/boot/script",
    )


def reads_hosts_again(version: str) -> bool:
    """Whether a dnsmasq that says this to `--version` survives a SIGHUP with tagged hosts: from 2.91 on."""
    found = re.match(r"Dnsmasq version (\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (2, 91)


def host_entry(mac: Mac, address: str, name: str) -> str:
    """The one line of a host for DHCP; raises InvalidInput."""
    return joined((f"{Mac.parse(mac.digits)},{checked_address(address)},{checked_host_name(name)}",))


def entry_address(text: str) -> str:
    """The address in the line of a host; empty where there is none."""
    fields = text.strip().split(",")
    return fields[1] if len(fields) == 3 else ""


def name_entry(address: str, name: str, domain: str) -> str:
    """The one line of a host for DNS, in the format of hosts(5); raises InvalidInput."""
    name = checked_host_name(name)
    check_values("cluster", {"DNS_DOMAIN": domain})
    return joined((f"{checked_address(address)} {name} {name}.{domain}",))


def render_lease_hook(base: Path, home: Path, python: Path) -> str:
    """The program for changes of leases: it passes the arguments on, and evaluates none of them.

    `-S` and `-s` leave out everything but the standard library and ours: it starts in a fraction of the time.
    """
    return joined(
        (
            "#!/bin/sh",
            "# Made by hps. dnsmasq calls this with: add|old|del MAC ADDRESS [NAME]",
            "# After a start and a SIGHUP it is called for every lease that there is: those are no events.",
            '[ -z "${DNSMASQ_DATA_MISSING:-}" ] || exit 0',
            f"HPS_BASE={checked_path(base)} PYTHONPATH={checked_path(home / 'lib')}",
            "export HPS_BASE PYTHONPATH",
            f'exec {checked_path(python)} -P -s -S -m hps timeline lease "$@"',
        )
    )
