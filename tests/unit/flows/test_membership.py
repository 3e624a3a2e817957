import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hps.errors import Denied, InvalidInput, NotFound
from hps.flows import enlist, membership, progress, site
from hps.flows.model import STRANGER, Caller, Site
from hps.inventory.model import checked_audit
from hps.node.configuration import parse_files
from tests.sites import booting, mac_of, make_site, node
from tests.unit.security.test_authority import request_of

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
FILES = ("config.json", "imagename", "imageserver", "storage-layout.json")
RELEASE = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}
STRANGE = Caller(STRANGER, address="10.77.0.99")


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    enlist.configure(made, mac_of(1), "SCH")
    return made


@pytest.fixture
def csr() -> str:
    return request_of(ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.feature("S11")
def test_a_token_buys_one_certificate_and_a_second_use_is_logged(at: Site, csr: str, caplog: pytest.LogCaptureFixture) -> None:
    token = site.tokens(at).mint(mac_of(1))
    membership.certificate(at, STRANGE, {"token": token, "csr": csr})
    known = site.host_values(at, mac_of(1))["CERTIFICATE"]
    with pytest.raises(Denied, match="used before"):
        membership.certificate(at, STRANGE, {"token": token, "csr": csr})
    assert site.host_values(at, mac_of(1))["CERTIFICATE"] == known
    assert "used before" in caplog.text
    assert "10.77.0.99" in site.timeline(at).events(mac_of(1))[-1].detail
    assert token.partition(".")[2] not in caplog.text


def test_a_bad_request_does_not_spend_the_token(at: Site, csr: str) -> None:
    token = site.tokens(at).mint(mac_of(1))
    with pytest.raises(InvalidInput):
        membership.certificate(at, STRANGE, {"token": token, "csr": "x"})
    assert "BEGIN CERTIFICATE" in membership.certificate(at, STRANGE, {"token": token, "csr": csr})["certificate"]


def test_a_token_of_another_machine_is_refused(at: Site, csr: str) -> None:
    token = site.tokens(at).mint(mac_of(1))
    with pytest.raises(Denied):
        membership.certificate(at, booting(2), {"token": token, "csr": csr})
    assert "CERTIFICATE" not in site.host_values(at, mac_of(1))


def test_rubbish_tokens_leave_no_trace_of_unknown_machines(at: Site, csr: str) -> None:
    for token in ("x", "525400000099.secret", "../../x.y"):
        with pytest.raises(Denied):
            membership.certificate(at, STRANGE, {"token": token, "csr": csr})
    assert not site.timeline(at).events(mac_of(0x99))


@pytest.mark.feature("S11")
def test_the_configuration_is_given_only_while_the_host_is_installed(at: Site) -> None:
    texts = {name: membership.installer_config(at, node(1), {"name": name}).body for name in FILES}
    found = parse_files(texts)
    assert (found.node.machine.hostname, found.node.machine.address) == ("sch-001", "10.77.0.2")
    assert found.image == "x86_64-debian_12-SCH/1"
    assert found.node.hps.install_id == site.host_values(at, mac_of(1))["INSTALL_ID"]
    assert json.loads(texts["storage-layout.json"])["Encrypt"] is False
    for state in ("INSTALLED", "INSTALL_FAILED", "UNCONFIGURED", "UNMANAGED"):
        enlist.set_state(at, mac_of(1), STATE=state)
        for name in FILES:
            with pytest.raises(NotFound):
                membership.installer_config(at, node(1), {"name": name})


@pytest.mark.feature("AB12", "SV7")
def test_registering_makes_the_host_installed_and_names_its_system(at: Site) -> None:
    progress.install_begin(at, node(1), {"disk": "s", "size": "1", "blank": "true"})
    audit = {"HOST_SERIAL": "abc", "HOST_MEMORY": "512"}
    answer = membership.register(at, node(1), {"os": RELEASE, "audit": audit, "slot": "a", "image": "x/1", "booted": "1795000000.5"})
    values = site.host_values(at, mac_of(1))
    expected = {
        "STATE": "INSTALLED",
        "OS_NAME": "debian",
        "OS_VERSION": "12",
        "OS_PRETTY_NAME": RELEASE["PRETTY_NAME"],
        "SLOT": "a",
        **audit,
    }
    assert {key: values[key] for key in expected} == expected
    assert not {"INSTALL_ARMED", "INSTALL_TRIES", "INSTALL_ERROR"} & set(values)
    assert answer["session"] == site.timeline(at).events(mac_of(1))[-1].session
    assert "# local: its own disk\n" in (at.paths.scripts / values["IP"]).read_text()
    membership.register(at, node(1), {"os": {**RELEASE, "VERSION_ID": "13"}})
    assert site.host_values(at, mac_of(1))["OS_VERSION"] == "13"


def test_registering_ends_an_installation_that_was_sent_to_its_disk(at: Site) -> None:
    progress.install_begin(at, node(1), {"disk": "s", "size": "1", "blank": "true"})
    progress.install_step(at, node(1), {"step": "restart"})
    membership.register(at, node(1), {"os": RELEASE})
    assert site.host_values(at, mac_of(1))["STATE"] == "INSTALLED"


@pytest.mark.parametrize("state", ["INSTALL_FAILED", "UNMANAGED", "REINSTALL", "DISK_BOOT"])
def test_registering_does_not_undo_what_an_operator_decided(at: Site, state: str) -> None:
    enlist.set_state(at, mac_of(1), STATE=state)
    membership.register(at, node(1), {"os": RELEASE})
    assert site.host_values(at, mac_of(1))["STATE"] == state


@pytest.mark.parametrize("audit", [[], {"STATE": "INSTALLED"}, {"HOST_PROFILE": "ROOT"}, {"HOST_X": 5}, {"HOST_X": "x" * 5000}])
def test_an_audit_cannot_write_other_keys(audit: object) -> None:
    with pytest.raises(InvalidInput):
        checked_audit(audit)
