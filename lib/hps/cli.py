"""The program `hps`: what is done on this machine itself is done here, and everything else is asked of hps-api.

Whoever types waits for the start, so nothing is imported before it is needed.
"""

import os
import sys

from hps.errors import HpsError, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from hps.paths import Paths

GROUPS: dict[str, tuple[str, str]] = {
    "cluster": ("hps.cluster.cli", "configure, activate and show clusters"),
    "authority": ("hps.security.cli", "show the certificate authority, and protect its key with a passphrase"),
    "operator": ("hps.operator.cli", "make operators with client certificates"),
    "image": ("hps.images.cli", "build, publish, verify and list operating system images"),
    "service": ("hps.services.cli", "render, check and run the services of the IPS"),
    "timeline": ("hps.timeline.cli", "record and print boot events"),
    "node": ("hps.node.cli", "what runs on a node: install, identity, registration"),
}
"""Group -> module with `add_verbs(parser)`, and what the group is for."""


REMOTE = ("--ips", "--cluster")
"""Options that come first where another IPS is asked."""


def run(arguments: "Sequence[str]") -> int:
    """Run one command line and return its exit code; every failure is printed with its hint."""
    words = list(arguments)
    first = words[0] if words else ""
    try:
        if first.partition("=")[0] in REMOTE:
            return _remote(words)
        if first and first not in GROUPS and not first.startswith("-"):
            return _command(words)
        return _door(words)
    except HpsError as error:
        from hps.ask.door import failure

        sys.stdout.flush()
        sys.stderr.write(failure(error))
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _remote(words: list[str]) -> int:
    """A verb of the table of commands, for another IPS."""
    from hps.ask import operator

    return operator.remote(words)


def _command(words: list[str]) -> int:
    """A verb of the table of commands: hps-api runs it, or this process where no services run."""
    from hps.ask import door, operator

    code = operator.local(words)
    if code is not None:
        return code
    try:
        from hps.commands import terminal
    except ModuleNotFoundError as error:
        hint = "ask an IPS: hps --ips NAME VERB …; on a node the functions of /usr/lib/hps/api.sh do"
        raise NotFound("no IPS is installed on this machine", hint=hint) from error
    from hps.flows import site
    from hps.flows.model import OPERATOR, Caller

    _log()
    texts = [door.word(each) for each in words]
    given = operator.standard_input() if operator.wants_input(texts) else None
    done = terminal.run(site.open_ips(_paths()), Caller(OPERATOR, name="local"), texts, given)
    sys.stdout.flush()
    sys.stdout.buffer.write(done.out.encode())
    sys.stdout.buffer.flush()
    sys.stderr.write(done.error)
    return done.code


def _door(words: list[str]) -> int:
    """A verb that works on this machine itself, or help."""
    _log()
    options = _parser(words).parse_args(words)
    return int(options.function(options) or 0)


def _paths() -> "Paths":
    from hps.paths import Paths

    return Paths.from_environment()


def _log() -> None:
    import logging

    from hps.registry import settings

    logging.basicConfig(stream=sys.stderr, level=settings.log_level(_paths()), format="%(message)s")


def _parser(words: list[str]) -> "ArgumentParser":
    import argparse
    import importlib

    parser = argparse.ArgumentParser(
        prog="hps",
        description="The Host Provisioning System.",
        epilog="Each group and each verb takes --help. Exit codes: docs/reference/errors.md.",
    )
    parser.add_argument("--ips", metavar="NAME", help="ask this IPS, with the certificate in ~/.ssl; comes first")
    parser.add_argument("--cluster", metavar="NAME", help="with --ips: whose certificate, where there are several")
    groups = parser.add_subparsers(metavar="GROUP", required=True)
    wanted = next((word for word in words if not word.startswith("-")), "")
    for name, (module, purpose) in GROUPS.items():
        group = groups.add_parser(name, help=purpose, description=purpose)
        if name == wanted:
            importlib.import_module(module).add_verbs(group)
    if wanted not in GROUPS:
        for name, purpose in _asked().items():
            groups.add_parser(name, help=purpose)
    return parser


def _asked() -> dict[str, str]:
    """The groups of the table of commands; none on a node, which has not the libraries of an IPS."""
    try:
        from hps.commands import terminal
    except ModuleNotFoundError:
        return {}
    return terminal.groups()
