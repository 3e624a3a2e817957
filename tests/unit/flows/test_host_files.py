"""The files of hosts: one change touches the files of one host, each is replaced whole, and none stays behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.boot.script import owner_of
from hps.flows import enlist, serve
from hps.flows.model import Site
from hps.registry.model import cluster_name, host_name, os_name, setting
from tests.sites import OS_ID, mac_of, make_site

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
COUNT = 30


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    """A site with installed hosts."""
    made = make_site(tmp_path)
    for number in range(1, COUNT + 1):
        values = {"STATE": "INSTALLED", "HOSTNAME": f"sch-{number:03d}", "IP": f"10.77.0.{number + 1}", "ARCH": "x86_64"}
        made.registry.change(host_name("lab", mac_of(number)), setting(**values), create=True)
    serve.publish_all(made.paths, made.registry)
    yield made


def stamps(at: Site) -> dict[Path, tuple[int, int, int]]:
    """Every file of every host with what a change would change."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size) for path in at.paths.services.rglob("*") if path.is_file()
    }


def changed(at: Site, before: dict[Path, tuple[int, int, int]]) -> set[str]:
    """The files that are other ones since, below the folder of the services."""
    now = stamps(at)
    paths = {path for path in {*before, *now} if before.get(path) != now.get(path)}
    return {str(path.relative_to(at.paths.services)) for path in paths}


def change(at: Site, number: int, **values: str | None) -> None:
    at.registry.change(host_name("lab", mac_of(number)), setting(**values))
    serve.publish_host(at.paths, at.registry, "lab", mac_of(number))


def test_every_host_has_its_own_script(at: Site) -> None:
    found = {path.name: owner_of(path.read_text()) for path in at.paths.scripts.iterdir()}
    assert found == {f"10.77.0.{number + 1}": str(mac_of(number)) for number in range(1, COUNT + 1)}


def test_a_change_of_one_host_touches_its_files_only(at: Site) -> None:
    before = stamps(at)
    change(at, 7, STATE="INSTALL_FAILED", INSTALL_ERROR="no disk")
    assert changed(at, before) == {"scripts/10.77.0.8"}
    before = stamps(at)
    change(at, 7, HOSTNAME="sch-700")
    assert changed(at, before) == {"scripts/10.77.0.8", f"dnsmasq/hosts.d/{mac_of(7).digits}", f"dnsmasq/names.d/{mac_of(7).digits}"}
    before = stamps(at)
    change(at, 7, DESCRIPTION="in the corner")
    serve.publish_all(at.paths, at.registry)
    assert changed(at, before) == set()


def test_a_host_that_moves_leaves_nothing_at_its_old_address(at: Site) -> None:
    before = stamps(at)
    change(at, 7, IP="10.77.0.100")
    assert {name for name in changed(at, before) if name.startswith("scripts/")} == {"scripts/10.77.0.8", "scripts/10.77.0.100"}
    assert not (at.paths.scripts / "10.77.0.8").exists()
    change(at, 7, IP=None)
    assert not (at.paths.scripts / "10.77.0.100").exists()


def test_two_hosts_that_change_places_keep_their_own_scripts(at: Site) -> None:
    at.registry.change(host_name("lab", mac_of(1)), setting(IP="10.77.0.3"))
    at.registry.change(host_name("lab", mac_of(2)), setting(IP="10.77.0.2"))
    for number in (1, 2):
        serve.publish_host(at.paths, at.registry, "lab", mac_of(number))
    assert owner_of((at.paths.scripts / "10.77.0.3").read_text()) == str(mac_of(1))
    assert owner_of((at.paths.scripts / "10.77.0.2").read_text()) == str(mac_of(2))


@pytest.mark.parametrize("values", [{"STATE": "INSTALLING", "TYPE": "SCH", "OS_ID": OS_ID}, {"STATE": "REINSTALL"}, {"RESCUE": "true"}])
def test_a_host_that_must_ask_has_no_file(at: Site, values: dict[str, str]) -> None:
    change(at, 7, **values)
    assert not (at.paths.scripts / "10.77.0.8").exists()
    change(at, 7, STATE="INSTALLED", RESCUE=None)
    assert (at.paths.scripts / "10.77.0.8").exists()


def test_a_host_that_is_gone_has_no_file(at: Site) -> None:
    enlist.remove(at, mac_of(7))
    assert not [path for path in stamps(at) if path.name in ("10.77.0.8", mac_of(7).digits)]
    assert len(list(at.paths.scripts.iterdir())) == COUNT - 1


def test_a_change_of_a_system_or_of_the_cluster_reaches_every_host_that_it_concerns(at: Site) -> None:
    change(at, 7, STATE="INSTALLING", TYPE="DRH", OS_ID=OS_ID)
    assert b"waits for an image" in (at.paths.scripts / "10.77.0.8").read_bytes()
    before = stamps(at)
    at.registry.change(os_name(OS_ID), setting(IMAGE_DRH="x86_64-debian_12-DRH/1"))
    serve.publish_all(at.paths, at.registry)
    assert changed(at, before) == {"scripts/10.77.0.8"}
    change(at, 8, STATE="CONFIGURED")
    at.registry.change(cluster_name("lab"), setting(POLL_INTERVAL="77"))
    serve.publish_all(at.paths, at.registry)
    assert b"sleep 77\n" in (at.paths.scripts / "10.77.0.9").read_bytes()


def test_whoever_reads_a_script_while_it_is_replaced_reads_a_whole_one(at: Site) -> None:
    path = at.paths.scripts / "10.77.0.8"
    over = threading.Event()
    read: set[bytes] = set()

    def reader() -> None:
        while not over.is_set():
            read.add(path.read_bytes())

    thread = threading.Thread(target=reader)
    thread.start()
    texts = set()
    for _ in range(30):
        for values in ({"STATE": "INSTALL_FAILED"}, {"STATE": "INSTALLED"}, {"STATE": "CONFIGURED"}):
            change(at, 7, **values)
            texts.add(path.read_bytes())
    over.set()
    thread.join()
    assert len(texts) == 3
    assert read <= texts
    assert not [found for found in at.paths.scripts.iterdir() if found.name.startswith(".")]
