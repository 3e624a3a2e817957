"""Two provisioning servers on one wire: the second one neither makes nor serves a cluster of its own."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from hps.flows import rivals
from hps.paths import Paths
from hps.registry.model import cluster_name, setting
from hps.registry.store import FileRegistry
from hps.system import http
from tests.sites import make_site
from tests.unit.flows.networks import Wire

pytestmark = pytest.mark.root
ROOT = Path(__file__).resolve().parents[3]
OTHER = "10.77.0.2"
NETWORK = ("--dhcp-iface", "br0", "--dhcp-ip", "10.77.0.1", "--network-cidr", "10.77.0.0/24", "--dns-domain", "mine.example")
VALUES = {"DHCP_IFACE": "br0", "DHCP_IP": "10.77.0.1", "NETWORK_CIDR": "10.77.0.0/24", "DNS_DOMAIN": "mine.example"}
QUICK = ("--probe-seconds", "1.5")


class Here:
    """A fresh IPS on a wire where somebody else may be."""

    def __init__(self, wire: Wire, base: Path) -> None:
        self.wire, self.paths = wire, Paths(base / "mine")
        self.registry = FileRegistry(self.paths.config)

    def hps(self, *arguments: str, code: int = 0) -> str:
        command = self.wire.inside(
            ["env", f"HPS_BASE={self.paths.base}", f"HOME={self.paths.base}", sys.executable, "-m", "hps", *arguments]
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def outside(wire: Wire, base: Path, *arguments: str) -> "Popen[bytes]":
    """A program where the other server is; ready as soon as it writes a line."""
    environment = ["env", f"HPS_BASE={base}", f"PYTHONPATH={ROOT}/lib:{ROOT}/hps-api", "PYTHONUNBUFFERED=1"]
    return Popen(wire.outside([*environment, *arguments]), stdin=DEVNULL, stdout=DEVNULL, stderr=subprocess.PIPE)


def wait_for(program: "Popen[bytes]", words: bytes) -> None:
    assert program.stderr is not None
    for line in program.stderr:
        if words in line:
            return
    raise AssertionError(f"the program ended without saying {words.decode()}")


def dhcp_server(wire: Wire, base: Path) -> "Popen[bytes]":
    options = ("--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=end", "--bind-interfaces", "--log-facility=-")
    started = outside(
        wire, base, "dnsmasq", *options, f"--dhcp-leasefile={base}/leases", "--dhcp-range=10.77.0.100,10.77.0.200", "--no-ping"
    )
    wait_for(started, b"DHCP, IP range")
    return started


def hps_api(wire: Wire, base: Path) -> "Popen[bytes]":
    started = outside(wire, base, sys.executable, "-m", "gunicorn", "--bind", f"{OTHER}:80", "--chdir", f"{ROOT}/hps-api", "app:app")
    wait_for(started, b"Listening at")
    return started


@pytest.fixture
def here() -> Iterator[Here]:
    base = Path(tempfile.mkdtemp(prefix="hps-u", dir="/tmp"))
    with Wire() as wire:
        subprocess.run(["ip", "-n", wire.machine, "address", "add", f"{OTHER}/24", "dev", "end"], check=True)
        try:
            yield Here(wire, base)
        finally:
            shutil.rmtree(base)


@pytest.fixture
def other(here: Here) -> Iterator[None]:
    """Another HPS on the wire: its DHCP, and its hps-api with the active cluster `lab`."""
    at = make_site(here.paths.base.parent / "other", DHCP_IP=OTHER)
    programs = [dhcp_server(here.wire, at.paths.base), hps_api(here.wire, at.paths.base)]
    try:
        yield
    finally:
        for program in programs:
            program.terminate()
            program.wait(20)


@pytest.mark.feature("CL2")
def test_where_a_cluster_is_served_no_other_one_is_made(here: Here, other: None) -> None:
    words = here.hps("cluster", "configure", "--cluster-name", "mine", *NETWORK, *QUICK, code=4)
    assert "the cluster lab is served on br0 already" in words
    assert OTHER in words
    assert "hps cluster add-ips lab" in words
    assert not list(here.paths.config.glob("clusters/*/cluster.conf"))


@pytest.mark.feature("CL2")
def test_where_a_cluster_is_served_no_other_one_is_activated(here: Here, other: None) -> None:
    here.registry.change(cluster_name("mine"), setting(CLUSTER_NAME="mine", **VALUES), create=True)
    words = here.hps("cluster", "activate", "mine", *QUICK, code=4)
    assert "the cluster lab is served on br0 already" in words
    assert "hps cluster add-ips lab" in words
    assert here.hps("cluster", "list") == "  mine\n"


@pytest.mark.feature("CL2")
def test_a_server_that_is_no_hps_keeps_a_cluster_from_being_served_and_not_from_being_made(here: Here) -> None:
    program = dhcp_server(here.wire, here.paths.base.parent)
    try:
        here.hps("cluster", "configure", "--cluster-name", "mine", *NETWORK, *QUICK)
        words = here.hps("cluster", "activate", "mine", *QUICK, code=4)
    finally:
        program.terminate()
        program.wait(20)
    assert f"another DHCP server answers on br0: {OTHER}" in words


@pytest.mark.feature("CL2")
def test_a_server_with_our_own_address_is_still_somebody_else(here: Here) -> None:
    """Two machines restored from one backup: the address is ours, the hardware is not."""
    subprocess.run(["ip", "-n", here.wire.machine, "address", "del", f"{OTHER}/24", "dev", "end"], check=True)
    subprocess.run(["ip", "-n", here.wire.machine, "address", "add", "10.77.0.1/24", "dev", "end"], check=True)
    program = dhcp_server(here.wire, here.paths.base.parent)
    try:
        here.registry.change(cluster_name("mine"), setting(CLUSTER_NAME="mine", **VALUES), create=True)
        words = here.hps("cluster", "activate", "mine", *QUICK, code=4)
    finally:
        program.terminate()
        program.wait(20)
    assert "another DHCP server answers on br0: 10.77.0.1" in words


@pytest.mark.feature("CL1")
def test_the_last_ips_of_a_cluster_stays(here: Here) -> None:
    here.hps("cluster", "configure", "--cluster-name", "mine", *NETWORK, "--probe-seconds", "0.2")
    assert "ips-01 is the last IPS" in here.hps("cluster", "remove-ips", "ips-01", "--cluster", "mine", code=4)
    here.hps("cluster", "add-ips", "mine")
    assert "no IPS of this cluster is named" in here.hps("cluster", "remove-ips", "ips-07", "--cluster", "mine", code=7)
    here.hps("cluster", "remove-ips", "ips-02", "--cluster", "mine")
    assert here.registry.read(cluster_name("mine")).get("IPS_NAMES") == "ips-01"
    here.hps("cluster", "activate", "mine", "--probe-seconds", "0.2")
    here.hps("cluster", "add-ips")
    assert "ips-01 and serves the cluster mine" in here.hps("cluster", "remove-ips", "ips-01", code=4)


@pytest.mark.parametrize(
    "answer", [b"", b"no JSON", b"[]", b"{}", b'{"ok": true, "result": {"cluster": "a/b"}}', b'{"ok": true, "result": 7}']
)
def test_what_is_no_hps_names_no_cluster(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "request", lambda *_arguments, **_options: http.Response(200, {}, answer))
    assert rivals.ask(OTHER) == ""
