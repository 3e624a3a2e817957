"""`hps node`: what runs on the machine itself."""

import argparse
import logging

from hps.flows import first_boot, install, register


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("install", help="install this machine: erases a disk if the IPS allows it; only the installer calls this")
    verb.set_defaults(function=_install)
    verb = verbs.add_parser("identity", help="give this node its name, address and keys; at every boot, twice is once")
    verb.set_defaults(function=_identity)
    verb = verbs.add_parser("register", help="tell the IPS that this node runs, and keep the id of this boot")
    verb.set_defaults(function=_register)
    verb = verbs.add_parser("renew", help="renew the certificate of this node where less than half of its life is left")
    verb.set_defaults(function=_renew)
    verb = verbs.add_parser("say", help="put a line into the log of the IPS")
    verb.add_argument("message")
    # `function` itself is what the parser calls.
    verb.add_argument("--function", dest="sayer", metavar="NAME", default="", help="which function says so")
    verb.set_defaults(function=_say)


def _install(_options: argparse.Namespace) -> int:
    return install.install()


def _identity(_options: argparse.Namespace) -> None:
    steps = first_boot.apply_identity()
    print(f"identity: {len(steps)} steps done" if steps else "identity: as it should be")


def _register(_options: argparse.Namespace) -> None:
    logging.getLogger().setLevel(logging.INFO)
    print(f"registered, boot {register.register()}")


def _renew(_options: argparse.Namespace) -> None:
    print("the certificate is renewed" if register.renew() else "the certificate is good")


def _say(options: argparse.Namespace) -> None:
    register.say(options.message, options.sayer)
