import time
from pathlib import Path

import pytest

from hps.boot import ipxe
from hps.boot.model import Decision, Local, Wait
from hps.errors import InvalidInput
from hps.flows.lease import lease_event
from hps.paths import Paths
from hps.system import files
from hps.timeline.store import Timeline
from tests.sites import mac_of, write_leases

PXE = {"DNSMASQ_VENDOR_CLASS": "PXEClient:Arch:00000:UNDI:002001", "DNSMASQ_TAGS": "bios hps0"}
IPXE = {**PXE, "DNSMASQ_TAGS": "ipxe bios hps0"}
SYSTEM = {"DNSMASQ_VENDOR_CLASS": "udhcp 1.35.0", "DNSMASQ_TAGS": "hps0"}
MAC = str(mac_of(1))


def names(paths: Paths) -> list[str]:
    return [one.event for one in Timeline(paths.log / "boots").events(mac_of(1))]


def test_firmware_loader_and_ipxe_begin_one_boot(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write_leases(paths, [(mac_of(1), "10.77.0.210")])
    ids = {
        lease_event(paths, ("add", MAC, "10.77.0.210"), PXE, time.time()),
        lease_event(paths, ("tftp", "70000", "10.77.0.210", "/srv/hps/resources/tftp/undionly.kpxe"), {}, time.time()),
        lease_event(paths, ("old", MAC, "10.77.0.210", "sch-001"), IPXE, time.time()),
    }
    assert len(ids) == 1
    assert names(paths) == ["dhcp", "loader", "dhcp"]


@pytest.mark.feature("BT8")
@pytest.mark.parametrize(
    ("decision", "event", "detail"),
    [(Local("sch-001 starts"), "local", "its own disk"), (Wait("sch-001 waits", (), 5), "script", "wait: sch-001 waits")],
)
def test_what_a_file_told_a_machine_is_seen_without_a_call_of_the_api(tmp_path: Path, decision: Decision, event: str, detail: str) -> None:
    paths = Paths(tmp_path)
    files.write(paths.scripts / "10.77.0.2", ipxe.render_file(decision, mac_of(1), "10.77.0.1").encode())
    lease_event(paths, ("old", MAC, "10.77.0.2", "sch-001"), PXE, time.time())
    assert names(paths) == ["dhcp"]
    lease_event(paths, ("old", MAC, "10.77.0.2", "sch-001"), IPXE, time.time())
    assert names(paths)[-1] == event
    assert Timeline(paths.log / "boots").events(mac_of(1))[-1].detail == detail


def test_no_file_and_the_file_of_another_address_say_nothing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    files.write(paths.scripts / "10.77.0.3", ipxe.render_file(Local(), mac_of(2), "10.77.0.1").encode())
    lease_event(paths, ("old", MAC, "10.77.0.2", "sch-001"), IPXE, time.time())
    files.write(paths.scripts / "10.77.0.2", b"\xff\xfe")
    lease_event(paths, ("old", MAC, "10.77.0.2", "sch-001"), IPXE, time.time())
    assert set(names(paths)) == {"dhcp"}


def test_the_file_of_another_machine_says_nothing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    files.write(paths.scripts / "10.77.0.2", ipxe.render_file(Local(), mac_of(2), "10.77.0.1").encode())
    lease_event(paths, ("old", MAC, "10.77.0.2"), IPXE, time.time())
    assert names(paths) == ["dhcp"]


def test_a_restart_of_dnsmasq_is_no_boot(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert lease_event(paths, ("old", MAC, "10.77.0.2", "sch-001"), {"DNSMASQ_DATA_MISSING": "1"}, time.time()) == ""
    assert not (tmp_path / "log").exists()


def test_the_first_request_of_the_installer_says_that_its_kernel_runs_and_renewals_say_nothing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    timeline = Timeline(paths.log / "boots")
    assert lease_event(paths, ("old", MAC, "10.77.0.2"), SYSTEM, time.time()) == ""
    timeline.record(mac_of(1), "script", "wait: nobody")
    lease_event(paths, ("old", MAC, "10.77.0.2"), SYSTEM, time.time())
    timeline.record(mac_of(1), "script", "install: sch-001 as SCH")
    for _ in range(3):
        lease_event(paths, ("old", MAC, "10.77.0.2"), SYSTEM, time.time())
    assert names(paths) == ["script", "script", "kernel"]


@pytest.mark.parametrize(
    "arguments", [("del", MAC, "10.77.0.2"), ("arp-add", MAC, "10.77.0.2"), ("init",), ("tftp", "1", "10.9.9.9", "x"), ("add",)]
)
def test_other_actions_say_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert lease_event(Paths(tmp_path), arguments, IPXE, 0) == ""
    assert not (tmp_path / "log").exists()


@pytest.mark.feature("S5")
def test_what_a_client_sends_is_never_evaluated(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    lease_event(paths, ("add", MAC, "10.77.0.2", "$(reboot)"), {**IPXE, "DNSMASQ_TAGS": "ipxe $(x)", "DNSMASQ_SUPPLIED_HOSTNAME": "`x`"}, 0)
    assert Timeline(paths.log / "boots").events(mac_of(1))[0].detail == "10.77.0.2"
    for mac, address in (("../../x", "10.77.0.2"), (MAC, "10.77.0.2;x")):
        with pytest.raises(InvalidInput):
            lease_event(paths, ("add", mac, address), IPXE, 0)
