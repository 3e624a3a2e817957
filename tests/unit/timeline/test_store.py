import multiprocessing
import time
from pathlib import Path

import pytest

from hps.errors import InvalidInput
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
