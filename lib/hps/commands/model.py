"""What a command is: its name, parameters, who may call it, what answers, and how each door offers it. Pure."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hps.commands.kinds import Kind, Schema
from hps.errors import Denied, InvalidInput, Usage
from hps.flows.model import STRANGER, Caller, Site

Handler = Callable[[Site, Caller, Mapping[str, Any]], object]
Show = Callable[[Any], str]

FORM_TOKEN = "hps_token"  # noqa: S105
RESERVED = ("cmd", "format", FORM_TOKEN)
"""Names that the query-string form uses itself: the command, the form of its answer, and the token of our own pages."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, what it may hold, what it means, and how it is given.

    A secret one stands in no log and no argument list: the command line reads it from standard input. A positional one
    is a word of the command line, in the order of the declaration; any other is an option. An empty one may be given
    where `empty` says that the empty text is a value too.
    """

    name: str
    kind: Kind
    help: str
    required: bool = True
    positional: bool = False
    secret: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: its one name, in every form.
        help: what it does, in one line.
        parameters: in the order of the command line.
        callers: who may call it, of `hps.flows.model.CALLER_KINDS`.
        handler: what does it.
        answers: what it answers, in one line.
        result: the same as JSON Schema.
        changes: whether it may change something; an operator's browser has to show that it means it.
        needs_cluster: whether it works only where a cluster is active.
        verb: the words after `hps` on the command line; none where it is no verb.
        function: its function on a node, `n_…`; none where it has none.
        show: the answer as text for a terminal; `KEY=value` lines by default.
    """

    name: str
    help: str
    parameters: tuple[Parameter, ...]
    callers: tuple[str, ...]
    handler: Handler
    answers: str
    result: Schema = field(default_factory=lambda: {"type": "object"})
    changes: bool = True
    needs_cluster: bool = True
    verb: tuple[str, ...] = ()
    function: str = ""
    show: Show | None = None


def admit(command: Command, caller: Caller) -> None:
    """Let the caller pass, or raise Denied: the one place where that is decided."""
    if caller.kind not in command.callers:
        denied = Denied(f"{command.name} is not for this caller ({caller.kind})", hint=_HINTS[caller.kind])
        if caller.kind == STRANGER:
            denied.status = 401
        raise denied


def checked_parameters(command: Command, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a command, each checked.

    Raises:
        Usage: one that is required is missing, or one is given that the command does not have.
        InvalidInput: a value is not well formed.
    """
    names = [parameter.name for parameter in command.parameters]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f"did you mean {near[0]}?" if near else "it takes: " + (", ".join(names) or "none")
            raise Usage(f"{command.name} has no parameter {str(name)[:40]!r}", hint=hint)
    found: dict[str, Any] = {}
    for parameter in command.parameters:
        value = given.get(parameter.name)
        if value is None or (value == "" and not parameter.empty):
            if parameter.required:
                raise Usage(f"{command.name} needs the parameter {parameter.name}", hint=parameter.help)
            continue
        try:
            found[parameter.name] = parameter.kind.check(value)
        except InvalidInput as error:
            raise InvalidInput(f"{parameter.name}: {error.message}", hint=error.hint or parameter.help) from error
    return found


_HINTS = {
    "stranger": "machines that hold a lease of this IPS get boot decisions; all else needs a client certificate of the cluster",
    "booting": "a machine without a client certificate gets boot decisions only",
    "node": "a node may do this only through the operator",
    "operator": "this command is for machines",
    "ips": "another provisioning server may not do this",
}
