"""The power goes at each step of a writer, and every state that the disk can then be in is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hps.errors import NotFound
from hps.registry.model import Registry, host_name, setting
from hps.registry.store import FileRegistry
from hps.system import files, revision
from hps.values import Mac
from tests.unit.registry.power import Recorder, lay_out

HOST = host_name("prod", Mac("525400770001"))
VALUES = {"STATE": "INSTALLED", "INSTALL_ERROR": "x" * 600}
OTHER = {"STATE": "INSTALL_FAILED", "INSTALL_ERROR": "y" * 900}

ACTS: dict[str, tuple[int, Callable[[Registry], object], dict[str, str] | None, dict[str, str] | None]] = {
    "the first change": (0, lambda store: store.change(HOST, setting(**VALUES), create=True), None, VALUES),
    "the second change": (1, lambda store: store.change(HOST, setting(**OTHER)), VALUES, OTHER),
    "the fourth change": (3, lambda store: store.change(HOST, setting(**OTHER)), VALUES, OTHER),
    "a removal": (2, lambda store: store.remove(HOST), OTHER, None),
}
"""What is done -> how many changes were made before, the act, the values before it, and those after it."""


def values_of(registry: Registry) -> dict[str, str] | None:
    """What is served of the host."""
    try:
        return dict(registry.read(HOST).values)
    except NotFound:
        return None


@pytest.mark.feature("CF4")
@pytest.mark.parametrize("act", ACTS)
def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_record(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, change, old, new = ACTS[act]
    registry = FileRegistry(tmp_path / "config")
    recorder = Recorder(registry.root, monkeypatch)
    recorder.disk.kept_names[""] = 0
    registry.root.mkdir()
    recorder.disk.pending.clear()
    for number in range(before):
        registry.change(HOST, setting(**(VALUES if number % 2 == 0 else OTHER)), create=True)
    told = registry.revision()
    began = len(recorder.moments)
    change(registry)
    acknowledged = recorder.moments[-1][1]
    moments = [disk for _, disk in recorder.moments[began:-1]]
    monkeypatch.undo()
    monkeypatch.setattr(revision, "boot_id", lambda: "later")
    seen: list[dict[str, str] | None] = []
    made = set()
    for disk, allowed in [*((disk, (old, new)) for disk in moments), (acknowledged, (new,))]:
        for state in disk.after_a_crash():
            if (frozenset(state.items()), len(allowed)) in made:
                continue
            made.add((frozenset(state.items()), len(allowed)))
            root = tmp_path / f"crash{len(seen)}"
            state.pop("")
            lay_out(state, root)
            store = FileRegistry(root)
            served = values_of(store)
            assert served in allowed, (act, state)
            seen.append(served)
            assert store.exists(HOST) == (HOST in store.names("host", "prod")) == (served is not None)
            assert store.check() == ()
            assert store.revision() >= told
            assert store.change(HOST, setting(SLOT="a"), create=True).values == {**(served or {}), "SLOT": "a"}
            assert store.revision() > told
            assert {path.name for path in store.path(HOST).parent.iterdir()} <= {store.path(HOST).name, store.previous(HOST).name}
    assert old in seen
    assert new in seen
    assert len(seen) >= 10


@pytest.mark.feature("CF4")
@pytest.mark.parametrize("second", [{"STATE": "INSTALL_FAILED"}, {"SLOT": "a"}], ids=["already so", "a change on top of it"])
def test_what_is_acknowledged_keeps_what_it_was_built_on(second: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first writer has given the record its new content and not flushed it yet; the second one is told that all is well."""
    registry = FileRegistry(tmp_path / "config")
    registry.root.mkdir()
    registry.change(HOST, setting(STATE="INSTALLED"), create=True)
    recorder = Recorder(registry.root, monkeypatch)
    recorder.know_what_is_there()
    with monkeypatch.context() as patch:
        patch.setattr(files, "flush_names", lambda folder: None)
        registry.change(HOST, setting(STATE="INSTALL_FAILED"))
    lost = list(recorder.disk.after_a_crash())
    registry.change(HOST, setting(**second))
    kept = list(recorder.disk.after_a_crash())
    monkeypatch.undo()
    monkeypatch.setattr(revision, "boot_id", lambda: "later")
    served = []
    for number, state in enumerate([*lost, *kept]):
        state.pop("")
        lay_out(state, tmp_path / str(number))
        served.append(FileRegistry(tmp_path / str(number)).read(HOST).values)
    assert {"STATE": "INSTALLED"} in served[: len(lost)], "the first writer's content could not be lost"
    assert all(values == {"STATE": "INSTALL_FAILED", **second} for values in served[len(lost) :])
