"""Fetch an image: the manifest first, then its pack in one request; nothing is returned before every object is verified."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hps.errors import HpsError, InvalidInput, Refused, Unreachable
from hps.images.check import check_whole
from hps.images.manifest import MAXIMUM_BYTES, Manifest
from hps.images.signature import verify
from hps.images.unpack import LocalImage
from hps.system import files, http

ALIASES = {"amd64": "x86_64", "arm64": "aarch64"}
RESERVE = 4 << 20
"""Bytes that must stay free beside the pack, for what else the installer writes."""
_REFERENCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})/([1-9][0-9]{0,8})")
Report = Callable[[str, str], None]


def fetch_image(
    base_url: str,
    name: str,
    keys: Sequence[Path],
    directory: Path,
    free_bytes: int,
    report: Report,
    tls: http.Tls | None = None,
    architecture: str = "",
    retries: int = 6,
) -> LocalImage:
    """Bring an image here, verified, without touching anything but `directory`.

    Args:
        base_url: where images are served, for example `http://10.77.0.1/images`.
        name: `<name>/<sequence>`.
        keys: the public keys that may vouch for it.
        directory: where the pack is kept; an earlier, interrupted download there is continued.
        free_bytes: what may be written there: disk, or memory where it is a tmpfs.
        report: called with `manifest`, `objects` and `verified`, and a detail for people, as each is done or begins.
        tls: for https.
        architecture: what this machine is; by default what the kernel says.
        retries: see `http.download`.

    Raises:
        Denied: the signature is wrong. InvalidInput: anything is damaged, and the message says what.
        Refused: wrong architecture, or too little room. NotFound, Unreachable: the server, or the image, is not there.
    """
    manifest = fetch_manifest(base_url, name, keys, tls, retries)
    report("manifest", f"{manifest.reference}: {len(manifest.entries)} entries, {manifest.size_bytes >> 20} MiB, signature good")
    _check_fit(manifest, architecture or os.uname().machine, free_bytes)
    pack = directory / f"{manifest.name}-{manifest.sequence}.pack"
    files.make_directory(directory, mode=0o700)
    here = pack.stat().st_size if pack.exists() else 0
    report(
        "objects", f"{len(manifest.objects)} objects in {manifest.pack_bytes >> 20} MiB" + (f", {here >> 20} MiB are here" if here else "")
    )
    if manifest.pack_bytes or not pack.exists():
        http.download(f"{base_url}/{manifest.reference}/pack", pack, manifest.pack_bytes, tls=tls, retries=retries)
    try:
        check_whole(manifest, pack)
    except HpsError:
        files.remove(pack)  # a later attempt must not continue damage
        raise
    report("verified", f"{len(manifest.objects)} objects, as they were published")
    return LocalImage(manifest, pack)


def fetch_manifest(base_url: str, name: str, keys: Sequence[Path], tls: http.Tls | None = None, retries: int = 6) -> Manifest:
    """The manifest of `<name>/<sequence>`, its signature checked before anything is parsed.

    Raises Denied for a wrong signature, InvalidInput when it is damaged or of another image, NotFound, Unreachable.
    """
    found = _REFERENCE.fullmatch(name)
    if found is None:
        raise InvalidInput(
            f"{name[:80]!r} does not name an image", hint="write it as <name>/<sequence>, for example x86_64-debian_12-SCH/3"
        )
    url = f"{base_url}/{name}/manifest"
    manifest = verify(_patiently(url, tls, retries), keys)
    if manifest.reference != name:
        raise InvalidInput(f"{url} is the manifest of {manifest.reference}", hint="the images on the server were mixed up; publish again")
    return manifest


def _patiently(url: str, tls: http.Tls | None, retries: int) -> bytes:
    attempt = 0
    while True:
        try:
            response = http.request("GET", url, tls=tls, limit=MAXIMUM_BYTES)
            http.check_status(url, response.status)
        except Unreachable:
            if attempt == retries:
                raise
            http.pause(attempt)
            attempt += 1
        else:
            return response.body


def _check_fit(manifest: Manifest, machine: str, free_bytes: int) -> None:
    if ALIASES.get(manifest.architecture, manifest.architecture) != ALIASES.get(machine, machine):
        raise Refused(
            f"{manifest.reference} is for {manifest.architecture}, and this machine is {machine}",
            hint="choose an image of its architecture",
        )
    needed = manifest.pack_bytes + RESERVE
    if needed > free_bytes:
        raise Refused(
            f"{manifest.reference} needs {needed >> 20} MiB for its pack, and {free_bytes >> 20} MiB are free",
            hint="give the machine more memory, or use a smaller image",
        )
