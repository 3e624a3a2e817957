from pathlib import Path

import pytest

from hps.boot.model import Install, Local, Menu, Restart, Wait
from hps.errors import InvalidInput, Refused
from hps.flows import decide, enlist, site
from tests.sites import booting, mac_of, make_site

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
X86 = {"arch": "x86_64"}
CHOICE = {"menu_item": "boot_SCH@x86_64:debian:12"}


@pytest.mark.feature("BT4")
def test_the_choice_of_the_menu_is_kept_and_booted(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    assert isinstance(decide.init(at, booting(1), X86), Menu)
    found = decide.process_menu_item(at, booting(1), CHOICE)
    assert isinstance(found, Install)
    assert (found.host, found.type, found.folder) == ("sch-001", "SCH", "x86_64-debian_12")
    assert site.tokens(at).spend(found.token) == mac_of(1)
    assert len(found.authority) == 64
    assert found.session == site.timeline(at).sessions(mac_of(1))[-1].id
    assert site.host_values(at, mac_of(1))["INSTALL_ARMED"] == "blank"


@pytest.mark.feature("BT6", "UI7")
def test_a_waiting_machine_searches_and_goes_on_when_it_is_configured_elsewhere(tmp_path: Path) -> None:
    at = make_site(tmp_path, CONFIGURE_AT="cli")
    assert isinstance(decide.init(at, booting(1), X86), Wait)
    assert site.host_values(at, mac_of(1))["STATUS"] == "searching"
    enlist.configure(at, mac_of(1), "SCH")
    assert isinstance(decide.init(at, booting(1), {}), Install)
    assert "STATUS" not in site.host_values(at, mac_of(1))


@pytest.mark.feature("BT7")
def test_a_waiting_machine_restarts_once(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    decide.init(at, booting(1), X86)
    enlist.set_state(at, mac_of(1), STATUS="reboot")
    assert isinstance(decide.init(at, booting(1), X86), Restart)
    assert isinstance(decide.init(at, booting(1), X86), Menu)


def test_what_waits_is_written_down_once(tmp_path: Path) -> None:
    at = make_site(tmp_path, CONFIGURE_AT="cli")
    for _ in range(20):
        decide.init(at, booting(1), X86)
    assert [one.event for one in site.timeline(at).events(mac_of(1))] == ["script"]


def test_a_host_to_be_reinstalled_chooses_again(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    enlist.configure(at, mac_of(1), "SCH")
    enlist.set_state(at, mac_of(1), STATE="INSTALLED")
    assert isinstance(decide.init(at, booting(1), X86), Local)
    enlist.reinstall(at, mac_of(1))
    assert isinstance(decide.init(at, booting(1), X86), Menu)
    assert site.host_values(at, mac_of(1))["STATE"] == "UNCONFIGURED"


@pytest.mark.parametrize("state", ["INSTALLED", "INSTALLING", "INSTALL_FAILED", "UNMANAGED", "NETWORK_BOOT"])
@pytest.mark.parametrize("item", ["boot_SCH@x86_64:debian:12", "erase_SCH@x86_64:debian:12", "unmanage", "reboot"])
def test_whoever_runs_on_a_host_that_is_decided_cannot_choose_again(tmp_path: Path, state: str, item: str) -> None:
    at = make_site(tmp_path)
    enlist.configure(at, mac_of(1), "SCH")
    enlist.set_state(at, mac_of(1), STATE=state)
    before = site.host_values(at, mac_of(1))
    with pytest.raises(Refused):
        decide.process_menu_item(at, booting(1), {"menu_item": item})
    assert site.host_values(at, mac_of(1)) == before


@pytest.mark.feature("BT5")
def test_configured_at_the_cli_the_terminal_cannot_choose(tmp_path: Path) -> None:
    at = make_site(tmp_path, CONFIGURE_AT="cli")
    with pytest.raises(Refused):
        decide.process_menu_item(at, booting(1), CHOICE)
    assert "TYPE" not in site.host_values(at, mac_of(1))


def test_the_other_items(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    decide.init(at, booting(1), X86)
    assert isinstance(decide.process_menu_item(at, booting(1), {"menu_item": "show_host"}), Wait)
    assert isinstance(decide.process_menu_item(at, booting(1), {"menu_item": "reboot"}), Restart)
    assert isinstance(decide.process_menu_item(at, booting(1), {"menu_item": "init_menu"}), Menu)
    with pytest.raises(InvalidInput):
        decide.process_menu_item(at, booting(1), {"menu_item": "party"})
    assert isinstance(decide.process_menu_item(at, booting(1), {"menu_item": "unmanage"}), Local)
    assert site.host_values(at, mac_of(1))["STATE"] == "UNMANAGED"
