"""`hps operator create`: make an operator on the IPS itself; `hps account` lists and removes them."""

import argparse
import getpass
import sys
from pathlib import Path

from hps.errors import InvalidInput
from hps.flows import accounts, site
from hps.registry.settings import open_paths

SHORTEST_PASSWORD = 8


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this group."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="make an operator: key and certificate in files of this machine")
    create.add_argument("name", help="name of the account")
    create.add_argument("--folder", type=Path, help="where the files go; ~/.ssl by default")
    create.add_argument("--p12", action="store_true", help="also a file for browsers; its password is read from standard input")
    create.set_defaults(function=_create)


def _create(options: argparse.Namespace) -> None:
    at = site.open_site(open_paths())
    password = _password() if options.p12 else ""
    folder = options.folder or Path.home() / accounts.OPERATOR_FOLDER
    for path in accounts.create_operator(at, options.name, folder.absolute(), password):
        print(path)


def _password() -> str:
    password = getpass.getpass("Password of the file: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("the password is too short", hint=f"at least {SHORTEST_PASSWORD} characters")
    return password
