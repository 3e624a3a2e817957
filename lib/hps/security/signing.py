"""What certificates are made of: keys on P-256, subjects, validity and extensions (RFC 5280). IPS only: needs `cryptography`."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = 86400
"""Seconds."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new key on the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def leaf(
    authority: x509.Certificate, subject: x509.Name, key: ec.EllipticCurvePublicKey, purpose: x509.ObjectIdentifier, days: int, now: float
) -> x509.CertificateBuilder:
    """A certificate of this authority for one purpose, valid for so many days from now, and not longer than the authority itself."""
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    end = min(now + days * DAY, authority.not_valid_after_utc.timestamp())
    return (
        builder(subject, authority.subject, key, now - DAY, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )


def builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: float, end: float) -> x509.CertificateBuilder:
    """A certificate with a random serial number, valid between two moments in epoch seconds."""
    first, last = (datetime.datetime.fromtimestamp(int(moment), datetime.UTC) for moment in (start, end))
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return begun.serial_number(x509.random_serial_number()).not_valid_before(first).not_valid_after(last)


def name(common: str, unit: str = "") -> x509.Name:
    """A subject: a common name, and an organizational unit where one is given."""
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    return x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate in PEM form."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def public_pem(holder: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    """The public key of a certificate or of a private key, in PEM form."""
    return holder.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM form (PKCS#8), not encrypted."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
