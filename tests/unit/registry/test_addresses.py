"""How a cluster's network is divided."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.registry.addresses import dynamic_pool, static_addresses


def cluster(network: str, own: str, size: str) -> dict[str, str]:
    return {"NETWORK_CIDR": network, "DHCP_IP": own, "DHCP_RANGESIZE": size}


def test_the_pool_is_the_end_of_the_network_and_the_static_addresses_lie_before_it() -> None:
    values = cluster("10.77.0.0/24", "10.77.0.1", "50")
    assert [str(address) for address in dynamic_pool(values)] == ["10.77.0.205", "10.77.0.254"]
    static = [str(address) for address in static_addresses(values)]
    assert (static[0], static[-1], len(static)) == ("10.77.0.2", "10.77.0.204", 203)


@pytest.mark.parametrize(
    ("network", "own", "size", "words"),
    [
        ("10.77.0.0/24", "10.78.0.1", "50", "not an address"),
        ("10.77.0.0/24", "10.77.0.0", "50", "not an address"),
        ("10.77.0.0/24", "10.77.0.255", "50", "not an address"),
        ("10.77.0.0/24", "10.77.0.1", "253", "does not fit"),
        ("10.77.0.0/29", "10.77.0.5", "2", "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(network: str, own: str, size: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        dynamic_pool(cluster(network, own, size))
    assert refusal.value.hint


@given(st.integers(20, 29), st.data())
def test_no_address_is_in_both_parts(prefix: int, data: st.DataObject) -> None:
    network = ipaddress.IPv4Network(f"10.77.0.0/{prefix}")
    own = data.draw(st.integers(1, network.num_addresses - 2))
    size = data.draw(st.integers(1, network.num_addresses))
    values = cluster(str(network), str(network[own]), str(size))
    try:
        first, last = dynamic_pool(values)
    except InvalidInput:
        return
    static = list(static_addresses(values))
    assert static
    assert int(last) - int(first) + 1 == size
    assert all(network[own] < address < first for address in static)
    assert last == network[-2]
