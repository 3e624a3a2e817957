"""The last result of every test that carries a requirement, kept outside the tree between runs."""

import fcntl
import json
import os
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Outcome:
    """How a test ended, and the requirements that it carries."""

    features: tuple[str, ...]
    outcome: str


OUTCOMES = pytest.StashKey[dict[str, Outcome]]()
COLLECTED = pytest.StashKey[set[str]]()


def place() -> Path:
    """The file of results: `$HPS_CACHE/features.json`."""
    return Path(os.environ.get("HPS_CACHE", "/var/cache/hps")) / "features.json"


def load(path: Path | None = None) -> dict[str, Outcome]:
    """Test id -> its last outcome."""
    try:
        kept = json.loads((path or place()).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {test: Outcome(tuple(entry["features"]), entry["outcome"]) for test, entry in kept.items()}


def function(test: str) -> str:
    """The test function of a test id: `tests/x.py::test_y[param]` -> `tests/x.py::test_y`."""
    return test.partition("[")[0]


def forget_gone(kept: dict[str, Outcome], collected: set[str]) -> dict[str, Outcome]:
    """Drop the results of parameters that a collected test function no longer has. Pure."""
    functions = {function(test) for test in collected}
    return {test: outcome for test, outcome in kept.items() if function(test) not in functions or test in collected}


def merge(fresh: dict[str, Outcome], collected: set[str], path: Path | None = None) -> None:
    """Put the outcomes of one run over the kept ones; a run that cannot write there only says so."""
    path = path or place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = forget_gone(load(path), collected) | fresh
            text = json.dumps(
                {test: {"features": list(entry.features), "outcome": entry.outcome} for test, entry in sorted(kept.items())}, indent=0
            )
            temporary = path.with_suffix(".new")
            temporary.write_text(text)
            temporary.replace(path)
    except OSError as error:
        print(f"the results for `make features` were not kept: {error}")


def bats_claims(root: Path) -> dict[str, tuple[str, ...]]:
    """Bats test -> the requirements of the `# feature: ID ...` line above it."""
    claims: dict[str, tuple[str, ...]] = {}
    for path in sorted(root.glob("tests/**/*.bats")):
        above: tuple[str, ...] = ()
        for line in path.read_text().splitlines():
            if line.startswith("# feature:"):
                above = tuple(line.partition(":")[2].split())
            elif line.startswith("@test ") and above:
                claims[f"{path.relative_to(root)}::{line.split(chr(34))[1]}"] = above
                above = ()
    return claims


def bats_outcomes(report: Path, root: Path) -> dict[str, Outcome]:
    """Read the JUnit report of one bats run; skipped tests prove nothing."""
    claims = bats_claims(root)
    found = {}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            words = next((test for test in claims if test.endswith(f"{suite.get('name')}::{case.get('name')}")), None)
            if words is not None and case.find("skipped") is None:
                found[words] = Outcome(claims[words], "failed" if case.find("failure") is not None else "passed")
    return found
