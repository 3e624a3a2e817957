"""`hps timeline lease …`: the hook that dnsmasq starts; only the standard library and a few of our modules."""

import argparse
import os
import time

from hps.flows.lease import lease_event
from hps.paths import Paths


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of `hps timeline`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    lease = verbs.add_parser("lease", help="record what dnsmasq says about a lease (its --dhcp-script)")
    lease.add_argument("action", help="add, old, del, tftp; others are ignored")
    lease.add_argument("rest", nargs=argparse.REMAINDER, help="MAC ADDRESS [NAME], or SIZE ADDRESS FILE")
    lease.set_defaults(function=_lease)


def _lease(options: argparse.Namespace) -> None:
    lease_event(Paths.from_environment(), (options.action, *options.rest), os.environ, time.time())
