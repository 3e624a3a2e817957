"""The services of an IPS as they are shipped, in a namespace: silent until a cluster is active, then exactly what the records say."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hps.flows import serve
from hps.network.dhcp_probe import Option
from hps.paths import Paths
from hps.registry.model import cluster_name, host_name, setting
from hps.registry.store import FileRegistry
from hps.services import control, dnsmasq
from hps.services.plan import Action
from hps.values import Mac
from tests.unit.flows.networks import Wire

pytestmark = pytest.mark.root
MAC = Mac.parse("52:54:00:77:00:09")
IPXE: tuple[Option, ...] = ((93, b"\0\0"), (175, b"\xb1\x01\x01"))
QUICK = "0.3"
SCRIPT = "http://10.77.0.1/boot/script"


def until(check: Callable[[], object], words: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{words} did not happen in {seconds} s"
        time.sleep(0.05)


class Site:
    """One IPS on a wire."""

    def __init__(self, wire: Wire, base: Path) -> None:
        self.wire, self.paths = wire, Paths(base)
        self.registry = FileRegistry(self.paths.config)
        self.supervisor: subprocess.Popen[bytes] | None = None

    def hps(self, *arguments: str, code: int = 0) -> str:
        command = self.wire.inside(
            ["env", f"HOME={self.paths.base}", f"HPS_BASE={self.paths.base}", sys.executable, "-m", "hps", *arguments]
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def configure(self) -> None:
        network = ("--dhcp-iface", "br0", "--dhcp-ip", "10.77.0.1", "--network-cidr", "10.77.0.0/24")
        self.hps("cluster", "configure", "--cluster-name", "lab", *network, "--dns-domain", "lab.example", "--probe-seconds", QUICK)

    def start(self) -> None:
        command = self.wire.inside(["env", f"HPS_BASE={self.paths.base}", sys.executable, "-m", "hps", "service", "start"])
        log = (self.paths.base / "start.log").open("wb")
        self.supervisor = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until(lambda: (control.states(self.paths) or {}).get("reconcile") == "EXITED", "the first reconciliation")

    def running(self) -> frozenset[str]:
        return control.running(control.states(self.paths)) or frozenset()

    def wait_answering(self) -> None:
        until(lambda: self.wire.probe(1.2, first=True), "an answer to DHCP")

    def stop(self) -> None:
        if self.supervisor is not None:
            self.hps("service", "stop")
            self.supervisor.wait(30)
            self.supervisor = None


@pytest.fixture
def site() -> Iterator[Site]:
    base = Path(tempfile.mkdtemp(prefix="hps-u", dir="/tmp"))
    base.chmod(0o755)
    with Wire() as wire:
        made = Site(wire, base)
        try:
            yield made
        finally:
            if made.supervisor is not None:
                made.hps("service", "stop")
                made.supervisor.wait(30)
            shutil.rmtree(base)


@pytest.fixture(scope="module")
def serving() -> Iterator[Site]:
    """An IPS that serves, for the tests that only ask."""
    base = Path(tempfile.mkdtemp(prefix="hps-u", dir="/tmp"))
    base.chmod(0o755)
    with Wire() as wire:
        made = Site(wire, base)
        made.configure()
        made.hps("cluster", "activate", "lab", "--probe-seconds", QUICK)
        made.start()
        try:
            made.wait_answering()
            yield made
        finally:
            made.stop()
            shutil.rmtree(base)


@pytest.mark.feature("QS10")
def test_nothing_answers_before_a_cluster_is_active_and_all_does_after(site: Site) -> None:
    site.start()
    assert "nginx" in site.running()
    assert "dnsmasq" not in site.running()
    site.configure()
    site.hps("service", "reconcile")
    assert site.wire.probe(2.5) == ()
    listening = subprocess.run(site.wire.inside(["ss", "-Hltun"]), capture_output=True, text=True, check=True).stdout
    assert listening == "", "something listens on the network before a cluster is active"
    site.hps("cluster", "activate", "lab", "--probe-seconds", QUICK)
    site.wait_answering()
    listening = subprocess.run(site.wire.inside(["ss", "-Hltn"]), capture_output=True, text=True, check=True).stdout
    assert "10.77.0.1:80" in listening
    assert "10.77.0.1:443" in listening
    assert "0.0.0.0:80" not in listening
    site.hps("cluster", "deactivate")
    assert site.wire.probe(2.5) == ()


def test_a_second_time_nothing_is_planned(serving: Site) -> None:
    assert serving.hps("service", "reconcile") == ""
    assert serving.hps("service", "reconcile", "--dry-run") == ""


@pytest.mark.feature("BT1", "BT8")
@pytest.mark.parametrize(
    ("arch", "file", "vendor"),
    [
        (0, "undionly.kpxe", b""),
        (7, "snponly.efi", b""),
        (9, "snponly.efi", b""),
        (11, "snponly-arm64.efi", b""),
        (16, "http://10.77.0.1/boot/snponly.efi", b"HTTPClient"),
        (19, "http://10.77.0.1/boot/snponly-arm64.efi", b"HTTPClient"),
        (99, "", b""),
    ],
)
def test_each_firmware_is_sent_its_loader(serving: Site, arch: int, file: str, vendor: bytes) -> None:
    kind = b"HTTPClient" if vendor else b"PXEClient"
    offer = serving.wire.first((93, bytes((0, arch))), (60, kind + b":Arch:00000:UNDI:003001"))
    assert (offer.boot_file, offer.options.get(60, b"")) == (file, vendor)
    assert not file or offer.next_server == "10.77.0.1"


@pytest.mark.parametrize("mark", [(175, b"\xb1\x01\x01"), (77, b"iPXE")])
def test_ipxe_is_sent_to_the_decision_whatever_its_firmware(serving: Site, mark: Option) -> None:
    for arch in (0, 7, 11, 16):
        offer = serving.wire.first((93, bytes((0, arch))), mark)
        assert offer.boot_file == SCRIPT
        assert 60 not in offer.options


def test_an_operating_system_is_sent_no_loader(serving: Site) -> None:
    assert serving.wire.first((60, b"udhcp 1.35")).boot_file == ""


@pytest.mark.feature("NW1", "NW3", "NW4", "LG11")
def test_the_offer_names_the_servers_and_no_router(serving: Site) -> None:
    offer = serving.wire.first()
    assert {option: offer.addresses(option) for option in (6, 42, 7, 69, 3)} == {
        6: ("10.77.0.1",),
        42: ("10.77.0.1",),
        7: ("10.77.0.1",),
        69: ("10.77.0.1",),
        3: (),
    }
    assert offer.options[15] == b"lab.example"
    assert offer.address.startswith("10.77.0.2")


def test_a_machine_that_changes_its_client_id_keeps_its_address(serving: Site) -> None:
    found = {
        serving.wire.first(*extra, mac=bytes.fromhex("5254007700aa")).address for extra in ((), ((61, b"\1abc"),), ((61, b"\xffxyz"),))
    }
    assert len(found) == 1


def test_names_are_answered_for_the_cluster_and_for_nothing_else(serving: Site) -> None:
    code = """
