"""Who is let in through real doors: nginx verifies, hps-api compares with the record, and whatever is odd is a stranger."""

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hps.errors import Denied
from hps.flows import accounts, enlist, membership, site
from hps.flows.certificates import change_for, record_of
from hps.flows.model import OPERATOR, STRANGER, Caller
from hps.node import credentials
from hps.node.credentials import Credentials
from hps.registry.model import setting
from hps.security import authority, certificates, passphrase
from hps.security.certificates import key_and_request
from hps.system import command
from tests.sites import mac_of, write_leases
from tests.unit.security.front import Answer, Front, ask, front

pytestmark = pytest.mark.root
DAY = 86400
REFUSED = (0, 400, 401, 403)
LOCAL = Caller(OPERATOR, name=accounts.LOCAL)


@pytest.fixture(scope="module")
def door() -> Iterator[Front]:
    with front() as made:
        yield made


@pytest.fixture
def number(door: Front) -> int:
    """A host of this test alone, being installed."""
    found = 1 + len(site.hosts(door.at))
    enlist.configure(door.at, mac_of(found), "SCH")
    return found


def joined(door: Front, number: int) -> Path:
    """The node's pair: a certificate bought with its token through the door."""
    token = site.tokens(door.at).mint(mac_of(number))
    key, csr = key_and_request()
    return door.pair(f"node{number}", door.call("certificate", {"token": token, "csr": csr}).result["certificate"], key)


def given(door: Front, number: int, now: float, days: int = 1) -> Path:
    """A pair that the record names, issued at another time."""
    key, csr = key_and_request()
    issued = certificates.issue(door.at.authority, csr, "node", mac_of(number).digits, days, "sch-001", now)
    door.at.registry.change(site.record_name(door.at, mac_of(number)), setting(**change_for("host", issued)))
    return door.pair(f"odd{number}", issued, key)


def foreign(door: Front, number: int, tmp_path: Path) -> Path:
    """A pair with this node's subject, of an authority with the same name."""
    authority.ensure_authority(tmp_path / "ca", "lab")
    key, csr = key_and_request()
    return door.pair("foreign", certificates.issue(tmp_path / "ca", csr, "node", mac_of(number).digits, 1), key)


def self_signed(door: Front, number: int) -> Path:
    """A pair with this node's subject, signed by itself."""
    key, _ = key_and_request()
    words = ("openssl", "req", "-x509", "-new", "-key", "/dev/stdin", "-days", "2", "-config", "/dev/null")
    text = command.run((*words, "-subj", f"/OU=node/CN={mac_of(number).digits}"), stdin=key.encode())
    return door.pair("self", text, key)


@pytest.mark.feature("SE2")
def test_a_member_is_who_its_certificate_says(door: Front, number: int) -> None:
    pair = joined(door, number)
    assert door.call("authenticate", pair=pair).result == {"caller": "node", "name": str(mac_of(number)), "cluster": "lab"}
    key, csr = key_and_request()
    for role in accounts.ROLES:
        made = accounts.account_create(door.at, LOCAL, {"name": f"{role}-{number}", "role": role, "csr": csr})
        shown = door.call("authenticate", pair=door.pair(role, made["certificate"], key)).result
        assert (shown["caller"], shown["name"]) == (role, f"{role}-{number}")


@pytest.mark.feature("SE4")
def test_whoever_shows_nothing_good_is_a_stranger(door: Front, number: int, tmp_path: Path) -> None:
    good, now = joined(door, number), time.time()
    assert door.call("authenticate", pair=good).status == 200
    assert door.call("authenticate").status == 401
    server = door.pair("server", (door.at.authority / "ips.pem").read_text(), (door.at.authority / "ips.key").read_text())
    for pair in (self_signed(door, number), foreign(door, number, tmp_path), server):
        assert door.call("authenticate", pair=pair).status in REFUSED
    assert door.call("authenticate", pair=good).status == 200
    # Of our authority and named by the record, but not at this time: nginx itself looks at the clock.
    for moment, days in ((now - 10 * DAY, 5), (now + 10 * DAY, 5)):
        assert door.call("authenticate", pair=given(door, number, moment, days)).status in REFUSED
    assert door.call("authenticate", pair=given(door, number, now)).status == 200
    assert door.call("authenticate", pair=good).status == 401


