"""A client certificate with its key, and the CA that it trusts: made in memory, moved to the state partition, renewed in place.

Key and certificate are one file, so that they are replaced as one. A renewed pair lies beside it until the IPS has taken it.
"""

import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from hps.errors import Denied, InvalidInput, Unreachable
from hps.system import command, files, http

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Credentials:
    """The files of one owner in a folder: a node's `node.pem` and `ca.pem`, or an operator's `hps-<cluster>.pem` and `…-ca.pem`."""

    folder: Path
    name: str = "node"

    @property
    def ca(self) -> Path:
        """The certificate of the cluster's CA."""
        return self.folder / ("ca.pem" if self.name == "node" else f"{self.name}-ca.pem")

    @property
    def pair(self) -> Path:
        """The private key, which never leaves this machine, and the client certificate; mode 0600."""
        return self.folder / f"{self.name}.pem"

    @property
    def renewed(self) -> Path:
        """The pair that takes the place of the first one as soon as the IPS has taken it."""
        return self.folder / f".{self.name}.next.pem"

    def tls(self, pair: Path | None = None) -> http.Tls:
        """Mutual TLS with these files."""
        return http.Tls(self.ca, pair or self.pair)

    def certificate(self) -> str:
        """The client certificate in PEM form; raises NotFound, InvalidInput where there is none in the file."""
        found = _CERTIFICATE.search(files.read_text(self.pair))
        if found is None:
            raise InvalidInput(f"{self.pair} holds no certificate")
        return found[0]


def fingerprint(pem: str) -> str:
    """SHA-256 of the DER form of the first certificate in PEM text, lower-case hexadecimal; raises InvalidInput."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    except ValueError as error:
        raise InvalidInput("what should be a certificate is none") from error


def trust(credentials: Credentials, url: str, expected: str) -> None:
    """Fetch the CA's certificate and keep it only when it is the one that the boot script named.

    Raises Denied for any other, Unreachable when there is none.
    """
    response = http.request("GET", f"{url}/ca.pem", limit=1 << 16)
    if response.status != 200:
        raise Unreachable(f"{url}/ca.pem answered with status {response.status}", hint="is a cluster active on the IPS?")
    pem = response.body.decode("ascii", "replace")
    try:
        found = fingerprint(pem)
    except InvalidInput as error:
        raise Denied(f"{url}/ca.pem is not a certificate", hint="another server answers for the IPS on this network") from error
    if not hmac.compare_digest(found, expected):
        raise Denied(
            f"the certificate at {url}/ca.pem is not the cluster's CA: it has SHA-256 {found[:16]}…, the boot script said {expected[:16]}…",
            hint="another server answers for the IPS on this network, or the CA was made anew: start this machine again",
        )
    files.write(credentials.ca, pem.encode())


def make_key() -> str:
    """A new private key on the curve P-256, PEM."""
    return command.run(("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def make_request(key: str) -> str:
    """A certificate request signed by this key, PEM. Its subject is only a wish: the IPS puts its own into the certificate."""
    # Standard input by way of /proc: the installer's /dev has no link for it.
    words = ("openssl", "req", "-new", "-key", "/proc/self/fd/0", "-subj", "/CN=hps", "-config", "/dev/null")
    return command.run(words, stdin=key.encode())


def certificate_in(answer: object) -> str:
    """The certificate in an answer of the IPS; raises InvalidInput where there is none."""
    pem = answer.get("certificate") if isinstance(answer, dict) else None
    if not isinstance(pem, str) or _CERTIFICATE.search(pem) is None:
        raise InvalidInput("the IPS answered without a certificate")
    return pem


def request_certificate(credentials: Credentials, tls_url: str, token: str) -> str:
    """Make a key, spend the one-time token on a certificate for it, and return the certificate's fingerprint.

    Raises Denied when the token is not accepted: it may have been used already.
    """
    key = make_key()
    answer = http.post_json(f"{tls_url}/api/certificate", {"token": token, "csr": make_request(key)}, http.Tls(credentials.ca))
    pem = certificate_in(answer)
    found = fingerprint(pem)
    files.write(credentials.pair, (key + pem).encode(), mode=0o600)
    return found


def left(pem: str, now: float) -> float:
    """How much of a certificate's life is left, from 1.0 at its beginning to 0.0 at its end; raises InvalidInput."""
    words = command.run(("openssl", "x509", "-noout", "-startdate", "-enddate"), stdin=pem.encode())
    found = dict(line.split("=", 1) for line in words.splitlines() if "=" in line)
    try:
        start, end = (ssl.cert_time_to_seconds(found[name]) for name in ("notBefore", "notAfter"))
    except (KeyError, ValueError) as error:
        raise InvalidInput("the certificate does not say when it is valid") from error
    return (end - now) / (end - start)


def settle(credentials: Credentials, url: str) -> bool:
    """Finish a renewal that was interrupted: a renewed pair that the IPS takes is the pair from now on.

    One that it does not take is thrown away, once it is sure that the pair before it is still good: of two that are both
    refused, by whoever answers, none is lost. Returns whether there was one that it took.

    Raises:
        Denied: the IPS takes neither of them.
        Unreachable: it does not answer; nothing has changed then.
    """
    if not credentials.renewed.exists():
        return False
    try:
        http.post_json(f"{url}/api/authenticate", {}, credentials.tls(credentials.renewed))
    except (Denied, InvalidInput):
        http.post_json(f"{url}/api/authenticate", {}, credentials.tls())
        files.remove(credentials.renewed)
        return False
    files.move(credentials.renewed, credentials.pair)
    files.flush_directory(credentials.folder)
    return True


def renew(credentials: Credentials, url: str, now: float, part: float = 0.5) -> bool:
    """Renew the certificate where less than this part of its life is left; True where there is a new one.

    With a new key. The old pair is good until the IPS has seen the new one, so this can be cut off at any moment.

    Raises:
        Denied: the IPS does not take the old one any more: it ended, or was withdrawn.
        Unreachable: the IPS does not answer.
    """
    if settle(credentials, url):
        return True
    if left(credentials.certificate(), now) >= part:
        return False
    key = make_key()
    answer = http.post_json(f"{url}/api/renew_certificate", {"csr": make_request(key)}, credentials.tls())
    files.write(credentials.renewed, (key + certificate_in(answer)).encode(), mode=0o600)
    return settle(credentials, url)


def move(credentials: Credentials, folder: Path, configuration: str) -> None:
    """Put the identity into its folder on the state partition, the key readable by root only."""
    files.make_directory(folder, mode=0o700)
    files.write(folder / "config.json", configuration.encode(), mode=0o600)
    for source, mode in ((credentials.ca, 0o644), (credentials.pair, 0o600)):
        files.write(folder / source.name, source.read_bytes(), mode=mode)
