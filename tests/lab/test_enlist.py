"""How an unknown machine becomes a configured host: at its menu, from the CLI, and again after it was let go."""

from collections.abc import Iterator

import pytest

from tests.lab import resources
from tests.lab.fleet import Fleet
from tests.lab.ips import Ips
from tests.lab.serial import plain
from tests.lab.yard import Yard

pytestmark = pytest.mark.lab


@pytest.fixture
def at_terminal(ips: Ips) -> Iterator[None]:
    """Hosts are configured at a menu that waits for a key."""
    ips.change_cluster(MENU_TIMEOUT="900", CONFIGURE_AT="terminal")
    yield
    ips.change_cluster(MENU_TIMEOUT="5", CONFIGURE_AT="terminal")


@pytest.fixture
def at_cli(ips: Ips) -> Iterator[None]:
    """Hosts are configured from the CLI only."""
    ips.change_cluster(CONFIGURE_AT="cli")
    yield
    ips.change_cluster(CONFIGURE_AT="terminal")


@pytest.mark.feature("BT4", "BT5")
@pytest.mark.usefixtures("at_terminal")
def test_the_menu_offers_what_there_is_an_image_for(machines: Yard) -> None:
    machine = machines.machine("menu", disks=())
    machine.power_on()
    machine.serial.wait("SCH storage host, debian 12 for x86_64", 120)
    shown = plain(machine.serial.text())
    assert "TCH" not in shown, "there is no image for it"
    assert machines.ips.record(machine.mac).get("STATE") == "UNCONFIGURED"
    machine.serial.send("\r")
    machine.serial.wait("you chose boot_SCH@x86_64:debian:12", 60)
    machines.ips.wait_event(machine.mac, "kernel", 300)
    record = machines.ips.record(machine.mac)
    assert (record.get("STATE"), record.get("TYPE"), record.get("OS_ID")) == ("INSTALLING", "SCH", resources.OS_ID)


@pytest.mark.feature("BT5", "BT6", "BT7", "UI7")
@pytest.mark.usefixtures("at_cli")
def test_without_a_menu_a_machine_waits_for_the_cli(machines: Yard) -> None:
    ips = machines.ips
    machine = machines.machine("wait", disks=())
    machine.power_on()
    machine.serial.wait("asking again as soon as something changes", 120)
    assert "SCH storage host" not in plain(machine.serial.text())
    assert ips.wait_record(machine.mac, 30, STATUS="searching").get("STATE") == "UNCONFIGURED"
    ips.hps("host", "reboot", machine.mac)
    machine.qmp.wait_event("RESET", 60)
    start = machine.serial.position
    machine.serial.wait("asking again as soon as something changes", 120, start)
    assert plain(machine.serial.text()).count("restarting in 3 seconds") == 1
    listed = ips.hps("host", "list", "--unconfigured").stdout
    assert machine.mac in listed
    start = len(ips.events(machine.mac))
    ips.hps("host", "configure", machine.mac, "--type", "SCH")
    ips.wait_event(machine.mac, "kernel", 120, start)
    assert machine.mac not in ips.hps("host", "list", "--unconfigured").stdout


@pytest.mark.feature("BT11")
def test_a_machine_that_comes_back_keeps_its_name(fleet: Fleet) -> None:
    ips, machine = fleet.ips, fleet.other
    before = ips.record(machine.mac)
    ips.hps("host", "unconfigure", before.get("HOSTNAME"))
    assert ips.record(machine.mac).get("STATE") == "UNCONFIGURED"
    ips.hps("host", "configure", machine.mac, "--type", "SCH", "--erase")
    start = len(ips.events(machine.mac))
    machine.cut()
    machine.power_on()
    ips.wait_event(machine.mac, "registered", 1200, start)
    after = ips.wait_record(machine.mac, 60, STATE="INSTALLED")
    assert [after.get(key) for key in ("HOSTNAME", "IP")] == [before.get(key) for key in ("HOSTNAME", "IP")]
    assert after.get("INSTALL_ID") != before.get("INSTALL_ID")
    assert ips.ssh(machine.mac, "hostname").strip() == before.get("HOSTNAME")
