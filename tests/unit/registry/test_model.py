"""Names of records and edits of their values."""

import pytest

from hps.errors import InvalidInput, Refused
from hps.registry.model import HPS, Record, RecordName, account_name, check_expected, cluster_name, host_name, os_name, setting
from hps.values import Mac


def test_names() -> None:
    assert str(HPS) == "hps"
    assert host_name("prod", Mac("525400770001")) == RecordName("host", ("prod", "525400770001"))
    assert os_name("x86_64:debian:12") == RecordName("os", ("x86_64-debian_12",))
    assert account_name("prod", "anna") == RecordName("account", ("prod", "anna"))
    for cluster in ("../x", "", "a/b"):
        with pytest.raises(InvalidInput):
            cluster_name(cluster)
        with pytest.raises(InvalidInput):
            account_name("prod", cluster)


def test_setting_sets_and_unsets_and_leaves_the_old_values_alone() -> None:
    old = {"A": "1", "B": "2", "C": "3"}
    assert setting(A="9", B=None, D="4")(old) == {"A": "9", "C": "3", "D": "4"}
    assert old == {"A": "1", "B": "2", "C": "3"}


def test_a_record_gives_its_values_and_a_default() -> None:
    record = Record(HPS, {"A": "1"}, 7)
    assert record.get("A") == "1"
    assert record.get("Z", "none") == "none"


def test_only_the_expected_revision_may_be_changed() -> None:
    check_expected(Record(HPS, {}, 7), None)
    check_expected(Record(HPS, {}, 7), 7)
    check_expected(Record(HPS), 0)
    with pytest.raises(Refused, match="its revision is 7, not 6"):
        check_expected(Record(HPS, {}, 7), 6)
