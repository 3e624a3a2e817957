import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import Refused
from hps.host.allocation import choose_address, choose_name

CLUSTER = {"DHCP_IP": "10.77.0.1", "NETWORK_CIDR": "10.77.0.0/28", "DHCP_RANGESIZE": "4"}
STATIC = [f"10.77.0.{number}" for number in range(2, 11)]


@pytest.mark.parametrize(
    ("kind", "kept", "taken", "name"),
    [
        ("SCH", "", (), "sch-001"),
        ("SCH", "", ("sch-001", "sch-003"), "sch-002"),
        ("SCH", "sch-007", (), "sch-007"),
        ("SCH", "sch-007", ("sch-007",), "sch-001"),
        ("TCH", "sch-007", (), "tch-001"),
    ],
)
def test_names(kind: str, kept: str, taken: tuple[str, ...], name: str) -> None:
    assert choose_name(kind, kept, taken) == name


def test_the_thousandth_host_has_a_name() -> None:
    assert choose_name("SCH", "", {f"sch-{number:03d}" for number in range(1, 1000)}) == "sch-1000"


def test_the_first_free_address_after_the_ips_below_the_pool() -> None:
    assert choose_address(CLUSTER, "", ()) == "10.77.0.2"
    assert choose_address(CLUSTER, "10.77.0.9", ()) == "10.77.0.9"
    assert choose_address(CLUSTER, "10.77.0.12", ()) == "10.77.0.2"
    assert choose_address(CLUSTER, "10.77.0.9", ("10.77.0.9", "10.77.0.2")) == "10.77.0.3"


def test_no_address_left_says_what_helps() -> None:
    with pytest.raises(Refused) as caught:
        choose_address(CLUSTER, "", STATIC)
    assert "hps host remove" in caught.value.hint


@given(st.sets(st.sampled_from(STATIC)), st.sampled_from(["", *STATIC]))
def test_an_address_is_never_given_twice(taken: set[str], kept: str) -> None:
    if taken == set(STATIC):
        return
    assert choose_address(CLUSTER, kept, taken) in set(STATIC) - taken
