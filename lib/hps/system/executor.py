"""Carry out a plan: the only place where steps become effects."""

import logging
from collections.abc import Callable, Collection

from hps import steps
from hps.errors import Refused
from hps.system import command, files

log = logging.getLogger(__name__)


def apply(plan: steps.Plan, may_destroy: Collection[str] = (), before: Callable[[steps.Step], None] | None = None) -> None:
    """Carry out each step in order.

    Args:
        plan: what to do; an empty plan does nothing.
        may_destroy: exactly the things whose loss the caller allowed; every `destroys` of the plan must be among them.
        before: called with each step before it runs, for progress.

    Raises:
        Refused: the plan would destroy something that was not allowed; nothing has been done then.
    """
    for step in plan:
        if step.destroys and step.destroys not in may_destroy:
            raise Refused(f"this would destroy {step.destroys}", hint=f"allow exactly that: {step.destroys}")
    for step in plan:
        log.info("%s", step.describe())
        if before is not None:
            before(step)
        _carry_out(step)


def _carry_out(step: steps.Step) -> None:
    match step:
        case steps.Run():
            command.run(step.arguments, step.stdin)
        case steps.Write():
            files.write(step.path, step.content, step.mode)
        case steps.Overwrite():
            files.overwrite(step.path, step.offset, step.content)
        case steps.MakeDirectory():
            files.make_directory(step.path, step.mode)
        case steps.Link():
            files.link(step.path, step.target)
        case steps.Remove():
            files.remove(step.path)
