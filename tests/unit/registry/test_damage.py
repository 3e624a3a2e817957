"""Files that are damaged, places that cannot be written: what is served, what is refused, and the one line that says so."""

import errno
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hps.errors import HpsError, InvalidInput, NotFound, Refused, Unreachable
from hps.registry.model import Problem, cluster_name, host_name, setting
from hps.registry.store import FileRegistry
from hps.system import files, lock
from hps.values import Mac
from tests.unit.registry.namespace import in_private_mounts, mount

HOST = host_name("prod", Mac("525400770001"))
GOOD = {"STATE": "INSTALLING", "SLOT": "a"}
BETTER = {"STATE": "INSTALLED", "SLOT": "a"}


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    """A store whose host was changed once."""
    store = FileRegistry(tmp_path / "config")
    store.change(HOST, setting(**GOOD), create=True)
    store.change(HOST, setting(**BETTER))
    return store


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Every warning so far."""
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    caplog.clear()
    return found


DAMAGE = {
    "empty": (b"", 1),
    "cut off in a line": (b"SLOT=a\nSTA", 2),
    "cut off after a line": (b"SLOT=a\nSTATE=INSTALLED\n", 2),
    "cut off in the end mark": (b"SLOT=a\n# end 1", 2),
    "no KEY=value": (b"SLOT=a\nrm -rf\n# end 2\n", 2),
    "a key twice": (b"SLOT=a\nSLOT=b\n# end 2\n", 2),
    "no UTF-8": (b"SLOT=a\nSTATE=\xff\xfe\n# end 2\n", 2),
    "zeroes": (b"\0" * 64, 1),
    "an editor's line at the end": (b"SLOT=a\n# end 2\nSTATE=INSTALLED\n", 3),
}


@pytest.mark.feature("CF4", "CF3")
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_serves_its_last_good_version_and_is_told_once(
    damage: str, registry: FileRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    content, line = DAMAGE[damage]
    registry.path(HOST).write_bytes(content)
    for _ in range(3):
        assert FileRegistry(registry.root).read(HOST).values == GOOD
    (told,) = lines(caplog)
    assert told.startswith('level=warning what=record-damaged record="host prod 525400770001"')
    assert f" file={registry.path(HOST)} line={line} served=previous " in told
    assert [(problem.path, problem.line) for problem in registry.check()] == [(str(registry.path(HOST)), line)]
    with pytest.raises(Refused, match=f"line {line}") as refusal:
        registry.change(HOST, setting(SLOT="b"))
    assert f"mv {registry.previous(HOST)} {registry.path(HOST)}" in refusal.value.hint
    assert registry.path(HOST).read_bytes() == content
    assert len(lines(caplog)) == 1
    assert registry.restore(HOST).values == registry.read(HOST).values == GOOD
    assert registry.check() == ()
    assert registry.change(HOST, setting(SLOT="b")).values == {**GOOD, "SLOT": "b"}
    assert lines(caplog) == []


@pytest.mark.feature("CF4")
def test_the_hint_of_a_damage_mends_it(registry: FileRegistry) -> None:
    registry.path(HOST).write_text("STATE=x\nrubbish\n# end 2\n")
    registry.previous(HOST).rename(registry.path(HOST))
    assert registry.read(HOST).values == GOOD
    registry.path(HOST).write_text("STATE=INSTALLED\nrubbish\n# end 2\n")
    registry.path(HOST).write_text("STATE=INSTALLED\n# end 2\n")
    assert registry.change(HOST, setting(SLOT="b")).values == {"STATE": "INSTALLED", "SLOT": "b"}


@pytest.mark.feature("CF4", "CF3")
def test_without_a_good_version_the_file_and_line_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry = FileRegistry(tmp_path)
    registry.change(HOST, setting(**GOOD), create=True)
    registry.path(HOST).write_text("SLOT=a\nrubbish\n# end 1\n")
    for _ in range(3):
        with pytest.raises(InvalidInput, match=rf"{registry.path(HOST)}: line 2") as damage:
            registry.read(HOST)
        assert f"line 2 of {registry.path(HOST)}" in damage.value.hint
    assert len(lines(caplog)) == 1
    with pytest.raises(NotFound):
        registry.restore(HOST)
    registry.remove(HOST)
    assert not registry.exists(HOST)


def test_a_folder_in_the_place_of_a_record_is_a_damage(registry: FileRegistry) -> None:
    registry.path(HOST).unlink()
    registry.path(HOST).mkdir()
    assert registry.read(HOST).values == GOOD
    assert [problem.line for problem in registry.check()] == [0]


@pytest.mark.feature("CF4")
def test_the_check_finds_bad_lines_and_bad_variables_everywhere(registry: FileRegistry) -> None:
    registry.change(cluster_name("prod"), setting(MENU_TIMEOUT="5"), create=True)
    other = host_name("lost", Mac("525400770002"))
    registry.change(other, setting(STATE="INSTALLED"), create=True)
    assert registry.check() == ()
    registry.path(HOST).write_text("LATER_KEY=x\nSLOT=a\nSTATE=NONSENSE\n# end 2\n")
    registry.path(other).write_text("STATE\n# end 2\n")
    registry.path(cluster_name("prod")).write_text("")
    found = registry.check()
    assert [(problem.name, problem.line) for problem in found] == [(cluster_name("prod"), 1), (other, 1), (HOST, 1), (HOST, 3)]
    assert all(isinstance(problem, Problem) and Path(problem.path).exists() and problem.what for problem in found)
    assert registry.read(HOST).get("STATE") == "NONSENSE", "a value that a later version wrote is served as it is"


def out_of_space(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def broken_disk(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def impatient(path: Path, timeout: float = 0, part: str = "") -> object:
    return EXCLUSIVE(path, 0, part)


EXCLUSIVE = lock.exclusive
Break = Callable[[FileRegistry, pytest.MonkeyPatch], object]
Act = Callable[[FileRegistry], object]


def spoil(registry: FileRegistry, _: pytest.MonkeyPatch) -> None:
    registry.path(HOST).write_text("rubbish\n")


def spoil_both(registry: FileRegistry, patch: pytest.MonkeyPatch) -> None:
    spoil(registry, patch)
    registry.previous(HOST).write_text("rubbish\n")


def hold(registry: FileRegistry, patch: pytest.MonkeyPatch) -> None:
    """Somebody else holds the record's lock, and nobody waits for it."""
    held = EXCLUSIVE(registry.root / ".locks", 0, "clusters/prod/hosts/525400770001.conf")
    patch.setattr(registry, "kept_for_the_test", held, raising=False)
    held.__enter__()
    patch.setattr(lock, "exclusive", impatient)


