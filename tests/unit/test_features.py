"""The words of `make features`, and what keeps its results true."""

import ast
from pathlib import Path

import pytest

from tests import features, results
from tests.results import Outcome

LAST = {
    "tests/a.py::test_x[one]": Outcome(("AB1",), "passed"),
    "tests/a.py::test_x[two]": Outcome(("AB1", "AB2"), "failed"),
    "tests/a.py::test_y": Outcome(("AB1",), "passed"),
}


@pytest.mark.parametrize(
    ("feature", "tests", "expected"),
    [
        ("AB1", [], ("open", [])),
        ("AB1", ["tests/a.py::test_y"], ("proven", ["tests/a.py::test_y"])),
        ("AB1", ["tests/a.py::test_x", "tests/a.py::test_y"], ("failing", ["tests/a.py::test_x (failed)", "tests/a.py::test_y"])),
        ("AB1", ["tests/a.py::test_y", "tests/a.py::test_z"], ("open", ["tests/a.py::test_y", "tests/a.py::test_z (not run yet)"])),
        ("AB3", ["tests/a.py::test_y"], ("open", ["tests/a.py::test_y (not run yet)"])),
    ],
    ids=["no test", "all passed", "one failed", "one never ran", "ran before it carried the requirement"],
)
def test_state(feature: str, tests: list[str], expected: tuple[str, list[str]]) -> None:
    assert features.state(feature, tests, LAST) == expected


def test_claims_are_found_on_functions_classes_parameters_and_modules(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_one.py").write_text(
        '@pytest.mark.feature("AB1", "AB2")\ndef test_a(): ...\n'
        '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.feature("AB3"))])\ndef test_b(x): ...\n'
        'class TestC:\n    @pytest.mark.feature("AB4")\n    def test_d(self): ...\n'
    )
    (folder / "test_two.py").write_text('pytestmark = [pytest.mark.feature("AB5")]\ndef test_e(): ...\n')
    (folder / "three.bats").write_text('# feature: AP1 AP2\n@test "it works" {\n}\n@test "no claim" {\n}\n')
    assert features.claims(tmp_path) == {
        "AB1": ["tests/test_one.py::test_a"],
        "AB2": ["tests/test_one.py::test_a"],
        "AB3": ["tests/test_one.py::test_b"],
        "AB4": ["tests/test_one.py::TestC::test_d"],
        "AB5": ["tests/test_two.py::test_e"],
        "AP1": ["tests/three.bats::it works"],
        "AP2": ["tests/three.bats::it works"],
    }


def test_a_merge_keeps_other_tests_and_forgets_parameters_that_are_gone(tmp_path: Path) -> None:
    place = tmp_path / "features.json"
    results.merge(LAST, set(), place)
    results.merge({"tests/a.py::test_x[one]": Outcome(("AB1",), "failed")}, {"tests/a.py::test_x[one]"}, place)
    assert results.load(place) == {
        "tests/a.py::test_x[one]": Outcome(("AB1",), "failed"),
        "tests/a.py::test_y": Outcome(("AB1",), "passed"),
    }


def test_a_bats_report_is_read(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "x.bats").write_text(
        '# feature: AP1\n@test "one" {\n}\n# feature: AP2\n@test "two" {\n}\n# feature: AP3\n@test "three" {\n}\n'
    )
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite name="x.bats"><testcase name="one"/><testcase name="two"><failure>no</failure></testcase>'
        '<testcase name="three"><skipped/></testcase></testsuite></testsuites>'
    )
    assert results.bats_outcomes(report, tmp_path) == {
        "tests/x.bats::one": Outcome(("AP1",), "passed"),
        "tests/x.bats::two": Outcome(("AP2",), "failed"),
    }


def test_rewriting_the_list_keeps_the_reasons() -> None:
    first = features.todo(f"# TODO\n\n{features.HEADING}\n\n| S25 | old words | part 9 |\n")
    assert first.startswith("# TODO\n\n")
    assert features.todo(first) == first
    if "S25" not in features.claims():
        assert features.reasons(first)["S25"] == "part 9"


def test_a_mark_without_words_claims_nothing() -> None:
    assert list(features._claims_of(Path("x"), ast.parse("@pytest.mark.programs\ndef test_a(): ...\n"))) == []
