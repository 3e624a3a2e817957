"""From what the services should be to what has to be done about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hps import steps

SERVED = ("tftp", "dnsmasq")
"""The programs that answer a cluster's network and run only while one is served; the one with hosts comes last."""


@dataclass(frozen=True)
class Action:
    """One thing to do to one program."""

    program: str
    verb: Literal["start", "stop", "restart", "reload", "refresh"]
    """`refresh` makes dnsmasq read the files of hosts again."""

    def describe(self) -> str:
        """One line for a dry run."""
        return f"{self.verb} {self.program}"


@dataclass(frozen=True)
class Checked:
    """A configuration that its own program has to accept before it takes the place of the old one."""

    program: str
    path: Path
    content: bytes
    test: tuple[str, ...]
    """The program that checks; the path of the candidate is added as the last argument."""

    @property
    def candidate(self) -> Path:
        """Where it is while it is checked."""
        return self.path.with_name(f"{self.path.name}.new")


@dataclass(frozen=True)
class Want:
    """How the services should be."""

    prepare: tuple[steps.Step, ...]
    files: tuple[steps.Write, ...]
    checked: tuple[Checked, ...]
    hosts: tuple[steps.Write, ...]
    """The files of all hosts that dnsmasq reads: any other file beside them is removed, and a change makes it read them again."""
    scripts: tuple[steps.Write, ...]
    """The boot scripts of all hosts that have one: any other file beside them is removed."""
    serve: bool
    """Whether the programs of SERVED run."""


@dataclass(frozen=True)
class Have:
    """How they are."""

    files: Mapping[Path, bytes]
    """The contents of every file that is wanted and there, and of every file of a host."""
    host_files: frozenset[Path]
    script_files: frozenset[Path]
    running: frozenset[str] | None
    """The programs that run; None where supervisor does not."""


@dataclass(frozen=True)
class Reconciliation:
    """What has to be done: files first, then programs."""

    files: steps.Plan = ()
    actions: tuple[Action, ...] = ()

    def describe(self) -> str:
        """The dry run, one line for each thing; empty where nothing is to be done."""
        return steps.describe(self.files) + "".join(f"{action.describe()}\n" for action in self.actions)


def plan(want: Want, have: Have) -> Reconciliation:
    """What leads from `have` to `want`; nothing is planned for what is already so."""
    changed = tuple(each for each in want.checked if have.files.get(each.path) != each.content)
    files = tuple(write for write in want.files if have.files.get(write.path) != write.content)
    hosts = host_plan(want.hosts, have.files, have.host_files)
    scripts = host_plan(want.scripts, have.files, have.script_files)
    return Reconciliation(
        files=(*want.prepare, *files, *_replace(changed), *scripts, *hosts),
        actions=_actions(want, have, {each.program for each in changed}, published=bool(hosts)),
    )


def host_plan(wanted: tuple[steps.Write, ...], contents: Mapping[Path, bytes], there: frozenset[Path]) -> steps.Plan:
    """The files of hosts to write and to remove: of those that are `there`, every one that is not wanted."""
    return (
        *(steps.Remove(path) for path in sorted(there - {write.path for write in wanted})),
        *(write for write in wanted if contents.get(write.path) != write.content),
    )


def _replace(changed: tuple[Checked, ...]) -> steps.Plan:
    """Every candidate is checked before the first one takes its place."""
    return (
        *(steps.Write(each.candidate, each.content) for each in changed),
        *(steps.Run((*each.test, str(each.candidate))) for each in changed),
        *(steps.Write(each.path, each.content) for each in changed),
        *(steps.Remove(each.candidate) for each in changed),
    )


def _actions(want: Want, have: Have, changed: set[str], published: bool) -> tuple[Action, ...]:
    if have.running is None:
        return ()
    found = []
    for program in SERVED:
        if want.serve and program not in have.running:
            found.append(Action(program, "start"))
        elif not want.serve and program in have.running:
            found.append(Action(program, "stop"))
        elif want.serve and program in changed:
            found.append(Action(program, "restart"))
        elif want.serve and published and program == "dnsmasq":
            found.append(Action(program, "refresh"))
    # Supervisor itself starts nginx; one that it gave up gets another chance with another configuration.
    if "nginx" in changed:
        found.append(Action("nginx", "reload" if "nginx" in have.running else "start"))
    return tuple(found)
