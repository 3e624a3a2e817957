"""`hps cluster` and `cluster-configure`: make, activate, change and show clusters."""

import argparse
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

from hps.cluster import answers
from hps.cluster.questions import TABLE
from hps.errors import Usage
from hps.flows import accounts, configure_cluster, serve
from hps.paths import Paths
from hps.registry import keys
from hps.registry.model import cluster_name
from hps.registry.settings import open_paths
from hps.registry.store import FileRegistry
from hps.registry.text import render_record
from hps.system import files


def main() -> int:
    """Run `cluster-configure`, which is `hps cluster configure`."""
    # By name, as hps.cli finds this module: a door is imported by nobody.
    run = importlib.import_module("hps.cli").run
    return int(run(["cluster", "configure", *sys.argv[1:]]))


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this group."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    make = verbs.add_parser(
        "configure", help="make a cluster from prompts, flags or a file of answers", description="Without flags, each question is asked."
    )
    make.add_argument("--answers", type=Path, metavar="FILE", help="KEY=value lines, one for each question; flags win over them")
    make.add_argument("--dry-run", action="store_true", help="print the record and write nothing")
    for question in TABLE:
        make.add_argument(question.flag, dest=question.name, metavar="VALUE", help=question.key.help)
    _add_probe(make)
    make.add_argument("--no-operator", action="store_true", help="leave out the first operator's certificate in ~/.ssl")
    make.set_defaults(function=_configure)
    activate = verbs.add_parser("activate", help="make a cluster the one that this IPS serves")
    activate.add_argument("name")
    _add_probe(activate)
    activate.set_defaults(function=_activate)
    verbs.add_parser("deactivate", help="serve no cluster").set_defaults(function=_deactivate)
    show = verbs.add_parser("show", help="print a cluster's record, without its secrets")
    show.add_argument("name", nargs="?", help="the active one by default")
    show.set_defaults(function=_show)
    verbs.add_parser("list", help="list the clusters; the active one is marked").set_defaults(function=_list)
    change = verbs.add_parser("set", help="change keys of a cluster and bring the services to it")
    change.add_argument("words", nargs="+", metavar="[NAME] KEY=VALUE", help="an empty value unsets the key")
    change.set_defaults(function=_set)
    add = verbs.add_parser("add-ips", help="give one more IPS of a cluster its name")
    add.add_argument("cluster", nargs="?", help="the active one by default")
    add.add_argument("--name", default="", help="the next free one by default: ips-02 after ips-01")
    add.set_defaults(function=_add_ips)
    remove = verbs.add_parser("remove-ips", help="take the name of an IPS out of a cluster; the last one stays")
    remove.add_argument("name", help="of the IPS, as ips-02")
    remove.add_argument("--cluster", help="the active one by default")
    remove.set_defaults(function=_remove_ips)


def _add_probe(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--probe-seconds", type=float, default=serve.PROBE_SECONDS, help="how long to listen for another DHCP server")


def _here() -> tuple[Paths, FileRegistry]:
    paths = open_paths()
    return paths, FileRegistry(paths.config)


def _shown(values: Mapping[str, str]) -> str:
    """The text of the record without its secrets."""
    return render_record(keys.public("cluster", values))


def _tell(words: str) -> str:
    print(words, file=sys.stderr)
    return words


def _configure(options: argparse.Namespace) -> int:
    paths, registry = _here()
    given = answers.read(files.read_text(options.answers)) if options.answers is not None else {}
    given |= {question.name: value for question in TABLE if (value := getattr(options, question.name)) is not None}
    if not given and options.answers is None:
        given = answers.converse(input, _tell, lambda name: configure_cluster.facts_for(registry, name))
    done = configure_cluster.configure(registry, given, options.dry_run, options.probe_seconds)
    if options.dry_run:
        print(_shown(done.values), end="")
    else:
        name = done.values["CLUSTER_NAME"]
        print(f"cluster {name} is {'made' if done.made else 'already so'}; serve it with: hps cluster activate {name}")
        accounts.found_cluster(paths, name)
        words = "" if options.no_operator else accounts.first_operator(paths, registry, name, Path.home() / accounts.OPERATOR_FOLDER)
        print(words, end="\n" if words else "")
    return 0


def _report(report: serve.Report) -> int:
    print(report.plan.describe(), end="")
    if report.problem is not None:
        raise report.problem
    return 0


def _activate(options: argparse.Namespace) -> int:
    paths, registry = _here()
    code = _report(configure_cluster.activate(paths, registry, options.name, options.probe_seconds))
    print(f"cluster {options.name} is active")
    return code


def _deactivate(_options: argparse.Namespace) -> int:
    return _report(configure_cluster.deactivate(*_here()))


def _named(registry: FileRegistry, name: str | None) -> str:
    chosen = name or serve.active_cluster(registry)
    if not chosen:
        raise Usage("no cluster is active", hint="name one: hps cluster list")
    return chosen


def _show(options: argparse.Namespace) -> int:
    _, registry = _here()
    print(_shown(registry.read(cluster_name(_named(registry, options.name))).values), end="")
    return 0


def _list(_options: argparse.Namespace) -> int:
    _, registry = _here()
    active = serve.active_cluster(registry)
    for record in registry.names("cluster"):
        print(f"{'*' if record.parts[0] == active else ' '} {record.parts[0]}")
    return 0


def _set(options: argparse.Namespace) -> int:
    paths, registry = _here()
    words: list[str] = options.words
    name = words.pop(0) if "=" not in words[0] else None
    report = configure_cluster.change(paths, registry, _named(registry, name), _pairs(words)).report
    return _report(report) if report is not None else 0


def _pairs(words: list[str]) -> Mapping[str, str | None]:
    pairs: dict[str, str | None] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator:
            raise Usage(f"{word!r} is not KEY=VALUE")
        if keys.is_secret("cluster", key):
            raise Usage(f"{key} is secret, and arguments can be read by everybody", hint=f"cluster_config set {key} - takes standard input")
        # An empty value unsets the key, save where it means something else than the default.
        pairs[key] = value if value or _has_default(key) else None
    if not pairs:
        raise Usage("nothing to set", hint="write KEY=VALUE")
    return pairs


def _has_default(key: str) -> bool:
    declared = keys.KEYS.get(("cluster", key))
    return declared is not None and bool(declared.default)


def _add_ips(options: argparse.Namespace) -> int:
    _, registry = _here()
    print(configure_cluster.add_ips(registry, _named(registry, options.cluster), options.name))
    return 0


def _remove_ips(options: argparse.Namespace) -> int:
    _, registry = _here()
    configure_cluster.remove_ips(registry, _named(registry, options.cluster), options.name)
    return 0
