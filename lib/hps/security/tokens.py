"""One-time tokens: what a machine whose operating system does not run yet proves itself with, once.

A token is `<mac>.<secret>`. Of the secret only a digest is stored, in one file for each MAC: minting again voids the one
before. A spent token's file stays until the next one is minted, so that a second use can be told from a wrong one.
"""

import hashlib
import hmac
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from hps.errors import Denied, InvalidInput, NotFound
from hps.registry.text import parse_record, render_record
from hps.system import files, lock
from hps.values import Mac

LIFETIME = 15 * 60
"""Seconds for which a token lives."""


class Fault(Enum):
    """Why a token was not taken."""

    UNKNOWN = "it is not the token that was given"
    EXPIRED = "it is too old"
    USED = "it was used before"


class TokenDenied(Denied):
    """A token that was not taken, and whose machine it names, for the log."""

    def __init__(self, fault: Fault, mac: Mac | None) -> None:
        super().__init__(f"the token was refused: {fault.value}", hint="restart the machine: each network boot brings a new token")
        self.fault = fault
        self.mac = mac


@dataclass(frozen=True)
class TokenStore:
    """The tokens of one cluster, one file for each MAC address below a folder, mode 0600."""

    folder: Path

    def mint(self, mac: Mac, now: float | None = None) -> str:
        """A new token for this machine; the one before it is void from now on."""
        secret = secrets.token_urlsafe(24)
        expiry = int((time.time() if now is None else now) + LIFETIME)
        with self._locked(mac):
            self._write(mac, {"DIGEST": _digest(mac, secret), "EXPIRES": str(expiry)})
        return f"{mac.digits}.{secret}"

    def spend(self, token: str, now: float | None = None) -> Mac:
        """Use a token up and return whose it is; of any number of uses at once exactly one succeeds.

        Raises:
            TokenDenied: it is wrong, too old or used before.
        """
        mac, secret = parse_token(token)
        with self._locked(mac):
            stored = self._read(mac)
            known, expires = stored.get("DIGEST", ""), stored.get("EXPIRES", "")
            if not known or not expires.isdecimal() or not hmac.compare_digest(known, _digest(mac, secret)):
                raise TokenDenied(Fault.UNKNOWN, mac)
            if "USED" in stored:
                raise TokenDenied(Fault.USED, mac)
            moment = time.time() if now is None else now
            if moment >= int(expires):
                raise TokenDenied(Fault.EXPIRED, mac)
            self._write(mac, {**stored, "USED": str(int(moment))})
        return mac

    def void(self, mac: Mac) -> None:
        """Forget the token of a machine."""
        with self._locked(mac):
            files.remove(self.folder / mac.digits)

    def _locked(self, mac: Mac) -> AbstractContextManager[None]:
        # A fixed number of locks: whoever guesses MAC addresses leaves no file behind for each.
        return lock.exclusive(self.folder / f".{hashlib.sha256(mac.digits.encode()).hexdigest()[:2]}.lock")

    def _read(self, mac: Mac) -> dict[str, str]:
        try:
            return parse_record(files.read_text(self.folder / mac.digits))
        except NotFound as error:
            raise TokenDenied(Fault.UNKNOWN, mac) from error

    def _write(self, mac: Mac, values: dict[str, str]) -> None:
        files.write(self.folder / mac.digits, render_record(values).encode(), mode=0o600)


def parse_token(token: str) -> tuple[Mac, str]:
    """The machine that a token names, and its secret; raises TokenDenied."""
    digits, _, secret = token.partition(".")
    try:
        return Mac.parse(digits), secret
    except InvalidInput as error:
        raise TokenDenied(Fault.UNKNOWN, None) from error


def _digest(mac: Mac, secret: str) -> str:
    return hashlib.sha256(f"{mac.digits}.{secret}".encode()).hexdigest()
