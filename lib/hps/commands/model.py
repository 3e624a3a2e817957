"""What a command is: its name, parameters, who may call it, and what answers. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hps.errors import Denied, InvalidInput, Usage
from hps.flows.model import Caller, Site

Handler = Callable[[Site, Caller, Mapping[str, Any]], object]
Check = Callable[[Any], object]

MAXIMUM_TEXT = 65536
"""Characters of the longest value of a parameter."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, the check that its value passes, what it means, and whether it must be given."""

    name: str
    check: Check
    help: str
    required: bool = True


@dataclass(frozen=True)
class Command:
    """One command of hps-api."""

    name: str
    help: str
    parameters: tuple[Parameter, ...]
    callers: tuple[str, ...]
    handler: Handler


def admit(command: Command, caller: Caller) -> None:
    """Let the caller pass, or raise Denied: the one place where that is decided."""
    if caller.kind not in command.callers:
        raise Denied(f"{command.name} is not for this caller ({caller.kind})", hint=_HINTS[caller.kind])


def checked_parameters(command: Command, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a command, each checked; parameters that it does not have are dropped.

    Raises:
        Usage: one that is required is missing.
        InvalidInput: a value is not well formed.
    """
    found: dict[str, Any] = {}
    for parameter in command.parameters:
        value = given.get(parameter.name)
        if value is None or value == "":
            if parameter.required:
                raise Usage(f"{command.name} needs the parameter {parameter.name}", hint=parameter.help)
            continue
        if isinstance(value, str) and len(value) > MAXIMUM_TEXT:
            raise InvalidInput(f"{parameter.name} is too long", hint=f"at most {MAXIMUM_TEXT} characters")
        found[parameter.name] = parameter.check(value)
    return found


def text(check: Callable[[str], object] | None = None, limit: int = 4096) -> Check:
    """A check that takes text only, with a length limit and a further check; the value itself is kept."""

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidInput("the value is not text")
        if len(value) > limit:
            raise InvalidInput("the value is too long", hint=f"at most {limit} characters")
        if check is not None:
            check(value)
        return value

    return accept


def truth(value: Any) -> str:
    """A check that takes true and false, as words or as JSON; the answer is `true` or `false`."""
    if value in (True, "true", "yes", "1"):
        return "true"
    if value in (False, "false", "no", "0"):
        return "false"
    raise InvalidInput("the value is neither true nor false")


def decimal(value: Any) -> str:
    """A check that takes a number that is not negative, as text or as JSON; the answer is text."""
    words = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if (
        not isinstance(words, str)
        or not 0 < len(words) <= 24
        or words.count(".") > 1
        or not words.replace(".", "").isascii()
        or not words.replace(".", "").isdigit()
    ):
        raise InvalidInput("the value is not a number")
    return words


_HINTS = {
    "stranger": "only machines that hold a lease of this IPS are answered, with boot decisions only",
    "booting": "a machine without a client certificate gets boot decisions only",
    "node": "a node may do this only through the operator",
    "operator": "this command is for machines",
}
