import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.system import files
from hps.timeline import store
from hps.timeline.model import Event
from hps.timeline.store import READ_LIMIT, SIZE_LIMIT, Timeline, machines
from hps.values import Mac

MAC = Mac.parse("525400770001")


@pytest.mark.feature("LG6")
def test_all_events_of_a_boot_share_an_id_and_the_next_boot_has_another(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    first = {timeline.record(MAC, name) for name in ("dhcp", "script", "kernel", "network")}
    time.sleep(1.01)
    second = {timeline.record(MAC, name) for name in ("dhcp", "script", "kernel")}
    assert len(first) == len(second) == 1
    assert first != second
    boots = timeline.sessions(MAC)
    assert [one.id for one in boots] == [*first, *second]
    assert [len(one.events) for one in boots] == [4, 3]
    assert machines(tmp_path) == (MAC,)


def test_what_a_machine_says_stays_one_bounded_line(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    timeline.record(MAC, "dhcp", 'a\nb\r\x00{"event": "registered"}\n' + "x" * 9999)
    assert len(timeline.path(MAC).read_text().splitlines()) == 1
    assert len(timeline.events(MAC)[0].detail) <= 400
    with pytest.raises(InvalidInput):
        timeline.record(MAC, "party")


def test_a_time_of_the_machine_is_kept_within_its_boot(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    timeline.record(MAC, "dhcp")
    start = timeline.events(MAC)[0].time
    timeline.record(MAC, "kernel", moment=5.0)
    timeline.record(MAC, "network", moment=9e12)
    times = {one.event: one.time for one in timeline.events(MAC)}
    assert times["kernel"] == pytest.approx(start, abs=0.01)
    assert times["network"] <= time.time() + 0.01


def test_a_file_does_not_grow_without_end(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    timeline.path(MAC).parent.mkdir(exist_ok=True)
    line = '{"time": 5, "session": "aaaaaa", "event": "dhcp", "detail": "' + "x" * 300 + '", "source": "api"}\n'
    timeline.path(MAC).write_text(line * (SIZE_LIMIT // len(line) + 1))
    assert len(timeline.events(MAC)) <= READ_LIMIT // len(line)
    timeline.record(MAC, "script", "menu")
    assert timeline.path(MAC).stat().st_size <= READ_LIMIT
    assert timeline.events(MAC)[-1].event == "script"


def _write(folder: Path, number: int) -> None:
    for index in range(25):
        Timeline(folder).record(MAC, "tree", f"{number} {index}", "installer")


@pytest.mark.programs
def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write, args=(tmp_path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    events = Timeline(tmp_path).events(MAC)
    assert len(events) == 100
    assert len({one.session for one in events}) == 1


def test_a_repeated_event_costs_no_reading_and_no_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Timeline(tmp_path).record(MAC, "script", "wait")
    revision = Timeline(tmp_path).revisions.now()
    for name in ("append", "write", "overwrite", "read_text"):
        monkeypatch.setattr(files, name, pytest.fail)
    monkeypatch.setattr(os, "open", pytest.fail)
    monkeypatch.setattr(store, "_tail", pytest.fail)
    sessions = {Timeline(tmp_path).record(MAC, "script", "wait") for _ in range(50)}
    monkeypatch.undo()
    assert sessions == {Timeline(tmp_path).sessions(MAC)[0].id}
    assert len(Timeline(tmp_path).events(MAC)) == 1
    assert Timeline(tmp_path).revisions.now() == revision


def test_a_new_event_is_written_without_reading_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = Timeline(tmp_path)
    timeline.record(MAC, "dhcp")
    monkeypatch.setattr(store, "_tail", pytest.fail)
    for event in ("script", "kernel", "network"):
        timeline.record(MAC, event)
    monkeypatch.undo()
    assert [one.event for one in timeline.events(MAC)] == ["dhcp", "script", "kernel", "network"]


def test_what_another_process_wrote_is_noticed(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    session = timeline.record(MAC, "script", "wait")
    other = Event(time.time(), session, "kernel", "", "installer")
    with timeline.path(MAC).open("a") as stream:
        stream.write(other.line())
    timeline.record(MAC, "script", "wait")
    assert [one.event for one in timeline.events(MAC)] == ["script", "kernel", "script"]


def test_each_event_that_is_written_moves_the_revision(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    seen = [timeline.revisions.now()]
    for event in ("dhcp", "script", "kernel"):
        timeline.record(MAC, event)
        seen.append(timeline.revisions.now())
    timeline.forget(MAC)
    seen.append(timeline.revisions.now())
    assert seen == sorted(set(seen))


def test_a_lost_revision_goes_on_above_the_old_one(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    timeline.record(MAC, "dhcp")
    before = timeline.revisions.now()
    timeline.revisions.path.unlink()
    timeline.record(MAC, "script")
    assert timeline.revisions.now() > before


EVENT_NAMES = st.sampled_from(["dhcp", "loader", "script", "local", "kernel", "network", "failed"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(EVENT_NAMES, st.sampled_from(["", "wait", "local"]), st.sampled_from([0.0, 0.5, 7.0, 400.0]), st.booleans()), max_size=14
    )
)
def test_what_is_kept_in_mind_decides_as_the_file_does(steps: list[tuple[str, str, float, bool]]) -> None:
    """The same events by one who remembers and one who reads the file each time leave the same file."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        files_of = []
        for forgets in (False, True):
            clock = 1_700_000_000.0
            timeline = Timeline(Path(folder, str(forgets)))
            for event, detail, pause, late in steps:
                clock += pause
                patch.setattr(time, "time", lambda now=clock: now)
                if forgets:
                    store._current.clear()
                timeline.record(MAC, event, detail, moment=clock - 3 if late else None)
            files_of.append(timeline.path(MAC).read_text() if steps else "")
        assert files_of[0] == files_of[1]
