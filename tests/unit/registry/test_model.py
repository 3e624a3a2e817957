"""Names of records and edits of their values."""

import pytest

from hps.errors import InvalidInput
from hps.registry.model import HPS, Record, RecordName, cluster_name, host_name, os_name, setting
from hps.values import Mac


def test_names() -> None:
    assert str(HPS) == "hps"
    assert host_name("prod", Mac("525400770001")) == RecordName("host", ("prod", "525400770001"))
    assert os_name("x86_64:debian:12") == RecordName("os", ("x86_64-debian_12",))
    for cluster in ("../x", "", "a/b"):
        with pytest.raises(InvalidInput):
            cluster_name(cluster)


def test_setting_sets_and_unsets_and_leaves_the_old_values_alone() -> None:
    old = {"A": "1", "B": "2", "C": "3"}
    assert setting(A="9", B=None, D="4")(old) == {"A": "9", "C": "3", "D": "4"}
    assert old == {"A": "1", "B": "2", "C": "3"}


def test_a_revision_changes_exactly_with_the_values() -> None:
    first = Record(HPS, {"A": "1", "B": "2"})
    assert first.revision == Record(HPS, {"B": "2", "A": "1"}).revision
    assert first.revision != Record(HPS, {"A": "1", "B": "2 "}).revision
    assert first.get("A") == "1"
    assert first.get("Z", "none") == "none"
