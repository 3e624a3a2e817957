"""The kernel arguments that the IPS gave this boot, checked before anything else happens. Pure."""

import contextlib
import re
from dataclasses import dataclass

from hps.errors import InvalidInput
from hps.values import Mac, checked_address, checked_plain

_DEFAULT_WAIT = 300
_TOKEN = re.compile(r"[0-9a-f]{12}\.[A-Za-z0-9_-]{16,100}")


@dataclass(frozen=True)
class InstallArguments:
    """What the boot script said: where the IPS is, how to know it, who this machine is, and the one-time token.

    `time` is the clock of the IPS in seconds since 1970 (0: not given), `wait` the seconds before a failed install restarts.
    """

    mode: str
    url: str
    tls: str
    ca: str
    token: str
    mac: Mac
    time: int
    session: str
    wait: int = _DEFAULT_WAIT

    def __repr__(self) -> str:
        return f"InstallArguments(mode={self.mode}, url={self.url}, mac={self.mac}, session={self.session})"


def find(command_line: str) -> dict[str, str]:
    """The `hps.NAME=value` words of a kernel command line by name; raises InvalidInput for a name that is given twice."""
    found: dict[str, str] = {}
    for word in command_line.split():
        if not word.startswith("hps."):
            continue
        name, separator, value = word.removeprefix("hps.").partition("=")
        if not separator:
            raise InvalidInput(f"the kernel argument hps.{name[:20]!r} has no value")
        if name in found:
            raise InvalidInput(f"the kernel argument hps.{name[:20]} is given twice")
        found[name] = value
    return found


def parse(command_line: str) -> InstallArguments:
    """Read and check the command line of an installer boot; raises InvalidInput that names the argument."""
    found = find(command_line)
    for name, value in found.items():
        checked_plain(name + value, f"the kernel argument hps.{name[:20]!r}")
    mode = found.get("mode", "")
    if mode not in ("install", "rescue"):
        raise InvalidInput(
            f"the kernel argument hps.mode is {mode!r}", hint="it must be install or rescue; start this machine over the network"
        )
    return InstallArguments(
        mode=mode,
        url=_url(found, "url", "http"),
        tls=_url(found, "tls", "https"),
        ca=_matching(found, "ca", r"[0-9a-f]{64}", "the SHA-256 of the cluster's CA certificate"),
        token=_matching(found, "token", _TOKEN.pattern, "a one-time token") if mode == "install" else found.get("token", ""),
        mac=_mac(found),
        time=int(_matching(found, "time", r"[0-9]{1,11}", "seconds since 1970", default="0")),
        session=_matching(found, "session", r"[0-9a-f]{6}", "a boot session id", default="000000"),
        wait=int(_matching(found, "wait", r"[0-9]{1,5}", "seconds", default=str(_DEFAULT_WAIT))),
    )


def failure_wait(command_line: str) -> int:
    """How long a failed install waits before it restarts, in seconds, whatever else is wrong with the arguments."""
    found = re.search(r"(?:^|\s)hps\.wait=([0-9]{1,5})(?:\s|$)", command_line)
    return int(found.group(1)) if found else _DEFAULT_WAIT


def _matching(found: dict[str, str], name: str, pattern: str, what: str, default: str = "") -> str:
    value = found.get(name, default)
    if not re.fullmatch(pattern, value):
        raise InvalidInput(f"the kernel argument hps.{name} is not {what}", hint="start this machine over the network again")
    return value


def _mac(found: dict[str, str]) -> Mac:
    try:
        return Mac.parse(found.get("mac", ""))
    except InvalidInput as error:
        raise InvalidInput(f"the kernel argument hps.mac is wrong: {error.message}", hint=error.hint) from error


def _url(found: dict[str, str], name: str, scheme: str) -> str:
    matched = re.fullmatch(scheme + r"://([0-9.]{7,15})(?::([0-9]{1,5}))?/?", found.get(name, ""))
    with contextlib.suppress(InvalidInput):
        if matched and checked_address(matched.group(1)) and 0 < int(matched.group(2) or 1) < 65536:
            return found[name].rstrip("/")
    raise InvalidInput(f"the kernel argument hps.{name} is not an address like {scheme}://10.77.0.1")
