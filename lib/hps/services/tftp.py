"""The configuration of the dnsmasq that serves the first loaders by TFTP and advertises the IPv6 prefix. Pure.

It is not the one that answers DHCP and DNS: that one is restarted when a host changes, and a restart in the middle of
a transfer costs another machine its boot. dnsmasq(8).
"""

import hashlib
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from hps.paths import Paths
from hps.registry.keys import check_values
from hps.services import dnsmasq
from hps.services.text import checked_path, joined
from hps.values import checked_host_name


def configuration(paths: Paths) -> Path:
    """The configuration file."""
    return dnsmasq.folder(paths) / "tftp.conf"


def local_prefix(cluster: str) -> ipaddress.IPv6Network:
    """The unique local IPv6 prefix of a cluster, always the same for the same name (RFC 4193)."""
    digest = hashlib.sha256(f"hps:{cluster}".encode()).digest()
    return ipaddress.IPv6Network((b"\xfd" + digest[:5] + bytes(10), 64))


def render(values: Mapping[str, str], paths: Paths, user: str = "dnsmasq", advertise: bool = False) -> str:
    """The configuration for one cluster; raises InvalidInput for any value that may not stand in it.

    Args:
        values: the cluster's record.
        paths: the folders of this IPS.
        user: whom the program becomes.
        advertise: whether the interface has IPv6.
    """
    check_values("cluster", values)
    return joined(
        (
            "# Made by hps from the records; changes made here are lost.",
            f"user={checked_host_name(user)}",
            "port=0",
            f"interface={values['DHCP_IFACE']}",
            "except-interface=lo",
            "bind-dynamic",
            f"pid-file={checked_path(paths.run / 'tftp.pid')}",
            "log-facility=-",
            "enable-tftp",
            f"tftp-root={checked_path(paths.tftp)}",
            "tftp-max=200",
            f"dhcp-script={checked_path(dnsmasq.lease_hook(paths))}",
            *(_advertisement(values) if advertise else ()),
        )
    )


def _advertisement(values: Mapping[str, str]) -> tuple[str, ...]:
    # iPXE waits 13 seconds at every boot where no router advertises itself.
    return (
        "enable-ra",
        f"dhcp-range={local_prefix(values['CLUSTER_NAME']).network_address},ra-only,64,3600",
        f"ra-param={values['DHCP_IFACE']},4,1800",
    )
