import hashlib
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from hps.errors import Denied, InvalidInput, Refused
from hps.security import authority, certificates, fingerprint, passphrase, signing

DAY = 86400
NAMES = (("ips", "ips.lab.example"), ("10.77.0.1",))


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, common: str = "whatever") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "ca"
    authority.ensure_authority(made, "lab")
    return made


def secrets_of(folder: Path) -> tuple[bytes, ...]:
    return tuple((folder / name).read_bytes() for name in ("ca.pem", "ca.key"))


@pytest.mark.feature("S22")
def test_the_authority_is_made_once_and_its_key_is_private(folder: Path) -> None:
    before = secrets_of(folder)
    assert not authority.ensure_authority(folder, "lab")
    assert secrets_of(folder) == before
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_fingerprint_is_of_the_certificate(folder: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text())
    assert fingerprint.of(folder) == authority.state(folder).fingerprint == hashlib.sha256(der).hexdigest()


def test_the_server_certificate_follows_its_names(folder: Path) -> None:
    assert authority.ensure_server_certificate(folder, *NAMES)
    assert not authority.ensure_server_certificate(folder, *NAMES)
    assert authority.ensure_server_certificate(folder, NAMES[0], ("10.78.0.1",))
    assert (folder / "ips.key").stat().st_mode & 0o777 == 0o600


def test_the_server_certificate_follows_the_clock(folder: Path) -> None:
    now = time.time()
    authority.ensure_server_certificate(folder, *NAMES)
    last = now + (authority.SERVER_DAYS - authority.RENEWED_DAYS) * DAY
    assert not authority.ensure_server_certificate(folder, *NAMES, now=last - 60)
    assert authority.ensure_server_certificate(folder, *NAMES, now=last + 60)
    # The clock goes back: what was made ahead of it is not valid yet, and is made again.
    assert not authority.server_usable(folder, now)
    assert authority.ensure_server_certificate(folder, *NAMES, now=now)
    assert authority.server_usable(folder, now)
    assert not authority.server_usable(folder, now + (authority.SERVER_DAYS + 1) * DAY)


@pytest.mark.parametrize("name", ["ips.key", "ips.pem"])
def test_a_damaged_server_certificate_is_made_again(folder: Path, name: str) -> None:
    authority.ensure_server_certificate(folder, *NAMES)
    (folder / name).write_bytes(b"")
    assert not authority.server_usable(folder)
    assert authority.ensure_server_certificate(folder, *NAMES)
    assert authority.server_usable(folder)


@pytest.mark.feature("S1")
@pytest.mark.parametrize("name", ["ca.key", "ca.pem"])
@pytest.mark.parametrize("content", [None, b"", b"\n", b"-----BEGIN", "half"])
def test_a_missing_empty_or_damaged_secret_is_refused_and_never_made_anew(folder: Path, name: str, content: bytes | str | None) -> None:
    authority.check(folder)
    old = (folder / name).read_bytes()
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(old[: len(old) // 2] if isinstance(content, str) else content)
        (folder / name).chmod(0o600)
    for act in (lambda: authority.check(folder), lambda: authority.ensure_authority(folder, "lab"), lambda: authority.load(folder)):
        with pytest.raises(Refused, match=name):
            act()


@pytest.mark.feature("S22")
def test_a_key_that_others_can_read_or_that_is_another_one_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "ca.key").chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        authority.check(folder)
    authority.ensure_authority(tmp_path / "other", "lab")
    (folder / "ca.key").unlink()
    (tmp_path / "other/ca.key").rename(folder / "ca.key")
    with pytest.raises(Refused, match="is not the key of"):
        authority.check(folder)


def test_a_clock_outside_the_life_of_the_authority_is_said(folder: Path) -> None:
    for moment in (0.0, time.time() - 2 * DAY, time.time() + 8000 * DAY):
        with pytest.raises(Refused, match="not valid at this time"):
            authority.check(folder, now=moment)


@pytest.mark.programs
def test_a_passphrase_encrypts_the_key_and_a_locked_authority_issues_nothing(folder: Path) -> None:
    try:
        authority.protect(folder, "correct horse")
        assert (folder / "ca.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
        kept = passphrase.place(folder)
        assert kept.read_text() == "correct horse"
        assert kept.stat().st_mode & 0o777 == 0o600
        request = request_of(signing.new_key())
        certificates.issue(folder, request, "operator", "eve", 1)
        passphrase.forget(folder)
        authority.check(folder)
        assert (authority.state(folder).encrypted, authority.state(folder).unlocked) == (True, False)
        for act in (
            lambda: certificates.issue(folder, request, "operator", "eve", 1),
            lambda: authority.ensure_server_certificate(folder, *NAMES),
            lambda: authority.protect(folder, "another one"),
        ):
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.hint == "hps authority unlock"
        for wrong in ("", "wrong horse", "correct horse "):
            with pytest.raises(Denied) as denied:
                authority.unlock(folder, wrong)
            assert "horse" not in str(denied.value)
        assert not kept.exists()
        authority.unlock(folder, "correct horse")
        certificates.issue(folder, request, "operator", "eve", 1)
        authority.protect(folder, "")
        assert not kept.exists()
        authority.check(folder)
        assert not authority.state(folder).encrypted
    finally:
        passphrase.forget(folder)


@pytest.mark.programs
@pytest.mark.feature("S1")
def test_a_torn_encrypted_key_is_found_even_while_it_is_locked(folder: Path) -> None:
    try:
        authority.protect(folder, "correct horse")
    finally:
        passphrase.forget(folder)
    lines = (folder / "ca.key").read_text().splitlines(keepends=True)
    (folder / "ca.key").write_text("".join((*lines[:2], lines[-1])))
    with pytest.raises(Refused, match="damaged"):
        authority.check(folder)


@pytest.mark.parametrize("text", ["short", "x" * 201, "two\nlines of it", "null\0null"])
def test_a_passphrase_that_cannot_be_kept_changes_nothing(folder: Path, text: str) -> None:
    before = secrets_of(folder)
    with pytest.raises(InvalidInput) as refused:
        authority.protect(folder, text)
    assert text not in str(refused.value)
    assert secrets_of(folder) == before
    assert not passphrase.place(folder).exists()


def test_an_authority_without_a_passphrase_has_nothing_to_unlock(folder: Path) -> None:
    with pytest.raises(Refused, match="no passphrase"):
        authority.unlock(folder, "anything at all")
