"""The four configuration files of an install, read strictly into frozen values (I21). Pure.

The schemas follow Dominator's installer (`config.json` is its machine information, `storage-layout.json` its layout) with one more object,
`Hps`, for what belongs to us. Keys that we do not know are ignored; keys that we need are checked one by one.
"""

import ipaddress
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hps.errors import HpsError, InvalidInput, Refused
from hps.values import Mac, checked_address, checked_domain, checked_host_name, checked_name, checked_plain

FILES = ("config.json", "imagename", "imageserver", "storage-layout.json")
"""Exactly these are fetched, and each is mandatory."""

GIB = 1 << 30
_KEY = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]{2,60} [A-Za-z0-9+/]{16,4096}={0,3}( [^\x00-\x1f\x7f]{0,200})?")


@dataclass(frozen=True)
class Machine:
    """Who this machine is: its short name, its address and the MAC address that carries it."""

    hostname: str
    address: str
    mac: Mac


@dataclass(frozen=True)
class Subnet:
    """The network of that address: prefix length, router (may be empty), domain and name servers."""

    prefix: int
    gateway: str
    domain: str
    name_servers: tuple[str, ...]


@dataclass(frozen=True)
class Membership:
    """What ties the machine to its cluster: the IPS and its services by address, the keys that may log in, the consoles."""

    install_id: str
    cluster: str
    address: str
    time_server: str = ""
    syslog_server: str = ""
    ssh_keys: tuple[str, ...] = ()
    console: str = ""

    @property
    def tls(self) -> str:
        """Where the IPS answers its members."""
        return f"https://{self.address}"


@dataclass(frozen=True)
class NodeConfiguration:
    """`config.json` as values."""

    machine: Machine
    subnet: Subnet
    hps: Membership


@dataclass(frozen=True)
class StorageLayout:
    """`storage-layout.json` as values: what a slot must have free, and its smallest size; bytes."""

    minimum_free: int
    minimum_bytes: int = 0


@dataclass(frozen=True)
class InstallConfiguration:
    """All four files."""

    node: NodeConfiguration
    image: str
    image_server: str
    storage: StorageLayout


def parse_files(texts: Mapping[str, str]) -> InstallConfiguration:
    """Read the four files; raises InvalidInput that names the file, Refused for what we do not offer."""
    for name in FILES:
        if not texts.get(name, "").strip():
            raise InvalidInput(
                f"the configuration file {name} is missing or empty", hint="configure this host again on the IPS: hps host configure"
            )
    return InstallConfiguration(
        node=parse_configuration(texts["config.json"]),
        image=_in_file("imagename", parse_image_name, texts["imagename"]),
        image_server=_in_file("imageserver", parse_image_server, texts["imageserver"]),
        storage=parse_storage_layout(texts["storage-layout.json"]),
    )


def parse_configuration(text: str) -> NodeConfiguration:
    """Read `config.json`; raises InvalidInput that names the value."""
    root = _Object.read("config.json", text)
    machine, hps = root.inner("Machine"), root.inner("Hps")
    found = Machine(
        hostname=checked_host_name(machine.text("Hostname").partition(".")[0]),
        address=machine.checked("HostIpAddress", checked_address),
        mac=machine.checked("HostMacAddress", Mac.parse),
    )
    return NodeConfiguration(
        machine=found,
        subnet=_subnet(found, root.inners("Subnets")),
        hps=Membership(
            install_id=hps.checked("InstallId", lambda text: str(uuid.UUID(text))),
            cluster=hps.checked("Cluster", checked_name),
            address=hps.checked("Address", checked_address),
            time_server=hps.checked("NtpServer", _optional_address),
            syslog_server=hps.checked("SyslogServer", _optional_address),
            ssh_keys=hps.texts("OperatorSshKeys", _ssh_key),
            console=hps.checked("Console", lambda text: checked_plain(text, "the value")),
        ),
    )


def parse_storage_layout(text: str) -> StorageLayout:
    """Read `storage-layout.json`; raises InvalidInput, or Refused where it asks for what we do not offer."""
    root = _Object.read("storage-layout.json", text)
    if root.value("Encrypt", bool, False):
        raise Refused("storage-layout.json asks for encrypted disks, which are not offered", hint='set "Encrypt": false in the profile')
    if root.value("UseKexec", bool, False):
        raise Refused(
            "storage-layout.json asks for kexec; this installer always restarts the machine", hint='set "UseKexec": false in the profile'
        )
    base = root.value("ExtraMountPointsBasename", str, "/data/")
    if base != "/data/":
        raise Refused(f"storage-layout.json wants data below {base[:40]!r}", hint='"/data/" is the only place offered')
    found = StorageLayout(2 * GIB)
    for part in root.inners("BootDriveLayout"):
        mount_point = part.text("MountPoint")
        if mount_point != "/":
            raise Refused(
                f"storage-layout.json wants a partition for {mount_point[:40]!r}", hint="only / can be sized; state and data have their own"
            )
        if part.value("FileSystemType", str, "ext4") not in ("", "ext4"):
            raise Refused("storage-layout.json wants a root that is not ext4", hint='set "FileSystemType": "ext4"')
        found = StorageLayout(part.size("MinimumFreeBytes"), part.size("MinimumBytes"))
    return found


