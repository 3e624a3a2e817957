"""Client certificates: what a request must prove, what is issued for it, and whom a certificate speaks for (IPS only).

The subject is ours, whatever a request says: OU is what the owner is, CN the digits of a node's MAC address or the name of
an account. That a certificate is of our authority is not enough to speak: the record of its owner names the one that counts.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hps.errors import InvalidInput
from hps.security import authority
from hps.security.signing import leaf, name, new_key, pem, private
from hps.values import Mac, checked_host_name, checked_name

NODE, OPERATOR, IPS = "node", "operator", "ips"
OWNER_KINDS = (NODE, OPERATOR, IPS)
MAXIMUM_REQUEST = 16384
"""Bytes of the largest certificate request that is read."""


@dataclass(frozen=True)
class Owner:
    """Whom a certificate speaks for: what it is, its name (digits of a MAC address or an account), and which certificate it is.

    `digest` is the SHA-256 of its DER form; `starts` and `expires` are epoch seconds.
    """

    kind: str
    name: str
    digest: str
    starts: float = 0
    expires: float = 0

    def valid_at(self, now: float) -> bool:
        """Whether the certificate is valid at this time, epoch seconds."""
        return self.starts <= now < self.expires


@dataclass(frozen=True)
class Issued:
    """A new certificate in PEM form, the SHA-256 of its DER form, and its end in epoch seconds."""

    pem: str
    digest: str
    expires: float


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


def issue(directory: Path, csr_pem: str, kind: str, owner: str, days: int, host: str = "", now: float | None = None) -> Issued:
    """A client certificate: the key of the request, and a subject of ours.

    Args:
        directory: the authority's folder.
        csr_pem: the request, PKCS#10 in PEM form.
        kind: what the owner is, one of OWNER_KINDS.
        owner: digits of a node's MAC address, or the name of an account.
        days: how long it is valid; never longer than the authority.
        host: the host name of a node.
        now: epoch seconds.

    Raises:
        InvalidInput: the request is not well formed or not signed by its key.
        Refused: the authority is locked, or its files are missing or damaged.
    """
    request = check_request(csr_pem)
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    own, signing = authority.load(directory)
    moment = time.time() if now is None else now
    building = leaf(own, name(_checked_owner(kind, owner), kind), key, ExtendedKeyUsageOID.CLIENT_AUTH, days, moment)
    if host:
        building = building.add_extension(x509.SubjectAlternativeName([x509.DNSName(checked_host_name(host))]), critical=False)
    certificate = building.sign(signing, hashes.SHA256())
    return Issued(pem(certificate).decode(), certificate.fingerprint(hashes.SHA256()).hex(), certificate.not_valid_after_utc.timestamp())


def certificate_owner(pem_text: str) -> Owner:
    """Whom a certificate names; that it may speak is another question. Raises InvalidInput."""
    try:
        if pem_text.count("-----BEGIN ") != 1:
            raise ValueError("not one certificate")
        certificate = x509.load_pem_x509_certificate(pem_text.encode())
        found = [(attribute.oid, str(attribute.value)) for attribute in certificate.subject]
    except ValueError as error:
        raise InvalidInput("the client certificate cannot be read") from error
    if [oid for oid, _ in found] != [NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME]:
        raise InvalidInput("the client certificate names nobody of this cluster")
    (_, kind), (_, owner) = found
    return Owner(
        kind=kind,
        name=_checked_owner(kind, owner),
        digest=certificate.fingerprint(hashes.SHA256()).hex(),
        starts=certificate.not_valid_before_utc.timestamp(),
        expires=certificate.not_valid_after_utc.timestamp(),
    )


def key_and_request() -> tuple[str, str]:
    """A new private key (PKCS#8) and a request signed by it, both in PEM form."""
    key = new_key()
    request = x509.CertificateSigningRequestBuilder().subject_name(name("hps")).sign(key, hashes.SHA256())
    return private(key).decode(), request.public_bytes(serialization.Encoding.PEM).decode()


def browser_bundle(key_pem: str, certificate_pem: str, title: str, password: str) -> bytes:
    """Key and certificate as a browser imports them (PKCS#12), encrypted with this password."""
    key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    sealed = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(title.encode(), key, certificate, None, sealed)


def _checked_owner(kind: str, owner: str) -> str:
    if kind not in OWNER_KINDS:
        raise InvalidInput(f"{kind[:20]!r} owns no certificates", hint="one of: " + ", ".join(OWNER_KINDS))
    if kind != NODE:
        return checked_name(owner, "account name")
    if Mac.parse(owner).digits != owner:
        raise InvalidInput(f"{owner[:20]!r} is not written as 12 lower-case digits")
    return owner