import dns.resolver, sys
ask = dns.resolver.Resolver(configure=False); ask.nameservers = ["10.77.0.1"]; ask.lifetime = 5
for name in sys.argv[1:]:
    try: print(name, ask.resolve(name)[0])
    except Exception as error: print(name, type(error).__name__)
"""
    subprocess.run(["ip", "-n", serving.wire.machine, "address", "replace", "10.77.0.150/24", "dev", "end"], check=True)
    names = ["ips.lab.example", "ips-01.lab.example", "ntp.lab.example", "nobody.lab.example", "example.org"]
    done = subprocess.run(serving.wire.outside([sys.executable, "-c", code, *names]), capture_output=True, text=True, check=True)
    subprocess.run(["ip", "-n", serving.wire.machine, "address", "flush", "dev", "end"], check=True)
    assert done.stdout.splitlines() == [
        *(f"{name} 10.77.0.1" for name in names[:3]),
        "nobody.lab.example NXDOMAIN",
        "example.org NoNameservers",
    ]


MAC_BYTES = bytes.fromhex(MAC.digits)


def offered(site: Site, address: str) -> None:
    """Wait until the machine is offered this address, and sent to the one place where scripts are."""
    until(
        lambda: [(each.address, each.boot_file) for each in site.wire.probe(1.2, MAC_BYTES, IPXE, first=True)] == [(address, SCRIPT)],
        f"an offer of {address}",
        30,
    )


def told(site: Site, address: str) -> str:
    """The script that iPXE gets at an address of the machine."""
    command = ["curl", "-s", "-m", "20", "-A", "iPXE/1.0.0", "--interface", address, SCRIPT]
    return subprocess.run(site.wire.outside(command), capture_output=True, text=True, check=True).stdout


@pytest.mark.feature("BT8")
def test_a_host_is_told_what_its_state_says_as_soon_as_it_changes(serving: Site) -> None:
    record = host_name("lab", MAC)
    pid = serving.paths.run / "dnsmasq.pid"

    def change(**values: str) -> None:
        serving.registry.change(record, setting(**values), create=True)
        serve.publish_host(serving.paths, serving.registry, "lab", MAC)

    serving.wire.address("10.77.0.11", "10.77.0.12", "10.77.0.99")
    change(STATE="INSTALLED", HOSTNAME="sch-001", IP="10.77.0.11", ARCH="x86_64")
    offered(serving, "10.77.0.11")
    until(pid.exists, "dnsmasq")
    before = pid.read_text()
    for values, words in (
        ({"STATE": "INSTALL_FAILED"}, "# wait: the installation of sch-001 failed"),
        ({"STATE": "INSTALLED"}, "# local: its own disk"),
        ({"STATE": "CONFIGURED"}, "# wait: sch-001 is configured"),
    ):
        change(**values)
        assert words in told(serving, "10.77.0.11")
        for other in ("10.77.0.12", "10.77.0.99"):
            assert "sch-001" not in told(serving, other)
    assert pid.read_text() == before, "a change of state restarted dnsmasq"
    change(STATE="REINSTALL")
    assert "sch-001" not in told(serving, "10.77.0.11"), "nobody holds this lease, so that hps-api says no more than that"
    change(STATE="INSTALLED", IP="10.77.0.12")
    offered(serving, "10.77.0.12")
    assert "# local: its own disk" in told(serving, "10.77.0.12")
    assert "sch-001" not in told(serving, "10.77.0.11")
    serving.registry.remove(record)
    serve.publish_host(serving.paths, serving.registry, "lab", MAC)
    until(lambda: serving.wire.probe(1.2, MAC_BYTES, first=True)[0].address not in ("10.77.0.11", "10.77.0.12"), "a dynamic address")
    assert not (dnsmasq.hosts_folder(serving.paths) / MAC.digits).exists()
    assert not list(serving.paths.scripts.iterdir())
    assert serving.hps("service", "reconcile") == ""
    serving.wire.address()


def test_a_changed_host_does_not_disturb_a_transfer_of_another(serving: Site) -> None:
    (serving.paths.tftp / "loader").write_bytes(b"x" * 2_000_000)
    fetch = ["curl", "-s", "--tftp-blksize", "512", "--limit-rate", "400k", "-o", "-", "tftp://10.77.0.1/loader"]
    subprocess.run(["ip", "-n", serving.wire.machine, "address", "replace", "10.77.0.99/24", "dev", "end"], check=True)
    transfer = subprocess.Popen(serving.wire.outside(fetch), stdout=subprocess.PIPE)
    assert transfer.stdout is not None
    first = transfer.stdout.read(100_000)
    serving.registry.change(host_name("lab", MAC), setting(HOSTNAME="sch-003", IP="10.77.0.13"), create=True)
    serve.publish_host(serving.paths, serving.registry, "lab", MAC)
    assert transfer.poll() is None, "the transfer was over before the host changed"
    assert len(first) + len(transfer.stdout.read()) == 2_000_000
    assert transfer.wait() == 0
    serving.registry.remove(host_name("lab", MAC))
    serve.publish_host(serving.paths, serving.registry, "lab", MAC)
    subprocess.run(["ip", "-n", serving.wire.machine, "address", "del", "10.77.0.99/24", "dev", "end"], check=True)


def test_hosts_of_another_cluster_are_left_alone(serving: Site) -> None:
    serving.registry.change(host_name("other", MAC), setting(HOSTNAME="sch-009", IP="10.77.0.19"), create=True)
    serve.publish_host(serving.paths, serving.registry, "other", MAC)
    assert not (dnsmasq.hosts_folder(serving.paths) / MAC.digits).exists()


def test_a_service_that_dies_is_started_again(serving: Site) -> None:
    for program, file in (("dnsmasq", "dnsmasq.pid"), ("tftp", "tftp.pid"), ("nginx", "nginx.pid")):
        until(lambda file=file: Path(f"/proc/{(serving.paths.run / file).read_text().strip()}/exe").exists(), program)  # type: ignore[misc]
        pid = int((serving.paths.run / file).read_text())
        os.kill(pid, 9)
        until(
            lambda file=file, pid=pid: (serving.paths.run / file).read_text().strip() not in ("", str(pid)),  # type: ignore[misc]
            f"another {program}",
        )
        until(lambda program=program: (control.states(serving.paths) or {}).get(program) == "RUNNING", program)  # type: ignore[misc]
    serving.wait_answering()


def test_a_setting_that_is_changed_is_offered(serving: Site) -> None:
    serving.hps("cluster", "set", "NTP_LOCAL_SERVER=10.77.0.9")
    serving.wait_answering()
    assert serving.wire.first().addresses(42) == ("10.77.0.9",)
    serving.hps("cluster", "set", "NTP_LOCAL_SERVER=")
    serving.wait_answering()
    assert serving.wire.first().addresses(42) == ("10.77.0.1",)
    assert "pool" in serving.hps("cluster", "set", "DHCP_RANGESIZE=253", code=3)


@pytest.mark.feature("QS10")
def test_a_network_with_another_server_is_refused_and_the_server_named(site: Site) -> None:
    site.configure()
    arguments = ["-k", "-p", "0", "-u", "root", "-i", "end", "-z", "--no-ping", "-F", "10.77.0.100,10.77.0.110"]
    subprocess.run(["ip", "-n", site.wire.machine, "address", "add", "10.77.0.2/24", "dev", "end"], check=True)
    files = ["-l", str(site.paths.base / "foreign"), "-x", str(site.paths.base / "foreign.pid")]
    server = subprocess.Popen(site.wire.outside(["dnsmasq", *arguments, *files]), stderr=subprocess.DEVNULL)
    try:
        until(lambda: (site.paths.base / "foreign.pid").exists(), "the foreign server")
        words = site.hps("cluster", "activate", "lab", code=4)
    finally:
        server.terminate()
        server.wait()
    end = subprocess.run(
        site.wire.outside(["cat", "/sys/class/net/end/address"]), capture_output=True, text=True, check=True
    ).stdout.strip()
    assert f"another DHCP server answers on br0: 10.77.0.2 ({end})" in words
    assert serve.active_cluster(site.registry) == ""


def test_an_interface_without_its_address_is_refused(site: Site) -> None:
    site.configure()
    subprocess.run(["ip", "-n", site.wire.ips, "address", "del", "10.77.0.1/24", "dev", "br0"], check=True)
    assert "does not hold 10.77.0.1" in site.hps("cluster", "activate", "lab", code=4)


def test_a_configuration_that_its_program_refuses_leaves_the_old_one(serving: Site) -> None:
    file = dnsmasq.configuration(serving.paths)
    old = file.read_bytes()
    record = serving.registry.path(cluster_name("lab"))
    good = record.read_text()
    log = serving.paths.log / "nginx-access.log"
    try:
        record.write_text(good.replace("DHCP_LEASE=3600", "DHCP_LEASE=7200"))
        log.rename(log.with_name("kept"))
        log.mkdir()
        (serving.paths.services / "nginx" / "nginx.conf").write_text("old")
        words = serving.hps("service", "reconcile", code=5)
        assert "nginx-access.log" in words
        assert file.read_bytes() == old
    finally:
        record.write_text(good)
        log.rmdir()
        log.with_name("kept").rename(log)
    serving.hps("service", "reconcile")
    assert serving.hps("service", "reconcile") == ""


def test_one_program_is_stopped_and_started(serving: Site) -> None:
    serving.hps("service", "stop", "nginx")
    assert "nginx" not in serving.running()
    serving.hps("service", "start", "nginx")
    control.carry_out(serving.paths, Action("nginx", "start"))
    assert "nginx" in serving.running()


def test_the_sockets_are_for_root_and_the_web_server_only(serving: Site) -> None:
    assert serving.paths.run.stat().st_mode & 0o777 == 0o710
    status = serving.hps("service", "status")
    assert "dnsmasq      RUNNING" in status
    assert "active cluster: lab" in status
