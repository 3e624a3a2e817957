"""Where an unlocked passphrase lies, and what is not believed to be one."""

from pathlib import Path

import pytest

from hps.errors import Refused
from hps.security import passphrase


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as memory."""
    monkeypatch.setattr(passphrase, "MEMORY", tmp_path)
    monkeypatch.setattr("hps.system.mounts.kind", lambda path, device=None: "tmpfs")
    return tmp_path


def test_each_authority_has_a_place_of_its_own(memory: Path) -> None:
    passphrase.keep(Path("/a/ca"), "the first one")
    passphrase.keep(Path("/b/ca"), "the second")
    assert (passphrase.kept(Path("/a/ca")), passphrase.kept(Path("/b/ca"))) == ("the first one", "the second")
    passphrase.forget(Path("/a/ca"))
    passphrase.forget(Path("/a/ca"))
    assert (passphrase.kept(Path("/a/ca")), passphrase.kept(Path("/b/ca"))) == ("", "the second")


def test_what_others_could_have_put_there_is_not_read(memory: Path) -> None:
    place = passphrase.place(Path("/a/ca"))
    other = memory / "elsewhere"
    other.write_text("planted words")
    other.chmod(0o600)
    place.symlink_to(other)
    assert passphrase.kept(Path("/a/ca")) == ""
    place.unlink()
    place.mkdir()
    assert passphrase.kept(Path("/a/ca")) == ""
    place.rmdir()
    passphrase.keep(Path("/a/ca"), "our own words")
    place.chmod(0o640)
    assert passphrase.kept(Path("/a/ca")) == ""


def test_a_disk_is_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "MEMORY", tmp_path)
    monkeypatch.setattr("hps.system.mounts.kind", lambda path, device=None: "ext4")
    with pytest.raises(Refused, match="no file system in memory"):
        passphrase.keep(Path("/a/ca"), "some words")
    assert list(tmp_path.iterdir()) == []
