import pytest

from hps.security.leases import holder, parse_leases
from hps.values import Mac

MAC = Mac.parse("525400770001")
LEASES = """1795000000 52:54:00:77:00:01 10.77.0.210 * 01:52:54:00:77:00:01
0 52:54:00:77:00:02 10.77.0.211 sch-002 *
duid 00:01:00:01:2b
1795000000 00 fd77::10 * x
broken
"""


@pytest.mark.parametrize(
    ("address", "now", "expected"),
    [
        ("10.77.0.210", 1794999999.0, MAC),
        ("10.77.0.210", 1795000000.0, None),
        ("10.77.0.211", 9e9, Mac.parse("525400770002")),
        ("10.77.0.21", 0.0, None),
        ("", 0.0, None),
    ],
)
def test_an_address_is_held_until_its_lease_ends(address: str, now: float, expected: Mac | None) -> None:
    assert holder(parse_leases(LEASES), address, now) == expected
