"""The node's key, certificate and CA: made in memory, moved to the state partition when there is one."""

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from pathlib import Path

from hps.errors import Denied, InvalidInput, Unreachable
from hps.system import command, files, http
from hps.values import Mac


@dataclass(frozen=True)
class Credentials:
    """The folder of the three files."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The certificate of the cluster's CA."""
        return self.folder / "ca.pem"

    @property
    def key(self) -> Path:
        """The private key, mode 0600; it never leaves this machine."""
        return self.folder / "node.key"

    @property
    def certificate(self) -> Path:
        """The client certificate that the IPS gave for the one-time token."""
        return self.folder / "node.crt"

    def tls(self) -> http.Tls:
        """Mutual TLS with these files."""
        return http.Tls(self.ca, self.certificate, self.key)


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


def request_certificate(credentials: Credentials, tls_url: str, token: str, mac: Mac) -> str:
    """Make a key, spend the one-time token on a certificate for it, and return the certificate's fingerprint.

    Raises Denied when the token is not accepted: it may have been used already.
    """
    key = command.run(("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    files.write(credentials.key, key.encode(), mode=0o600)
    # The subject is only a wish: the IPS puts its own into the certificate.
    request = command.run(("openssl", "req", "-new", "-key", str(credentials.key), "-subj", f"/CN={mac.digits}", "-config", "/dev/null"))
    answer = http.post_json(f"{tls_url}/api/certificate", {"token": token, "csr": request}, http.Tls(credentials.ca))
    pem = answer.get("certificate") if isinstance(answer, dict) else None
    if not isinstance(pem, str):
        raise InvalidInput("the IPS answered without a certificate")
    found = fingerprint(pem)
    files.write(credentials.certificate, pem.encode())
    return found


def move(credentials: Credentials, folder: Path, configuration: str) -> None:
    """Put the identity into its folder on the state partition, the key readable by root only."""
    files.make_directory(folder, mode=0o700)
    files.write(folder / "config.json", configuration.encode(), mode=0o600)
    for source, mode in ((credentials.ca, 0o644), (credentials.certificate, 0o644), (credentials.key, 0o600)):
        files.write(folder / source.name, source.read_bytes(), mode=mode)
