"""The commands of HPS, each declared once; every form, the documents, the shell functions and the pages come from here."""

from collections.abc import Mapping
from typing import Any

from hps.commands import account, boot, config, host, node
from hps.commands.model import Command, admit, checked_parameters
from hps.errors import Denied, HpsError, NotFound
from hps.flows import site
from hps.flows.model import MEMBERS, OPERATOR, Caller, Site
from hps.paths import Paths
from hps.security import audit

COMMANDS: tuple[Command, ...] = (*boot.COMMANDS, *node.COMMANDS, *host.COMMANDS, *account.COMMANDS, *config.COMMANDS)

BY_NAME = {command.name: command for command in COMMANDS}


def find(name: str) -> Command:
    """The command of this name; raises NotFound."""
    if name not in BY_NAME:
        raise NotFound(f"there is no command {name[:40]!r}", hint="docs/reference/commands.md lists them")
    return BY_NAME[name]


def perform(at: Site, caller: Caller, name: str, given: Mapping[str, Any]) -> object:
    """Run a command: the only way to a handler.

    Nothing on it comes before the question whether the caller may, and every call leaves a line in the audit log.
    Raises what the handler raises, Denied, Usage, InvalidInput, and Refused where it needs a cluster and none is active.
    """
    command = find(name)
    parameters: Mapping[str, Any] = {}
    outcome = "bug"
    try:
        admit(command, caller)
        parameters = checked_parameters(command, given)
        if command.needs_cluster:
            site.need_cluster(at)
        result = command.handler(at, caller, parameters)
        outcome = "done"
    except HpsError as error:
        outcome = error.word
        raise
    finally:
        note(at.paths, caller, {"command": command.name, **_told(command, caller, parameters)}, outcome)
    return result


def note(paths: Paths, caller: Caller, what: Mapping[str, str], outcome: str) -> None:
    """A line in the audit log: who asked for what, and the word of the failure that ended it, or `done`."""
    who = {"caller": caller.kind, "name": str(caller.mac) if caller.mac is not None else caller.name, "from": caller.address}
    end = {"allowed": "no" if outcome == Denied.word else "yes", "outcome": outcome}
    audit.record(paths, {**who, **what, **end}, caller.kind in MEMBERS)


def _told(command: Command, caller: Caller, parameters: Mapping[str, Any]) -> dict[str, str]:
    """What the log says of the parameters: those of an operator's change that are no secret, under names that nothing else has."""
    told = command.parameters if command.changes and caller.kind == OPERATOR else ()
    return {f"with.{each.name}": str(parameters[each.name]) for each in told if each.name in parameters and not each.secret}
