"""The demo: a blank machine becomes a node on an embedded virtual network, with progress that a person can follow."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hps.timeline.model import MEANING
from tests.lab import processes, resources, transcript
from tests.lab.ips import Ips
from tests.lab.machine import Disk, Machine, Nic
from tests.lab.network import ADDRESS, Network
from tests.lab.yard import Yard

NAME = os.environ.get("HPS_DEMO", "hps-demo")
"""The namespace; a test of the demo runs beside one that somebody looks at."""
HOME = processes.CACHE / NAME.removeprefix("hps-")
_SILENCE = 300
"""Seconds without news after which a machine is taken to be stuck."""


class Clock:
    """Prints lines with the time that has passed."""

    def __init__(self) -> None:
        self.start = time.monotonic()

    def say(self, words: str) -> None:
        """One line."""
        passed = int(time.monotonic() - self.start)
        print(f"{passed // 60:3d}:{passed % 60:02d}  {words}", flush=True)


def demo() -> tuple[Ips, Network]:
    """The IPS of the demo and its network, running or not."""
    network = Network(NAME)
    return Ips(network, HOME / "ips"), network


def up() -> int:
    """Start the IPS, switch on a blank UEFI machine, and follow it until it has registered."""
    ips, network = demo()
    if network.exists() and (HOME / "ready").exists():
        print("The demo is there already.\n")
        return status()
    _clear(network)
    clock = Clock()
    print(f"A blank machine becomes a node. Everything happens in the network namespace {NAME}; nothing is served outside it.\n")
    try:
        _start_ips(ips, network, clock)
        _follow(ips, _switch_on(ips, "uefi"), clock, clock.say)
        (HOME / "ready").touch()
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        return _failed(ips, error)
    except KeyboardInterrupt:
        print("\nStopped. `make down` removes what is there.")
        return 130
    clock.say("done\n")
    return status()


def second() -> int:
    """Switch on one more blank machine, this one with a BIOS, and follow it."""
    ips, network = demo()
    if not (network.exists() and (HOME / "ready").exists()):
        print("There is no demo yet; `make demo` starts it.", file=sys.stderr)
        return 1
    clock = Clock()
    try:
        _follow(ips, _switch_on(ips, "bios"), clock, clock.say)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        return _failed(ips, error)
    clock.say("done\n")
    return status()


def down() -> int:
    """Stop everything and remove every trace: processes, namespace, taps, files."""
    _clear(Network(NAME))
    print("The demo is gone.")
    return 0


def status() -> int:
    """Print the machines, where the status page is, and how to go on."""
    ips, network = demo()
    if not network.exists():
        print("There is no demo; `make demo` starts it.")
        return 1
    address = ""
    for machine in _machines(ips):
        record = ips.record(machine.mac)
        address = address or record.get("IP")
        words = [record.get(key, "?") for key in ("HOSTNAME", "IP", "STATE")]
        slot = record.get("SLOT", "-")
        print(f"  {words[0]:10} {words[1]:12} {words[2]:14} slot {slot}  {'on' if machine.running else 'off'}")
    python = f"{sys.executable} -m tests.lab.demo"
    print(f"""
