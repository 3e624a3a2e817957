"""`hps operator`: make, list and remove operators on the IPS itself."""

import argparse
import getpass
import sys
from pathlib import Path

from hps.commands import table
from hps.errors import InvalidInput
from hps.flows import accounts, site
from hps.flows.model import OPERATOR, Caller
from hps.paths import Paths

SHORTEST_PASSWORD = 8
_LOCAL = Caller(OPERATOR, name=accounts.LOCAL)


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this group."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="make an operator: key and certificate in files of this machine")
    create.add_argument("name", help="name of the account")
    create.add_argument("--folder", type=Path, help="where the files go; ~/.ssl by default")
    create.add_argument("--p12", action="store_true", help="also a file for browsers; its password is read from standard input")
    create.set_defaults(function=_create)
    verbs.add_parser("list", help="list operators and other provisioning servers").set_defaults(function=_list)
    remove = verbs.add_parser("remove", help="remove an account: its certificate is worth nothing from now on")
    remove.add_argument("name")
    remove.set_defaults(function=_remove)


def _create(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    password = _password() if options.p12 else ""
    folder = options.folder or Path.home() / accounts.OPERATOR_FOLDER
    for path in accounts.create_operator(at, options.name, folder.absolute(), password):
        print(path)


def _password() -> str:
    password = getpass.getpass("Password of the file: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("the password is too short", hint=f"at least {SHORTEST_PASSWORD} characters")
    return password


def _list(_options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    answer = table.perform(at, _LOCAL, "account_list", {})
    assert isinstance(answer, dict)
    for each in answer["accounts"]:
        print(f"{each['NAME']:24} {each['ROLE']:9} until {each['EXPIRES']}")


def _remove(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    table.perform(at, _LOCAL, "account_remove", {"name": options.name})
    print(f"the account {options.name} is removed")
