"""The network of the installed node as systemd reads it. Pure."""

from collections.abc import Sequence

from hps.values import Mac


def render_network(mac: Mac, address: str, prefix: int, gateway: str, name_servers: Sequence[str], domain: str) -> str:
    """A `.network` file (systemd.network(5)) that gives the interface with this MAC address its static address."""
    lines = [
        "# Made from the identity of this node at every boot; changes belong on the IPS.",
        "[Match]",
        f"MACAddress={mac}",
        "Type=ether",
        "",
        "[Network]",
        f"Address={address}/{prefix}",
        *([f"Gateway={gateway}"] if gateway else []),
        *(f"DNS={server}" for server in name_servers),
        *([f"Domains={domain}"] if domain else []),
        # The IPS announces itself over IPv6 only so that loaders need not wait; nodes take no address from that.
        "IPv6AcceptRA=no",
    ]
    return "\n".join(lines) + "\n"


def render_hosts(hostname: str, domain: str, address: str) -> str:
    """The text of /etc/hosts: this node's own names, so that it knows itself without a name server."""
    names = f"{hostname}.{domain} {hostname}" if domain else hostname
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {names}\n"


def render_time(servers: Sequence[str]) -> str:
    """A drop-in for timesyncd.conf(5)."""
    return "[Time]\nNTP=" + " ".join(servers) + "\n"
