import hashlib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from hps.errors import InvalidInput
from hps.security import authority
from hps.values import Mac

MAC = Mac.parse("525400770001")


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, common: str = "whatever") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority.ensure_authority(tmp_path, "lab")
    return tmp_path


def test_the_authority_is_made_once_and_its_key_is_private(folder: Path) -> None:
    before = (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
    authority.ensure_authority(folder, "lab")
    assert ((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()) == before
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600


def test_the_fingerprint_is_of_the_certificate(folder: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text())
    assert authority.authority_fingerprint(folder) == hashlib.sha256(der).hexdigest()


def test_the_server_certificate_follows_its_names(folder: Path) -> None:
    assert authority.ensure_server_certificate(folder, ("ips", "ips.lab.example"), ("10.77.0.1",))
    assert not authority.ensure_server_certificate(folder, ("ips", "ips.lab.example"), ("10.77.0.1",))
    assert authority.ensure_server_certificate(folder, ("ips", "ips.lab.example"), ("10.78.0.1",))
    assert (folder / "ips.key").stat().st_mode & 0o777 == 0o600


def test_a_node_gets_our_subject_whatever_its_request_says(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem, digest = authority.issue_node_certificate(folder, request_of(key, "525400770099"), MAC, "sch-001")
    assert authority.certificate_owner(pem) == (MAC, digest)
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == digest
    certificate = x509.load_pem_x509_certificate(pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["sch-001"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))


def test_requests_that_prove_nothing_are_refused(folder: Path) -> None:
    good = request_of(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(ssl.PEM_cert_to_DER_cert(good.replace("CERTIFICATE REQUEST", "CERTIFICATE")))
    der[-3] ^= 1
    forged = ssl.DER_cert_to_PEM_cert(bytes(der)).replace("CERTIFICATE", "CERTIFICATE REQUEST")
    weak = request_of(rsa.generate_private_key(65537, 2048))
    for text in ("", "x", good[: len(good) // 2], forged, weak, "A" * 20000):
        with pytest.raises(InvalidInput):
            authority.issue_node_certificate(folder, text, MAC, "sch-001")
