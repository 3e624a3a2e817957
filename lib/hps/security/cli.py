"""`hps authority`: show the cluster's certificate authority, and protect its key with a passphrase."""

import argparse
import getpass
import sys
from pathlib import Path

from hps.errors import Usage
from hps.flows import serve
from hps.flows.certificates import timestamp
from hps.registry.model import cluster_name
from hps.registry.settings import open_paths
from hps.registry.store import FileRegistry
from hps.security import authority, passphrase


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this group."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, words, function in (
        ("show", "print the fingerprint, the end, and whether the key is encrypted and unlocked", _show),
        ("passphrase", "encrypt the key with a passphrase read from standard input; an empty one removes it", _passphrase),
        ("unlock", "keep the passphrase in memory until a restart, read from standard input", _unlock),
        ("lock", "forget the passphrase: no certificate is issued before the next unlock", _lock),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("--cluster", metavar="NAME", help="the active one by default")
        verb.set_defaults(function=function)


def _folder(options: argparse.Namespace) -> Path:
    paths = open_paths()
    registry = FileRegistry(paths.config)
    name = options.cluster or serve.active_cluster(registry)
    if not name:
        raise Usage("no cluster is active", hint="name one: --cluster NAME")
    registry.read(cluster_name(name))
    return paths.authority(name)


def _words(prompt: str) -> str:
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _show(options: argparse.Namespace) -> None:
    found = authority.state(_folder(options))
    print(f"fingerprint  {found.fingerprint}")
    print(f"expires      {timestamp(found.expires)}")
    print(f"key          {'encrypted' if found.encrypted else 'not encrypted'}, {'usable' if found.unlocked else 'locked'}")


def _passphrase(options: argparse.Namespace) -> None:
    folder = _folder(options)
    words = _words("New passphrase (empty: none): ")
    if words and sys.stdin.isatty() and words != _words("Again: "):
        raise Usage("the two passphrases differ")
    authority.protect(folder, words)
    print("the key is encrypted, and unlocked until a restart" if words else "the key has no passphrase")


def _unlock(options: argparse.Namespace) -> None:
    authority.unlock(_folder(options), _words("Passphrase: "))
    print("unlocked until a restart")


def _lock(options: argparse.Namespace) -> None:
    folder = _folder(options)
    if not authority.state(folder).encrypted:
        raise Usage("the key has no passphrase: nothing can lock it", hint="set one: hps authority passphrase")
    passphrase.forget(folder)
    print("locked")
