"""The cluster's certificate authority, its server certificate and the certificates of nodes (IPS only: needs `cryptography`).

Files in its folder: ca.pem, ca.key (0600), ips.pem, ips.key (0600). Keys are EC P-256. Every certificate is valid from
a day before now, so that a machine whose clock is a little slow accepts it.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hps.errors import HpsError, InvalidInput
from hps.security import fingerprint
from hps.system import files, lock
from hps.values import Mac, checked_host_name

DAY = datetime.timedelta(days=1)
AUTHORITY_LIFETIME = 7300 * DAY
CERTIFICATE_LIFETIME = 3650 * DAY
MAXIMUM_REQUEST = 16384
"""Bytes of the largest certificate request that is read."""


def ensure_authority(directory: Path, cluster: str) -> None:
    """Make the authority of a cluster where there is none; one that exists stays as it is."""
    with lock.exclusive(directory / ".lock"):
        if (directory / "ca.pem").exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"HPS {cluster}")
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            _builder(name, name, key.public_key(), AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        files.write(directory / "ca.key", _private(key), mode=0o600)
        files.write(directory / "ca.pem", _pem(certificate))


def ensure_server_certificate(directory: Path, names: Sequence[str], addresses: Sequence[str]) -> bool:
    """Make the certificate of the IPS for these names and addresses; True where it was made or made again.

    One that names the same, is ours and has a month left stays as it is.
    """
    wanted: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
    with lock.exclusive(directory / ".lock"):
        authority, signing = _authority(directory)
        if _server_fits(directory, authority, wanted):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _leaf(authority, _name(names[0]), key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH)
            .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
            .sign(signing, hashes.SHA256())
        )
        files.write(directory / "ips.key", _private(key), mode=0o600)
        files.write(directory / "ips.pem", _pem(certificate))
        return True


def authority_fingerprint(directory: Path) -> str:
    """SHA-256 of the authority's certificate (DER), 64 hexadecimal digits; raises NotFound."""
    return fingerprint.of(directory)


def check_request(csr_pem: str) -> x509.CertificateSigningRequest:
    """A certificate request whose signature shows that its sender holds the key; raises InvalidInput."""
    if len(csr_pem) > MAXIMUM_REQUEST:
        raise InvalidInput("the certificate request is too large")
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        valid = request.is_signature_valid
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise InvalidInput("the certificate request cannot be read", hint="send PKCS#10 in PEM form") from error
    if not valid:
        raise InvalidInput("the certificate request is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidInput("the certificate request holds a key of another kind", hint="make an EC key on the curve P-256")
    return request


def issue_node_certificate(directory: Path, csr_pem: str, mac: Mac, host_name: str) -> tuple[str, str]:
    """A client certificate for a node: the key of the request, and a subject of ours, whatever the request says.

    Returns:
        The certificate in PEM form, and the SHA-256 of its DER as 64 hexadecimal digits.

    Raises:
        InvalidInput: the request is not well formed or not signed by its key.
    """
    request = check_request(csr_pem)
    authority, signing = _authority(directory)
    certificate = (
        _leaf(authority, _name(mac.digits), request.public_key(), ExtendedKeyUsageOID.CLIENT_AUTH)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(checked_host_name(host_name))]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    return _pem(certificate).decode(), certificate.fingerprint(hashes.SHA256()).hex()


def certificate_owner(pem: str) -> tuple[Mac, str]:
    """The MAC address in the subject of a node's certificate, and the SHA-256 of its DER; raises InvalidInput."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:
        raise InvalidInput("the client certificate cannot be read") from error
    if len(names) != 1:
        raise InvalidInput("the client certificate names no machine")
    return Mac.parse(str(names[0].value)), certificate.fingerprint(hashes.SHA256()).hex()


def _authority(directory: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate = x509.load_pem_x509_certificate(files.read_text(directory / "ca.pem").encode())
    key = serialization.load_pem_private_key(files.read_text(directory / "ca.key").encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise HpsError(
            "the authority's key is of another kind", hint="the folder config/ca was changed by hand: restore it from the backup"
        )
    return certificate, key


def _server_fits(directory: Path, authority: x509.Certificate, wanted: list[x509.GeneralName]) -> bool:
    if not (directory / "ips.pem").exists() or not (directory / "ips.key").exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate((directory / "ips.pem").read_bytes())
        certificate.verify_directly_issued_by(authority)
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return list(named) == wanted and certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > 30 * DAY


def _leaf(authority: x509.Certificate, subject: x509.Name, key: object, purpose: x509.ObjectIdentifier) -> x509.CertificateBuilder:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, authority.subject, key, CERTIFICATE_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    start = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return start.serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + lifetime)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