REVOKING: dict[str, Callable[[Front, int], object]] = {
    "the certificate is revoked": lambda door, number: membership_revoke(door, number),
    "the record is removed": lambda door, number: enlist.remove(door.at, mac_of(number)),
    "the digest is emptied": lambda door, number: enlist.set_state(door.at, mac_of(number), CERTIFICATE=""),
}


def membership_revoke(door: Front, number: int) -> Answer:
    key, csr = key_and_request()
    made = accounts.account_create(door.at, LOCAL, {"name": f"revoker-{number}", "role": "operator", "csr": csr})
    answer = door.call("certificate_revoke", {"host": str(mac_of(number))}, door.pair("revoker", made["certificate"], key))
    assert answer.result["revoked"] == "yes"
    return answer


@pytest.mark.feature("S1")
@pytest.mark.parametrize("words", REVOKING)
def test_revocation_works_at_once_on_the_connection_that_is_open(door: Front, number: int, words: str) -> None:
    connection = door.connect(joined(door, number))
    assert ask(connection, "/api/authenticate", {}).status == 200
    opened = connection.sock
    REVOKING[words](door, number)
    assert ask(connection, "/api/authenticate", {}).status == 401
    assert connection.sock is opened
    connection.close()


def test_an_account_that_is_removed_is_a_stranger_at_once(door: Front) -> None:
    key, csr = key_and_request()
    made = accounts.account_create(door.at, LOCAL, {"name": "short-lived", "role": "operator", "csr": csr})
    pair = door.pair("short", made["certificate"], key)
    connection = door.connect(pair)
    assert "accounts" in ask(connection, "/api/account_list", {}).body.decode()
    assert ask(connection, "/api/account_remove", {"name": "short-lived"}).status == 200
    assert ask(connection, "/api/account_list", {}).status == 401
    connection.close()
    # The name may be given again; the certificate of before is not good for it.
    accounts.account_create(door.at, LOCAL, {"name": "short-lived", "role": "operator", "csr": csr})
    assert door.call("account_list", pair=pair).status == 401


def test_the_old_certificate_counts_until_the_renewed_one_is_used(door: Front, number: int) -> None:
    old = joined(door, number)
    key, csr = key_and_request()
    lost = door.call("renew_certificate", {"csr": csr}, old)
    assert lost.status == 200
    new = door.pair(f"renewed{number}", door.call("renew_certificate", {"csr": csr}, old).result["certificate"], key)
    assert door.call("authenticate", pair=old).status == 200
    assert door.call("authenticate", pair=door.pair("lost", lost.result["certificate"], key)).status == 401
    assert door.call("authenticate", pair=new).status == 200
    assert door.call("authenticate", pair=old).status == 401
    values = site.host_values(door.at, mac_of(number))
    assert "CERTIFICATE_NEXT" not in values
    assert values["CERTIFICATE"] == certificates.certificate_owner(new.read_text()[len(key) :]).digest


def identity_of(door: Front, folder: Path, pair: Path) -> Credentials:
    folder.mkdir()
    found = Credentials(folder)
    found.ca.write_bytes((door.at.authority / "ca.pem").read_bytes())
    found.pair.write_bytes(pair.read_bytes())
    return found


def test_a_node_renews_when_half_of_the_life_is_over(door: Front, number: int, tmp_path: Path) -> None:
    identity = identity_of(door, tmp_path / "identity", joined(door, number))
    before = identity.pair.read_bytes()
    assert not credentials.renew(identity, door.url, time.time() + 300 * DAY)
    assert identity.pair.read_bytes() == before
    assert credentials.renew(identity, door.url, time.time() + 400 * DAY)
    assert identity.pair.read_bytes() != before
    assert identity.pair.stat().st_mode & 0o777 == 0o600
    assert not identity.renewed.exists()
    assert door.call("authenticate", pair=identity.pair).status == 200
    key = before.decode().index("-----BEGIN CERTIFICATE")
    assert door.call("authenticate", pair=door.pair("before", before.decode()[key:], before.decode()[:key])).status == 401


def test_an_operators_files_are_renewed_the_same_way(door: Front, tmp_path: Path) -> None:
    accounts.create_operator(door.at, "renewing", tmp_path / "ssl")
    found = Credentials(tmp_path / "ssl", "hps-lab")
    assert not credentials.renew(found, door.url, time.time() + 100 * DAY)
    assert credentials.renew(found, door.url, time.time() + 200 * DAY)
    assert door.call("authenticate", pair=found.pair).result == {"caller": "operator", "name": "renewing", "cluster": "lab"}
    assert sorted(path.name for path in found.folder.iterdir()) == ["hps-lab-ca.pem", "hps-lab.pem"]


