"""`hps host …`: list, configure, arm, follow and remove hosts."""

import argparse
import json
from collections.abc import Callable

from hps.flows import enlist, overview, site
from hps.flows.model import Caller
from hps.host.model import table
from hps.paths import Paths
from hps.values import Mac

_VERBS = (
    ("arm", "give one permission to install on the host's disk", True),
    ("reinstall", "choose again at the next network boot; with --erase the same again, over what is on the disk", True),
    ("unconfigure", "forget what the host shall be; its name and address are kept for it", False),
    ("reboot", "make a waiting machine restart once", False),
    ("rescue", "boot a shell that touches no disk, at every network boot, until `hps host normal NAME`", False),
    ("normal", "end the rescue mode", False),
    ("remove", "forget the host, its name, address and timeline", False),
)


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of `hps host`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = _verb(verbs, "list", "every host, one line each", _list)
    listing.add_argument("--unconfigured", action="store_true", help="only those that nobody has configured")
    listing.add_argument("--json", action="store_true", help="the whole records as JSON")
    configure = _verb(verbs, "configure", "decide what a host becomes", _configure)
    configure.add_argument("mac", metavar="MAC", help="its MAC address, or its name if it has one")
    configure.add_argument("--type", required=True, metavar="TYPE", help="SCH, TCH, CCH or DRH")
    configure.add_argument("--os", default="", metavar="ID", help="operating system, as x86_64:debian:12")
    configure.add_argument("--erase", action="store_true", help="permit, once, to erase a disk that holds data")
    show = _verb(verbs, "show", "the record of a host", _show)
    show.add_argument("name", metavar="NAME", help="its name or MAC address")
    show.add_argument("--json", action="store_true", help="as JSON")
    follow = _verb(verbs, "timeline", "what a host did in a boot, and which step is missing", _timeline)
    follow.add_argument("name", metavar="NAME", help="its name or MAC address")
    follow.add_argument("--session", default="", metavar="ID", help="another boot than the current one")
    follow.add_argument("--json", action="store_true", help="as JSON")
    for name, words, erases in _VERBS:
        verb = _verb(verbs, name, words, _change)
        verb.add_argument("name", metavar="NAME", help="its name or MAC address")
        verb.set_defaults(action=name, erase=False)
        if erases:
            verb.add_argument("--erase", action="store_true", help="permit, once, to erase a disk that holds data")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str, function: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=words, description=words)
    parser.set_defaults(function=function)
    return parser


def _list(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    found = tuple(host for host in site.hosts(at) if not (options.unconfigured and host.configured))
    if options.json:
        print(json.dumps([host.public() for host in found], indent=2))
    else:
        print(table(found), end="")


def _configure(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    mac = _mac(options.mac) or site.find(at, options.mac).mac
    host = enlist.configure(at, mac, options.type, options.os, options.erase)
    print(f"{host.name}: {host.state}, {host.values['TYPE']}, {host.values['IP']}, {host.values.get('OS_ID', 'no operating system yet')}")


def _show(options: argparse.Namespace) -> None:
    host = site.find(site.open_site(Paths.from_environment()), options.name)
    if options.json:
        print(json.dumps(host.public(), indent=2))
    else:
        print("".join(f"{key}={value}\n" for key, value in host.public().items()), end="")


def _timeline(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    host = site.find(at, options.name)
    session = overview.session_of(at, host, options.session)
    if options.json:
        print(json.dumps(overview.timeline_data(host, session), indent=2))
    else:
        print(overview.story(host, session), end="")


def _change(options: argparse.Namespace) -> None:
    at = site.open_site(Paths.from_environment())
    parameters = {"host": options.name, "action": options.action, "erase": "true" if options.erase else "false"}
    after = overview.host_change(at, Caller("operator"), parameters)
    print(f"{after.get('HOSTNAME', after['MAC'])}: {'removed' if options.action == 'remove' else after.get('STATE', '')}")


def _mac(text: str) -> Mac | None:
    return Mac.parse(text) if len(text) in (12, 17) and all(character in "0123456789abcdefABCDEF:-" for character in text) else None
