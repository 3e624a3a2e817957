import hashlib

import pytest

from hps.timeline.model import DISK_ORDER, EVENTS, INSTALL_ORDER, MEANING, Event, parse_events
from hps.timeline.sessions import CAUSES, Session, begins_session, diagnose, repeats, session_id, sessions


def boot(*names: str, start: float = 1000.0, step: float = 1.0, detail: str = "") -> Session:
    return Session("aaaaaa", tuple(Event(start + index * step, "aaaaaa", name, detail) for index, name in enumerate(names)))


def test_every_event_has_words_and_every_step_a_cause() -> None:
    assert set(MEANING) == EVENTS
    assert set(INSTALL_ORDER) | set(DISK_ORDER) <= set(CAUSES) | {"loader", "local"}


@pytest.mark.feature("LG6")
def test_the_id_is_the_hash_of_name_and_time() -> None:
    assert session_id("sch-001", 1795000000.9) == hashlib.sha256(b"sch-001:1795000000").hexdigest()[:6]


@pytest.mark.parametrize(
    ("names", "event", "after", "fresh"),
    [
        ((), "dhcp", 0, True),
        (("dhcp",), "loader", 1, False),
        (("dhcp", "loader"), "dhcp", 2, False),
        (("dhcp", "loader"), "dhcp", 301, True),
        (("dhcp", "script"), "kernel", 60, False),
        (("dhcp", "script"), "dhcp", 60, True),
        (("script",), "dhcp", 2, False),
        (("dhcp", "script", "kernel"), "dhcp", 2, True),
        (("dhcp", "script", "kernel"), "script", 90, True),
        (("dhcp", "script"), "script", 90, False),
        (("dhcp", "script", "failed"), "script", 5, False),
        (INSTALL_ORDER, "dhcp", 9, True),
        (("dhcp", "local"), "registered", 90, False),
        (("dhcp", "local", "kernel", "registered"), "registered", 90, False),
    ],
)
def test_a_boot_begins_where_the_order_goes_back(names: tuple[str, ...], event: str, after: float, fresh: bool) -> None:
    current = boot(*names) if names else None
    now = (current.last.time if current else 1000.0) + after
    assert begins_session(current, event, now) is fresh


def test_a_waiting_machine_is_written_down_once() -> None:
    assert repeats(boot("dhcp", "script", detail="wait"), "script", "wait")
    assert not repeats(boot("dhcp", "script", detail="wait"), "script", "install")
    assert not repeats(boot("dhcp", "script", "kernel", detail="wait"), "script", "wait")


@pytest.mark.parametrize(
    ("names", "detail", "missing"),
    [
        (("dhcp",), "", "script"),
        (("dhcp", "loader", "dhcp"), "", "script"),
        (("dhcp", "script"), "install: sch-001", "kernel"),
        (("dhcp", "script"), "menu: what", "a decision of an operator"),
        (("dhcp", "script", "kernel", "network", "clock"), "install", "certificate"),
        (INSTALL_ORDER[:-1], "install", "restart"),
        (("dhcp", "local"), "", "kernel"),
        (("dhcp", "script"), "local: its own disk", "kernel"),
        (("dhcp", "local", "kernel", "identity-applied"), "", "registered"),
    ],
)
def test_the_missing_step_is_named_with_its_cause(names: tuple[str, ...], detail: str, missing: str) -> None:
    session = boot(*names, detail=detail)
    found = diagnose(session, session.last.time + 42)
    assert (found.done, found.failed, found.missing, found.seconds) == (False, False, missing, 42)
    assert found.cause


def test_a_finished_boot_and_a_failed_one() -> None:
    assert diagnose(boot(*INSTALL_ORDER, detail="install"), 5000).done
    assert diagnose(boot("dhcp", "local", "kernel", "identity-applied", "registered"), 5000).done
    failed = diagnose(boot("dhcp", "script", "kernel", "failed", detail="disk too small"), 5000)
    assert failed.failed
    assert failed.cause == "disk too small"


def test_damaged_lines_are_skipped_and_late_news_are_put_in_their_place() -> None:
    late, early = Event(20, "b", "script").line(), Event(10, "a", "dhcp").line()
    damaged = '{"time": NaN, "session": "a", "event": "dhcp"}\n[1]\n{}\nnull\n' + early[:20]
    events = parse_events(late + early + damaged)
    assert [one.event for one in events] == ["dhcp", "script"]
    assert [one.id for one in sessions(events)] == ["a", "b"]