@pytest.mark.parametrize("used", [False, True], ids=["before", "after"])
def test_a_renewal_that_was_cut_off_is_finished(door: Front, number: int, tmp_path: Path, used: bool) -> None:
    identity = identity_of(door, tmp_path / "identity", joined(door, number))
    key, csr = key_and_request()
    answer = door.call("renew_certificate", {"csr": csr}, identity.pair)
    identity.renewed.write_text(key + answer.result["certificate"])
    if used:
        assert door.call("authenticate", pair=identity.renewed).status == 200
    assert credentials.renew(identity, door.url, time.time())
    assert door.call("authenticate", pair=identity.pair).status == 200
    assert not identity.renewed.exists()


def test_a_renewed_pair_that_the_ips_does_not_take_is_thrown_away_only_beside_a_good_one(door: Front, number: int, tmp_path: Path) -> None:
    identity = identity_of(door, tmp_path / "identity", joined(door, number))
    identity.renewed.write_bytes(foreign(door, number, tmp_path).read_bytes())
    assert not credentials.renew(identity, door.url, time.time())
    assert not identity.renewed.exists()
    identity.renewed.write_bytes(foreign(door, number, tmp_path).read_bytes())
    enlist.set_state(door.at, mac_of(number), CERTIFICATE=None)
    with pytest.raises(Denied):
        credentials.renew(identity, door.url, time.time())
    assert identity.renewed.exists()


@pytest.mark.feature("SE2")
def test_no_parameter_and_no_header_brings_the_things_of_another_host(door: Front, number: int) -> None:
    other = number + 1
    enlist.configure(door.at, mac_of(other), "SCH")
    own, others = joined(door, number), joined(door, other)
    secret = door.call("installer_config", {"name": "config.json"}, others).body
    mine = door.call("installer_config", {"name": "config.json"}, own).body
    assert secret != mine
    mac, name = mac_of(other), site.host_values(door.at, mac_of(other))["HOSTNAME"]
    pem = others.read_text()[others.read_text().index("-----BEGIN CERTIFICATE") :].replace("\n", "%0A").replace(" ", "%20")
    claims = [
        *({"name": "config.json", key: value} for key in ("mac", "MAC", "host", "HOSTNAME") for value in (str(mac), mac.digits, name)),
        {"name": f"../{mac.digits}/config.json"},
    ]
    headers = [
        {"X-Hps-Certificate": pem, "X-Hps-Verified": "SUCCESS", "X-Hps-Door": "tls"},
        {"X-Hps-Door": "local"},
        {"X_Hps_Door": "local", "X-HPS-DOOR": "local", "x-hps-door": "local"},
        {"X-Forwarded-For": f"{door.network}.9", "X-Real-IP": f"{door.network}.9", "Forwarded": f"for={door.network}.9"},
        {"X-Hps-Address": f"{door.network}.9", "X-Mac": str(mac), "Ssl-Client-Cert": pem},
    ]
    for claim in claims:
        answer = door.call("installer_config", claim, own)
        assert answer.status != 200 or answer.body == mine
    for more in headers:
        for pair in (own, None):
            answer = door.call("installer_config", {"name": "config.json"}, pair, headers=more)
            assert (answer.status, answer.body) == (200, mine) if pair else answer.status in REFUSED
        plain = door.call("account_list", door="http", headers=more)
        assert plain.status in REFUSED


@pytest.mark.feature("S10")
def test_eight_first_requests_at_once_get_exactly_one_certificate(door: Front, number: int) -> None:
    token = site.tokens(door.at).mint(mac_of(number))
    wishes = [key_and_request() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda wish: door.call("certificate", {"token": token, "csr": wish[1]}), wishes))
    bought = [(answer, wish[0]) for answer, wish in zip(answers, wishes, strict=True) if answer.status == 200]
    assert sorted(answer.status for answer in answers) == [200, *[401] * 7]
    pair = door.pair("bought", bought[0][0].result["certificate"], bought[0][1])
    assert door.call("authenticate", pair=pair).result["name"] == str(mac_of(number))
    assert sum(b"BEGIN CERTIFICATE" in answer.body for answer in answers) == 1


