"""Supervisor, asked and told: what runs, and start, stop, restart or reload it."""

import contextlib
import os
import signal
from pathlib import Path

from hps.errors import CommandFailed, Unreachable
from hps.paths import Paths
from hps.services import dnsmasq, supervisor
from hps.services.plan import Action
from hps.system import command, rpc

_RUNNING = ("RUNNING", "STARTING", "BACKOFF")


def states(paths: Paths) -> dict[str, str] | None:
    """The state of each program by its name, in supervisor's words; None where supervisor does not run, nothing while it ends."""
    try:
        answer = rpc.call(supervisor.socket(paths), "supervisor.getAllProcessInfo")
    except Unreachable:
        return None
    except CommandFailed as error:
        if error.hint.startswith("SHUTDOWN_STATE"):
            return {}
        raise
    return {str(entry["name"]): str(entry["statename"]) for entry in answer}


def running(found: dict[str, str] | None) -> frozenset[str] | None:
    """The programs that run; None where supervisor does not."""
    return None if found is None else frozenset(name for name, state in found.items() if state in _RUNNING)


def carry_out(paths: Paths, action: Action) -> None:
    """Do one thing to one program and wait until it is done; raises CommandFailed with the program's last words."""
    socket = supervisor.socket(paths)
    if action.verb == "refresh":
        _refresh(socket, action.program)
    if action.verb == "reload":
        rpc.call(socket, "supervisor.signalProcess", action.program, "HUP")
    if action.verb in ("stop", "restart"):
        _unless(socket, "NOT_RUNNING", "supervisor.stopProcess", action.program)
    if action.verb in ("start", "restart"):
        try:
            _unless(socket, "ALREADY_STARTED", "supervisor.startProcess", action.program)
        except CommandFailed as error:
            words = str(rpc.call(socket, "supervisor.tailProcessStdoutLog", action.program, 0, 1000)[0])
            raise CommandFailed(f"{action.program} does not start", hint=words.strip() or error.hint) from error


def _refresh(socket: Path, program: str) -> None:
    """Make dnsmasq read the files of hosts again: by a signal where it survives that, else by a restart that nobody waits for."""
    if dnsmasq.reads_hosts_again(command.run(("dnsmasq", "--version"), timeout=10)):
        rpc.call(socket, "supervisor.signalProcess", program, "HUP")
        return
    _unless(socket, "NOT_RUNNING", "supervisor.stopProcess", program)
    _unless(socket, "ALREADY_STARTED", "supervisor.startProcess", program, wait=False)


def _unless(socket: Path, fault: str, method: str, program: str, wait: bool = True) -> None:
    """Call a method; that it is already so is no failure."""
    try:
        rpc.call(socket, method, program, wait)
    except CommandFailed as error:
        if not error.hint.startswith(fault):
            raise


def shut_down(paths: Paths) -> None:
    """Stop every program and supervisor itself; raises Unreachable where it does not run."""
    rpc.call(supervisor.socket(paths), "supervisor.shutdown")


def end_orphans(program: str, group: int) -> None:
    """Kill the processes of a program that are left of a process group whose leader was killed.

    Workers of nginx outlive their master and hold its ports, so that the next one could not listen. proc_pid_stat(5).
    """
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            name, rest = file.read_text().split("(", 1)[1].rsplit(")", 1)
            if name == program and int(rest.split()[2]) == group:
                os.kill(int(file.parent.name), signal.SIGKILL)
