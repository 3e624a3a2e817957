"""Who a request is from, by every header that could say something odd; the real doors are in tests/unit/security/test_tls.py."""

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.datastructures import Headers

from hps.flows import accounts, enlist, membership, site
from hps.flows.model import BOOTING, NODE, OPERATOR, STRANGER, Caller, Site
from hps.paths import Paths
from hps.security import certificates
from hps.security.certificates import key_and_request
from hps.system import neighbour
from hps.values import Mac
from hps_api import caller
from tests.sites import mac_of, make_site, write_leases

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
ADDRESS = "10.77.0.210"
PLAIN = {"X-Hps-Door": "plain", "X-Hps-Address": ADDRESS}
DAY = 86400


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    enlist.configure(made, mac_of(1), "SCH")
    write_leases(made.paths, [(mac_of(1), ADDRESS)])
    return made


@pytest.fixture
def tls(at: Site) -> dict[str, str]:
    token = site.tokens(at).mint(mac_of(1))
    pem = membership.certificate(at, Caller(STRANGER), {"token": token, "csr": key_and_request()[1]})["certificate"]
    return {"X-Hps-Door": "tls", "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": quote(pem), "X-Hps-Address": "10.77.0.2"}


def who(at: Site, headers: dict[str, str], now: float | None = None) -> Caller:
    return caller.identify(Headers(headers), at.paths, time.time() if now is None else now)


def test_each_door_makes_its_caller(at: Site, tls: dict[str, str]) -> None:
    assert who(at, {"X-Hps-Door": "local"}) == Caller(OPERATOR, name="local")
    assert who(at, tls) == Caller(NODE, mac_of(1), "10.77.0.2")
    assert who(at, PLAIN) == Caller(BOOTING, mac_of(1), ADDRESS)
    for role in accounts.ROLES:
        made = accounts.account_create(at, Caller(OPERATOR), {"name": f"one-{role}", "role": role, "csr": key_and_request()[1]})
        found = who(at, {**tls, "X-Hps-Certificate": quote(made["certificate"])})
        assert found == Caller(role, None, "10.77.0.2", f"one-{role}")


@pytest.mark.feature("SE4")
@pytest.mark.parametrize(
    "change",
    [
        {"X-Hps-Door": ""},
        {"X-Hps-Door": "local,tls"},
        {"X-Hps-Door": "TLS"},
        {"X-Hps-Door": "plain"},
        {"X-Hps-Verified": ""},
        {"X-Hps-Verified": "NONE"},
        {"X-Hps-Verified": "FAILED:certificate has expired"},
        {"X-Hps-Verified": "SUCCESS,SUCCESS"},
        {"X-Hps-Verified": "success"},
        {"X-Hps-Certificate": ""},
        {"X-Hps-Certificate": "x"},
        {"X-Hps-Certificate": "%00"},
        {"X-Hps-Address": ""},
        {"X-Hps-Address": "10.77.0.2,10.77.0.2"},
        {"X-Hps-Address": "::1"},
        {"X-Hps-Address": "unix:"},
    ],
    ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items()),
)
def test_one_odd_header_makes_a_stranger(at: Site, tls: dict[str, str], change: dict[str, str]) -> None:
    assert who(at, tls).kind == NODE
    assert who(at, {**tls, **change}).kind == STRANGER


def test_two_certificates_in_one_header_name_nobody(at: Site, tls: dict[str, str]) -> None:
    for between in ("", ",", "%0A"):
        assert who(at, {**tls, "X-Hps-Certificate": between.join([tls["X-Hps-Certificate"]] * 2)}).kind == STRANGER


@pytest.mark.feature("SE4")
def test_what_a_caller_claims_is_never_read(at: Site) -> None:
    claims = {
        "X-Forwarded-For": ADDRESS,
        "X-Real-IP": ADDRESS,
        "Forwarded": f"for={ADDRESS}",
        "X-Mac": str(mac_of(1)),
        "X-Hps-Mac": str(mac_of(1)),
    }
    assert who(at, {"X-Hps-Door": "plain", "X-Hps-Address": "10.77.0.9", **claims}) == Caller(STRANGER, address="10.77.0.9")


def test_a_certificate_counts_only_in_its_time(at: Site, tls: dict[str, str]) -> None:
    now = time.time()
    for moment, kind in ((now - 2 * DAY, STRANGER), (now, NODE), (now + 729 * DAY, NODE), (now + 731 * DAY, STRANGER), (0.0, STRANGER)):
        assert who(at, tls, moment).kind == kind


@pytest.mark.feature("S1")
@pytest.mark.parametrize("value", ["", None])
def test_a_record_without_a_digest_lets_nobody_in(at: Site, tls: dict[str, str], value: str | None) -> None:
    enlist.set_state(at, mac_of(1), CERTIFICATE=value, CERTIFICATE_NEXT=value)
    assert who(at, tls).kind == STRANGER


def test_a_node_and_an_account_of_the_same_name_are_two(at: Site, tls: dict[str, str]) -> None:
    digits = mac_of(1).digits
    made = accounts.account_create(at, Caller(OPERATOR), {"name": digits, "role": "operator", "csr": key_and_request()[1]})
    assert who(at, {**tls, "X-Hps-Certificate": quote(made["certificate"])}) == Caller(OPERATOR, None, "10.77.0.2", digits)
    issued = certificates.issue(at.authority, key_and_request()[1], "operator", digits, 10)
    at.registry.change(site.record_name(at, mac_of(1)), lambda old: {**old, "CERTIFICATE": issued.digest})
    assert who(at, {**tls, "X-Hps-Certificate": quote(issued.pem)}).kind == STRANGER


@pytest.mark.feature("SE4")
def test_a_lease_that_ended_or_that_another_machine_uses_is_none(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    known: list[Mac | None] = [None]

    def seen(interface: str, address: str) -> Mac | None:
        asked.append((interface, address))
        return known[0]

    monkeypatch.setattr(neighbour, "ask", seen)
    for known[0], kind in ((mac_of(2), STRANGER), (mac_of(1), BOOTING), (None, BOOTING)):
        assert who(at, PLAIN).kind == kind
    assert set(asked) == {("hps0", ADDRESS)}
    assert who(at, PLAIN, time.time() + 2 * DAY).kind == STRANGER
    write_leases(at.paths, [(mac_of(1), ADDRESS)], seconds=-1)
    assert who(at, PLAIN).kind == STRANGER


def test_without_a_cluster_there_is_only_the_operator(tmp_path: Path, at: Site, tls: dict[str, str]) -> None:
    empty = Paths(tmp_path / "empty")
    for headers in (tls, PLAIN):
        assert caller.identify(Headers(headers), empty, time.time()).kind == STRANGER
    assert caller.identify(Headers({"X-Hps-Door": "local"}), empty, time.time()).kind == OPERATOR