Status page   {(HOME / "page").read_text() if (HOME / "page").exists() else "not served"}
Log in        {" ".join(ips.ssh_command(address))}
Operator      ip netns exec {NAME} env HPS_BASE={ips.paths.base} {sys.executable} -m hps host list
One more      make second      ({python} second)
Stop          make down        ({python} down)""")
    return 0


def _start_ips(ips: Ips, network: Network, clock: Clock) -> None:
    clock.say(f"1/4 image: {resources.IMAGE} and the installer (the first time this takes some minutes)")
    HOME.mkdir(parents=True, exist_ok=True)
    resources.build(lambda line: clock.say(f"      {line}"))
    clock.say(f"2/4 network and IPS: a bridge with {ADDRESS}; dnsmasq, nginx and hps-api under supervisor")
    network.create()
    ips.prepare()
    ips.start()
    clock.say("      the IPS runs and answers no DHCP yet; now its cluster is activated")
    ips.activate()
    _serve_page(ips)
    clock.say(f"      status page: {(HOME / 'page').read_text()}")


def _switch_on(ips: Ips, firmware: str) -> Machine:
    number = len(_machines(ips)) + 1
    machine = _machine(ips, number, firmware)
    machine.folder.mkdir(parents=True, exist_ok=True)
    (machine.folder / "firmware").write_text(firmware)
    machine.power_on()
    return machine


def _machine(ips: Ips, number: int, firmware: str) -> Machine:
    nic = Nic(f"52:54:00:77:01:{number:02x}", own_rom=firmware == "bios")
    return Machine(f"node{number}", ips.network, HOME / "machines" / f"node{number}", (nic,), (Disk(f"DEMO{number:04d}", "8G"),), firmware)


def _machines(ips: Ips) -> list[Machine]:
    folders = sorted((HOME / "machines").glob("node*"), key=lambda path: int(path.name[4:]))
    return [_machine(ips, int(folder.name[4:]), (folder / "firmware").read_text()) for folder in folders]


def _follow(ips: Ips, machine: Machine, clock: Clock, say: Callable[[str], None]) -> None:
    say(f"3/4 install: a machine with an empty disk is switched on: {machine.name}, {machine.firmware}, {machine.mac}")
    say("      next: address, loader, decision, installer; nobody presses a key")
    seen = 0

    def news() -> list[str]:
        return [_line(event) for event in ips.events(machine.mac)[seen:]]

    while True:
        lines = processes.until(news, _SILENCE, f"the next step of {machine.name}; its serial line ends:\n{machine.tail()}")
        for event, line in zip(ips.events(machine.mac)[seen:], lines, strict=False):
            seen += 1
            say(f"      {line}")
            if event["event"] == "failed":
                raise AssertionError(f"the install failed: {event['detail']}")
            if event["event"] == "restart":
                say("4/4 first boot: from the machine's own disk, slot a")
            if event["event"] == "registered":
                ips.wait_record(machine.mac, 30, STATE="INSTALLED")
                return


def _line(event: dict[str, object]) -> str:
    name, detail = str(event["event"]), str(event.get("detail", ""))
    return f"{name:17} {MEANING.get(name, '')}{f' ({detail})' if detail else ''}"


def _serve_page(ips: Ips) -> None:
    port = int(os.environ.get("HPS_DEMO_PORT", "0")) or _free_port()
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"
    with (HOME / "socat.log").open("ab") as log:
        program = subprocess.Popen(
            ["socat", listen, f"UNIX-CONNECT:{ips.paths.run / 'operator.sock'}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (HOME / "socat.pid").write_text(str(program.pid))
    (HOME / "page").write_text(f"http://127.0.0.1:{port}/")


def _free_port() -> int:
    for port in range(8080, 8180):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port from 8080 to 8179 is free on 127.0.0.1; name one with HPS_DEMO_PORT")


def _clear(network: Network) -> None:
    pid = HOME / "socat.pid"
    if pid.exists():
        words = Path(f"/proc/{pid.read_text()}/cmdline")
        if words.exists() and str(HOME).encode() in words.read_bytes():
            processes.end([int(pid.read_text())])
    network.remove()
    shutil.rmtree(HOME, ignore_errors=True)


def _failed(ips: Ips, error: Exception) -> int:
    yard = Yard(ips, HOME / "machines")
    yard.machines = _machines(ips)
    place = transcript.keep("demo", [yard], ips)
    for machine in yard.machines:
        shutil.copy(machine.folder / "serial.log", place / f"{machine.name}.serial")
    print(f"\nThe demo failed: {error}\nThe transcript is in {place}. `make down` removes what is there.", file=sys.stderr)
    return 1


def main() -> int:
    """One verb: up, second, status or down."""
    verbs = {"up": up, "second": second, "status": status, "down": down}
    parser = argparse.ArgumentParser(prog="python -m tests.lab.demo", description=__doc__)
    parser.add_argument("verb", choices=verbs)
    return verbs[parser.parse_args().verb]()


if __name__ == "__main__":
    sys.exit(main())
