"""`hps service`: run, bring up to date and show the services of the IPS."""

import argparse
import sys
import time
from pathlib import Path

from hps.errors import HpsError, Refused, Unreachable
from hps.flows import serve, served
from hps.paths import Paths
from hps.registry.settings import open_paths
from hps.registry.store import FileRegistry
from hps.services import control, nginx, supervisor
from hps.services.plan import Action
from hps.services.renewal import RenewalWatch
from hps.system import command, files

STOP_SECONDS = 30


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this group."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    start = verbs.add_parser("start", help="run all services in the foreground, or start one program of the services that run")
    start.add_argument("program", nargs="?", help="only this program")
    start.add_argument("--foreground", action="store_true", help="what it does anyway; for readers of scripts")
    start.set_defaults(function=_start)
    stop = verbs.add_parser("stop", help="end all services, or one program")
    stop.add_argument("program", nargs="?", help="only this program")
    stop.set_defaults(function=_stop)
    for name in ("reconcile", "render"):
        verb = verbs.add_parser(name, help="bring the services to what the records say")
        verb.add_argument("--dry-run", action="store_true", help="print what would be done")
        verb.set_defaults(function=_reconcile)
    verbs.add_parser("status", help="show what runs").set_defaults(function=_status)
    verbs.add_parser("renew", help="renew the certificate of the IPS before it ends, for ever (supervisor calls this)").set_defaults(
        function=_renew
    )
    verbs.add_parser("nginx", help="become nginx (supervisor calls this)").set_defaults(function=_nginx)


def _here() -> tuple[Paths, FileRegistry]:
    paths = open_paths()
    return paths, FileRegistry(paths.config)


def _say(problem: HpsError) -> None:
    print(f"hps: the cluster is not served: {problem}", file=sys.stderr)


def _start(options: argparse.Namespace) -> int:
    paths, registry = _here()
    if options.program:
        control.carry_out(paths, Action(options.program, "start"))
        return 0
    if control.states(paths) is not None:
        raise Refused("the services run already", hint="hps service status; hps service stop")
    report = serve.reconcile(paths, registry)
    if report.problem is not None:
        _say(report.problem)
    python = sys.executable
    home = served.home()
    variables = supervisor.environment(paths, home, Path(python))
    command.replace_process((python, "-m", "supervisor.supervisord", "-n", "-c", str(supervisor.configuration(paths))), variables)
    return 0


def _stop(options: argparse.Namespace) -> int:
    paths, _ = _here()
    if options.program:
        control.carry_out(paths, Action(options.program, "stop"))
        return 0
    if control.states(paths) is None:
        print("the services do not run")
        return 0
    control.shut_down(paths)
    deadline = time.monotonic() + STOP_SECONDS
    while control.states(paths) is not None:
        if time.monotonic() > deadline:
            raise Unreachable(f"the services did not end within {STOP_SECONDS} seconds", hint="hps service status")
        time.sleep(0.1)
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    paths, registry = _here()
    report = serve.reconcile(paths, registry, dry_run=options.dry_run)
    print(report.plan.describe(), end="")
    if report.problem is not None:
        _say(report.problem)
        return report.problem.exit_code
    return 0


def _status(_options: argparse.Namespace) -> int:
    paths, registry = _here()
    print(f"active cluster: {serve.active_cluster(registry) or 'none'}")
    found = control.states(paths)
    if found is None:
        raise Unreachable("the services do not run", hint="hps service start")
    for name, state in sorted(found.items()):
        print(f"{name:12} {state}")
    return 0


def _renew(_options: argparse.Namespace) -> int:
    watch = RenewalWatch()
    while True:
        if watch.due(time.time()):
            try:
                if serve.renew(*_here()):
                    print("the certificate of the IPS is renewed", flush=True)
            except HpsError as error:
                print(f"the certificate of the IPS is not renewed: {error}", file=sys.stderr, flush=True)
        time.sleep(RenewalWatch.LOOK)


def _nginx(_options: argparse.Namespace) -> int:
    paths, _ = _here()
    # What a killed nginx left behind would keep the next one from listening: its workers, and the socket.
    before = paths.run / "nginx.pid"
    if before.exists() and before.read_text().strip().isdecimal():
        control.end_orphans("nginx", int(before.read_text()))
    files.remove(nginx.operator_socket(paths))
    command.replace_process(("nginx", "-e", "stderr", "-c", str(nginx.configuration(paths))))
    return 0
