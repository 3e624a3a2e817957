"""A folder is a profile; nothing is read through a link."""

from pathlib import Path

import pytest

from hps.errors import InvalidInput, NotFound
from hps.profiles.facts import profile_names, profiles_root, read_profile


def make_folder(root: Path, name: str) -> Path:
    folder = root / name
    (folder / "SCH").mkdir(parents=True)
    (folder / "install-scripts").mkdir()
    (folder / "packages.list").write_text("python3\n")
    (folder / "SCH" / "packages.list").write_text("lsscsi\n")
    (folder / "install-scripts" / "20-second").write_text("#!/bin/sh\n")
    (folder / "install-scripts" / "10-first").write_text("#!/bin/sh\n")
    return folder


@pytest.mark.feature("FS1")
def test_adding_a_folder_adds_a_profile(tmp_path: Path) -> None:
    make_folder(tmp_path, "x86_64-debian_12")
    assert profile_names(tmp_path) == ("x86_64-debian_12",)
    make_folder(tmp_path, "aarch64-debian_12")
    assert profile_names(tmp_path) == ("aarch64-debian_12", "x86_64-debian_12")
    profile = read_profile(tmp_path, "aarch64-debian_12")
    assert profile.architecture == "aarch64"
    assert [script.name for script in profile.scripts] == ["10-first", "20-second"]


@pytest.mark.feature("S6")
@pytest.mark.parametrize("place", ["", "packages.list", "SCH", "SCH/packages.list", "install-scripts", "install-scripts/10-first"])
def test_a_link_anywhere_in_a_profile_is_refused(tmp_path: Path, place: str) -> None:
    real = make_folder(tmp_path / "elsewhere", "x86_64-debian_12")
    root = tmp_path / "profiles"
    root.mkdir()
    if place:
        folder = make_folder(root, "x86_64-debian_12")
        (folder / place).rename(tmp_path / "moved")
        (folder / place).symlink_to(tmp_path / "moved")
    else:
        (root / "x86_64-debian_12").symlink_to(real)
    with pytest.raises(InvalidInput, match="symbolic link"):
        read_profile(root, "x86_64-debian_12")


@pytest.mark.feature("S6")
@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "..", "x86_64-debian_12/../x86_64-debian_12"])
def test_a_name_never_leaves_the_root(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        read_profile(tmp_path, name)


def test_a_missing_profile_names_those_that_exist(tmp_path: Path) -> None:
    make_folder(tmp_path, "x86_64-debian_12")
    with pytest.raises(NotFound, match="x86_64-debian_12"):
        read_profile(tmp_path, "x86_64-debian_99")


@pytest.mark.parametrize("name", profile_names(profiles_root()))
def test_every_profile_that_we_deliver_is_valid(name: str) -> None:
    profile = read_profile(profiles_root(), name)
    assert {"SCH", "TCH", "CCH"} <= set(profile.types)
    assert "open-iscsi" not in profile.packages_for("SCH"), "it would give every node the same initiator name"