def parse_image_name(text: str) -> str:
    """An image by name, with or without its sequence number: `x86_64-debian_12-SCH/3`; raises InvalidInput."""
    name, separator, sequence = text.strip().partition("/")
    if separator and not re.fullmatch(r"[1-9][0-9]{0,9}", sequence):
        raise InvalidInput(f"{text.strip()[:60]!r} does not name an image", hint="write it as NAME or NAME/SEQUENCE")
    return checked_name(name, "image name") + separator + sequence


def parse_image_server(text: str) -> str:
    """The base URL that images are fetched from: `http://10.77.0.1/images`, or `10.77.0.1:80` for the same; raises InvalidInput."""
    text = text.strip().rstrip("/")
    matched = re.fullmatch(r"(?:(https?)://)?([0-9.]{7,15})(?::([0-9]{1,5}))?((?:/[A-Za-z0-9_-]{1,32}){0,4})", text)
    if not matched:
        raise InvalidInput(f"{text[:60]!r} is not an image server", hint="for example http://10.77.0.1/images")
    scheme, address, port, path = matched.groups()
    checked_address(address)
    return f"{scheme or 'http'}://{address}{':' + port if port else ''}{path or '/images'}"


def _subnet(machine: Machine, subnets: tuple["_Object", ...]) -> Subnet:
    address = ipaddress.IPv4Address(machine.address)
    for each in subnets:
        mask, gateway = each.checked("IpMask", _prefix), each.value("IpGateway", str, "")
        network = ipaddress.IPv4Network((gateway or machine.address, mask), strict=False)
        if address in network and (gateway or len(subnets) == 1):
            return Subnet(
                prefix=mask,
                gateway=checked_address(gateway) if gateway else "",
                domain=each.checked("DomainName", checked_domain),
                name_servers=each.texts("DomainNameServers", checked_address),
            )
    raise InvalidInput(f"config.json: no entry of Subnets holds the address {machine.address}")


def _prefix(mask: str) -> int:
    return ipaddress.IPv4Network(f"0.0.0.0/{checked_address(mask)}").prefixlen


def _optional_address(text: str) -> str:
    return checked_address(text) if text else ""


def _ssh_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise InvalidInput(f"{text[:40]!r} is not a public ssh key", hint="one line as in id_ed25519.pub, without options")
    return text


def _in_file(name: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}", hint=error.hint) from error


@dataclass(frozen=True)
class _Object:
    """One JSON object and where it stands, for messages."""

    place: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, file: str, text: str) -> "_Object":
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{file} is not JSON", hint=str(error)[:200]) from error
        if not isinstance(values, dict):
            raise InvalidInput(f"{file} is not a JSON object")
        return cls(f"{file}: ", values)

    def value(self, key: str, kind: type, default: Any = None) -> Any:
        found = self.values.get(key, default)
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise InvalidInput(f"{self.place}{key} is {'missing' if found is None else 'not a ' + kind.__name__}")
        return found

    def text(self, key: str) -> str:
        found: str = self.value(key, str)
        return found

    def size(self, key: str) -> int:
        found: int = self.value(key, int, 0)
        if not 0 <= found < 1 << 60:
            raise InvalidInput(f"{self.place}{key} is not a size in bytes")
        return found

    def checked(self, key: str, check: Any) -> Any:
        return self._check(key, check, self.text(key))

    def texts(self, key: str, check: Any) -> tuple[Any, ...]:
        return tuple(self._check(key, check, each) for each in self.value(key, list, []) or [])

    def inner(self, key: str) -> "_Object":
        return _Object(f"{self.place}{key}.", self.value(key, dict))

    def inners(self, key: str) -> tuple["_Object", ...]:
        found = self.value(key, list, [])
        if not all(isinstance(each, dict) for each in found):
            raise InvalidInput(f"{self.place}{key} is not a list of objects")
        return tuple(_Object(f"{self.place}{key}[{number}].", each) for number, each in enumerate(found))

    def _check(self, key: str, check: Any, value: object) -> Any:
        if not isinstance(value, str):
            raise InvalidInput(f"{self.place}{key} holds what is not text")
        try:
            return check(value)
        except HpsError as error:
            raise InvalidInput(f"{self.place}{key}: {error.message}", hint=error.hint) from error
        except ValueError as error:
            raise InvalidInput(f"{self.place}{key}: {value[:40]!r} is not well formed") from error
