"""`python -m tests.reference`: write the pages of docs/reference that come from the tables of the source."""

import argparse
import importlib
import re
from collections.abc import Callable
from pathlib import Path

from hps.cli import GROUPS
from hps.commands.table import COMMANDS
from hps.errors import KINDS
from hps.registry.keys import FAMILIES, TABLE

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Made by `python -m tests.reference`; change the source, not this page. -->\n\n"

PLACES = {
    "hps": "`hps.conf`: this IPS",
    "cluster": "`clusters/<name>/cluster.conf`: a cluster",
    "host": "`clusters/<name>/hosts/<mac>.conf`: a host, by its MAC address",
    "os": "`os/<arch>-<name>_<version>.conf`: an operating system",
}

KEYS_INTRODUCTION = r"""# Record keys

A record is a text file below `<base>/config`, one `KEY=value` a line. In a value `\\` stands for a backslash, `\n` for a
newline, `\r` for a carriage return and `\0` for NUL; nothing is quoted or trimmed. Lines that begin with `#` are comments;
hps drops them when it next writes the record."""

ERRORS_INTRODUCTION = """# Failures

Every failure says what is wrong and, where it can, what to do about it. Whoever asks gets it in its own form: iPXE a
script that says it, waits and asks again; a browser a page; a CLI JSON, `{"ok": false, "error": …, "hint": …,
"status": …}`; anything else text.

| exit | class | HTTP | meaning |
|--:|---|--:|---|
| 0 | | 200 | done, or already so |
| 1 | anything else | 500 | a bug: its traceback is in the log, never in the answer |"""

COMMANDS_INTRODUCTION = """# Commands of hps-api

A command is asked for as `/hps-api?cmd=NAME&parameter=…` (GET, or POST of a form; `/cgi-bin/boot_manager.sh?cmd=NAME` is
the same), or as `POST /api/NAME` with a JSON object. The answer's form follows the `Accept` header, then the parameter
`format`, then the program that asks.

Callers: a *stranger* has shown nothing; a *booting* machine holds a lease of this IPS and has no operating system yet; a
*node* shows the client certificate of its record; the *operator* comes through the local socket."""

NODE_INTRODUCTION = """# Node functions

POSIX sh, for a node's own scripts: `. /usr/lib/hps/hps.sh`. Output and exit codes are those of `hps`.

| function | what it does |
|---|---|"""


def keys() -> str:
    """Every key that a record may hold."""
    lines = [KEYS_INTRODUCTION]
    for kind, place in PLACES.items():
        lines += ["", f"## {kind}", "", place, "", "| key | meaning | default |", "|---|---|---|"]
        for key in TABLE:
            if key.kind == kind:
                secret = " (secret)" if key.secret else ""
                lines.append(f"| `{key.name}` | {_cell(key.help)}{secret} | {_code(key.default)} |")
        lines += [f"| `{pattern.pattern}` | {_cell(words)} | |" for family, pattern, words in FAMILIES if family == kind]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Every class of failure."""
    lines = [ERRORS_INTRODUCTION]
    lines += [f"| {kind.exit_code} | {kind.__name__} | {kind.status} | {_cell((kind.__doc__ or '').splitlines()[0])} |" for kind in KINDS]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command of hps-api."""
    lines = [COMMANDS_INTRODUCTION]
    for command in COMMANDS:
        lines += ["", f"## {command.name}", "", f"{_sentence(command.help)} Callers: {', '.join(command.callers)}."]
        if command.parameters:
            lines += ["", "| parameter | | meaning |", "|---|---|---|"]
            lines += [f"| `{row.name}` | {'required' if row.required else 'optional'} | {_cell(row.help)} |" for row in command.parameters]
    return "\n".join(lines) + "\n"


def cli() -> str:
    """Every verb of the command line."""
    lines = ["# The command line", "", "Each group takes `--help`, and so does each verb. Exit codes: [failures](errors.md)."]
    for group, (_, words) in GROUPS.items():
        parser = group_parser(group)
        lines += ["", f"## hps {group}", "", _sentence(words)]
        rows = [(verb, inner) for verb, inner in children(parser)]
        if rows:
            lines += ["", "| verb | what it does |", "|---|---|"]
            lines += [f"| `{_usage(inner)}` | {_cell(_words(parser, verb))} |" for verb, inner in rows]
    return "\n".join(lines) + "\n"


def node_functions() -> str:
    """Every public shell function of a node, from the two lines above it."""
    lines = [NODE_INTRODUCTION]
    for path in sorted((ROOT / "node-functions").glob("*.sh")):
        for usage, words in re.findall(r"^# (n_[a-z0-9_]+.*)\n#   (.*)\nn_[a-z0-9_]+\(\)", path.read_text(), re.MULTILINE):
            lines.append(f"| `{usage}` | {_cell(words)} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "keys.md": keys,
    "errors.md": errors,
    "commands.md": commands,
    "cli.md": cli,
    "node-functions.md": node_functions,
}


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    return {FOLDER / name: NOTE + make() for name, make in PAGES.items()}


def group_parser(group: str) -> argparse.ArgumentParser:
    """The parser of one group of verbs, as `hps GROUP` builds it."""
    parser = argparse.ArgumentParser(prog=f"hps {group}")
    importlib.import_module(GROUPS[group][0]).add_verbs(parser)
    return parser


def children(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """The verbs of a group and their parsers."""
    return [pair for action in parser._actions if isinstance(action, argparse._SubParsersAction) for pair in action.choices.items()]


def _words(parser: argparse.ArgumentParser, verb: str) -> str:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return next((str(choice.help or "") for choice in action._choices_actions if choice.dest == verb), "")
    return ""


def _usage(parser: argparse.ArgumentParser) -> str:
    return " ".join(parser.format_usage().split()).removeprefix("usage: ").replace("[-h] ", "").replace(" [-h]", "").replace("|", "/")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)
