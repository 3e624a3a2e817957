"""A wire for tests: a namespace with the bridge of an IPS, and another one with a machine at its end."""

import ctypes
import itertools
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from types import TracebackType
from typing import Any

from hps.errors import Refused
from hps.network import dhcp_probe
from hps.network.dhcp_probe import Offer, Option

_NEWNET = 0x40000000
_numbers = itertools.count()


def _enter(name: str) -> None:
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


def _called(name: str, send: Callable[[Any], None], function: Callable[..., object], *arguments: object) -> None:
    _enter(name)
    try:
        send(function(*arguments))
    except Refused as error:
        send(error)


class Wire:
    """The two namespaces; `with` makes and removes them."""

    def __init__(self) -> None:
        number = next(_numbers)
        self.ips = f"hps-u{os.getpid()}-{number}i"
        self.machine = f"hps-u{os.getpid()}-{number}m"

    def __enter__(self) -> "Wire":
        for name in (self.ips, self.machine):
            subprocess.run(["ip", "netns", "add", name], check=True)
        commands = f"""link set lo up
link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
link add port type veth peer name end netns {self.machine}
link set port master br0 up
address add 10.77.0.1/24 dev br0
link set br0 up
"""
        subprocess.run(["ip", "-n", self.ips, "-batch", "-"], input=commands.encode(), check=True)
        subprocess.run(["ip", "-n", self.machine, "link", "set", "end", "up"], check=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in (self.machine, self.ips):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def inside(self, arguments: Sequence[str]) -> list[str]:
        """The arguments that run a program where the IPS is."""
        return ["ip", "netns", "exec", self.ips, *arguments]

    def outside(self, arguments: Sequence[str]) -> list[str]:
        """The arguments that run a program where the machine is."""
        return ["ip", "netns", "exec", self.machine, *arguments]

    def bridge_mac(self) -> str:
        """The hardware address of the bridge."""
        return subprocess.run(self.inside(["cat", "/sys/class/net/br0/address"]), capture_output=True, text=True, check=True).stdout.strip()

    def probe(
        self, seconds: float, mac: bytes | None = None, options: Iterable[Option] = (), first: bool = False, interface: str = "end"
    ) -> tuple[Offer, ...]:
        """Ask as the machine, in a process of its own; raises Refused as the probe does."""
        question = (interface, seconds, mac, tuple(options), first)
        found: tuple[Offer, ...] = self.call(seconds + 30, dhcp_probe.probe, *question)
        return found

    def call(self, seconds: float, function: Callable[..., object], *arguments: object) -> Any:
        """What a function returns that runs as the machine, in a process of its own; raises Refused as it does."""
        context = get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_called, args=(self.machine, sender.send, function, *arguments))
        process.start()
        sender.close()
        try:
            if not receiver.poll(seconds):
                raise AssertionError(f"no answer in {seconds} seconds")
            answer = receiver.recv()
        finally:
            process.join(10)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def address(self, *addresses: str) -> None:
        """Give the machine these addresses, and no other."""
        subprocess.run(["ip", "-n", self.machine, "address", "flush", "dev", "end"], check=True)
        for address in addresses:
            subprocess.run(["ip", "-n", self.machine, "address", "add", f"{address}/24", "dev", "end"], check=True)

    def first(self, *options: Option, mac: bytes | None = None) -> Offer:
        """The first offer that the machine gets; fails where there is none."""
        found = self.probe(5, mac, options, first=True)
        assert found, "no DHCP server answers"
        return found[0]
