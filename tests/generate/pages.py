"""The pages of docs/reference that come from the tables of the source."""

import re
from pathlib import Path

from hps.cli import GROUPS
from hps.commands import openapi
from hps.commands.model import Command, Parameter
from hps.commands.table import COMMANDS
from hps.errors import KINDS
from hps.registry.keys import FAMILIES, HPS, NODE, OLD_NAMES, OPERATOR, TABLE
from tests.generate import verbs

ROOT = Path(__file__).resolve().parents[2]

PLACES = {
    "hps": "`hps.conf`: this IPS",
    "cluster": "`clusters/<name>/cluster.conf`: a cluster",
    "host": "`clusters/<name>/hosts/<mac>.conf`: a host, by its MAC address",
    "account": "`clusters/<name>/accounts/<name>.conf`: an operator, or another IPS",
    "os": "`os/<arch>-<name>_<version>.conf`: an operating system",
}

WRITERS = {HPS: "HPS", OPERATOR: "operator", NODE: "node, operator"}

KEYS = r"""# Record keys

A record is a text file below `<base>/config`, one `KEY=value` a line. In a value `\\` stands for a backslash, `\n` for a
newline, `\r` for a carriage return and `\0` for NUL; nothing is quoted or trimmed. Lines that begin with `#` are comments;
hps drops them when it next writes the record.

An operator reads and writes keys with `host_config`, `cluster_config` and `hps_config`. A *secret* key is written, from
standard input alone, and never shown. What HPS writes is the result of its own commands; a node writes only its own record."""

ERRORS = """# Failures

Every failure says what is wrong and, where it can, what to do about it. Whoever asks gets it in its own form: iPXE a
script that says it, waits and asks again; a browser a page; a CLI JSON, `{"ok": false, "error": …, "hint": …,
"status": …}`; anything else text.

| exit | class | HTTP | meaning |
|--:|---|--:|---|
| 0 | | 200 | done, or already so |
| 1 | anything else | 500 | a bug: its traceback is in the log, never in the answer |"""

COMMANDS_PAGE = """# Commands of hps-api

A command is asked for as `/hps-api?cmd=NAME&parameter=…` (GET, or POST of a form; `/cgi-bin/boot_manager.sh?cmd=NAME` is
the same), or as `POST /api/NAME` with a JSON object. The answer's form follows the `Accept` header, then the parameter
`format`, then the program that asks. `/openapi.json` describes both forms for programs.

Callers: a *stranger* has shown nothing; a *booting* machine holds a lease of this IPS and has no operating system yet; a
*node* shows the client certificate of its record; an *operator* comes through the local socket, or shows the client
certificate of an account; so does another *ips*."""

CLI = """# The command line

Each group takes `--help`, and so does each verb. Exit codes: [failures](errors.md).

The groups {local} work on this machine itself. All others ask hps-api, and take `--json`: on the IPS as root through the
operator's socket, and where no services run, in the same process; from anywhere with `hps --ips NAME VERB …` and the
certificate in `~/.ssl` (`--cluster NAME` where there are several). There the word `-` stands for standard input, less one
newline at its end: the only way to give a secret. After `--` every word is only itself, also `-` and what begins with it.

{programs} are programs too: `host_config get sch-001 STATE`. bash completes all of them: `. docs/completion/hps.bash`."""

NODE_FUNCTIONS = """# Node functions

POSIX sh, for a node's own scripts and as root: `. /usr/lib/hps/hps.sh; . /usr/lib/hps/api.sh`. Output and exit codes are
those of `hps`: [failures](errors.md). Values are data, whatever they hold. The functions of `api.sh` ask the IPS over mutual
TLS with the certificate of the node; [the commands](commands.md) say what each takes as NAME=VALUE.

| function | what it does |
|---|---|"""


def keys() -> str:
    """Every key that a record may hold."""
    lines = [KEYS]
    for kind, place in PLACES.items():
        lines += ["", f"## {kind}", "", place, "", "| key | meaning | type | default | written by |", "|---|---|---|---|---|"]
        for key in TABLE:
            if key.kind == kind:
                secret = " (secret)" if key.secret else ""
                row = (f"`{key.name}`", f"{key.help}{secret}", key.type.words, _code(key.default), WRITERS[key.writer])
                lines.append(_row(*row))
        lines += [
            _row(f"`{family.pattern.pattern}`", family.help, "text", "", WRITERS[family.writer])
            for family in FAMILIES
            if family.kind == kind
        ]
    lines += ["", "## Other names", "", "Whoever asks may write a key in lower case, or by a name that it has elsewhere:", ""]
    lines += ["| name | record | key |", "|---|---|---|"]
    lines += [_row(f"`{old}`", kind, f"`{new}`") for (kind, old), new in OLD_NAMES.items()]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Every class of failure."""
    lines = [ERRORS]
    lines += [f"| {kind.exit_code} | {kind.__name__} | {kind.status} | {_cell((kind.__doc__ or '').splitlines()[0])} |" for kind in KINDS]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command of hps-api."""
    lines = [COMMANDS_PAGE]
    for command in COMMANDS:
        lines += ["", f"## {command.name}", "", sentence(command.help), "", *_facts(command)]
        if command.parameters:
            lines += ["", "| parameter | | what it holds | meaning |", "|---|---|---|---|"]
            lines += [_row(f"`{row.name}`", _must(row), openapi.words(row.kind.schema), row.help) for row in command.parameters]
    return "\n".join(lines) + "\n"


def _facts(command: Command) -> list[str]:
    found = [
        f"Callers: {', '.join(command.callers)}. {'May change something.' if command.changes else 'Changes nothing.'}",
        f"Answers {command.answers}.",
    ]
    doors = [*([f"`hps {' '.join(command.verb)}`"] if command.verb else []), *([f"`{command.function}`"] if command.function else [])]
    return [" ".join([*found, *([f"Also as {' and '.join(doors)}."] if doors else [])])]


def _must(parameter: Parameter) -> str:
    return ", ".join(word for word in ("required" if parameter.required else "optional", "secret" if parameter.secret else "") if word)


def cli() -> str:
    """Every verb of the command line."""
    local = ", ".join(f"`{group}`" for group in GROUPS)
    lines = [CLI.format(local=local, programs=", ".join(f"`{name}`" for name in verbs.PROGRAMS))]
    for group, words in sorted(verbs.groups().items()):
        lines += ["", f"## hps {group}", "", sentence(words)]
        lines += ["", "| verb | what it does |", "|---|---|"]
        lines += [_row(f"`{verb.usage}`", verb.help) for verb in verbs.verbs(group)]
    return "\n".join(lines) + "\n"


def node_functions() -> str:
    """Every public shell function of a node, from the two lines above it."""
    lines = [NODE_FUNCTIONS]
    for path in sorted((ROOT / "node-functions").glob("*.sh")):
        for usage, words in re.findall(r"^# (n_[a-z0-9_]+.*)\n#   (.*)\nn_[a-z0-9_]+\(\)", path.read_text(), re.MULTILINE):
            lines.append(_row(f"`{usage}`", words))
    return "\n".join(lines) + "\n"


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
