"""The Ed25519 signature (RFC 8032) of a manifest, its last line, made and checked with the program openssl."""

import base64
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hps.errors import CommandFailed, Denied, InvalidInput, NotFound
from hps.images.manifest import MAXIMUM_BYTES, Manifest, parse_manifest
from hps.system import command, files, lock

_LINE = re.compile(rb"signature ed25519 ([A-Za-z0-9+/]{86}==)\n")
_LENGTH = len("signature ed25519 \n") + 88


def create_key(directory: Path) -> Path:
    """Make `image.key` (0600) and `image.pub` in a directory, or keep those that are there; the path of the private key."""
    key = directory / "image.key"
    with lock.exclusive(directory / ".image.lock"):
        if not key.exists():
            files.write(key, command.run(["openssl", "genpkey", "-algorithm", "ed25519"]).encode(), mode=0o600)
        public = command.run(["openssl", "pkey", "-pubout", "-in", str(key)]).encode()
        if not public_key(key).exists() or public_key(key).read_bytes() != public:
            files.write(public_key(key), public)
    return key


def public_key(key: Path) -> Path:
    """The public half beside a private key."""
    return key.with_suffix(".pub")


def sign(unsigned: bytes, key: Path) -> bytes:
    """The text with its signature line; raises NotFound where there is no key."""
    if not key.exists():
        raise NotFound(f"there is no signing key {key}", hint="hps image key makes it")
    if not unsigned.endswith(b"\n"):
        raise InvalidInput("what is to be signed does not end with a whole line")
    with tempfile.TemporaryDirectory(prefix="hps-sign-") as folder:
        text, signature = Path(folder, "text"), Path(folder, "signature")
        files.write(text, unsigned, mode=0o600)
        command.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key), "-in", str(text), "-out", str(signature)])
        return unsigned + b"signature ed25519 " + base64.b64encode(signature.read_bytes()) + b"\n"


def verify(content: bytes, keys: Sequence[Path]) -> Manifest:
    """The manifest, read only after one of the public keys vouched for every byte of it.

    Raises Denied when it is not signed or no key fits, InvalidInput when it is too large or what was signed is malformed.
    """
    if len(content) > MAXIMUM_BYTES:
        raise InvalidInput(f"the manifest is larger than {MAXIMUM_BYTES} bytes")
    unsigned, line = content[:-_LENGTH], content[-_LENGTH:]
    found = _LINE.fullmatch(line)
    if found is None or not unsigned.endswith(b"\n"):
        raise Denied("the manifest has no signature at its end", hint="publish the image with hps image build")
    if not keys:
        raise Denied("there is no public key to check the manifest with", hint="put one into /etc/hps/image-keys")
    raw = base64.b64decode(found[1])
    if base64.b64encode(raw) != found[1]:
        raise Denied("the signature of the manifest is not written the canonical way")
    with tempfile.TemporaryDirectory(prefix="hps-verify-") as folder:
        text, signature = Path(folder, "text"), Path(folder, "signature")
        files.write(text, unsigned, mode=0o600)
        files.write(signature, raw, mode=0o600)
        if not any(_fits(text, signature, key) for key in keys):
            names = ", ".join(key.name for key in keys)
            raise Denied(f"the signature of the manifest fits none of the keys {names}", hint="it was changed, or signed by another IPS")
    return parse_manifest(unsigned)


def _fits(text: Path, signature: Path, key: Path) -> bool:
    arguments = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(key), "-in", str(text), "-sigfile", str(signature)]
    try:
        return "Verified Successfully" in command.run(arguments)
    except CommandFailed:
        return False
