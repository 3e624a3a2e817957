"""Clusters for the tests of rendered configurations."""

import ipaddress

from hypothesis import strategies as st

CLUSTER = {
    "CLUSTER_NAME": "lab",
    "DHCP_IFACE": "br0",
    "DHCP_IP": "10.77.0.1",
    "NETWORK_CIDR": "10.77.0.0/24",
    "DHCP_RANGESIZE": "50",
    "DHCP_LEASE": "3600",
    "DNS_DOMAIN": "lab.example",
}

_labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
_servers = st.one_of(st.just(""), st.ip_addresses(v=4, network="10.0.0.0/8").map(str))


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, str]:
    """Any cluster whose values pass the checks."""
    length = draw(st.integers(8, 28))
    base = int(draw(st.ip_addresses(v=4, network="10.0.0.0/8"))) >> (32 - length) << (32 - length)
    network = ipaddress.IPv4Network((base, length))
    room = network.num_addresses - 3
    size = draw(st.integers(4, min(65536, room - 1)))
    own = draw(st.integers(1, room - size))
    return {
        "CLUSTER_NAME": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        "DHCP_IFACE": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", fullmatch=True)),
        "DHCP_IP": str(network[own]),
        "NETWORK_CIDR": str(network),
        "DHCP_RANGESIZE": str(size),
        "DHCP_LEASE": str(draw(st.integers(120, 604800))),
        "DNS_DOMAIN": ".".join(draw(st.lists(_labels, min_size=1, max_size=4))),
        **{key: draw(_servers) for key in ("DNS_LOCAL_SERVER", "DNS_UPSTREAM_SERVER", "NTP_LOCAL_SERVER", "SYSLOG_LOCAL_SERVER")},
        "DEFAULT_ROUTE": draw(st.one_of(st.just(""), st.just(str(network[own + 1])))),
    }
