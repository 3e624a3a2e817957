"""A real DHCP server, a real client, and cables that are plugged in late: network namespaces."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.errors import CommandFailed
from hps.system import command

pytestmark = [pytest.mark.root, pytest.mark.programs]
LIBRARY = Path(__file__).parents[3] / "lib"
PROGRAM = """
import sys
from pathlib import Path
from hps.network import client, links
from hps.system import executor
from hps.values import Mac
folder, preferred, limit = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
executor.apply(links.raise_plan(links.read_links()))
answer = client.find_address(Mac.parse(preferred) if preferred else None, folder / "dhcp", limit)
executor.apply(client.address_plan(answer, folder / "resolv.conf"))
print(answer.interface, answer.address, answer.boot_server)
"""
MACS = ("52:54:00:77:00:01", "52:54:00:77:00:02")


class Room:
    """A server and a client, each in a namespace, with two cables; a cable is unplugged at the server's end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server, self.client = f"hps-dhcp-s{os.getpid()}", f"hps-dhcp-c{os.getpid()}"
        self.daemon: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        for name in (self.server, self.client):
            command.run(("ip", "netns", "add", name))
        self.on_server("ip", "link", "add", "br0", "type", "bridge")
        self.on_server("ip", "addr", "add", "10.99.0.1/24", "dev", "br0")
        self.on_server("ip", "link", "set", "br0", "up")
        for number, mac in enumerate(MACS):
            ends = ("s", f"s{number}", "peer", "name", f"eth{number}", "netns", self.client, "address", mac)
            command.run(("ip", "-n", self.server, "link", "add", ends[1], "type", "veth", *ends[2:]))
            self.on_server("ip", "link", "set", f"s{number}", "master", "br0")

    def on_server(self, *arguments: str) -> str:
        return command.run(("ip", "netns", "exec", self.server, *arguments))

    def on_client(self, *arguments: str) -> str:
        return command.run(("ip", "netns", "exec", self.client, *arguments))

    def plug(self, number: int) -> None:
        self.on_server("ip", "link", "set", f"s{number}", "up")

    def serve(self, *options: str) -> None:
        place = f"--dhcp-leasefile={self.folder}/leases"
        basic = ("--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces", "--no-ping", place)
        network = ("--dhcp-range=10.99.0.100,10.99.0.150,1h", "--dhcp-authoritative", "--user=root", "--pid-file=", "--leasefile-ro")
        self.daemon = subprocess.Popen(["ip", "netns", "exec", self.server, "dnsmasq", *basic, *network, *options])

    def ask(self, preferred: str = "", limit: float = 40) -> list[str]:
        arguments = ("ip", "netns", "exec", self.client, sys.executable, "-c", PROGRAM, str(self.folder), preferred, str(limit))
        return command.run(arguments, environment={"PYTHONPATH": str(LIBRARY)}).split()

    def remove(self) -> None:
        if self.daemon is not None:
            self.daemon.terminate()
            self.daemon.wait()
        for name in (self.server, self.client):
            with contextlib.suppress(CommandFailed):
                command.run(("ip", "netns", "delete", name))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.remove()
    try:
        made.build()
        yield made
    finally:
        made.remove()


@pytest.mark.feature("I25")
@pytest.mark.feature("I7")
def test_address_route_and_resolver_are_set(room: Room) -> None:
    room.plug(0)
    room.serve("--dhcp-option=option:router,10.99.0.254", "--dhcp-option=option:dns-server,10.99.0.1", "--domain=lab.example")
    interface, address, server = room.ask(MACS[0])
    assert (interface, server) == ("eth0", "10.99.0.1")
    assert f"inet {address}/24" in room.on_client("ip", "-4", "addr", "show", "dev", "eth0")
    assert "default via 10.99.0.254 dev eth0" in room.on_client("ip", "route")
    assert (room.folder / "resolv.conf").read_text() == "search lab.example\nnameserver 10.99.0.1\n"
    assert b"serverid=10.99.0.1" in (room.folder / "dhcp/eth0").read_bytes()


@pytest.mark.feature("I7")
def test_option_66_names_the_boot_server_too(room: Room) -> None:
    room.plug(0)
    room.serve("--dhcp-option-force=66,10.99.0.9", "--dhcp-boot=x,,0.0.0.0")
    assert room.ask()[2] in ("10.99.0.9", "10.99.0.1")
    assert b"tftp=10.99.0.9" in (room.folder / "dhcp/eth0").read_bytes()


@pytest.mark.feature("I8")
def test_only_the_second_interface_has_a_cable(room: Room) -> None:
    room.plug(1)
    room.serve()
    assert room.ask(MACS[0])[0] == "eth1"


@pytest.mark.feature("I24")
def test_a_cable_that_is_plugged_in_after_ten_seconds_counts(room: Room) -> None:
    room.serve()
    arguments = ["ip", "netns", "exec", room.client, sys.executable, "-c", PROGRAM, str(room.folder), "", "60"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env={**command.ENVIRONMENT, "PYTHONPATH": str(LIBRARY)}) as asking:
        time.sleep(10)
        assert asking.poll() is None
        for number in range(2):
            assert "UP" in room.on_client("ip", "link", "show", "dev", f"eth{number}").partition("<")[2].partition(">")[0].split(",")
        room.plug(0)
        assert asking.communicate(timeout=60)[0].split()[0] == b"eth0"


@pytest.mark.feature("I8")
def test_the_limit_is_kept_and_the_failure_says_what_each_interface_was_like(room: Room) -> None:
    room.plug(0)
    start = time.monotonic()
    with pytest.raises(CommandFailed) as failure:
        room.ask(limit=4)
    assert time.monotonic() - start < 20
    assert "eth0 (52:54:00:77:00:01, no DHCP answer), eth1 (52:54:00:77:00:02, no link)" in failure.value.hint
