"""The command line as data: every group, its verbs, and what each takes, of this machine and of the table of commands."""

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from hps.cli import GROUPS
from hps.commands import terminal
from hps.registry.keys import TABLE

PROGRAMS = ("host_config", "cluster_config", "hps_config")
"""Groups that are programs of their own too."""


@dataclass(frozen=True)
class Verb:
    """One verb: its words after `hps`, how it is called, what it does, its options, and the words that may follow."""

    words: tuple[str, ...]
    usage: str
    help: str
    options: dict[str, tuple[str, ...]]
    choices: tuple[str, ...]


def groups() -> dict[str, str]:
    """Every group, and what it is for."""
    return {name: words for name, (_, words) in GROUPS.items()} | terminal.groups()


def verbs(group: str) -> list[Verb]:
    """The verbs of a group, in the order of its help."""
    if group in GROUPS:
        parser = group_parser(group)
        return [_verb((group, name), inner, _words(parser, name)) for name, inner in children(parser)]
    found = []
    top = dict(children(terminal.parser(group)))[group]
    for words, command in terminal.verbs().items():
        if words[0] == group:
            inner = dict(children(top))[words[1]] if len(words) > 1 else top
            keys = tuple(key.name for key in TABLE if command.name.startswith(f"{key.kind}_config_"))
            found.append(_verb(words, inner, command.help, keys))
    return found


def every() -> Iterator[Verb]:
    """All of them."""
    for group in groups():
        yield from verbs(group)


def group_parser(group: str) -> argparse.ArgumentParser:
    """The parser of a group of this machine, as `hps GROUP` builds it."""
    parser = argparse.ArgumentParser(prog=f"hps {group}")
    importlib.import_module(GROUPS[group][0]).add_verbs(parser)
    return parser


def children(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """The verbs of a parser and their parsers."""
    return [pair for action in parser._actions if isinstance(action, argparse._SubParsersAction) for pair in action.choices.items()]


def _words(parser: argparse.ArgumentParser, verb: str) -> str:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return next((str(choice.help or "") for choice in action._choices_actions if choice.dest == verb), "")
    return ""


def _verb(words: tuple[str, ...], parser: argparse.ArgumentParser, purpose: str, keys: tuple[str, ...] = ()) -> Verb:
    options: dict[str, tuple[str, ...]] = {}
    choices: list[str] = []
    command = parser.get_default("command")
    enums = {each.name: tuple(each.kind.schema.get("enum", ())) for each in command.parameters} if command is not None else {}
    for action in parser._actions:
        allowed = tuple(str(word) for word in action.choices or ()) or enums.get(action.dest, ())
        for option in action.option_strings:
            if option != "-h":
                options[option] = allowed if action.nargs != 0 else ()
        if not action.option_strings:
            choices += keys if action.dest == "key" else allowed
    return Verb(words, _usage(parser), purpose, options, tuple(choices))


def _usage(parser: argparse.ArgumentParser) -> str:
    return " ".join(parser.format_usage().split()).removeprefix("usage: ").replace("[-h] ", "").replace(" [-h]", "").replace("|", "/")
