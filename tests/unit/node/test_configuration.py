import copy
import json
from typing import Any

import pytest

from hps.errors import InvalidInput, Refused
from hps.node import configuration
from hps.values import Mac

CONFIG: dict[str, Any] = {
    "Location": "lab",
    "Machine": {"Hostname": "sch-001", "HostIpAddress": "10.77.0.11", "HostMacAddress": "52:54:00:77:00:01", "Tags": {}},
    "Subnets": [
        {
            "Id": "management",
            "IpGateway": "10.77.0.254",
            "IpMask": "255.255.255.0",
            "DomainName": "lab.example",
            "DomainNameServers": ["10.77.0.1"],
        }
    ],
    "Hps": {
        "Cluster": "lab",
        "InstallId": "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111",
        "Address": "10.77.0.1",
        "NtpServer": "10.77.0.1",
        "SyslogServer": "",
        "OperatorSshKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhwc2hwc2hwc2hwc2hwc2hwc2hwc2hwc2hwc2hwcw== me@there"],
        "Console": "console=ttyS0,115200n8",
    },
}
LAYOUT = {
    "BootDriveLayout": [{"FileSystemType": "ext4", "MountPoint": "/", "MinimumFreeBytes": 2147483648}],
    "ExtraMountPointsBasename": "/data/",
    "Encrypt": False,
    "UseKexec": False,
}
FILES = {
    "config.json": json.dumps(CONFIG),
    "imagename": "x86_64-debian_12-SCH/3\n",
    "imageserver": "10.77.0.1:80\n",
    "storage-layout.json": json.dumps(LAYOUT),
}


def changed(path: str, value: object) -> str:
    root = copy.deepcopy(CONFIG)
    place: Any = root
    *parents, last = path.split(".")
    for word in parents:
        place = place[int(word) if word.isdigit() else word]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(root)


@pytest.mark.feature("I21")
def test_four_files_make_a_configuration() -> None:
    found = configuration.parse_files(FILES)
    assert found.node.machine == configuration.Machine("sch-001", "10.77.0.11", Mac("525400770001"))
    assert found.node.subnet == configuration.Subnet(24, "10.77.0.254", "lab.example", ("10.77.0.1",))
    assert found.node.hps.install_id == "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111"
    assert (found.image, found.image_server) == ("x86_64-debian_12-SCH/3", "http://10.77.0.1:80/images")
    assert found.storage == configuration.StorageLayout(2 << 30)


@pytest.mark.feature("I21")
@pytest.mark.parametrize("name", configuration.FILES)
@pytest.mark.parametrize("text", [None, "", " \n", "{", "[]", "\0"])
def test_each_file_is_mandatory_and_checked(name: str, text: str | None) -> None:
    files = {key: value for key, value in FILES.items() if key != name} | ({name: text} if text is not None else {})
    with pytest.raises(InvalidInput, match=name):
        configuration.parse_files(files)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Machine", None),
        ("Machine", []),
        ("Machine.Hostname", None),
        ("Machine.Hostname", 7),
        ("Machine.HostIpAddress", "10.77.0.256"),
        ("Machine.HostIpAddress", "10.78.0.1"),
        ("Machine.HostMacAddress", "01:00:5e:00:00:01"),
        ("Subnets", []),
        ("Subnets", {}),
        ("Subnets", ["x"]),
        ("Subnets.0.IpMask", "255.0.255.0"),
        ("Subnets.0.DomainName", "a b"),
        ("Subnets.0.DomainNameServers", ["dns"]),
        ("Subnets.0.DomainNameServers", [7]),
        ("Hps", None),
        ("Hps.InstallId", "x"),
        ("Hps.Cluster", "../x"),
        ("Hps.Address", "ips"),
        ("Hps.NtpServer", "a\nb"),
        ("Hps.OperatorSshKeys", ['command="x" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhwc2hw']),
        ("Hps.OperatorSshKeys", ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhwc2hw me\nssh-rsa AAAA"]),
        ("Hps.Console", "console=tty0; reboot"),
        ("Hps.Console", "a${b}"),
    ],
)
def test_bad_values_are_named(path: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=r"config\.json"):
        configuration.parse_configuration(changed(path, value))


@pytest.mark.feature("S5")
@pytest.mark.parametrize("name", ["a\nb", "a'b", 'a"b', "${x}", "", "A", "-a", "a" * 64])
def test_host_names_that_a_script_could_trip_over(name: str) -> None:
    with pytest.raises(InvalidInput):
        configuration.parse_configuration(changed("Machine.Hostname", name))


def test_full_name_and_missing_router() -> None:
    assert configuration.parse_configuration(changed("Machine.Hostname", "sch-001.lab.example")).machine.hostname == "sch-001"
    assert configuration.parse_configuration(changed("Subnets.0.IpGateway", "")).subnet.gateway == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Encrypt": True}, "encrypted"),
        ({"UseKexec": True}, "kexec"),
        ({"ExtraMountPointsBasename": "/home/"}, "/home/"),
        ({"BootDriveLayout": [{"MountPoint": "/home"}]}, "/home"),
        ({"BootDriveLayout": [{"MountPoint": "/", "FileSystemType": "vfat"}]}, "ext4"),
    ],
)
def test_what_is_not_offered_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        configuration.parse_storage_layout(json.dumps({**LAYOUT, **change}))


@pytest.mark.parametrize("size", [-1, 1 << 61, "2G", True, 1.5])
def test_sizes_are_numbers_of_bytes(size: object) -> None:
    with pytest.raises(InvalidInput, match="MinimumFreeBytes"):
        configuration.parse_storage_layout(json.dumps({"BootDriveLayout": [{"MountPoint": "/", "MinimumFreeBytes": size}]}))


def test_default_layout_leaves_two_gibibytes_free() -> None:
    assert configuration.parse_storage_layout("{}") == configuration.StorageLayout(2 << 30)
    row = {"MountPoint": "/", "MinimumFreeBytes": 1, "MinimumBytes": 9 << 30}
    assert configuration.parse_storage_layout(json.dumps({"BootDriveLayout": [row]})) == configuration.StorageLayout(1, 9 << 30)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("10.77.0.1:80", "http://10.77.0.1:80/images"),
        ("https://10.77.0.1", "https://10.77.0.1/images"),
        ("http://10.77.0.1:8080/a/images/", "http://10.77.0.1:8080/a/images"),
    ],
)
def test_image_server(text: str, url: str) -> None:
    assert configuration.parse_image_server(text) == url


@pytest.mark.parametrize("text", ["ftp://10.77.0.1", "ips:80", "10.77.0.1:80/../x", "http://10.77.0.1/images?x", "http://10.77.0.1 x"])
def test_bad_image_server(text: str) -> None:
    with pytest.raises(InvalidInput):
        configuration.parse_image_server(text)


@pytest.mark.parametrize("text", ["../x/1", "a/0", "a/b", "a/1/2", "/1", "a b"])
def test_bad_image_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        configuration.parse_image_name(text)
