"""The operator's command `hps`: one group of verbs for each capability, imported only when it is asked for."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from hps.errors import HpsError
from hps.flows.model import OPERATOR, Caller
from hps.paths import Paths

GROUPS: dict[str, tuple[str, str]] = {
    "cluster": ("hps.cluster.cli", "configure, activate and show clusters"),
    "image": ("hps.images.cli", "build, publish, verify and list operating system images"),
    "service": ("hps.services.cli", "render, check and run the services of the IPS"),
    "timeline": ("hps.timeline.cli", "record and print boot events"),
    "node": ("hps.node.cli", "what runs on a node: install, identity, registration"),
}
"""Group -> module with `add_verbs(parser)`, and what the group is for."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every failure is printed with its hint."""
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if os.environ.get("HPS_DEBUG") else logging.WARNING, format="%(message)s")
    try:
        if arguments and arguments[0] not in GROUPS and not arguments[0].startswith("-"):
            return _command(arguments)
        options = _parser(arguments).parse_args(arguments)
        return options.function(options) or 0
    except HpsError as error:
        print(f"hps: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _command(arguments: Sequence[str]) -> int:
    """A verb of the table of commands."""
    terminal = importlib.import_module("hps.commands.terminal")
    site = importlib.import_module("hps.flows.site")
    given = sys.stdin.read() if terminal.STANDARD_INPUT in arguments else None
    done = terminal.run(site.open_ips(Paths.from_environment()), Caller(OPERATOR, name="local"), arguments, given)
    sys.stdout.write(done.out)
    sys.stderr.write(done.error)
    return int(done.code)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hps", description="The Host Provisioning System.")
    groups = parser.add_subparsers(metavar="GROUP", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, (module, words) in GROUPS.items():
        group = groups.add_parser(name, help=words, description=words)
        if name == wanted:
            importlib.import_module(module).add_verbs(group)
    return parser
