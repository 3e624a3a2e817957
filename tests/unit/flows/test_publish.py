"""What publishing writes into records and folders."""

from pathlib import Path

import pytest

from hps.errors import NotFound
from hps.flows import publish
from hps.profiles.facts import profiles_root, read_profile
from hps.profiles.model import make_profile
from hps.registry.keys import check_values
from hps.registry.model import HPS, os_name, setting
from hps.registry.store import FileRegistry

PROFILE = make_profile("x86_64-debian_12", {"": "python3\n", "SCH": "lsscsi\n", "CCH": ""}, (), ())


@pytest.mark.feature("OS1")
def test_the_record_of_an_operating_system_names_the_image_of_each_type(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    name = os_name(PROFILE.os_id)
    registry.change(name, publish.os_edit(PROFILE, "SCH", "x86_64-debian_12-SCH/1"), create=True)
    registry.change(name, setting(STATUS="test"))
    record = registry.change(name, publish.os_edit(PROFILE, "CCH", "x86_64-debian_12-CCH/4"))
    check_values("os", record.values)
    assert dict(record.values) == {
        "OS_ID": "x86_64:debian:12",
        "ARCH": "x86_64",
        "NAME": "debian",
        "VERSION": "12",
        "PROFILE": "x86_64-debian_12",
        "HPS_TYPES": "CCH,SCH",
        "IMAGE_SCH": "x86_64-debian_12-SCH/1",
        "IMAGE_CCH": "x86_64-debian_12-CCH/4",
        "STATUS": "test",
    }


@pytest.mark.feature("FS1")
def test_the_recipe_of_a_type_has_its_packages() -> None:
    recipe = publish.recipe(PROFILE, "SCH")
    assert (recipe.name, recipe.packages) == ("x86_64-debian_12-SCH", ("lsscsi", "python3"))
    with pytest.raises(NotFound):
        publish.recipe(PROFILE, "DRH")


@pytest.mark.feature("FS1")
def test_a_folder_is_selectable_as_soon_as_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "aarch64-debian_13"
    folder.mkdir()
    (folder / "packages.list").write_text("python3\n")
    registry = FileRegistry(tmp_path / ".config")
    registry.change(HPS, setting(PROFILES=str(tmp_path)), create=True)
    assert [profile.os_id for profile in publish.profiles(registry)] == ["aarch64:debian:13"]


def test_a_profile_holds_no_script_of_a_distribution_installer(tmp_path: Path) -> None:
    """What is delivered is packages and scripts for the chroot of the build: no kickstart, preseed or autoinstall file."""
    for name in publish.profiles(FileRegistry(tmp_path)):
        folder = profiles_root() / name.name
        assert not [path for path in folder.rglob("*") if path.suffix in {".ks", ".cfg", ".seed", ".yaml"}]
        assert read_profile(profiles_root(), name.name).scripts


def test_a_file_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    publish.place(tmp_path, {"a": b"1", "b": b"2"})
    before = {name: (tmp_path / name).stat().st_ino for name in "ab"}
    publish.place(tmp_path, {"a": b"1", "b": b"3"})
    assert (tmp_path / "a").stat().st_ino == before["a"]
    assert (tmp_path / "b").read_bytes() == b"3"