def patched(where: object, name: str, value: object) -> Break:
    return lambda _, patch: patch.setattr(where, name, value)


def damaged_write(descriptor: int, data: bytes, write: Callable[[int, bytes], int] = os.write) -> int:
    return write(descriptor, bytes(data).replace(b"b", b"c"))


def failing(old: Mapping[str, str]) -> Mapping[str, str]:
    raise Refused("the flow says no")


def change(registry: FileRegistry) -> object:
    return registry.change(HOST, setting(SLOT="b"))


def nothing(*_: object) -> None:
    """Nothing is broken."""


FAILURES: dict[str, tuple[Break, Act, type[HpsError] | None, str]] = {
    "damaged, read": (spoil, lambda store: store.read(HOST), None, "record-damaged"),
    "damaged twice, read": (spoil_both, lambda store: store.read(HOST), InvalidInput, "record-damaged"),
    "damaged, changed": (spoil, change, Refused, "record-not-changed"),
    "damaged twice, restored": (spoil_both, lambda store: store.restore(HOST), Refused, "record-not-changed"),
    "not damaged, restored": (nothing, lambda store: store.restore(HOST), Refused, "record-not-changed"),
    "a value that is not allowed": (
        nothing,
        lambda store: store.change(HOST, setting(STATE="canary")),
        InvalidInput,
        "record-not-changed",
    ),
    "a key that is unknown": (nothing, lambda store: store.change(HOST, setting(CANARY="x")), InvalidInput, "record-not-changed"),
    "a value that is no text": (
        nothing,
        lambda store: store.change(HOST, setting(INSTALL_ERROR="\ud800")),
        InvalidInput,
        "record-not-changed",
    ),
    "changed meanwhile": (nothing, lambda store: store.change(HOST, setting(SLOT="b"), expected=1), Refused, "record-not-changed"),
    "locked": (hold, change, Unreachable, "record-not-changed"),
    "no room": (patched(files, "MINIMUM_FREE", 2**60), change, Refused, "record-not-changed"),
    "no room, removed": (patched(files, "MINIMUM_FREE", 2**60), lambda store: store.remove(HOST), Refused, "record-not-changed"),
    "no permission": (patched(os, "access", lambda *_: False), change, Refused, "record-not-changed"),
    "full in the middle": (patched(os, "write", out_of_space), change, Refused, "record-not-changed"),
    "not flushed": (patched(os, "fsync", broken_disk), change, Refused, "record-not-changed"),
    "not renamed": (patched(os, "replace", broken_disk), change, Refused, "record-not-changed"),
    "not linked": (patched(os, "link", broken_disk), change, Refused, "record-not-changed"),
    "not removed": (patched(os, "unlink", broken_disk), lambda store: store.remove(HOST), Refused, "record-not-changed"),
    "no number": (patched(os, "pwrite", out_of_space), change, Refused, "record-not-changed"),
    "read back differently": (patched(os, "write", damaged_write), change, Refused, "record-not-changed"),
    "the store's number damaged": (
        lambda store, _: (store.root / ".revision").write_text("rubbish\n"),
        lambda store: store.revision(),
        None,
        "revision-damaged",
    ),
}
"""What fails -> how it is broken, what is done, the error that its caller gets, and the class of the line."""


