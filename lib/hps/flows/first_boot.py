"""Give the node its identity at every boot, from the state partition alone: facts, plan, apply; twice plans nothing.

The machine id comes on the kernel command line (`systemd.machine_id=`), from the loader's environment: it is needed before anything
is mounted, and must be the same for both slots.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hps.errors import NotFound
from hps.network.networkd import render_hosts, render_network, render_time
from hps.node.configuration import NodeConfiguration, parse_configuration
from hps.steps import Link, MakeDirectory, Plan, Run, Step, Write
from hps.system import executor, files

STATE = Path("var/lib/hps")
KEY_KINDS = ("ed25519", "ecdsa")


@dataclass(frozen=True)
class Facts:
    """What the node is now: the files that matter by their path below the root, the links, its host name, its programs."""

    files: Mapping[str, bytes]
    links: Mapping[str, str]
    hostname: str
    host_keys: frozenset[str]
    can_make_keys: bool


def wanted_files(configuration: NodeConfiguration) -> dict[str, tuple[bytes, int]]:
    """Every file that the identity decides, with its mode. Pure."""
    machine, subnet, hps = configuration.machine, configuration.subnet, configuration.hps
    network = render_network(machine.mac, machine.address, subnet.prefix, subnet.gateway, subnet.name_servers, subnet.domain)
    resolver = f"search {subnet.domain}\n" + "".join(f"nameserver {server}\n" for server in subnet.name_servers)
    found = {
        "etc/hostname": (f"{machine.hostname}\n", 0o644),
        "etc/hosts": (render_hosts(machine.hostname, subnet.domain, machine.address), 0o644),
        "etc/resolv.conf": (resolver, 0o644),
        "etc/systemd/network/10-hps.network": (network, 0o644),
        "etc/systemd/timesyncd.conf.d/hps.conf": (render_time([hps.time_server] if hps.time_server else []), 0o644),
        "root/.ssh/authorized_keys": ("".join(f"{key}\n" for key in hps.ssh_keys), 0o600),
    }
    return {path: (text.encode(), mode) for path, (text, mode) in found.items()}


def plan(configuration: NodeConfiguration, facts: Facts, root: Path = Path("/")) -> Plan:
    """What is to be done so that the node is who it should be; nothing when it is already. Pure."""
    changed = {path: value for path, value in wanted_files(configuration).items() if facts.files.get(path) != value[0]}
    steps: list[Step] = [
        *([MakeDirectory(root / "root/.ssh", 0o700)] if "root/.ssh/authorized_keys" in changed else []),
        *(Write(root / path, content, mode) for path, (content, mode) in sorted(changed.items())),
        *([Run(("hostname", configuration.machine.hostname))] if facts.hostname != configuration.machine.hostname else []),
    ]
    keys = STATE / "ssh"
    for kind in KEY_KINDS if facts.can_make_keys else ():
        name = f"ssh_host_{kind}_key"
        if kind not in facts.host_keys:
            comment = configuration.machine.hostname
            steps += [
                MakeDirectory(root / keys, 0o700),
                Run(("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(root / keys / name))),
            ]
        steps += [
            Link(root / "etc/ssh" / each, f"/{keys}/{each}")
            for each in (name, f"{name}.pub")
            if facts.links.get(f"etc/ssh/{each}") != f"/{keys}/{each}"
        ]
    return tuple(dict.fromkeys(steps))


def read_facts(configuration: NodeConfiguration, root: Path = Path("/"), processes: Path = Path("/proc")) -> Facts:
    """Read what the node is now."""
    found = {}
    for path in wanted_files(configuration):
        with contextlib.suppress(OSError):
            if not (root / path).is_symlink():
                found[path] = (root / path).read_bytes()
    links = {f"etc/ssh/{path.name}": str(path.readlink()) for path in (root / "etc/ssh").glob("ssh_host_*") if path.is_symlink()}
    keys = frozenset(kind for kind in KEY_KINDS if (root / STATE / f"ssh/ssh_host_{kind}_key.pub").exists())
    hostname = files.read_text(processes / "sys/kernel/hostname").strip()
    return Facts(found, links, hostname, keys, can_make_keys=(root / "usr/bin/ssh-keygen").exists())


def apply_identity(root: Path = Path("/")) -> Plan:
    """Make the node who it is; works without the IPS. Raises NotFound where there is no identity."""
    place = root / STATE / "identity/config.json"
    try:
        configuration = parse_configuration(files.read_text(place))
    except NotFound as error:
        hint = "the state partition (label hps-state) is missing or empty; install this node again"
        raise NotFound(f"this node has no identity: {place} does not exist", hint=hint) from error
    steps = plan(configuration, read_facts(configuration, root), root)
    executor.apply(steps)
    # The time of this file tells the timeline when the node took its name.
    files.write(root / "run/hps/identity-applied", f"{configuration.machine.hostname}\n".encode())
    return steps
