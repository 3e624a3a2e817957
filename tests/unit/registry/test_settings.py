"""The settings of the program itself, and the folders that follow from them."""

import logging
from pathlib import Path

import pytest

from hps.paths import Paths
from hps.registry import settings
from hps.registry.model import HPS, setting
from hps.registry.store import FileRegistry


def test_without_a_record_there_are_defaults(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path / "config")
    assert settings.read(registry) == {}
    assert settings.setting(registry, "CACHE") == "/var/cache/hps"
    assert settings.log_level(Paths(tmp_path)) == logging.WARNING


@pytest.mark.feature("SV6")
def test_every_folder_of_resources_follows_one_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPS_BASE", str(tmp_path))
    assert settings.open_paths() == Paths(tmp_path)
    FileRegistry(tmp_path / "config").change(HPS, setting(RESOURCES="/data/resources"), create=True)
    moved = settings.open_paths()
    assert moved.base == tmp_path
    assert [moved.resources, moved.images, moved.boot, moved.tftp] == [
        Path("/data/resources"),
        Path("/data/resources/images"),
        Path("/data/resources/boot"),
        Path("/data/resources/tftp"),
    ]
    assert moved.services == tmp_path / "services"


def test_the_environment_says_nothing_but_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HPS_CACHE", "HPS_PROFILES", "HPS_HOME", "HPS_RESOURCES", "HPS_DEBUG", "HPS_LOG_LEVEL"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("HPS_BASE", str(tmp_path))
    assert settings.open_paths() == Paths(tmp_path)
    assert settings.setting(FileRegistry(tmp_path / "config"), "CACHE") == "/var/cache/hps"


@pytest.mark.parametrize(("word", "level"), [("debug", logging.DEBUG), ("error", logging.ERROR)])
def test_what_is_logged_is_a_setting(tmp_path: Path, word: str, level: int) -> None:
    FileRegistry(tmp_path / "config").change(HPS, setting(LOG_LEVEL=word), create=True)
    assert settings.log_level(Paths(tmp_path)) == level


def test_a_record_that_cannot_be_read_leaves_the_default_log_level(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hps.conf").write_text("no key at all\n")
    assert settings.log_level(Paths(tmp_path)) == logging.WARNING
