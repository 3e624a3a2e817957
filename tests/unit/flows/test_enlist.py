import multiprocessing
from pathlib import Path

import pytest

from hps.errors import InvalidInput, NotFound, Refused
from hps.flows import decide, enlist, site
from hps.paths import Paths
from hps.values import Mac
from tests.sites import OS_ID, booting, mac_of, make_site, write_leases

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs


def test_a_first_contact_is_enlisted_once(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    values = enlist.first_contact(at, mac_of(1), "amd64")
    assert (values["STATE"], values["ARCH"]) == ("UNCONFIGURED", "x86_64")
    assert enlist.first_contact(at, mac_of(1)) == values
    assert "ARCH" not in enlist.first_contact(at, mac_of(2), "mips")


@pytest.mark.feature("UI7")
def test_configuring_gives_a_name_an_address_and_one_permission(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    host = enlist.configure(at, mac_of(1), "sch")
    expected = {"HOSTNAME": "sch-001", "IP": "10.77.0.2", "STATE": "INSTALLING", "TYPE": "SCH", "OS_ID": OS_ID, "INSTALL_ARMED": "blank"}
    assert {key: host.values[key] for key in expected} == expected
    assert (at.paths.services / "dnsmasq/hosts.d" / mac_of(1).digits).read_text() == f"{mac_of(1)},10.77.0.2,sch-001\n"
    assert enlist.configure(at, mac_of(2), "SCH", erase=True).values["INSTALL_ARMED"] == "erase"


@pytest.mark.feature("BT1", "BT8")
def test_the_boot_script_of_a_host_follows_its_state(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    script = at.paths.scripts / "10.77.0.2"
    enlist.configure(at, mac_of(1), "SCH")
    assert not script.exists()
    enlist.set_state(at, mac_of(1), STATE="INSTALLED")
    assert script.read_text().startswith("#!ipxe\n# local: its own disk\n")
    enlist.set_state(at, mac_of(1), RESCUE="true")
    assert not script.exists()


@pytest.mark.feature("BT11")
def test_a_machine_that_comes_back_has_its_name_and_address_again(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    for number in (1, 2, 3):
        enlist.configure(at, mac_of(number), "SCH")
    enlist.unconfigure(at, mac_of(2))
    enlist.configure(at, mac_of(4), "SCH")
    back = enlist.configure(at, mac_of(2), "SCH")
    assert (back.values["HOSTNAME"], back.values["IP"]) == ("sch-002", "10.77.0.3")
    assert enlist.configure(at, mac_of(2), "TCH").values["HOSTNAME"] == "tch-001"


def test_no_address_left_changes_nothing(tmp_path: Path) -> None:
    at = make_site(tmp_path, NETWORK_CIDR="10.77.0.0/29", DHCP_RANGESIZE="4")
    enlist.configure(at, mac_of(1), "SCH")
    enlist.first_contact(at, mac_of(2))
    before = site.host_values(at, mac_of(2))
    with pytest.raises(Refused) as caught:
        enlist.configure(at, mac_of(2), "SCH")
    assert "hps host remove" in caught.value.hint
    assert site.host_values(at, mac_of(2)) == before
    with pytest.raises(Refused):
        enlist.configure(at, mac_of(3), "SCH")
    assert not site.host_values(at, mac_of(3))
    enlist.remove(at, mac_of(1))
    assert enlist.configure(at, mac_of(3), "SCH").values["IP"] == "10.77.0.2"


def test_addresses_of_servers_and_of_strangers_leases_are_left_alone(tmp_path: Path) -> None:
    at = make_site(tmp_path, DEFAULT_ROUTE="10.77.0.2", NTP_LOCAL_SERVER="10.77.0.3")
    write_leases(at.paths, [(mac_of(9), "10.77.0.4"), (mac_of(1), "10.77.0.5")])
    assert enlist.configure(at, mac_of(1), "SCH").values["IP"] == "10.77.0.5"


def test_what_cannot_be_configured(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    with pytest.raises(InvalidInput):
        enlist.configure(at, mac_of(1), "XYZ")
    with pytest.raises(InvalidInput):
        enlist.configure(at, mac_of(1), "SCH", "x86_64:plan:9")
    with pytest.raises(Refused, match="no image"):
        enlist.configure(at, mac_of(1), "DRH")
    assert not site.hosts(at)


def test_an_installed_host_is_not_installed_over(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    enlist.configure(at, mac_of(1), "SCH")
    enlist.set_state(at, mac_of(1), STATE="INSTALLED")
    with pytest.raises(Refused):
        enlist.configure(at, mac_of(1), "SCH")
    with pytest.raises(Refused):
        enlist.arm(at, mac_of(1), erase=True)
    assert enlist.reinstall(at, mac_of(1)).state == "REINSTALL"
    assert enlist.reinstall(at, mac_of(1), erase=True).values["INSTALL_ARMED"] == "erase"


def test_unknown_hosts(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    for verb in (enlist.unconfigure, enlist.arm, enlist.reinstall, enlist.remove):
        with pytest.raises(NotFound):
            verb(at, mac_of(7))
    assert not site.hosts(at)


def _contact(base: Path, number: int) -> None:
    at = site.open_site(Paths(base))
    decide.init(at, booting(number), {"arch": "x86_64"})
    enlist.configure(at, mac_of(number), "SCH")


def test_twenty_machines_at_once_get_twenty_names_and_addresses(tmp_path: Path) -> None:
    make_site(tmp_path)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_contact, args=(tmp_path, number)) for number in range(1, 21)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 20
    hosts = site.hosts(site.open_site(Paths(tmp_path)))
    assert {host.values["HOSTNAME"] for host in hosts} == {f"sch-{number:03d}" for number in range(1, 21)}
    assert {host.values["IP"] for host in hosts} == {f"10.77.0.{number}" for number in range(2, 22)}


def test_the_same_machine_twice_at_once_is_one_host(tmp_path: Path) -> None:
    at = make_site(tmp_path)
    first, second = (enlist.configure(at, Mac.parse(text), "SCH") for text in ("52:54:00:00:00:01", "525400000001"))
    assert (first.values["HOSTNAME"], first.values["IP"]) == (second.values["HOSTNAME"], second.values["IP"])
