"""The cluster's certificate authority: its key, and the server certificate of the IPS (IPS only: needs `cryptography`).

Files in its folder (mode 0700): ca.pem, ca.key (0600), ips.pem, ips.key (0600). Keys are EC P-256. Every certificate is
valid from a day before now, so that a machine whose clock is a little slow accepts it. The key is encrypted at rest where
the operator set a passphrase (PKCS#8 with scrypt); that lies in memory while the authority is unlocked.
"""

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from hps.errors import Denied, HpsError, Refused
from hps.security import passphrase
from hps.security.signing import DAY, builder, leaf, name, new_key, pem, private, public_pem
from hps.system import command, files, lock

AUTHORITY_DAYS, SERVER_DAYS = 7300, 730
RENEWED_DAYS = 30
"""Days before its end at which the certificate of the IPS is made again."""

_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_RESTORE = "restore the authority's folder from the backup: machines trust this one authority"


@dataclass(frozen=True)
class State:
    """What there is to know about an authority: fingerprint, end in epoch seconds, whether its key is encrypted and usable."""

    fingerprint: str
    expires: float
    encrypted: bool
    unlocked: bool


def ensure_authority(directory: Path, cluster: str) -> bool:
    """Make the authority of a cluster where there is none; True where it was made. Raises Refused where half of one is there."""
    files.make_directory(directory, mode=0o700)
    with lock.exclusive(directory / ".lock"):
        if (directory / "ca.pem").exists() or (directory / "ca.key").exists():
            check(directory)
            return False
        key = new_key()
        subject = name(f"HPS {cluster}")
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        now = time.time()
        certificate = (
            builder(subject, subject, key.public_key(), now - DAY, now + AUTHORITY_DAYS * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        files.write(directory / "ca.key", private(key), mode=0o600)
        files.write(directory / "ca.pem", pem(certificate))
        return True


def ensure_server_certificate(directory: Path, names: Sequence[str], addresses: Sequence[str], now: float | None = None) -> bool:
    """Make the certificate of the IPS for these names and addresses; True where it was made or made again.

    One that names the same, is ours, is valid and has a month left stays as it is.

    Raises:
        Refused: the authority is locked, or its files are missing or damaged.
    """
    moment = time.time() if now is None else now
    wanted: list[x509.GeneralName] = [
        *(x509.DNSName(each) for each in names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
    with lock.exclusive(directory / ".lock"):
        if _server_fits(directory, _certificate(directory), wanted, moment):
            return False
        authority, signing = load(directory)
        key = new_key()
        certificate = (
            leaf(authority, name(names[0]), key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH, SERVER_DAYS, moment)
            .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
            .sign(signing, hashes.SHA256())
        )
        files.write(directory / "ips.key", private(key), mode=0o600)
        files.write(directory / "ips.pem", pem(certificate))
        return True


def server_usable(directory: Path, now: float | None = None) -> bool:
    """Whether there is a certificate of the IPS that is ours and valid now, whatever it names."""
    moment = time.time() if now is None else now
    try:
        found = _server(directory, _certificate(directory))
    except HpsError:
        return False
    return found is not None and found.not_valid_before_utc.timestamp() <= moment < found.not_valid_after_utc.timestamp()


def check(directory: Path, now: float | None = None) -> None:
    """Raise Refused where certificate or key are missing, empty, damaged, readable by others, or not valid now."""
    moment = time.time() if now is None else now
    certificate = _certificate(directory)
    content = _key_file(directory)
    if not certificate.not_valid_before_utc.timestamp() <= moment < certificate.not_valid_after_utc.timestamp():
        raise Refused(f"{directory / 'ca.pem'} is not valid at this time", hint="is the clock of this machine right? date -u")
    if not content.startswith(_ENCRYPTED) or passphrase.kept(directory):
        load(directory)
    else:
        _check_form(directory, content)


def load(directory: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The authority's certificate and its key; raises Refused where they are missing or damaged, or the key is locked."""
    certificate = _certificate(directory)
    content = _key_file(directory)
    words = passphrase.kept(directory) if content.startswith(_ENCRYPTED) else ""
    if content.startswith(_ENCRYPTED) and not words:
        raise Refused("the key of the authority is locked", hint="hps authority unlock")
    key = _key(directory, content, words)
    if public_pem(key) != public_pem(certificate):
        raise Refused(f"{directory / 'ca.key'} is not the key of ca.pem beside it", hint=_RESTORE)
    return certificate, key


def protect(directory: Path, text: str) -> None:
    """Encrypt the key with this passphrase and keep it unlocked; the empty one leaves the key in plain text.

    Raises:
        InvalidInput: the passphrase is too short, too long, or not one line.
        Refused: the key is locked, missing or damaged.
    """
    with lock.exclusive(directory / ".lock"):
        _, key = load(directory)
        before = passphrase.kept(directory)
        if not text:
            files.write(directory / "ca.key", private(key), mode=0o600)
            passphrase.forget(directory)
            return
        passphrase.keep(directory, passphrase.checked(text))
        try:
            # openssl-pkcs8(1): of all programs at hand this one derives with scrypt, which makes guessing cost memory.
            words = ("openssl", "pkcs8", "-topk8", "-scrypt", "-passout", f"file:{passphrase.place(directory)}")
            content = command.run(words, stdin=private(key), timeout=60).encode()
            _key(directory, content, text)
            files.write(directory / "ca.key", content, mode=0o600)
        except HpsError:
            if before:
                passphrase.keep(directory, before)
            else:
                passphrase.forget(directory)
            raise


def unlock(directory: Path, text: str) -> None:
    """Keep the passphrase in memory until `passphrase.forget` or a restart.

    Raises:
        Denied: it is not the passphrase of this key.
        Refused: the key has none, is missing or damaged.
    """
    content = _key_file(directory)
    if not content.startswith(_ENCRYPTED):
        raise Refused("the key of the authority has no passphrase", hint="set one: hps authority passphrase")
    try:
        _key(directory, content, text)
    except Refused as error:
        raise Denied("that is not the passphrase of the authority's key") from error
    passphrase.keep(directory, text)


def state(directory: Path) -> State:
    """What there is to know; raises Refused where the authority's files are missing or damaged."""
    certificate = _certificate(directory)
    encrypted = _key_file(directory).startswith(_ENCRYPTED)
    return State(
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        expires=certificate.not_valid_after_utc.timestamp(),
        encrypted=encrypted,
        unlocked=not encrypted or bool(passphrase.kept(directory)),
    )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", hint=_RESTORE) from error
    if not content.strip():
        raise Refused(f"{path} is empty", hint=_RESTORE)
    return content


def _certificate(directory: Path) -> x509.Certificate:
    path = directory / "ca.pem"
    try:
        return x509.load_pem_x509_certificate(_content(path))
    except ValueError as error:
        raise Refused(f"{path} is damaged", hint=_RESTORE) from error


def _key_file(directory: Path) -> bytes:
    path = directory / "ca.key"
    content = _content(path)
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by others than its owner", hint=f"chmod 600 {path}; whoever read it can join the cluster")
    return content


def _key(directory: Path, content: bytes, words: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=words.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = "hps authority unlock, or: " + _RESTORE if words else _RESTORE
        raise Refused(f"{directory / 'ca.key'} cannot be used: it is damaged, or its passphrase is another one", hint=hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Refused(f"{directory / 'ca.key'} is a key of another kind", hint=_RESTORE)
    return key


def _check_form(directory: Path, content: bytes) -> None:
    """Raise Refused where an encrypted key is not well formed, as far as that shows without its passphrase."""
    try:
        serialization.load_pem_private_key(content, password=None)
    except TypeError:
        return
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"{directory / 'ca.key'} is damaged", hint=_RESTORE) from error


def _server(directory: Path, authority: x509.Certificate) -> x509.Certificate | None:
    """The certificate of the IPS where it is of this authority and has its key, or None."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / "ips.pem").read_bytes())
        certificate.verify_directly_issued_by(authority)
        key = serialization.load_pem_private_key((directory / "ips.key").read_bytes(), password=None)
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return None
    return certificate if isinstance(key, ec.EllipticCurvePrivateKey) and public_pem(key) == public_pem(certificate) else None


def _server_fits(directory: Path, authority: x509.Certificate, wanted: list[x509.GeneralName], now: float) -> bool:
    certificate = _server(directory, authority)
    if certificate is None:
        return False
    try:
        named = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return False
    start, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return named == wanted and start <= now < end - RENEWED_DAYS * DAY
