"""A blank machine becomes a node: by BIOS and by UEFI, three at once, nobody pressing a key."""

import json
import re
from datetime import UTC, datetime

import pytest

from hps.timeline.model import DISK_ORDER, INSTALL_ORDER
from tests.lab import resources
from tests.lab.fleet import Fleet, duration

pytestmark = pytest.mark.lab
BOTH = pytest.mark.parametrize("firmware", ["bios", "uefi"])
LOADER_BYTES = 64 << 20
"""The budget of the installer: kernel and initrd together."""


@BOTH
@pytest.mark.feature("AB2", "AB3", "AB12", "AB14", "I1", "I2", "OS1")
def test_a_blank_machine_is_installed_and_registers(fleet: Fleet, firmware: str) -> None:
    machine = fleet.of(firmware)
    record = fleet.ips.record(machine.mac)
    assert record.get("STATE") == "INSTALLED"
    assert record.get("TYPE") == "SCH"
    assert (record.get("SLOT"), record.get("IMAGE")) == ("a", f"{resources.IMAGE}/{fleet.ips.image_manifest().parent.name}")
    assert record.get("INSTALL_ARMED") == record.get("INSTALL_ERROR") == ""
    assert abs(datetime.now(UTC) - datetime.fromisoformat(record.get("REGISTERED"))).total_seconds() < 3600
    assert any(key.startswith("HOST_") for key in record.values), "the audit is missing"
    machine.serial.wait(f"{record.get('HOSTNAME')} login:", 300)


@BOTH
def test_the_timeline_is_whole(fleet: Fleet, firmware: str) -> None:
    install, first = fleet.boots(fleet.of(firmware))[:2]
    assert [event["event"] for event in install if event["source"] == "installer"] == list(INSTALL_ORDER[INSTALL_ORDER.index("network") :])
    assert {"dhcp", "script", "kernel"} <= {event["event"] for event in install}
    found = [event["event"] for event in first]
    assert found[-1] == "registered"
    assert set(found) <= set(DISK_ORDER)
    print(f"{firmware}: install {duration(install):.1f} s, first boot {duration(first):.1f} s")


@pytest.mark.feature("LG6")
@BOTH
def test_each_boot_has_a_session_of_its_own(fleet: Fleet, firmware: str) -> None:
    boots = fleet.boots(fleet.of(firmware))
    sessions = [boot[0]["session"] for boot in boots]
    assert len(set(sessions)) == len(sessions) == 2
    assert all(re.fullmatch("[0-9a-f]{6}", session) for session in sessions)
    shown = fleet.ips.hps("host", "timeline", fleet.ips.record(fleet.of(firmware).mac).get("HOSTNAME")).stdout
    assert sessions[1] in shown
    assert "registered" in shown


def test_the_machines_were_installed_at_the_same_time(fleet: Fleet) -> None:
    installs = [fleet.boots(machine)[0] for machine in (fleet.bios, fleet.uefi, fleet.other)]
    assert max(boot[0]["time"] for boot in installs) < min(boot[-1]["time"] for boot in installs)


@BOTH
@pytest.mark.feature("SV7")
def test_the_record_names_the_system_that_runs(fleet: Fleet, firmware: str) -> None:
    mac = fleet.of(firmware).mac
    release = dict(line.split("=", 1) for line in fleet.ips.ssh(mac, "cat /etc/os-release").splitlines() if "=" in line)
    record = fleet.ips.record(mac)
    for key, name in (("OS_NAME", "ID"), ("OS_VERSION", "VERSION_ID"), ("OS_PRETTY_NAME", "PRETTY_NAME")):
        assert record.get(key) == release[name].strip('"')


@BOTH
@pytest.mark.feature("AB11", "I25")
def test_the_node_has_its_own_name_and_address(fleet: Fleet, firmware: str) -> None:
    mac = fleet.of(firmware).mac
    record = fleet.ips.record(mac)
    assert re.fullmatch("sch-[0-9]{3}", record.get("HOSTNAME"))
    assert fleet.ips.ssh(mac, "hostname").strip() == record.get("HOSTNAME")
    assert f"inet {record.get('IP')}/24" in fleet.ips.ssh(mac, "ip -4 addr")
    resolver = fleet.ips.ssh(mac, "cat /etc/resolv.conf")
    assert "nameserver 10.77.0.1" in resolver
    assert "lab.example" in resolver


def test_no_two_nodes_share_an_identity(fleet: Fleet) -> None:
    macs = [machine.mac for machine in (fleet.bios, fleet.uefi, fleet.other)]
    for command in ("cat /etc/machine-id", "cat /etc/ssh/ssh_host_ed25519_key.pub", "sha256sum /var/lib/hps/identity/node.pem"):
        assert len({fleet.ips.ssh(mac, command) for mac in macs}) == 3, command
    for key in ("HOSTNAME", "IP", "CERTIFICATE"):
        assert len({fleet.ips.record(mac).get(key) for mac in macs}) == 3, key


@pytest.mark.feature("I4")
def test_the_installer_is_small(fleet: Fleet) -> None:
    folder = fleet.ips.paths.boot / "installer" / resources.FOLDER
    size = (folder / "vmlinuz").stat().st_size + (folder / "initrd.img").stat().st_size
    print(f"the installer: {size} bytes")
    assert size < LOADER_BYTES
    assert fleet.bios.memory == fleet.uefi.memory == 512