@pytest.mark.feature("S9")
def test_guessing_tells_nothing_about_which_machines_there_are(door: Front, number: int) -> None:
    write_leases(door.at.paths, [(mac_of(number), f"{door.network}.210")])
    site.tokens(door.at).mint(mac_of(number))
    _, csr = key_and_request()
    told: dict[str, set[tuple[int, int]]] = {"token": set(), "mac": set()}
    before = {path.name for path in site.tokens(door.at).folder.iterdir()}
    # From many addresses: one that asks often would only be told that it does.
    for source, mac in enumerate((mac_of(number), *(mac_of(0xA00000 + guess) for guess in range(30))), 20):
        answer = door.call("certificate", {"token": f"{mac.digits}.guess", "csr": csr}, source=source)
        told["token"].add((answer.status, len(answer.body)))
        connection = door.connect(door="http", source=source)
        connection.request("GET", f"/hps-api?cmd=init&mac={mac}", headers={"Accept": "application/json"})
        answer_of = connection.getresponse()
        told["mac"].add((answer_of.status, len(answer_of.read())))
        connection.close()
    assert {kind: len(seen) for kind, seen in told.items()} == {"token": 1, "mac": 1}
    assert {status for seen in told.values() for status, _ in seen} == {401}
    # What was guessed leaves no file for each guess behind.
    assert len({path.name for path in site.tokens(door.at).folder.iterdir()} - before) <= 256
    assert all(not name[0].isalnum() or name in before for name in (path.name for path in site.tokens(door.at).folder.iterdir()))


@pytest.mark.feature("SE4", "S9")
def test_a_lease_brings_boot_decisions_to_its_address_and_nothing_else(door: Front, number: int) -> None:
    write_leases(door.at.paths, [(mac_of(number), f"{door.network}.210")])
    answers = {source: get(door.connect(door="http", source=source), "/hps-api?cmd=init") for source in (210, 11)}
    assert (answers[210].status, answers[11].status) == (200, 401)
    assert b"hps.token" not in answers[11].body
    for name in ("authenticate", "installer_config", "renew_certificate", "account_list", "certificate_revoke"):
        assert door.call(name, door="http", source=210).status == 403


def get(connection: http.client.HTTPConnection, path: str) -> Answer:
    connection.request("GET", path, headers={"User-Agent": "curl/8", "Accept": "application/json"})
    answer = connection.getresponse()
    found = Answer(answer.status, answer.read())
    connection.close()
    return found


@pytest.mark.feature("S1")
@pytest.mark.parametrize("token", ["", -1, 0, None, False, [], {}, "-1", ".", "null", "525400000001.", "525400000001.None"], ids=repr)
def test_no_falsy_or_odd_token_is_one(door: Front, number: int, token: object) -> None:
    _, csr = key_and_request()
    assert door.call("certificate", {"token": token, "csr": csr}).status in (400, 401)
    assert door.call("certificate", {"token": token, "csr": csr, "mac": str(mac_of(number))}).status in (400, 401)
    assert "CERTIFICATE" not in site.host_values(door.at, mac_of(number))


def test_the_record_of_a_role_is_asked_too(door: Front) -> None:
    key, csr = key_and_request()
    made = accounts.account_create(door.at, LOCAL, {"name": "changing", "role": "ips", "csr": csr})
    pair = door.pair("changing", made["certificate"], key)
    assert door.call("authenticate", pair=pair).result["caller"] == "ips"
    door.at.registry.change(record_of(door.at, "ips", "changing"), setting(ROLE="operator"))
    assert door.call("authenticate", pair=pair).status == 401


def test_a_locked_authority_refuses_and_the_token_stays_good(door: Front, number: int) -> None:
    token = site.tokens(door.at).mint(mac_of(number))
    _, csr = key_and_request()
    try:
        authority.protect(door.at.authority, "correct horse")
        passphrase.forget(door.at.authority)
        answer = door.call("certificate", {"token": token, "csr": csr})
        assert (answer.status, b"hps authority unlock" in answer.body) == (409, True)
    finally:
        authority.unlock(door.at.authority, "correct horse")
        authority.protect(door.at.authority, "")
    assert membership.certificate(door.at, Caller(STRANGER), {"token": token, "csr": csr})["certificate"]
