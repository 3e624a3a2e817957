"""What holds for every test: no effect by accident, and the last result of each requirement is kept for `make features`."""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import results

EFFECTS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "socket.connect", "socket.bind"}
)
"""Audit events of the interpreter (docs.python.org, Audit events table) that start a program or reach a network."""

ALLOWING = ("programs", "root", "lab")
"""Marks that allow them. A test of pure code carries none, so it cannot depend on the machine it runs on."""

ROOT = Path(__file__).resolve().parent.parent
_guarded = False


class ForbiddenEffect(RuntimeError):
    """A test without a mark started a program or opened a socket."""


def _watch(event: str, _arguments: tuple[object, ...]) -> None:
    if _guarded and event in EFFECTS:
        raise ForbiddenEffect(f"{event}: this test may not start programs or open sockets; mark it programs, root or lab if it must")


sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Guard the set-up, the call and the tear-down of a test that carries no allowing mark."""
    global _guarded
    _guarded = not any(item.get_closest_marker(mark) for mark in ALLOWING)
    try:
        return (yield)
    finally:
        _guarded = False


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long value is named by its length, so that a test id stays readable."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > 60 else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the folders that boot machines or drive a browser, leave out what only `make prove` runs, and skip what needs root."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0] if item.path.is_relative_to(ROOT / "tests") else ""
        if folder in ("lab", "bench"):
            item.add_marker("lab")
        if folder == "web":
            item.add_marker("programs")
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root: namespaces, mounts or loop devices"))
    if not any("[" in argument for argument in config.args):
        config.stash[results.COLLECTED] = {item.nodeid for item in items}
    if "prove" not in str(config.getoption("markexpr")):
        long = [item for item in items if item.get_closest_marker("prove")]
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if item not in long]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the outcome of every test that carries a requirement."""
    report: pytest.TestReport = yield
    features = sorted({str(word) for mark in item.iter_markers("feature") for word in mark.args})
    if features:
        outcomes = item.config.stash.setdefault(results.OUTCOMES, {})
        if report.failed:
            outcomes[item.nodeid] = results.Outcome(tuple(features), "failed")
        elif report.when == "call" and report.passed:
            outcomes[item.nodeid] = results.Outcome(tuple(features), "passed")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Merge this run into the kept results."""
    results.merge(session.config.stash.get(results.OUTCOMES, {}), session.config.stash.get(results.COLLECTED, set()))
