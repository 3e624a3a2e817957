"""The types of record values."""

import pytest

from hps.errors import InvalidInput
from hps.registry import types


def test_one_of_number_and_optional() -> None:
    assert types.one_of("a", "b").check("a") == "a"
    assert types.number(1, 3).check("3") == 3
    assert types.optional(types.number(1, 3)).check("") == ""
    for kind, value in (
        (types.one_of("a"), "b"),
        (types.number(1, 3), "4"),
        (types.number(1, 3), "x"),
        (types.optional(types.number(1, 3)), "4"),
    ):
        with pytest.raises(InvalidInput):
            kind.check(value)


@pytest.mark.parametrize(("value", "good"), [("/srv/resources", True), ("/", False), ("srv", False), ("/a/../b", False), ("/a b", False)])
def test_folders(value: str, good: bool) -> None:
    if good:
        assert types.FOLDER.check(value) == value
    else:
        with pytest.raises(InvalidInput):
            types.FOLDER.check(value)


@pytest.mark.parametrize(
    ("value", "good"), [("ips-01", True), ("ips-01,ips-02", True), ("ips-01,ips-01", False), ("", False), ("IPS", False)]
)
def test_names_of_provisioning_servers(value: str, good: bool) -> None:
    if good:
        assert types.IPS_NAMES.check(value) == value
    else:
        with pytest.raises(InvalidInput):
            types.IPS_NAMES.check(value)
