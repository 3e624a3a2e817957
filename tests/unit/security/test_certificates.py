"""What a request must prove, what is issued for it, and whom a certificate names."""

import hashlib
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hps.errors import InvalidInput
from hps.security import authority, certificates, signing
from hps.security.certificates import Owner
from tests.unit.security.test_authority import request_of

DIGITS = "525400770001"
DAY = 86400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ca"
    authority.ensure_authority(made, "lab")
    return made


def test_a_node_gets_our_subject_whatever_its_request_says(folder: Path) -> None:
    request = request_of(ec.generate_private_key(ec.SECP256R1()), "525400770099")
    issued = certificates.issue(folder, request, "node", DIGITS, 730, "sch-001")
    owner = certificates.certificate_owner(issued.pem)
    assert (owner.kind, owner.name, owner.digest, owner.expires) == ("node", DIGITS, issued.digest, issued.expires)
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(issued.pem)).hexdigest() == issued.digest
    certificate = x509.load_pem_x509_certificate(issued.pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["sch-001"]
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))


def test_a_certificate_is_valid_from_a_day_before_to_its_end(folder: Path) -> None:
    now = time.time()
    issued = certificates.issue(folder, request_of(signing.new_key()), "operator", "eve", 365, now=now)
    owner = certificates.certificate_owner(issued.pem)
    for moment, good in ((-1.1 * DAY, False), (-0.9 * DAY, True), (364.9 * DAY, True), (365.1 * DAY, False)):
        assert owner.valid_at(now + moment) is good
    longest = certificates.issue(folder, request_of(signing.new_key()), "operator", "eve", 99999, now=now)
    assert longest.expires == authority.state(folder).expires


def test_requests_that_prove_nothing_are_refused(folder: Path) -> None:
    good = request_of(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(ssl.PEM_cert_to_DER_cert(good.replace("CERTIFICATE REQUEST", "CERTIFICATE")))
    der[-3] ^= 1
    forged = ssl.DER_cert_to_PEM_cert(bytes(der)).replace("CERTIFICATE", "CERTIFICATE REQUEST")
    weak = request_of(rsa.generate_private_key(65537, 2048))
    curve = request_of(ec.generate_private_key(ec.SECP384R1()))
    for text in ("", "x", good[: len(good) // 2], forged, weak, curve, "A" * 20000):
        with pytest.raises(InvalidInput):
            certificates.issue(folder, text, "node", DIGITS, 1)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("admin", "eve"),
        ("", "eve"),
        ("node", "eve"),
        ("node", "52:54:00:77:00:01"),
        ("operator", "../eve"),
        ("ips", ""),
        ("node", "525400770001 "),
    ],
)
def test_nobody_else_owns_certificates(folder: Path, kind: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        certificates.issue(folder, request_of(signing.new_key()), kind, name, 1)


def signed(folder: Path, subject: x509.Name) -> str:
    own, key = authority.load(folder)
    now = time.time()
    building = signing.builder(subject, own.subject, signing.new_key().public_key(), now - DAY, now + DAY)
    return signing.pem(building.sign(key, hashes.SHA256())).decode()


def test_odd_subjects_name_nobody(folder: Path) -> None:
    common = x509.NameAttribute(NameOID.COMMON_NAME, DIGITS)
    node, operator = (x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, kind) for kind in ("node", "operator"))
    assert certificates.certificate_owner(signed(folder, x509.Name([node, common]))).kind == "node"
    for attributes in ([common], [node], [], [node, operator, common], [node, common, common], [common, node]):
        with pytest.raises(InvalidInput):
            certificates.certificate_owner(signed(folder, x509.Name(attributes)))
    good = signed(folder, x509.Name([node, common]))
    for text in ("", "x", good + good, good[:100], "-----BEGIN CERTIFICATE-----"):
        with pytest.raises(InvalidInput):
            certificates.certificate_owner(text)


def test_an_owner_without_times_is_never_valid() -> None:
    assert not Owner("node", DIGITS, "ab").valid_at(time.time())


def test_a_browser_can_import_key_and_certificate(folder: Path) -> None:
    key, request = certificates.key_and_request()
    issued = certificates.issue(folder, request, "operator", "eve", 365)
    bundle = certificates.browser_bundle(key, issued.pem, "eve of lab", "a password")
    found, certificate, _ = pkcs12.load_key_and_certificates(bundle, b"a password")
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    assert certificate is not None
    assert certificate.fingerprint(hashes.SHA256()).hex() == issued.digest
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(bundle, b"another")
