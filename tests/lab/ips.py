"""The IPS as it is shipped, in a namespace: its commands, services, records, events, and a way into its nodes."""

import http.client
import json
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Literal

from hps.paths import Paths
from hps.registry.model import Record, host_name
from hps.registry.store import FileRegistry
from hps.values import Mac
from tests.lab import processes, resources
from tests.lab.network import ADDRESS, CIDR, Network

CLUSTER = "lab"
DOMAIN = "lab.example"
Event = dict[str, Any]


class Ips:
    """One IPS below `base`, serving the bridge of `network` and nothing else."""

    def __init__(self, network: Network, base: Path) -> None:
        self.network = network
        self.paths = Paths(base)
        self.registry = FileRegistry(self.paths.config)
        self.key = base / "operator-key"
        self.listeners_before: list[str] = []
        self._supervisor: Any = None

    def prepare(self, **answers: str) -> None:
        """Put images in place, make the operator's key, configure the cluster from an answers file and activate it."""
        self.paths.base.mkdir(parents=True, exist_ok=True)
        self.paths.base.parent.chmod(0o755)
        resources.place(self.paths.base)
        processes.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator@lab", "-f", str(self.key)])
        values = {
            "CLUSTER_NAME": CLUSTER,
            "DHCP_IFACE": "br0",
            "DHCP_IP": ADDRESS,
            "NETWORK_CIDR": CIDR,
            "DNS_DOMAIN": DOMAIN,
            "DEFAULT_TYPE": "SCH",
            "DEFAULT_OS": resources.OS_ID,
            "MENU_TIMEOUT": "5",
            "POLL_INTERVAL": "2",
            "OPERATOR_SSH_KEYS": self.key.with_suffix(".pub").read_text().strip(),
            **answers,
        }
        file = self.paths.base / "answers"
        file.write_text("".join(f"{name}={value}\n" for name, value in sorted(values.items())))
        self.hps("cluster", "configure", "--answers", str(file))

    def start(self) -> None:
        """Start the services under supervisor, activate the cluster, and wait until hps-api answers the operator."""
        self.paths.log.mkdir(parents=True, exist_ok=True)
        command = resources.hps(self.paths.base, "service", "start", "--foreground")
        self._supervisor = self.network.start(command, self.paths.log / "service-start.log")
        processes.until(self.healthy, 120, "hps-api behind nginx")

    def activate(self) -> None:
        """Make the lab's cluster the one that is served, and wait for DHCP to be answered."""
        self.hps("cluster", "activate", CLUSTER)
        processes.until(self.dhcp_listeners, 60, "a DHCP server on the bridge")

    def dhcp_listeners(self) -> list[str]:
        """The sockets that hear DHCP requests."""
        return self.network.run(["ss", "-Hlun", "sport", "=", ":67"]).stdout.splitlines()

    def stop(self) -> None:
        """End all services."""
        if self._supervisor is not None:
            self.hps("service", "stop", check=False)
            processes.end([self._supervisor.pid])
            self._supervisor.wait()
            self._supervisor = None

    def hps(self, *arguments: str, check: bool = True, timeout: float = 600) -> "CompletedProcess[str]":
        """Run the operator's command on this IPS."""
        return self.network.run(resources.hps(self.paths.base, *arguments), timeout=timeout, check=check)

    def service(self, verb: Literal["start", "stop"], name: str) -> None:
        """Stop or start one program of the IPS through its supervisor."""
        self.hps("service", verb, name)

    def healthy(self) -> bool:
        """Whether hps-api answers at the operator's door, with or without an active cluster."""
        try:
            return self.operator("GET", "/hps-api?cmd=health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def operator(self, method: str, path: str, body: Mapping[str, str] | None = None, accept: str = "application/json") -> tuple[int, str]:
        """Ask at the operator's socket: the status and the body."""
        connection = _UnixConnection(self.paths.run / "operator.sock")
        headers = {"Accept": accept, "Host": "localhost"}
        data = json.dumps(dict(body)) if body is not None else None
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def record(self, mac: str) -> Record:
        """The record of a host; an empty one when it has none yet."""
        name = host_name(CLUSTER, Mac.parse(mac))
        return self.registry.read(name) if self.registry.exists(name) else Record(name)

    def change_cluster(self, **values: str) -> None:
        """Change keys of the cluster."""
        self.hps("cluster", "set", *(f"{key}={value}" for key, value in values.items()))

    def events(self, mac: str) -> list[Event]:
        """Everything in the timeline of a host."""
        path = self.paths.log / "boots" / f"{Mac.parse(mac).digits}.jsonl"
        if not path.exists():
            return []
        lines = path.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def names(self, mac: str, start: int = 0) -> list[str]:
        """The names of the events of a host, from one on."""
        return [event["event"] for event in self.events(mac)[start:]]

    def wait_event(self, mac: str, name: str, seconds: float, start: int = 0) -> Event:
        """Wait for an event of a host at or after position `start` of its timeline; a failure of the install ends the wait."""

        def found() -> Event | None:
            for event in self.events(mac)[start:]:
                if event["event"] == name:
                    return event
                if event["event"] == "failed":
                    raise AssertionError(f"{mac} failed while we waited for {name}: {event['detail']}")
            return None

        return processes.until(found, seconds, f"{name} in the timeline of {mac} (it has {self.names(mac, start)})")

    def wait_record(self, mac: str, seconds: float, **values: str) -> Record:
        """Wait until the record of a host holds these values."""

        def found() -> Record | None:
            record = self.record(mac)
            return record if all(record.get(key) == value for key, value in values.items()) else None

        return processes.until(found, seconds, f"{values} in the record of {mac}")

    def ssh_command(self, address: str) -> list[str]:
        """The command line that logs in to a node as root, from outside the namespace."""
        options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "ConnectTimeout=20",
        ]
        return self.network.command(["ssh", "-i", str(self.key), *options, f"root@{address}"])

    def ssh(self, mac: str, command: str, check: bool = True) -> str:
        """Run a command on a node and return what it printed."""
        return processes.run([*self.ssh_command(self.record(mac).get("IP")), command], timeout=120, check=check).stdout

    def access_log(self) -> list[str]:
        """The requests that nginx and gunicorn noted."""
        return [line for path in sorted(self.paths.log.rglob("*access*")) for line in path.read_text(errors="replace").splitlines()]

    def image_manifest(self) -> Path:
        """The newest published manifest of the lab's image."""
        found = sorted((self.paths.images / resources.IMAGE).glob("*/manifest"), key=lambda path: int(path.parent.name))
        assert found, "no image is published"
        return found[-1]

    def keep_logs(self, folder: Path) -> None:
        """Copy logs, timelines, records and rendered configuration (no keys) for a reader."""
        for name, source in (("log", self.paths.log), ("services", self.paths.services), ("clusters", self.paths.config / "clusters")):
            if source.exists():
                shutil.copytree(source, folder / name, dirs_exist_ok=True, ignore_dangling_symlinks=True, ignore=_no_sockets)


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder) / name).is_file() and not (Path(folder) / name).is_dir()]


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30 * processes.PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
