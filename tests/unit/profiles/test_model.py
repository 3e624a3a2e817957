"""A profile's name and lists are checked, and a mistake is named with its file and line."""

import pytest

from hps.errors import HpsError, InvalidInput, NotFound
from hps.profiles.model import Script, make_profile, parse_name, parse_packages

LISTS = {"": "python3\n", "SCH": "lsscsi # disks\n", "CCH": ""}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("x86_64-debian_12", ("x86_64", "debian", "12")),
        ("aarch64-alpine_3.20", ("aarch64", "alpine", "3.20")),
    ],
)
def test_a_name_gives_architecture_system_and_version(name: str, parts: tuple[str, str, str]) -> None:
    assert parse_name(name) == parts


@pytest.mark.feature("S6")
@pytest.mark.parametrize(
    "name", ["", "..", "../x86_64-debian_12", "/etc/passwd", "x86_64-debian", "debian_12", "x86_64-debian_12/..", "a-b_c\n"]
)
def test_a_name_that_is_a_path_or_has_no_parts_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        parse_name(name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a1\n# no\n\n b2 # why\n", ("a1", "b2")),
        ("", ()),
        ("g++\nlibstdc++6", ("g++", "libstdc++6")),
    ],
)
def test_a_list_is_one_package_a_line(text: str, words: tuple[str, ...]) -> None:
    assert parse_packages(text, "list") == words


@pytest.mark.parametrize(
    ("text", "line"), [("ok\nnot ok", 2), ("--option", 1), ("a1\n\n$(id)", 3), ("a1\na1", 2), ("a1,b2", 1), ("../x", 1)]
)
def test_a_wrong_line_is_named(text: str, line: int) -> None:
    with pytest.raises(InvalidInput, match=f"here/packages.list:{line}:"):
        parse_packages(text, "here/packages.list")


@pytest.mark.feature("FS1")
def test_a_type_adds_its_packages() -> None:
    profile = make_profile("x86_64-debian_12", LISTS, (), ())
    assert profile.os_id == "x86_64:debian:12"
    assert profile.types == ("CCH", "SCH")
    assert profile.packages_for("SCH") == ("lsscsi", "python3")
    assert profile.packages_for("CCH") == ("python3",)
    with pytest.raises(NotFound):
        profile.packages_for("DRH")


@pytest.mark.parametrize(
    ("lists", "scripts"),
    [
        ({"SCH": ""}, ()),
        (LISTS | {"OTHER": ""}, ()),
        (LISTS | {"TCN": ""}, ()),
        (LISTS, (Script("modules", b"#!/bin/sh\n"),)),
        (LISTS, (Script("10-modules", b"echo\n"),)),
        (LISTS, (Script("10-../x", b"#!/bin/sh\n"),)),
        (LISTS, (Script("10-x;id", b"#!/bin/sh\n"),)),
    ],
)
def test_what_is_not_a_profile_is_refused(lists: dict[str, str], scripts: tuple[Script, ...]) -> None:
    with pytest.raises(HpsError):
        make_profile("x86_64-debian_12", lists, scripts, ())
