"""Accounts, their certificates, and the files of operators."""

import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from hps.errors import Denied, InvalidInput, NotFound, Refused
from hps.flows import accounts, certificates, enlist, membership, site
from hps.flows.model import NODE, OPERATOR, STRANGER, Caller, Site
from hps.registry.model import account_name
from hps.security import authority, passphrase
from hps.security.certificates import Owner, certificate_owner, key_and_request
from tests.sites import mac_of, make_site, node

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
LOCAL = Caller(OPERATOR, name=accounts.LOCAL)


@pytest.fixture
def at(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def made(at: Site, name: str = "eve", role: str = "operator") -> Owner:
    answer = accounts.account_create(at, LOCAL, {"name": name, "role": role, "csr": key_and_request()[1]})
    return certificate_owner(answer["certificate"])


def test_an_account_is_made_listed_and_removed(at: Site) -> None:
    owner = made(at)
    assert (owner.kind, owner.name) == ("operator", "eve")
    assert certificates.accept(at, owner)
    (only,) = accounts.account_list(at, LOCAL, {})["accounts"]
    assert (only["NAME"], only["ROLE"], only["EXPIRES"]) == ("eve", "operator", certificates.timestamp(owner.expires))
    accounts.account_remove(at, LOCAL, {"name": "eve"})
    with pytest.raises(NotFound):
        certificates.accept(at, owner)
    with pytest.raises(NotFound):
        accounts.account_remove(at, LOCAL, {"name": "eve"})


@pytest.mark.parametrize("name", ["local", "", "../x", ".x", "a/b", "a b", "x" * 65, "é"])
def test_odd_names_make_no_account(at: Site, name: str) -> None:
    with pytest.raises(InvalidInput):
        made(at, name)
    assert accounts.account_list(at, LOCAL, {})["accounts"] == []


def test_a_name_is_given_once_however_many_ask(at: Site) -> None:
    outcomes: list[str] = []

    def ask() -> None:
        try:
            outcomes.append(made(at).digest)
        except Refused as error:
            outcomes.append(error.word)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["refused"] * 7 or outcomes.count("refused") == 7
    (digest,) = (word for word in outcomes if word != "refused")
    assert accounts.account_list(at, LOCAL, {})["accounts"][0]["CERTIFICATE"] == digest


@pytest.mark.feature("S1")
@pytest.mark.parametrize("known", ["", None])
def test_an_empty_digest_is_nobodys(at: Site, known: str | None) -> None:
    made(at)
    name = account_name("lab", "eve")
    at.registry.change(
        name, lambda old: {key: value for key, value in old.items() if key != "CERTIFICATE"} | ({"CERTIFICATE": ""} if known == "" else {})
    )
    for digest in ("", "0", "None"):
        assert not certificates.accept(at, Owner("operator", "eve", digest))


def test_the_first_use_of_a_renewed_certificate_withdraws_the_old_one(at: Site) -> None:
    old = made(at)
    caller = Caller(OPERATOR, None, "10.77.0.9", "eve")
    new = certificate_owner(certificates.renew_certificate(at, caller, {"csr": key_and_request()[1]})["certificate"])
    assert certificates.accept(at, old)
    assert certificates.accept(at, new)
    assert certificates.accept(at, new)
    assert not certificates.accept(at, old)
    values = at.registry.read(account_name("lab", "eve")).values
    assert (values["CERTIFICATE"], values["EXPIRES"]) == (new.digest, certificates.timestamp(new.expires))
    assert "CERTIFICATE_NEXT" not in values


def test_a_record_that_cannot_be_written_locks_no_renewed_certificate_out(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made(at)
    caller = Caller(OPERATOR, None, "10.77.0.9", "eve")
    new = certificate_owner(certificates.renew_certificate(at, caller, {"csr": key_and_request()[1]})["certificate"])

    def full(*_arguments: object, **_more: object) -> None:
        raise Refused("no space")

    monkeypatch.setattr(at.registry, "change", full)
    assert certificates.accept(at, new)


def test_who_has_no_certificate_renews_none(at: Site) -> None:
    _, csr = key_and_request()
    with pytest.raises(Denied):
        certificates.renew_certificate(at, LOCAL, {"csr": csr})
    enlist.configure(at, mac_of(1), "SCH")
    with pytest.raises(Denied, match="withdrawn"):
        certificates.renew_certificate(at, node(1), {"csr": csr})
    assert "CERTIFICATE_NEXT" not in site.host_values(at, mac_of(1))


def test_a_host_loses_both_certificates_by_revocation(at: Site) -> None:
    enlist.configure(at, mac_of(1), "SCH")
    token = site.tokens(at).mint(mac_of(1))
    first = membership.certificate(at, Caller(STRANGER), {"token": token, "csr": key_and_request()[1]})
    second = certificates.renew_certificate(at, node(1), {"csr": key_and_request()[1]})
    answer = certificates.certificate_revoke(at, LOCAL, {"host": "sch-001"})
    assert answer == {"host": "sch-001", "revoked": "yes"}
    for issued in (first, second):
        assert not certificates.accept(at, certificate_owner(issued["certificate"]))
    assert certificates.certificate_revoke(at, LOCAL, {"host": str(mac_of(1))})["revoked"] == "it had none"
    with pytest.raises(NotFound):
        certificates.certificate_revoke(at, LOCAL, {"host": "nobody"})


def test_installing_again_withdraws_the_renewed_certificate_too(at: Site) -> None:
    enlist.configure(at, mac_of(1), "SCH")
    for _ in range(2):
        token = site.tokens(at).mint(mac_of(1))
        membership.certificate(at, Caller(STRANGER), {"token": token, "csr": key_and_request()[1]})
        assert "CERTIFICATE_NEXT" not in site.host_values(at, mac_of(1))
        renewed = certificates.renew_certificate(at, node(1), {"csr": key_and_request()[1]})
    membership.certificate(at, Caller(STRANGER), {"token": site.tokens(at).mint(mac_of(1)), "csr": key_and_request()[1]})
    assert not certificates.accept(at, certificate_owner(renewed["certificate"]))


def test_the_life_of_a_nodes_certificate_is_a_key_of_the_cluster(tmp_path: Path) -> None:
    at = make_site(tmp_path, CERTIFICATE_DAYS="10")
    assert (certificates.lifetime(at, NODE), certificates.lifetime(at, OPERATOR)) == (10, certificates.OPERATOR_DAYS)


def test_an_operator_gets_files_of_its_own(at: Site, tmp_path: Path) -> None:
    folder = tmp_path / "home/.ssl"
    pair, trusted, browser = accounts.create_operator(at, "eve", folder, "a password")
    assert [path.name for path in (pair, trusted, browser)] == ["hps-lab.pem", "hps-lab-ca.pem", "hps-lab.p12"]
    assert {path.name: path.stat().st_mode & 0o777 for path in (folder, pair, browser)} == {
        ".ssl": 0o700,
        pair.name: 0o600,
        browser.name: 0o600,
    }
    assert trusted.read_bytes() == (at.authority / "ca.pem").read_bytes()
    text = pair.read_text()
    assert certificates.accept(at, certificate_owner(text[text.index("-----BEGIN CERTIFICATE") :]))
    assert pkcs12.load_key_and_certificates(browser.read_bytes(), b"a password")[0] is not None
    with pytest.raises(Refused, match="is there already"):
        accounts.create_operator(at, "adam", folder)
    assert pair.read_text() == text
    assert [each["NAME"] for each in accounts.account_list(at, LOCAL, {})["accounts"]] == ["eve"]


def test_files_of_another_cluster_of_this_name_stay(at: Site, tmp_path: Path) -> None:
    (tmp_path / "ssl").mkdir()
    (tmp_path / "ssl/hps-lab-ca.pem").write_text("another authority\n")
    with pytest.raises(Refused, match="another cluster"):
        accounts.create_operator(at, "eve", tmp_path / "ssl")
    assert (tmp_path / "ssl/hps-lab-ca.pem").read_text() == "another authority\n"
    assert accounts.account_list(at, LOCAL, {})["accounts"] == []


def test_an_operator_whose_files_cannot_be_written_gets_no_account(at: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused, match="cannot be written"):
        accounts.create_operator(at, "eve", tmp_path / "file" / "ssl")
    assert accounts.account_list(at, LOCAL, {})["accounts"] == []


def test_whoever_makes_a_cluster_is_its_first_operator_once(at: Site, tmp_path: Path) -> None:
    words = accounts.first_operator(at.paths, at.registry, "lab", tmp_path / "ssl")
    assert str(tmp_path / "ssl/hps-lab.pem") in words
    assert accounts.first_operator(at.paths, at.registry, "lab", tmp_path / "ssl") == ""
    assert len(accounts.account_list(at, LOCAL, {})["accounts"]) == 1


def test_a_full_folder_is_no_failure_of_making_a_cluster(at: Site, tmp_path: Path) -> None:
    (tmp_path / "hps-lab.pem").write_text("another cluster's\n")
    assert "no operator's certificate was made" in accounts.first_operator(at.paths, at.registry, "lab", tmp_path)
    assert (tmp_path / "hps-lab.pem").read_text() == "another cluster's\n"


def test_a_cluster_is_founded_once(at: Site) -> None:
    assert accounts.found_cluster(at.paths, "second")
    assert not accounts.found_cluster(at.paths, "second")
    assert (at.paths.authority("second") / "ca.pem").read_bytes() != (at.authority / "ca.pem").read_bytes()
    for name in ("../x", "", "a/b"):
        with pytest.raises(InvalidInput):
            accounts.found_cluster(at.paths, name)


@pytest.mark.feature("S22")
def test_no_file_with_a_secret_is_open_to_others_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    old = os.umask(0)
    request.addfinalizer(lambda: os.umask(old))
    at = make_site(tmp_path / "ips")
    authority.ensure_server_certificate(at.authority, ("ips",), ("10.77.0.1",))
    enlist.configure(at, mac_of(1), "SCH")
    token = site.tokens(at).mint(mac_of(1))
    membership.certificate(at, Caller(STRANGER), {"token": token, "csr": key_and_request()[1]})
    accounts.create_operator(at, "eve", tmp_path / "home/.ssl", "a password")
    request.addfinalizer(lambda: passphrase.forget(at.authority))
    authority.protect(at.authority, "correct horse")
    secrets = (b"PRIVATE KEY", b"correct horse", token.partition(".")[2].encode())
    holding = [path for path in (*tmp_path.rglob("*"), passphrase.place(at.authority)) if path.is_file() and holds(path, secrets)]
    assert {path.name for path in holding} >= {"ca.key", "ips.key", "hps-lab.pem", "hps-lab.p12", passphrase.place(at.authority).name}
    assert [path for path in holding if path.stat().st_mode & 0o077] == []


def holds(path: Path, secrets: tuple[bytes, ...]) -> bool:
    return path.suffix == ".p12" or any(secret in path.read_bytes() for secret in secrets)
