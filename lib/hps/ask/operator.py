"""The words of an operator, sent to hps-api of this machine or of another one; what comes back is printed."""

import os
import sys

from hps.ask import door
from hps.errors import InvalidInput, NotFound, Usage

TARGET = "/terminal"
STANDARD_INPUT = "-"
END_OF_OPTIONS = "--"


def local(words: list[str]) -> int | None:
    """Ask hps-api of this machine and print its answer; returns the exit code, or none where no services run. Raises HpsError."""
    channel = door.local(f"{base()}/run/operator.sock")
    return None if channel is None else door.ask(channel, TARGET, question(words)).show()


def remote(words: list[str]) -> int:
    """Ask another IPS over mutual TLS and print its answer; returns the exit code. Raises HpsError.

    The words begin with `--ips NAME[:PORT]`, and with `--cluster NAME` where there are certificates of several clusters.
    """
    from hps.ask import tls

    options = {"--ips": "", "--cluster": ""}
    while words and words[0].partition("=")[0] in options:
        name, given, value = words[0].partition("=")
        if not given and len(words) < 2:
            raise Usage(f"{name} needs a name", hint="hps --ips NAME VERB …")
        options[name] = value if given else words[1]
        words = words[1:] if given else words[2:]
    host, _, port = options["--ips"].partition(":")
    if not host or not words:
        raise Usage("say which IPS is asked, and what", hint="hps --ips NAME VERB …")
    if port and not (port.isdecimal() and port.isascii() and 0 < int(port) < 65536):
        raise InvalidInput(f"{port[:20]!r} is not a port")
    own = certificate(os.path.expanduser("~/.ssl"), options["--cluster"])  # noqa: PTH111
    body = question(words)
    channel = tls.connect(host, int(port or tls.PORT), own.removesuffix(".pem") + "-ca.pem", own, own)
    return door.ask(channel, TARGET, body).show()


def base() -> str:
    """The base folder, by the rule of hps.paths, which takes too long to load."""
    return os.environ.get("HPS_BASE", "/srv/hps")


def certificate(folder: str, cluster: str) -> str:
    """The file with the operator's key and certificate for a cluster, by default of the only cluster that there is one for.

    Raises NotFound where there is none, Usage where there are several.
    """
    try:
        names = [name for name in sorted(os.listdir(folder)) if name.startswith("hps-") and name.endswith(".pem")]  # noqa: PTH208
    except OSError:
        names = []
    found = [name for name in names if not (name.endswith("-ca.pem") and name.removesuffix("-ca.pem") + ".pem" in names)]
    wanted = [name for name in found if not cluster or name == f"hps-{cluster}.pem"]
    if not wanted:
        raise NotFound(f"there is no certificate {folder}/hps-{cluster or '*'}.pem", hint="on the IPS: hps operator create NAME")
    if len(wanted) > 1:
        clusters = ", ".join(name[4:-4] for name in wanted)
        raise Usage(f"there are certificates of several clusters: {clusters}", hint="hps --ips NAME --cluster CLUSTER VERB …")
    return f"{folder}/{wanted[0]}"


def question(words: list[str]) -> bytes:
    """The words, and what is on standard input where one of them asks for it, as JSON; raises InvalidInput for what is not UTF-8."""
    texts = ",".join(door.quoted(door.word(each)) for each in words)
    given = f',"input":{door.quoted(standard_input())}' if wants_input(words) else ""
    return f'{{"words":[{texts}]{given}}}'.encode()


def wants_input(words: list[str]) -> bool:
    """Whether one of the words stands for what is on standard input; after `--` none does."""
    end = words.index(END_OF_OPTIONS) if END_OF_OPTIONS in words else len(words)
    return STANDARD_INPUT in words[:end]


def standard_input() -> str:
    """All of standard input; raises InvalidInput for what is not UTF-8."""
    content = sys.stdin.buffer.read(door.LONGEST_QUESTION + 1)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("standard input is not UTF-8", hint=door.NOT_TEXT) from error
