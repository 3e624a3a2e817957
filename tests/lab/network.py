"""A network of one run: a namespace with a bridge, taps for machines, and members; nothing reaches outside it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, Popen

from tests.lab import processes

ADDRESS = "10.77.0.1"
CIDR = "10.77.0.0/24"


class Network:
    """A namespace with the bridge br0, which has carrier from the first moment (a veth pair keeps it).

    The far end of that pair is mute: it would answer ARP for the bridge's address, and dnsmasq, which listens on br0
    alone, would not hear the machine that believed it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: list[str] = []
        self._taps = 0

    @classmethod
    def for_this_run(cls) -> "Network":
        """A network whose name holds our process id; those of dead runs are removed first."""
        sweep()
        return cls(f"hps-lab-{os.getpid()}")

    def create(self) -> None:
        """Make the namespace and its bridge with the addresses of the IPS."""
        processes.run(["ip", "netns", "add", self.name])
        commands = f"""link set lo up
link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
link add keeper type veth peer name keeper-peer
link set keeper master br0 up
link set keeper-peer arp off addrgenmode none up
address add {ADDRESS}/24 dev br0
link set br0 up
"""
        processes.run(["ip", "-n", self.name, "-batch", "-"], stdin=commands)

    def exists(self) -> bool:
        """Whether the namespace is there."""
        return self.name in namespaces()

    def remove(self) -> None:
        """End what runs inside, and remove the namespaces with everything in them."""
        for name in [*self.members, self.name]:
            _remove(name)
        self.members.clear()

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The arguments that run a program inside."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, arguments: Sequence[str], stdin: str | None = None, timeout: float = 600, check: bool = True) -> "CompletedProcess[str]":
        """Run a program inside to its end."""
        return processes.run(self.command(arguments), stdin, timeout, check=check)

    def start(self, arguments: Sequence[str], log: Path) -> "Popen[bytes]":
        """Start a program inside and let it run; its output goes to a file."""
        with log.open("ab") as stream:
            return Popen(self.command(arguments), stdin=DEVNULL, stdout=stream, stderr=stream, start_new_session=True)

    def tap(self, name: str = "") -> str:
        """Add a tap to the bridge and return its name."""
        self._taps += 1
        name = name or f"tap{self._taps}"
        processes.run(["ip", "-n", self.name, "tuntap", "add", "dev", name, "mode", "tap"])
        processes.run(["ip", "-n", self.name, "link", "set", name, "master", "br0", "up"])
        return name

    def remove_tap(self, name: str) -> None:
        """Remove a tap; one that is gone is no error."""
        processes.run(["ip", "-n", self.name, "link", "delete", name], check=False)

    def member(self, word: str, address: str = "") -> "Network":
        """Another namespace with a cable to the bridge: a stranger's machine; its interface is eth0."""
        other = Network(f"{self.name}-{word}")
        processes.run(["ip", "netns", "add", other.name])
        self.members.append(other.name)
        cable = f"to-{word}"[:15]
        processes.run(["ip", "-n", self.name, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", other.name])
        processes.run(["ip", "-n", self.name, "link", "set", cable, "master", "br0", "up"])
        processes.run(["ip", "-n", other.name, "link", "set", "lo", "up"])
        processes.run(["ip", "-n", other.name, "link", "set", "eth0", "up"])
        if address:
            processes.run(["ip", "-n", other.name, "address", "add", f"{address}/24", "dev", "eth0"])
        return other

    def drop_member(self, other: "Network") -> None:
        """Remove a member before the end."""
        _remove(other.name)
        self.members.remove(other.name)


def namespaces() -> list[str]:
    """The names of all namespaces of this machine."""
    lines = processes.run(["ip", "netns", "list"]).stdout.splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def sweep() -> None:
    """Remove the networks of runs whose process is gone: they crashed."""
    for name in namespaces():
        found = re.fullmatch(r"hps-lab-([0-9]+)(-.*)?", name)
        if found and not processes.alive(int(found[1])):
            _remove(name)


def _remove(name: str) -> None:
    if name not in namespaces():
        return
    inside = processes.run(["ip", "netns", "pids", name]).stdout.split()
    processes.end([int(pid) for pid in inside])
    processes.run(["ip", "netns", "delete", name])
