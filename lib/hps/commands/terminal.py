"""The commands as verbs of a terminal: words in, text and an exit code out. The same on the IPS, over its socket and over TLS.

A positional parameter is a word, any other is an option, a truth is a flag; after `--` every word is only itself. Before it
the word `-` stands for what is on standard input, less one newline at its end: the only way to give a secret, because
arguments can be read by every user (proc(5)).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hps.ask.door import failure
from hps.ask.operator import END_OF_OPTIONS, STANDARD_INPUT
from hps.commands import kinds, lines, table
from hps.commands.model import Command
from hps.errors import HpsError, Usage
from hps.flows.model import Caller, Site, Text
from hps.registry.keys import is_secret

GROUPS = {
    "account": "operators and other provisioning servers, each with one certificate",
    "authenticate": "for whom the IPS takes you",
    "cluster_config": "get, set, unset and list the keys of a cluster",
    "health": "whether decisions can be made",
    "host": "list, configure, arm and follow hosts",
    "host_config": "get, set, unset and list the keys of a host",
    "hps_config": "get, set, unset and list the settings of this IPS",
    "records": "find damaged records, and put their last good version back",
}
"""The first word of each verb, and what it is for."""


@dataclass(frozen=True)
class Output:
    """What a terminal shows, and the failure that ended it, if any."""

    out: str = ""
    problem: HpsError | None = None

    @property
    def code(self) -> int:
        """The exit code."""
        return self.problem.exit_code if self.problem is not None else 0

    @property
    def error(self) -> str:
        """What goes to standard error."""
        return failure(self.problem) if self.problem is not None else ""


class _Literal(str):
    """A word after `--`: for the parser no option, whatever it begins with, and for the command exactly what was given."""

    given: str

    def __new__(cls, given: str) -> "_Literal":
        made = super().__new__(cls, "word" if given.startswith("-") else given)
        made.given = given
        return made


class _Help(Exception):
    """Help was asked for."""


class _Parser(argparse.ArgumentParser):
    """A parser that answers instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message, hint=f"{self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        raise _Help(self.format_help())


def verbs() -> dict[tuple[str, ...], Command]:
    """Every command that is a verb, by its words."""
    return {command.verb: command for command in table.COMMANDS if command.verb}


def groups() -> dict[str, str]:
    """The first words of the verbs, and what each is for."""
    return {words[0]: GROUPS[words[0]] for words in sorted(verbs())}


def run(at: Site, caller: Caller, words: Sequence[str], standard_input: str | None = None) -> Output:
    """Parse the words, run the command as this caller, and return what the terminal shows; never raises HpsError."""
    try:
        options = vars(parser(words[0] if words else "").parse_args(_literal(words)))
        command: Command = options.pop("command")
        as_json = options.pop("json")
        return Output(_shown(command, table.perform(at, caller, command.name, _given(command, options, standard_input)), as_json))
    except _Help as text:
        return Output(str(text))
    except HpsError as error:
        return Output(problem=error)


def call(at: Site, caller: Caller, name: str, given: Mapping[str, Any]) -> Output:
    """Run the command of this name for a function of a node, and return what the terminal shows; never raises HpsError."""
    try:
        return Output(_shown(table.find(name), table.perform(at, caller, name, given), as_json=False))
    except HpsError as error:
        return Output(problem=error)


def parser(wanted: str = "") -> argparse.ArgumentParser:
    """The parser of every verb, or only of those that begin with this word."""
    top = _Parser(prog="hps", allow_abbrev=False)
    places: dict[tuple[str, ...], Any] = {(): top.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)}
    known = groups()
    for words, command in verbs().items():
        if wanted in known and words[0] != wanted:
            continue
        for depth in range(1, len(words)):
            if words[:depth] not in places:
                purpose = known[words[0]]
                inner = places[words[: depth - 1]].add_parser(words[depth - 1], help=purpose, description=purpose, allow_abbrev=False)
                places[words[:depth]] = inner.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
        _declare(places[words[:-1]].add_parser(words[-1], help=command.help, description=command.help, allow_abbrev=False), command)
    return top


def _literal(words: Sequence[str]) -> list[str]:
    """The words as the parser gets them. argparse itself loses a `--` that is a value."""
    if END_OF_OPTIONS not in words:
        return list(words)
    place = list(words).index(END_OF_OPTIONS)
    return [*words[:place], *(_Literal(word) for word in words[place + 1 :])]


def _declare(verb: argparse.ArgumentParser, command: Command) -> None:
    verb.set_defaults(command=command)
    verb.add_argument("--json", action="store_true", help="the answer as JSON")
    for each in command.parameters:
        words = each.help.replace("%", "%%")
        if each.positional:
            verb.add_argument(each.name, metavar=each.name.upper(), nargs=None if each.required else "?", help=words)
            continue
        option = f"--{each.name.replace('_', '-')}"
        if each.kind is kinds.TRUTH:
            verb.add_argument(option, dest=each.name, action="store_const", const="true", help=words)
        else:
            verb.add_argument(option, dest=each.name, metavar=each.name.upper(), required=each.required, help=words)


def _given(command: Command, options: Mapping[str, Any], standard_input: str | None) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    for each in command.parameters:
        value = given.get(each.name)
        if isinstance(value, _Literal):
            given[each.name] = value.given
        elif value == STANDARD_INPUT:
            if standard_input is None:
                raise Usage(f"{each.name} is to come from standard input, and there is none")
            given[each.name] = standard_input.removesuffix("\n")
            continue
        if each.secret and value is not None and _holds_secret(command, given):
            raise Usage(
                f"the value of {given['key']} is secret, and every user of this machine can read what is typed",
                hint=f"change it now, and give the new one on standard input: hps {' '.join(command.verb)} … {given['key']} -",
            )
    return given


def _holds_secret(command: Command, given: Mapping[str, Any]) -> bool:
    """Whether this command sets a key of a record that is secret."""
    kind, found, _ = command.name.partition("_config_")
    return bool(found) and is_secret(kind, given.get("key", ""))


def _shown(command: Command, result: object, as_json: bool) -> str:
    if isinstance(result, Text):
        return result.body
    if as_json:
        return json.dumps(result, indent=2) + "\n"
    if command.show is not None:
        return command.show(result)
    assert isinstance(result, Mapping)
    return lines.text(result)
