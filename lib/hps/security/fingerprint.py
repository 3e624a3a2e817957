"""The fingerprint of the authority, with the standard library alone."""

import hashlib
import ssl
from pathlib import Path

from hps.errors import InvalidInput
from hps.system import files


def of(directory: Path) -> str:
    """SHA-256 of the authority's certificate (DER) as 64 hexadecimal digits; raises NotFound, InvalidInput."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(files.read_text(directory / "ca.pem"))).hexdigest()
    except ValueError as error:
        raise InvalidInput(f"{directory / 'ca.pem'} is not a certificate", hint="restore its folder from the backup") from error
