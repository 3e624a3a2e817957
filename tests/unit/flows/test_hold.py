"""A waiting machine is answered when something changes, and nobody waits for it in a loop."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hps.boot.model import Decision, Install, Menu, Restart, Wait
from hps.flows import decide, enlist, hold
from hps.flows.hold import Places
from hps.flows.model import Site
from hps.registry.model import cluster_name, setting
from tests.sites import booting, mac_of, make_site

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
LONG = {"wait": "60"}


def waiting(tmp_path: Path) -> Site:
    """A site where the machines 1 and 2 wait to be configured at the command line."""
    at = make_site(tmp_path, CONFIGURE_AT="cli")
    for number in (1, 2):
        assert isinstance(decide.init(at, booting(number), {"arch": "x86_64"}), Wait)
    return at


def answer_after(at: Site, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> Decision:
    """What the machine 1 is told that was held back until this change was made."""
    places, found = Places(1), list[Decision]()
    monkeypatch.setattr(decide, "PLACES", places)
    thread = threading.Thread(target=lambda: found.append(decide.init(at, booting(1), LONG)))
    thread.start()
    deadline = time.monotonic() + 30
    while not places.taken():
        assert time.monotonic() < deadline, "the answer is not held back"
        time.sleep(0.01)
    assert not found
    change()
    thread.join(120)
    return found[0]


@pytest.mark.feature("BT6")
def test_a_machine_that_is_configured_goes_on_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = waiting(tmp_path)
    assert isinstance(answer_after(at, monkeypatch, lambda: enlist.configure(at, mac_of(1), "SCH")), Install)


@pytest.mark.feature("BT7")
def test_a_machine_that_shall_restart_does_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = waiting(tmp_path)
    assert isinstance(answer_after(at, monkeypatch, lambda: enlist.set_state(at, mac_of(1), STATUS="reboot")), Restart)
    assert isinstance(decide.init(at, booting(1), {}), Wait)


def test_a_change_of_the_cluster_reaches_whoever_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = waiting(tmp_path)
    found = answer_after(at, monkeypatch, lambda: at.registry.change(cluster_name("lab"), setting(CONFIGURE_AT="terminal")))
    assert isinstance(found, Menu)


def test_changes_that_do_not_concern_a_machine_leave_it_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = waiting(tmp_path)

    def change() -> None:
        for number in range(20):
            enlist.set_state(at, mac_of(2), DESCRIPTION=str(number))
        enlist.configure(at, mac_of(1), "SCH")

    assert isinstance(answer_after(at, monkeypatch, change), Install)


def test_when_the_time_is_over_a_machine_is_told_the_same_again(tmp_path: Path) -> None:
    at = waiting(tmp_path)
    told = decide.init(at, booting(1), {"arch": "x86_64"})
    assert decide.init(at, booting(1), {"wait": "0.2"}) == told
    assert not hold.PLACES.taken()


@pytest.mark.parametrize("values", [{"STATE": "INSTALLED"}, {"STATUS": "reboot"}, {"RESCUE": "true"}])
def test_whoever_has_something_to_do_is_answered_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    at = waiting(tmp_path)
    monkeypatch.setattr(decide, "PLACES", None)
    enlist.set_state(at, mac_of(1), **values)
    assert not isinstance(decide.init(at, booting(1), LONG), Wait)


def test_where_there_is_no_place_the_machine_is_told_to_pause_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = waiting(tmp_path)
    monkeypatch.setattr(decide, "PLACES", Places(0))
    found = decide.init(at, booting(1), LONG)
    assert isinstance(found, Wait)
    assert found.pause == found.seconds == 5


def test_each_machine_has_one_place_and_there_are_so_many() -> None:
    places = Places(2)
    with (
        places.take(mac_of(1)) as first,
        places.take(mac_of(1)) as again,
        places.take(mac_of(2)) as second,
        places.take(mac_of(3)) as third,
    ):
        assert (first, again, second, third) == (True, False, True, False)
    assert not places.taken()
    with places.take(mac_of(3)) as third:
        assert third


def test_a_place_is_free_again_after_a_failure() -> None:
    places = Places(1)
    with pytest.raises(ValueError, match="x"), places.take(mac_of(1)):
        raise ValueError("x")
    assert not places.taken()
