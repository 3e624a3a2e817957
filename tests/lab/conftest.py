"""Fixtures of the lab: one IPS for the whole run, machines for each test, and a transcript of every failure."""

import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.lab import transcript
from tests.lab.fleet import Fleet, install
from tests.lab.ips import Ips
from tests.lab.network import Network
from tests.lab.yard import Yard

_current: list[Yard] = []


@pytest.fixture(scope="session")
def ips() -> Iterator[Ips]:
    """The shipped IPS on a network of its own, serving the cluster `lab`."""
    network = Network.for_this_run()
    folder = Path(tempfile.mkdtemp(prefix="hps-lab-"))
    found = Ips(network, folder / "ips")
    try:
        network.create()
        found.prepare()
        found.start()
        found.listeners_before = found.dhcp_listeners()
        found.activate()
        yield found
        found.stop()
    except BaseException:
        transcript.keep("set-up", [], found)
        raise
    finally:
        network.remove()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def silence(ips: Ips) -> list[str]:
    """What listened for DHCP while all services ran and no cluster was active."""
    return ips.listeners_before


@pytest.fixture(scope="session")
def yard(ips: Ips) -> Iterator[Yard]:
    """Machines that live until the end of the run."""
    made = Yard(ips, ips.paths.base.parent / "machines")
    _current.append(made)
    yield made
    made.cut_all()


@pytest.fixture(scope="session")
def fleet(yard: Yard) -> Fleet:
    """Three machines that were installed at the same time."""
    return install(yard)


@pytest.fixture
def machines(yard: Yard) -> Iterator[Yard]:
    """The same yard; what a test made there is scrapped after it."""
    before = len(yard.machines)
    yield yard
    for machine in yard.machines[before:]:
        yard.scrap(machine)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what machines and services said when a test fails, and say where."""
    report = yield
    if report.failed and _current:
        place = transcript.keep(item.name, _current, _current[0].ips)
        report.sections.append(("transcript", f"kept in {place}"))
    return report
