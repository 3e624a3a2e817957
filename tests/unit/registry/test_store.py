"""Records on files, changed by real processes at once."""

import multiprocessing
import os
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from hps.errors import InvalidInput, NotFound, Refused
from hps.registry.model import HPS, RecordName, cluster_name, host_name, os_name, setting
from hps.registry.store import FileRegistry
from hps.values import Mac

FORK = multiprocessing.get_context("fork")
HOST = host_name("prod", Mac("525400770001"))


def increment(root: Path) -> None:
    """Add one to INSTALL_TRIES."""

    def edit(old: Mapping[str, str]) -> Mapping[str, str]:
        return {**old, "INSTALL_TRIES": str(int(old.get("INSTALL_TRIES", "0")) + 1)}

    FileRegistry(root).change(HOST, edit, create=True)


def stay_in_a_change(root: Path, entered: Event) -> None:
    """Hold the record's lock for ever."""

    def edit(old: Mapping[str, str]) -> Mapping[str, str]:
        entered.set()
        time.sleep(60)
        return {**old, "STATE": "INSTALLED"}

    FileRegistry(root).change(HOST, edit)


@pytest.mark.feature("CF1")
@pytest.mark.programs
def test_fifty_increments_at_once_are_fifty(tmp_path: Path) -> None:
    workers = [FORK.Process(target=increment, args=(tmp_path,)) for _ in range(50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 50
    assert FileRegistry(tmp_path).read(HOST).get("INSTALL_TRIES") == "50"


@pytest.mark.feature("CF1")
@pytest.mark.programs
def test_a_holder_that_is_killed_leaves_the_record_as_it_was_and_free(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLING"), create=True)
    entered = FORK.Event()
    holder = FORK.Process(target=stay_in_a_change, args=(tmp_path, entered))
    holder.start()
    try:
        assert entered.wait(20)
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        assert registry.read(HOST).values == {"STATE": "INSTALLING"}
        assert registry.change(HOST, setting(STATE="INSTALL_FAILED")).get("STATE") == "INSTALL_FAILED"
    finally:
        holder.kill()
        holder.join()


@pytest.mark.feature("CF2")
@pytest.mark.root
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_place_that_cannot_be_written_keeps_the_old_data(fault: str, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], check=True)
    try:
        registry = FileRegistry(place)
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
        if fault == "full":
            (place / "ballast").write_bytes(b"x" * (48 * 1024))
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(Refused) as refusal:
            registry.change(HOST, setting(INSTALL_ERROR="y" * 30_000))
        assert refusal.value.hint
        assert registry.read(HOST).values == {"STATE": "INSTALLED"}
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("damage", [b"STATE\n", b"STATE=INSTALLED", b"\xff\xfe", b"STATE=a\nSTATE=b\n"])
def test_a_damaged_record_is_named_and_not_overwritten(damage: bytes, tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    registry.path(HOST).write_bytes(damage)
    with pytest.raises(InvalidInput):
        registry.read(HOST)
    with pytest.raises(InvalidInput):
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    assert registry.path(HOST).read_bytes() == damage


def test_a_refused_change_changes_nothing(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    for bad in ({"STATE": "NONSENSE"}, {"NO_SUCH_KEY": "x"}, {"HOSTNAME": "a\nb"}):
        with pytest.raises(InvalidInput):
            registry.change(HOST, setting(**bad))
    assert registry.read(HOST).values == {"STATE": "INSTALLED"}


def test_an_unknown_value_that_is_there_survives_other_changes(tmp_path: Path) -> None:
    """Written by hand, or by a later version: it is kept, and named only when it is itself changed."""
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    registry.path(HOST).write_text("LATER_KEY=x\nSTATE=INSTALLED\n")
    assert registry.change(HOST, setting(SLOT="a")).values == {"LATER_KEY": "x", "SLOT": "a", "STATE": "INSTALLED"}


@pytest.mark.feature("CF7")
def test_a_host_key_is_unset_and_the_others_stay(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED", SLOT="a"), create=True)
    assert registry.change(HOST, setting(SLOT=None)).values == {"STATE": "INSTALLED"}
    assert registry.path(HOST).read_text() == "STATE=INSTALLED\n"


def test_a_change_that_changes_nothing_does_not_touch_the_file(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    before = registry.path(HOST).stat()
    registry.change(HOST, setting(STATE="INSTALLED"))
    assert registry.path(HOST).stat().st_ino == before.st_ino


@pytest.mark.feature("S22")
def test_records_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    old = os.umask(0)
    try:
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    finally:
        os.umask(old)
    assert stat.S_IMODE(registry.path(HOST).stat().st_mode) == 0o600


def test_records_are_listed_by_kind(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    other = host_name("prod", Mac("525400770002"))
    for name in (other, HOST, cluster_name("prod"), os_name("x86_64:debian:12"), HPS):
        assert not registry.exists(name)
        registry.change(name, setting(), create=True)
        assert registry.exists(name)
    assert registry.names("host", "prod") == (HOST, other)
    assert registry.names("cluster") == (cluster_name("prod"),)
    assert registry.names("os") == (os_name("x86_64:debian:12"),)
    assert registry.names("hps") == (HPS,)
    registry.remove(other)
    registry.remove(other)
    assert registry.names("host", "prod") == (HOST,)


def test_what_names_no_record_is_refused(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    with pytest.raises(NotFound, match="no record host prod 525400770001"):
        registry.read(HOST)
    with pytest.raises(NotFound):
        registry.change(HOST, setting(STATE="INSTALLED"))
    for name in (RecordName("host", ("..", "525400770001")), RecordName("cluster"), RecordName("nonsense", ("x",))):
        with pytest.raises(InvalidInput):
            registry.read(name)
    with pytest.raises(InvalidInput):
        registry.names("host")
    with pytest.raises(InvalidInput):
        registry.names("host", "../../etc")


def test_a_transaction_is_held_and_freed(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    with registry.transaction("allocation"):
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    with registry.transaction("allocation"):
        pass
    with pytest.raises(InvalidInput), registry.transaction("../x"):
        pass
