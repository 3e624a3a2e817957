"""`node-functions/api.sh`: one function for each command that is declared to have one."""

from hps.commands.model import Command
from hps.commands.table import COMMANDS
from tests.generate.pages import sentence

HEAD = """# shellcheck shell=sh
# api.sh: what a node asks of the IPS; source hps.sh first, whose n_ips_command does the asking. POSIX sh.
# Made by `python -m tests.reference` from the commands; change lib/hps/commands, not this file.
"""

UNSET = """n_remote_host_variable() {
	case ${2-} in
	--unset) n_ips_command host_variable :name "$1" action=unset ;;
	*) n_ips_command host_variable :name,value "$@" ;;
	esac
}
"""
BODIES = {"n_remote_host_variable": ("NAME [VALUE | --unset]", UNSET)}
"""Functions that are called in a way of their own: their usage, and what they do."""


def api() -> str:
    """The file."""
    return "\n".join((HEAD, *(_function(command) for command in COMMANDS if command.function)))


def _function(command: Command) -> str:
    usage, body = BODIES.get(command.function) or (_usage(command), _body(command))
    return f"# {f'{command.function} {usage}'.rstrip()}\n#   {sentence(command.help)}\n{body}"


def _body(command: Command) -> str:
    places = ",".join(each.name for each in command.parameters if each.positional)
    named = f" :{places}" if places else ""
    return f'{command.function}() {{ n_ips_command {command.name}{named} "$@"; }}\n'


def _usage(command: Command) -> str:
    """Words by their places first, whatever the order of the declaration: that is how they are given."""
    places = [each.name.upper() if each.required else f"[{each.name.upper()}]" for each in command.parameters if each.positional]
    named = [f"{each.name}=VALUE" if each.required else f"[{each.name}=VALUE]" for each in command.parameters if not each.positional]
    return " ".join((*places, *named))
