from pathlib import Path

import pytest

from hps.errors import Refused
from hps.flows import enlist, progress, site
from hps.flows.model import Site
from tests.sites import mac_of, make_site, node

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
EMPTY = {"disk": "serial-1", "size": "8589934592", "blank": "true"}
FULL = {**EMPTY, "blank": "false"}


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    enlist.configure(made, mac_of(1), "SCH")
    return made


@pytest.mark.feature("S25")
def test_an_empty_disk_is_permitted_once(at: Site) -> None:
    progress.install_begin(at, node(1), EMPTY)
    values = site.host_values(at, mac_of(1))
    assert "INSTALL_ARMED" not in values
    assert (values["INSTALL_DISK"], values["INSTALL_TRIES"]) == ("serial-1", "1")
    with pytest.raises(Refused):
        progress.install_begin(at, node(1), {**EMPTY, "disk": "serial-2"})


@pytest.mark.feature("S25")
def test_a_disk_with_data_needs_the_operator(at: Site) -> None:
    with pytest.raises(Refused) as caught:
        progress.install_begin(at, node(1), FULL)
    assert caught.value.hint == "hps host arm sch-001 --erase"
    assert "INSTALL_DISK" not in site.host_values(at, mac_of(1))
    enlist.arm(at, mac_of(1), erase=True)
    progress.install_begin(at, node(1), FULL)
    assert "INSTALL_ARMED" not in site.host_values(at, mac_of(1))


@pytest.mark.feature("S25")
def test_after_a_power_cut_the_same_disk_goes_on_but_not_for_ever(at: Site) -> None:
    progress.install_begin(at, node(1), EMPTY)
    for _ in range(progress.MAXIMUM_TRIES - 1):
        progress.install_begin(at, node(1), FULL)
    with pytest.raises(Refused, match="5 times"):
        progress.install_begin(at, node(1), FULL)


@pytest.mark.parametrize("state", ["UNCONFIGURED", "INSTALLED", "INSTALL_FAILED", "DISK_BOOT", "UNMANAGED", "REINSTALL"])
def test_only_a_host_that_is_being_installed_may_begin(at: Site, state: str) -> None:
    enlist.set_state(at, mac_of(1), STATE=state)
    with pytest.raises(Refused):
        progress.install_begin(at, node(1), EMPTY)
    assert site.host_values(at, mac_of(1))["INSTALL_ARMED"] == "blank"


@pytest.mark.feature("S25")
def test_a_failure_is_remembered_and_disarms(at: Site) -> None:
    enlist.arm(at, mac_of(1), erase=True)
    progress.install_failed(at, node(1), {"reason": "no disk\nfound"})
    values = site.host_values(at, mac_of(1))
    assert (values["STATE"], values["INSTALL_ERROR"]) == ("INSTALL_FAILED", "no disk found")
    assert "INSTALL_ARMED" not in values
    assert site.timeline(at).events(mac_of(1))[-1].event == "failed"
    with pytest.raises(Refused):
        progress.install_failed(at, node(1), {"reason": "again"})
    again = enlist.arm(at, mac_of(1))
    assert again.state == "INSTALLING"
    assert "INSTALL_ERROR" not in again.values


def test_steps_reach_the_timeline_with_their_own_times(at: Site) -> None:
    site.timeline(at).record(mac_of(1), "script", "install")
    start = site.timeline(at).events(mac_of(1))[0].time
    progress.install_step(at, node(1), {"step": "network", "detail": "eth0", "time": str(start + 0.001)})
    found = site.timeline(at).events(mac_of(1))[-1]
    assert (found.event, found.detail, found.source) == ("network", "eth0", "installer")
    assert found.time == pytest.approx(start + 0.001, abs=0.002)


@pytest.mark.feature("LG6")
def test_a_log_line_carries_the_id_of_the_boot(at: Site, caplog: pytest.LogCaptureFixture) -> None:
    session = site.timeline(at).record(mac_of(1), "script", "install")
    assert progress.log_message(at, node(1), {"message": "hello\nworld", "function": "n_test"}) == {"session": session}
    assert f"sch-001 [{session}] n_test: hello world" in caplog.text


@pytest.mark.feature("S25", "I53")
def test_after_the_last_step_no_boot_installs_again(at: Site) -> None:
    progress.install_begin(at, node(1), EMPTY)
    progress.install_step(at, node(1), {"step": "unmounted"})
    assert site.host_values(at, mac_of(1))["STATE"] == "INSTALLING"
    progress.install_step(at, node(1), {"step": "restart"})
    values = site.host_values(at, mac_of(1))
    assert (values["STATE"], values["INSTALL_TRIES"]) == ("DISK_BOOT", "1")
    assert "INSTALL_DISK" not in values
    assert "# local: its own disk\n" in (at.paths.scripts / values["IP"]).read_text()
    with pytest.raises(Refused):
        progress.install_begin(at, node(1), FULL)
