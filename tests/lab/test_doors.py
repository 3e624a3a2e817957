"""Who is answered: strangers, machines that boot, tokens that were used, and another DHCP server on the wire."""

import re
from collections.abc import Iterator

import pytest

from tests.lab import processes
from tests.lab.fleet import Fleet
from tests.lab.ips import Ips
from tests.lab.machine import Machine
from tests.lab.network import Network
from tests.lab.yard import Yard

pytestmark = [pytest.mark.lab, pytest.mark.root]


_ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen("http://10.77.0.1/hps-api?cmd=" + sys.argv[1], b"", 20).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture
def stranger(ips: Ips) -> Iterator[Network]:
    """A machine on the wire with an address that we did not give it."""
    member = ips.network.member("stranger", "10.77.0.66")
    yield member
    ips.network.drop_member(member)


@pytest.fixture
def guest(ips: Ips) -> Iterator[Network]:
    """A machine on the wire that asked our DHCP for its address, like any machine that boots."""
    member = ips.network.member("guest")
    script = ips.paths.base.parent / "udhcpc-script"
    script.write_text('#!/bin/sh\n[ "$1" = bound ] && ip address add "$ip/24" dev "$interface" || true\n')
    script.chmod(0o755)
    member.run(["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10", "-s", str(script)])
    yield member
    ips.network.drop_member(member)


def _ask(member: Network, query: str, *fields: str) -> tuple[int, str]:
    sent = [word for field in fields for word in ("--data-urlencode", field)]
    done = member.run(["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *sent, f"http://10.77.0.1/hps-api?{query}"])
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.feature("SE4")
def test_an_address_without_our_lease_is_refused(stranger: Network, fleet: Fleet) -> None:
    for query in ("cmd=init", f"cmd=init&mac={fleet.bios.mac}", "cmd=host_list", "cmd=process_menu_item&menu_item=reboot"):
        status, body = _ask(stranger, query)
        assert status in (401, 403), query
        assert "hps.token" not in body
    assert _ask(stranger, "cmd=health")[0] == 200


@pytest.mark.feature("SE4")
def test_an_address_with_our_lease_gets_boot_decisions_only(guest: Network) -> None:
    status, body = _ask(guest, "cmd=init&arch=x86_64&format=ipxe")
    assert status == 200
    assert body.startswith("#!ipxe")
    for command in ("host_list", "installer_config", "register", "host_configure", "install_begin"):
        assert _ask(guest, f"cmd={command}&format=json")[0] in (401, 403), command


def test_an_unknown_architecture_is_told_so(guest: Network) -> None:
    status, body = _ask(guest, "cmd=init&arch=mips&format=ipxe")
    assert status == 200
    assert "the architecture mips of this machine is unknown" in body
    assert "menu" not in body.split()


@pytest.mark.feature("SE4")
def test_a_node_without_its_certificate_gets_nothing(fleet: Fleet) -> None:
    for command in ("host_list", "installer_config", "register", "host_configure"):
        status = fleet.ips.ssh(fleet.bios.mac, f"python3 -c '{_ASK}' {command}").strip()
        assert status in ("401", "403"), command


@pytest.mark.feature("S11")
def test_a_token_is_worth_one_certificate(stranger: Network, fleet: Fleet) -> None:
    found = re.search(r"hps\.token=([0-9a-f]{12}\.[A-Za-z0-9_-]+)", fleet.bios.serial_log())
    assert found is not None, "the kernel prints its command line"
    new = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
    ]
    csr = processes.run(new).stdout
    before = fleet.ips.record(fleet.bios.mac).get("CERTIFICATE")
    assert _ask(stranger, f"cmd=certificate&token={found[1]}")[0] == 400, "an address is no place for a secret"
    status, body = _ask(stranger, "format=json", "cmd=certificate", f"token={found[1]}", f"csr={csr}")
    assert status in (401, 403), body
    assert "BEGIN CERTIFICATE" not in body
    assert fleet.ips.record(fleet.bios.mac).get("CERTIFICATE") == before


def test_another_dhcp_server_on_the_wire_is_named(ips: Ips) -> None:
    rogue = ips.network.member("rogue", "10.77.0.250")
    try:
        folder = ips.paths.base.parent
        options = [
            "--dhcp-range=10.77.0.240,10.77.0.245",
            "--interface=eth0",
            "--port=0",
            "--bind-interfaces",
            f"--dhcp-leasefile={folder}/rogue",
        ]
        rogue.start(["dnsmasq", "--keep-in-foreground", "--user=root", f"--pid-file={folder}/rogue.pid", *options], folder / "rogue.log")
        processes.until(lambda: ":67" in rogue.run(["ss", "-Hlun"]).stdout, 30, "the other DHCP server")
        ips.hps("cluster", "deactivate")
        done = ips.hps("cluster", "activate", "lab", check=False)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "10.77.0.250" in done.stderr
        assert ips.dhcp_listeners() == []
    finally:
        ips.network.drop_member(rogue)
        ips.activate()


@pytest.mark.feature("QS10")
def test_nothing_is_offered_before_a_cluster_is_active(silence: list[str]) -> None:
    assert silence == []


@pytest.mark.feature("I2")
def test_uefi_http_boot_reaches_the_decision(machines: Yard) -> None:
    machine: Machine = machines.configured("http", firmware="uefi", disks=())
    machine.more = tuple(
        word for name in ("IPv4PXESupport", "IPv6PXESupport") for word in ("-fw_cfg", f"name=opt/org.tianocore/{name},string=no")
    )
    machine.power_on()
    machines.ips.wait_event(machine.mac, "kernel", 600)
    assert any("snponly.efi" in line and "GET" in line for line in machines.ips.access_log())
