"""The interfaces as ip tells them."""

import json

import pytest

from hps.errors import InvalidInput
from hps.network.interfaces import parse

ONE = {
    "ifname": "br0",
    "flags": ["BROADCAST", "UP"],
    "addr_info": [
        {"family": "inet", "local": "10.77.0.1", "prefixlen": 24},
        {"family": "inet6", "local": "fd77::1", "prefixlen": 64},
    ],
}


def test_addresses_and_state_are_read_and_the_loopback_is_left_out() -> None:
    (found,) = parse(json.dumps([{"ifname": "lo", "flags": ["LOOPBACK", "UP"]}, {}, ONE]))
    assert (found.name, found.up, found.holds("10.77.0.1"), found.holds("10.77.0.2")) == ("br0", True, True, False)
    assert str(found.ipv6[0]) == "fd77::1/64"


@pytest.mark.parametrize(
    "text", ["{", "[1]", '[{"flags": []}]', '[{"ifname": "x", "addr_info": [{"family": "inet", "local": "y", "prefixlen": 1}]}]']
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_nothing_is_no_interface() -> None:
    assert parse("") == ()
