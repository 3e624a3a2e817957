"""From want and have to steps and actions: nothing is planned twice."""

from pathlib import Path

import pytest

from hps import steps
from hps.services.plan import Action, Checked, Have, Want, plan

CONF = Checked("dnsmasq", Path("/s/dnsmasq.conf"), b"new", ("dnsmasq", "--test", "-C"))
WEB = Checked("nginx", Path("/s/nginx.conf"), b"web", ("nginx", "-t", "-c"))
HOST = steps.Write(Path("/s/hosts.d/525400770001"), b"line")
SCRIPT = steps.Write(Path("/s/scripts/10.77.0.11"), b"script")
HOOK = steps.Write(Path("/s/lease-hook"), b"hook", 0o755)


def want(serve: bool = True, hosts: tuple[steps.Write, ...] = (HOST,)) -> Want:
    return Want(prepare=(), files=(HOOK,), checked=(WEB, CONF), hosts=hosts, scripts=(SCRIPT,), serve=serve)


def have(running: set[str] | None, **changed: bytes) -> Have:
    files = {HOOK.path: b"hook", CONF.path: b"new", WEB.path: b"web", HOST.path: b"line", SCRIPT.path: b"script"}
    files |= {path: changed[path.name.split(".")[0]] for path in files if path.name.split(".")[0] in changed}
    return Have(files, frozenset({HOST.path}), frozenset({SCRIPT.path}), None if running is None else frozenset(running))


ALL = {"dnsmasq", "tftp", "nginx", "hps-api"}


def test_what_is_so_plans_nothing() -> None:
    found = plan(want(), have(ALL))
    assert found.describe() == ""
    assert (found.files, found.actions) == ((), ())


def test_every_candidate_is_checked_before_the_first_takes_its_place() -> None:
    found = plan(want(), Have({}, frozenset(), frozenset(), frozenset({"nginx"})))
    kinds = [(type(step).__name__, getattr(step, "path", Path("/"))) for step in found.files]
    last_check = max(index for index, (kind, _) in enumerate(kinds) if kind == "Run")
    assert last_check < min(kinds.index(("Write", CONF.path)), kinds.index(("Write", WEB.path)))
    assert [step.arguments[-1] for step in found.files if isinstance(step, steps.Run)] == ["/s/nginx.conf.new", "/s/dnsmasq.conf.new"]


@pytest.mark.parametrize(
    ("serve", "running", "changed", "actions"),
    [
        (True, {"nginx"}, {}, (Action("tftp", "start"), Action("dnsmasq", "start"))),
        (True, ALL - {"tftp"}, {}, (Action("tftp", "start"),)),
        (True, ALL, {"dnsmasq": b"old"}, (Action("dnsmasq", "restart"),)),
        (True, ALL, {"525400770001": b"old"}, (Action("dnsmasq", "refresh"),)),
        (True, ALL, {"10": b"old"}, ()),
        (True, ALL, {"nginx": b"old"}, (Action("nginx", "reload"),)),
        (True, {"dnsmasq", "tftp"}, {"nginx": b"old"}, (Action("nginx", "start"),)),
        (True, None, {"dnsmasq": b"old"}, ()),
        (False, ALL, {}, (Action("tftp", "stop"), Action("dnsmasq", "stop"))),
        (False, {"nginx"}, {}, ()),
        (False, {"nginx"}, {"dnsmasq": b"old"}, ()),
    ],
)
@pytest.mark.feature("QS10")
def test_what_is_started_and_stopped(serve: bool, running: set[str] | None, changed: dict[str, bytes], actions: tuple[Action, ...]) -> None:
    assert plan(want(serve), have(running, **changed)).actions == actions


def test_a_host_that_is_gone_is_removed_and_forgotten() -> None:
    found = plan(want(hosts=()), have(ALL))
    assert found.files == (steps.Remove(HOST.path),)
    assert found.actions == (Action("dnsmasq", "refresh"),)


def test_a_script_that_is_no_longer_wanted_is_removed_and_nobody_is_told() -> None:
    found = plan(Want(prepare=(), files=(HOOK,), checked=(WEB, CONF), hosts=(HOST,), scripts=(), serve=True), have(ALL))
    assert found.files == (steps.Remove(SCRIPT.path),)
    assert found.actions == ()
