"""What dnsmasq is told: accepted by dnsmasq itself, and nothing that a record could smuggle in."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hps.errors import HpsError, InvalidInput
from hps.paths import Paths
from hps.services import dnsmasq
from hps.values import Mac
from tests.unit.services.clusters import CLUSTER, clusters

PATHS = Paths(Path("/srv/hps"))
MAC = Mac.parse("52:54:00:77:00:01")


def lines(**changed: str) -> list[str]:
    return dnsmasq.render(CLUSTER | changed, PATHS, dnsmasq.Settings()).splitlines()


@pytest.mark.programs
@settings(max_examples=25, deadline=None)
@given(values=clusters())
def test_dnsmasq_accepts_every_cluster(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    paths = Paths(tmp_path_factory.mktemp("ips"))
    for folder in (dnsmasq.hosts_folder(paths), dnsmasq.names_folder(paths)):
        folder.mkdir(parents=True)
    file = dnsmasq.configuration(paths)
    file.write_text(dnsmasq.render(values, paths, dnsmasq.Settings()))
    done = subprocess.run(["dnsmasq", "--test", "-C", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.programs
def test_dnsmasq_would_refuse_a_wrong_line(tmp_path: Path) -> None:
    file = tmp_path / "dnsmasq.conf"
    file.write_text("\n".join(lines()) + "\ndhcp-range=nonsense\n")
    assert subprocess.run(["dnsmasq", "--test", "-C", str(file)], capture_output=True, check=False).returncode != 0


def test_only_the_named_interface_is_served() -> None:
    assert [line for line in lines() if "interface" in line or line.startswith(("bind", "listen"))] == [
        "interface=br0",
        "except-interface=lo",
        "bind-dynamic",
    ]


@pytest.mark.feature("NW1")
@pytest.mark.parametrize(
    ("option", "key"),
    [("6", "DNS_LOCAL_SERVER"), ("42", "NTP_LOCAL_SERVER"), ("7", "SYSLOG_LOCAL_SERVER"), ("69", "SMTP_LOCAL_SERVER")],
)
def test_servers_are_the_ips_unless_another_is_named(option: str, key: str) -> None:
    assert f"dhcp-option={option},10.77.0.1" in lines()
    changed = lines(**{key: "10.9.9.9"})
    assert f"dhcp-option={option},10.9.9.9" in changed
    assert f"dhcp-option={option},10.77.0.1" not in changed


def test_there_is_no_router_unless_one_is_named() -> None:
    assert "dhcp-option=3" in lines()
    assert "dhcp-option=3,10.77.0.254" in lines(DEFAULT_ROUTE="10.77.0.254")


def test_names_outside_the_cluster_are_asked_only_where_an_upstream_is_named() -> None:
    assert not [line for line in lines() if line.startswith("server=")]
    assert "no-resolv" in lines()
    assert "server=10.9.9.9" in lines(DNS_UPSTREAM_SERVER="10.9.9.9")


def test_the_pool_is_at_the_end_of_the_network() -> None:
    assert "dhcp-range=10.77.0.205,10.77.0.254,255.255.255.0,3600" in lines()


@pytest.mark.feature("S5")
@given(
    key=st.sampled_from([*CLUSTER, "DNS_LOCAL_SERVER", "DNS_UPSTREAM_SERVER", "DEFAULT_ROUTE", "CONSOLE"]),
    tail=st.sampled_from(["\n", "\r", "\0", "\u2028", "\nport=5353", ";", "${x}", '"', "$(id)", ",x", "&& id", "||", "#!ipxe", " "]),
)
def test_no_value_carries_a_line_or_a_field_of_its_own(key: str, tail: str) -> None:
    value = CLUSTER.get(key, "10.77.0.9") + tail
    try:
        found = dnsmasq.render(CLUSTER | {key: value}, PATHS, dnsmasq.Settings())
    except HpsError:
        return
    assert key == "CONSOLE"
    assert value not in found


def test_a_host_is_one_line_that_says_nothing_of_its_state() -> None:
    line = dnsmasq.host_entry(MAC, "10.77.0.11", "sch-001")
    assert line == "52:54:00:77:00:01,10.77.0.11,sch-001\n"
    assert dnsmasq.entry_address(line) == "10.77.0.11"
    assert dnsmasq.entry_address("") == ""


@pytest.mark.feature("BT8")
def test_everything_with_ipxe_asks_one_address() -> None:
    assert [line for line in lines() if line.startswith("dhcp-boot=tag:ipxe")] == ["dhcp-boot=tag:ipxe,http://10.77.0.1/boot/script"]


def test_a_name_is_one_line() -> None:
    assert dnsmasq.name_entry("10.77.0.11", "sch-001", "lab.example") == "10.77.0.11 sch-001 sch-001.lab.example\n"


@pytest.mark.parametrize(
    ("mac", "address", "name"),
    [
        (Mac("52540077000z"), "10.77.0.11", "sch-001"),
        (MAC, "10.77.0.300", "sch-001"),
        (MAC, "10.77.0.11,ignore", "sch-001"),
        (MAC, "10.77.0.11", "sch 001"),
        (MAC, "10.77.0.11", "sch-001\n00:00:00:00:00:01,ignore"),
        (MAC, "10.77.0.11", "ignore,1"),
        (MAC, "10.77.0.11", ""),
    ],
)
def test_a_malformed_host_is_refused_because_dnsmasq_would_not_tell(mac: Mac, address: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        dnsmasq.host_entry(mac, address, name)


@pytest.mark.parametrize(
    ("text", "again"),
    [("Dnsmasq version 2.90  Copyright", False), ("Dnsmasq version 2.91", True), ("Dnsmasq version 3.0", True), ("nonsense", False)],
)
def test_a_signal_is_sent_only_to_a_version_that_survives_it(text: str, again: bool) -> None:
    assert dnsmasq.reads_hosts_again(text) is again


@pytest.mark.programs
def test_the_lease_hook_passes_its_arguments_and_evaluates_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$HPS_BASE" "$PYTHONPATH" "$@" >{out}\n')
    hook = tmp_path / "lease-hook"
    hook.write_text(dnsmasq.render_lease_hook(tmp_path / "base", Path("/opt/hps"), python))
    for file in (python, hook):
        file.chmod(0o755)
    subprocess.run([str(hook), "add", "52:54:00:77:00:01", "10.77.0.11", "$(id) `id`"], check=True)
    arguments = ["-P", "-s", "-S", "-m", "hps", "timeline", "lease", "add", "52:54:00:77:00:01", "10.77.0.11", "$(id) `id`"]
    assert out.read_text().splitlines() == [str(tmp_path / "base"), "/opt/hps/lib", *arguments]


@pytest.mark.programs
def test_the_lease_hook_is_silent_about_what_a_restart_tells_again(tmp_path: Path) -> None:
    hook = tmp_path / "lease-hook"
    hook.write_text(dnsmasq.render_lease_hook(tmp_path, tmp_path, Path("/bin/false")))
    hook.chmod(0o755)
    assert subprocess.run([str(hook), "old"], env={"DNSMASQ_DATA_MISSING": "1"}, check=False).returncode == 0
    assert subprocess.run([str(hook), "old"], env={}, check=False).returncode == 1


@pytest.mark.parametrize("base", ["/srv/h ps", "/srv/$(id)", "relative", "/srv/x;y", "/srv/x\ny"])
def test_a_folder_that_would_need_quoting_is_refused(base: str) -> None:
    with pytest.raises(InvalidInput):
        dnsmasq.render_lease_hook(Path(base), Path("/opt/hps"), Path("/usr/bin/python3"))
