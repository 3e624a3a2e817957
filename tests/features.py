"""`make features`: one line for each requirement: proven, failing or open, and the tests that say so.

proven: every test that carries it passed at its last run. failing: at least one failed. open: no test carries it,
or one that does has not run yet. `--todo` rewrites the list in TODO.md, keeping its reasons.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import results

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "features.tsv"
TODO = ROOT / "TODO.md"
HEADING = "## Requirements that no test proves yet"


@dataclass(frozen=True)
class Feature:
    """One requirement."""

    id: str
    area: str
    requirement: str


def table() -> dict[str, Feature]:
    """Every requirement by its id."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]
    return {row[0]: Feature(*row) for row in rows}


def claims(root: Path = ROOT) -> dict[str, list[str]]:
    """Requirement -> the tests that carry it, read from the sources of the tests."""
    found: dict[str, list[str]] = {}
    for path in sorted(root.glob("tests/**/test_*.py")):
        for test, feature in _claims_of(path.relative_to(root), ast.parse(path.read_text())):
            found.setdefault(feature, []).append(test)
    for test, features in results.bats_claims(root).items():
        for feature in features:
            found.setdefault(feature, []).append(test)
    return {feature: sorted(set(tests)) for feature, tests in found.items()}


def _claims_of(path: Path, tree: ast.Module) -> Iterator[tuple[str, str]]:
    tests = [(f"{path}::{name}", node) for name, node in _tests_of(tree)]
    for test, node in tests:
        for feature in _marks(node):
            yield test, feature
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets):
            for feature in _marks(node):
                yield from ((test, feature) for test, _ in tests)


def _tests_of(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
                    yield f"{node.name}::{inner.name}", inner


def _marks(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "feature":
            yield from (word.value for word in inner.args if isinstance(word, ast.Constant) and isinstance(word.value, str))


def state(feature: str, tests: list[str], last: Mapping[str, results.Outcome]) -> tuple[str, list[str]]:
    """The word for a requirement, and its tests with a remark where one has not run or failed. Pure."""
    words, remarks = set(), []
    for test in tests:
        outcomes = {outcome.outcome for name, outcome in last.items() if results.function(name) == test and feature in outcome.features}
        word = "failed" if "failed" in outcomes else "passed" if outcomes else "not run yet"
        words.add(word)
        remarks.append(test if word == "passed" else f"{test} ({word})")
    if "failed" in words:
        return "failing", remarks
    return ("proven" if words == {"passed"} else "open"), remarks


def report() -> str:
    """One line for each requirement, and the totals."""
    claimed, last = claims(), results.load()
    count = {"proven": 0, "failing": 0, "open": 0}
    lines = []
    for feature in table():
        word, tests = state(feature, claimed.get(feature, []), last)
        count[word] += 1
        lines.append(f"{feature:<5} {word:<8} {', '.join(tests)}".rstrip())
    lines.append(", ".join(f"{number} {word}" for word, number in count.items()) + f", of {len(table())}")
    return "\n".join(lines)


def reasons(text: str) -> dict[str, str]:
    """Requirement -> the reason beside it in TODO.md."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in text.partition(HEADING)[2].splitlines() if line.startswith("| ")
    ]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[0] in table()}


def todo(text: str) -> str:
    """TODO.md with the list of requirements that no test carries as it is now; what stands above the list is kept."""
    why, claimed = reasons(text), claims()
    rows = [
        f"| {feature.id} | {feature.requirement.replace('|', '/')} | {why.get(feature.id, '')} |"
        for feature in table().values()
        if feature.id not in claimed
    ]
    return text.partition(HEADING)[0] + "\n".join([HEADING, "", "| ID | requirement | where, or why not yet |", "|---|---|---|", *rows, ""])


def main(arguments: list[str]) -> int:
    """Print the report, or carry out what an option asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.features", description=main.__doc__)
    parser.add_argument("--todo", action="store_true", help="rewrite the list in TODO.md")
    parser.add_argument("--check", action="store_true", help="end with 1 unless TODO.md is current")
    parser.add_argument("--bats", type=Path, metavar="REPORT", help="keep the results of a bats run (JUnit)")
    options = parser.parse_args(arguments)
    if options.bats:
        results.merge(results.bats_outcomes(options.bats, ROOT), set())
    elif options.todo:
        TODO.write_text(todo(TODO.read_text()))
    elif options.check:
        return int(TODO.read_text() != todo(TODO.read_text()))
    else:
        print(report())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
