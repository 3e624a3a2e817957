"""The operator's command `hps`: one group of verbs for each capability, imported only when it is asked for."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from hps.errors import HpsError

GROUPS: dict[str, tuple[str, str]] = {
    "cluster": ("hps.cluster.cli", "configure, activate and show clusters"),
    "host": ("hps.host.cli", "list, configure, arm and follow hosts"),
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


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hps", description="The Host Provisioning System.")
    groups = parser.add_subparsers(metavar="GROUP", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, (module, words) in GROUPS.items():
        group = groups.add_parser(name, help=words, description=words)
        if name == wanted:
            importlib.import_module(module).add_verbs(group)
    return parser
