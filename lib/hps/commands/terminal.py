"""The commands as verbs of a terminal: words in, text and an exit code out. The same on the IPS, over its socket and over TLS.

A positional parameter is a word, any other is an option, a truth is a flag. The word `-` stands for what is on standard
input, less one newline at its end: the only way to give a secret, because arguments can be read by every user (proc(5)).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hps.commands import kinds, table
from hps.commands.model import Command
from hps.errors import HpsError, Usage
from hps.flows.model import Caller, Site, Text

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Output:
    """What a terminal shows, and the exit code."""

    code: int
    out: str = ""
    error: str = ""


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


def groups() -> tuple[str, ...]:
    """The first words of the verbs."""
    return tuple(dict.fromkeys(words[0] for words in verbs()))


def run(at: Site, caller: Caller, words: Sequence[str], standard_input: str | None = None) -> Output:
    """Parse the words, run the command as this caller, and return what the terminal shows; never raises HpsError."""
    try:
        options = vars(parser(words[0] if words else "").parse_args(list(words)))
        command: Command = options.pop("command")
        as_json = options.pop("json")
        result = table.perform(at, caller, command.name, _given(command, options, standard_input))
        return Output(0, _shown(command, result, as_json))
    except _Help as text:
        return Output(0, str(text))
    except HpsError as error:
        return Output(error.exit_code, error=failure(error))


def failure(error: HpsError) -> str:
    """A failure as a terminal shows it: what is wrong, and in a second line what to do."""
    return f"hps: {error.message}\n" + (f"  {error.hint}\n" if error.hint else "")


def parser(wanted: str = "") -> argparse.ArgumentParser:
    """The parser of every verb, or only of those that begin with this word."""
    top = _Parser(prog="hps", allow_abbrev=False)
    places: dict[tuple[str, ...], Any] = {(): top.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)}
    for words, command in verbs().items():
        if wanted and words[0] != wanted:
            continue
        for depth in range(1, len(words)):
            if words[:depth] not in places:
                inner = places[words[: depth - 1]].add_parser(words[depth - 1], allow_abbrev=False)
                places[words[:depth]] = inner.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
        _declare(places[words[:-1]].add_parser(words[-1], help=command.help, description=command.help, allow_abbrev=False), command)
    return top


def _declare(verb: argparse.ArgumentParser, command: Command) -> None:
    verb.set_defaults(command=command)
    verb.add_argument("--json", action="store_true", help="the answer as JSON")
    for each in command.parameters:
        words = each.help.replace("%", "%%")
        if each.positional:
            verb.add_argument(each.name, metavar=each.name.upper(), nargs=None if each.required else "?", help=words)
        elif each.kind is kinds.TRUTH:
            verb.add_argument(f"--{each.name.replace('_', '-')}", dest=each.name, action="store_const", const="true", help=words)
        else:
            option = f"--{each.name.replace('_', '-')}"
            verb.add_argument(option, dest=each.name, metavar=each.name.upper(), required=each.required, help=words)


def _given(command: Command, options: Mapping[str, Any], standard_input: str | None) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    for each in command.parameters:
        if given.get(each.name) == STANDARD_INPUT:
            if standard_input is None:
                raise Usage(f"{each.name} is to come from standard input, and there is none")
            given[each.name] = standard_input.removesuffix("\n")
    return given


def _shown(command: Command, result: object, as_json: bool) -> str:
    if isinstance(result, Text):
        return result.body
    if as_json:
        return json.dumps(result, indent=2) + "\n"
    if command.show is not None:
        return command.show(result)
    assert isinstance(result, Mapping)
    return "".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}\n" for key, value in result.items())