@BOTH
@pytest.mark.feature("I40", "AB8")
def test_all_file_systems_are_mounted_by_label(fleet: Fleet, firmware: str) -> None:
    mac = fleet.of(firmware).mac
    lines = [line.split() for line in fleet.ips.ssh(mac, "cat /etc/fstab").splitlines() if line.strip() and not line.startswith("#")]
    wanted = {fields[1] for fields in lines if fields[1].startswith("/") and "noauto" not in fields[3]}
    assert {"/", "/var/lib/hps", "/data/0"} <= wanted
    assert all(fields[0].startswith(("LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=")) for fields in lines if fields[1] in wanted)
    mounts = json.loads(fleet.ips.ssh(mac, "findmnt --json --list --output TARGET,SOURCE,LABEL"))["filesystems"]
    assert wanted <= {entry["target"] for entry in mounts}
    assert next(entry["label"] for entry in mounts if entry["target"] == "/") == "hps-a"
    assert "nofail" in next(fields[3] for fields in lines if fields[1] == "/data/0")


@BOTH
@pytest.mark.feature("I58")
def test_the_root_has_room(fleet: Fleet, firmware: str) -> None:
    free = int(fleet.ips.ssh(fleet.of(firmware).mac, "df --output=avail -B1 / | tail -1"))
    assert free >= 2 << 30


@BOTH
@pytest.mark.feature("I42", "I49")
def test_the_node_keeps_how_it_was_installed(fleet: Fleet, firmware: str) -> None:
    mac = fleet.of(firmware).mac
    names = fleet.ips.ssh(mac, "ls /var/log/installer/").split()
    assert {"config.json", "imagename", "imageserver", "storage-layout.json", "log"} <= set(names)
    assert json.loads(fleet.ips.ssh(mac, "cat /var/log/installer/config.json"))
    log = fleet.ips.ssh(mac, "cat /var/log/installer/log")
    assert "network" in log
    assert "unmount" in log
    secret = fleet.ips.ssh(
        mac, "find /var/log/installer /var/lib/hps -name '*.key' -perm /077; grep -rl 'PRIVATE KEY' /var/log/installer || true"
    )
    assert secret.strip() == ""


@BOTH
@pytest.mark.feature("I53", "AB5", "AB9", "AB10")
def test_it_restarted_once_through_its_firmware(fleet: Fleet, firmware: str) -> None:
    machine = fleet.of(firmware)
    # SeaBIOS resets again by itself, so the kernels that started are counted: the installer's and the node's.
    assert machine.resets >= 1
    assert machine.serial_log().count("Linux version") == 2
    arguments = fleet.ips.ssh(machine.mac, "cat /proc/cmdline")
    assert "hps.mode" not in arguments


@BOTH
@pytest.mark.feature("BT8", "BT1")
def test_an_installed_host_boots_without_a_decision(fleet: Fleet, firmware: str) -> None:
    machine = fleet.of(firmware)
    asker = fleet.ips.record(machine.mac).get("IP") + " "
    since = [line for line in fleet.ips.access_log()[fleet.requests[machine.name] :] if line.startswith(asker)]
    scripts = [line for line in since if '"GET /boot/script"' in line]
    assert scripts
    # A dash: nginx answered by itself, from the file of this host.
    assert all("upstream=- " in line for line in scripts), scripts
    assert not [line for line in since if re.search(r"cmd=(init|process_menu_item)\b|boot_manager", line)]


@BOTH
@pytest.mark.feature("AB11")
def test_the_installer_left_nothing_in_memory_of_the_token(fleet: Fleet, firmware: str) -> None:
    found = fleet.ips.ssh(fleet.of(firmware).mac, "grep -rl 'hps.token' /var/log /var/lib/hps /etc 2>/dev/null || true")
    assert found.strip() == ""


@pytest.mark.feature("I2", "AB3")
def test_uefi_came_by_its_own_pxe_and_tftp(fleet: Fleet) -> None:
    log = (fleet.ips.paths.log / "tftp.log").read_text(errors="replace")
    assert re.search(r"sent \S*/snponly\.efi to 10\.77\.0\.", log)


@pytest.mark.feature("I40")
def test_a_file_system_that_is_missing_does_not_stop_the_boot(fleet: Fleet) -> None:
    machine = fleet.bios
    fleet.ips.ssh(machine.mac, "e2label /dev/disk/by-label/hps-data lost && sync")
    seen, shown = len(fleet.ips.events(machine.mac)), machine.serial.position
    machine.reset()
    machine.serial.wait("sch-[0-9]+ login:", 600, shown)
    fleet.ips.wait_event(machine.mac, "registered", 600, seen)
    assert "/data/0" not in fleet.ips.ssh(machine.mac, "findmnt --list --noheadings --output TARGET")
    fleet.ips.ssh(machine.mac, "e2label /dev/disk/by-label/lost hps-data && sync")


def test_the_serial_transcript_is_kept(fleet: Fleet) -> None:
    for machine in (fleet.bios, fleet.uefi):
        text = (machine.folder / "serial.log").read_text(errors="replace")
        assert "Linux version" in text
        assert len(re.findall("Linux version", text)) >= 2
