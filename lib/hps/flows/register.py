"""A node that runs tells the IPS so: what it is made of, which system and slot it runs, since when."""

import logging
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hps.errors import HpsError, InvalidInput, NotFound, Unreachable
from hps.inventory.facts import read_audit
from hps.inventory.model import parse_os_release
from hps.node import credentials
from hps.node.configuration import parse_configuration
from hps.node.credentials import Credentials
from hps.system import files, http

log = logging.getLogger(__name__)

IDENTITY = Path("var/lib/hps/identity")
SESSION = Path("/run/hps/session")
LONGEST_PAUSE = 60


def slot_of(command_line: str, label: str = "") -> str:
    """The slot that runs: from the loader's argument, else from the label of the root file system; empty when unknown. Pure."""
    found = re.search(r"(?:^|\s)hps\.slot=([ab])(?:\s|$)", command_line) or re.fullmatch(r"hps-([ab])", label)
    return found.group(1) if found else ""


def root_label(root: Path = Path("/")) -> str:
    """The label of the file system at the root as udev shows it; empty when it has none."""
    if not root.exists():
        return ""
    device = root.stat().st_dev
    for entry in (root / "dev/disk/by-label").glob("hps-[ab]"):
        if entry.stat().st_rdev == device:
            return entry.name
    return ""


def registration(root: Path = Path("/")) -> dict[str, Any]:
    """Read what is registered."""
    image = _text(root / "etc/hps/image")
    slot = slot_of(_text(root / "proc/cmdline"), root_label(root))
    return {
        "audit": read_audit(root / "sys", root / "proc", architecture=os.uname().machine).values(),
        "os": dict(parse_os_release(_text(root / "etc/os-release"))),
        "booted": booted(),
        **({"slot": slot} if slot else {}),
        **({"image": image} if image else {}),
    }


def booted() -> float:
    """When the kernel started, seconds since 1970."""
    return round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), 3)


def register(root: Path = Path("/"), session: Path = SESSION) -> str:
    """Register until the IPS answers, keep the boot id that it gives, and return it; raises what the IPS says."""
    url, identity = _ips(root)
    pause = 1
    while True:
        try:
            return _register_once(url, identity, root, session)
        except Unreachable as error:
            log.warning("register: %s; trying again in %d seconds", error, pause)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def say(message: str, function: str = "", root: Path = Path("/"), session: Path = SESSION) -> None:
    """Put a line into the log of the IPS, with the id of this boot."""
    url, identity = _ips(root)
    boot = _text(session)
    http.post_json(f"{url}/api/log_message", {"message": f"[{boot}] {message}" if boot else message, "function": function}, identity.tls())


def renew(root: Path = Path("/")) -> bool:
    """Renew this node's certificate where less than half of its life is left; True where there is a new one.

    Raises Denied where the IPS does not know this node any more, Unreachable where it does not answer.
    """
    url, identity = _ips(root)
    return credentials.renew(identity, url, time.time())


def _register_once(url: str, identity: Credentials, root: Path, session: Path) -> str:
    value = registration(root)
    applied = root / "run/hps/identity-applied"
    steps: list[tuple[str, Mapping[str, Any]]] = [("kernel", {"detail": os.uname().release, "time": value["booted"]})]
    if applied.exists():
        steps.append(("identity-applied", {"detail": os.uname().nodename, "time": round(applied.stat().st_mtime, 3)}))
    for step, more in steps:
        try:
            http.post_json(f"{url}/api/install_step", {"step": step, **more}, identity.tls(), timeout=10)
        except Unreachable:
            raise
        except HpsError as error:
            log.warning("the step %s was not reported: %s", step, error)
    answer = http.post_json(f"{url}/api/register", value, identity.tls())
    found = answer.get("session") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not re.fullmatch(r"[0-9a-f]{6}", found):
        raise InvalidInput("the IPS answered without a boot id")
    files.write(session, f"{found}\n".encode())
    return found


def _ips(root: Path) -> tuple[str, Credentials]:
    identity = Credentials(root / IDENTITY)
    configuration = parse_configuration(files.read_text(identity.folder / "config.json"))
    return configuration.hps.tls, identity


def _text(path: Path) -> str:
    try:
        return files.read_text(path).strip()
    except (NotFound, InvalidInput):
        return ""