@pytest.mark.feature("CF3")
@pytest.mark.parametrize("case", FAILURES)
def test_each_failure_writes_one_line_and_leaves_the_record_as_it_was(
    case: str, registry: FileRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_it, act, error, what = FAILURES[case]
    with monkeypatch.context() as patch:
        break_it(registry, patch)
        before = registry.path(HOST).read_bytes()
        if error is None:
            act(registry)
        else:
            with pytest.raises(error):
                act(registry)
    (line,) = lines(caplog)
    assert re.fullmatch(rf'level=warning what={what} ((record|file|line|served)=("[^"]+"|\S+) )+message="([^"\\]|\\.)+"', line)
    assert "canary" not in line, "what is not allowed may be a secret that was mistyped"
    assert registry.path(HOST).read_bytes() == before
    assert [path.name for path in registry.path(HOST).parent.glob("*.new")] == []


def untold(patch: pytest.MonkeyPatch) -> None:
    """The number of the store cannot be written any more, once the record is."""
    patch.setattr(os, "replace", lambda *names, replace=os.replace: (replace(*names), patch.setattr(os, "pwrite", out_of_space)))


def unflushed(patch: pytest.MonkeyPatch) -> None:
    """The folder cannot be flushed."""
    patch.setattr(files, "flush_directory", broken_disk)


@pytest.mark.feature("CF3")
@pytest.mark.parametrize(("fail", "words"), [(untold, r"\.revision cannot be written"), (unflushed, "hosts cannot be flushed")])
def test_a_change_whose_end_failed_is_in_place_and_not_acknowledged(
    fail: Callable[[pytest.MonkeyPatch], None], words: str, registry: FileRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail(patch)
        with pytest.raises(Refused, match=words):
            change(registry)
    assert len(lines(caplog)) == 1
    assert registry.read(HOST).get("SLOT") == "b"
    seen = registry.revision()
    assert registry.change(HOST, setting(SLOT="a")).revision > seen


def test_an_answer_is_no_failure(registry: FileRegistry, caplog: pytest.LogCaptureFixture) -> None:
    other = host_name("prod", Mac("525400770002"))
    acts: tuple[Act, ...] = (
        lambda store: store.read(other),
        lambda store: store.change(other, setting()),
        lambda store: store.restore(other),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act(registry)
    with pytest.raises(Refused):
        registry.change(HOST, failing)
    assert lines(caplog) == []


def _full(place: Path) -> None:
    """The file system is full: below the stated minimum, then to its last byte."""
    registry = FileRegistry(place)
    made = registry.change(HOST, setting(**GOOD), create=True)
    before = sorted(path.name for path in place.rglob("*"))
    ballast = place / "ballast"
    ballast.write_bytes(b"x" * (os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - files.MINIMUM_FREE // 2))
    with pytest.raises(Refused, match="KiB left"):
        registry.change(HOST, setting(SLOT="b"))
    assert (registry.read(HOST), registry.revision()) == (made, made.revision)
    assert sorted(path.name for path in place.rglob("*") if path != ballast) == before
    with pytest.MonkeyPatch.context() as patch, ballast.open("ab") as stream:
        patch.setattr(files, "check_room", nothing)
        with pytest.raises(OSError, match="No space"):
            while True:
                os.write(stream.fileno(), b"x" * 4096)
        with pytest.raises(Refused, match="No space"):
            registry.change(HOST, setting(SLOT="b"))
    assert registry.read(HOST) == made
    ballast.unlink()
    assert registry.change(HOST, setting(SLOT="b")).get("SLOT") == "b"
    assert sorted(path.name for path in place.rglob("*")) == sorted([*before, registry.previous(HOST).name])


def _read_only(place: Path) -> None:
    registry = FileRegistry(place)
    made = registry.change(HOST, setting(**GOOD), create=True)
    mount("-o", "remount,ro", str(place))
    with pytest.raises(Refused, match="read-only") as refusal:
        registry.change(HOST, setting(SLOT="b"))
    assert refusal.value.hint
    with pytest.raises(Refused, match="read-only"):
        registry.remove(HOST)
    assert FileRegistry(place).read(HOST) == made
    assert registry.revision() == made.revision
    mount("-o", "remount,rw", str(place))
    assert registry.change(HOST, setting(SLOT="b")).get("SLOT") == "b"


@pytest.mark.feature("CF2")
@pytest.mark.root
@pytest.mark.parametrize("check", [_full, _read_only], ids=["full", "read-only"])
def test_a_place_that_cannot_be_written_keeps_the_old_data(check: Callable[[Path], None], tmp_path: Path) -> None:
    in_private_mounts(tmp_path, check)


def test_a_file_that_is_there_has_a_revision_although_a_person_wrote_it(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.path(HOST).parent.mkdir(parents=True)
    registry.path(HOST).write_text("STATE=INSTALLED\n# end 0\n")
    assert registry.read(HOST).revision == 1
    with pytest.raises(Refused):
        registry.change(HOST, setting(SLOT="a"), create=True, expected=0)


def test_a_lost_number_of_the_store_goes_on_above_its_records(registry: FileRegistry) -> None:
    before = registry.revision()
    (registry.root / ".revision").unlink()
    assert registry.revision() > before
    assert registry.change(HOST, setting(SLOT="b")).revision > before
