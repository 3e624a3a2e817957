"""The documents say what is so: made pages are current, links lead somewhere, what they name exists."""

import argparse
import re
from pathlib import Path

import pytest

from hps.boot import ipxe
from hps.boot.decision import STATE_TABLE
from hps.boot.model import Install
from hps.cli import GROUPS
from hps.errors import KINDS
from hps.registry.keys import STATES
from hps.timeline.model import INSTALL_ORDER
from hps.values import Mac
from tests import features, reference

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.name not in ("DEVELOPERS.md", "NOTES.md")
)


@pytest.mark.parametrize("page", reference.PAGES)
def test_each_made_page_is_current(page: str) -> None:
    made = reference.NOTE + reference.PAGES[page]()
    assert (reference.FOLDER / page).read_text() == made, "run: python -m tests.reference"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / document).read_text()):
        if "://" not in target:
            assert (ROOT / document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_paths_of_the_tree_exist(document: Path) -> None:
    """A path in backquotes that begins with a folder of the project is there."""
    for named in re.findall(
        r"`((?:lib|hps-api|tests|docs|node-functions|profiles|supervisor\.d|\.ci)/[^`\s*<>{}…]*)`", (ROOT / document).read_text()
    ):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_of_the_documents_exist(document: Path) -> None:
    """Each `hps GROUP VERB` and `make TARGET` that a document shows can be typed."""
    text = (ROOT / document).read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"(?:`|^ {4}|^\$ )make ([a-z]+)", text, re.MULTILINE):
        assert target in targets, f"make {target}"
    for group, verb in re.findall(r"(?:`|^ {4}|^\$ )hps ([a-z]+) ([a-z-]+)", text, re.MULTILINE):
        assert group in GROUPS, f"hps {group}"
        assert verb in verbs(group), f"hps {group} {verb}"


def test_commands_that_the_words_of_the_source_name_exist() -> None:
    """A hint that says `hps GROUP VERB` can be typed."""
    found = []
    for path in [*(ROOT / "lib").rglob("*.py"), *(ROOT / "hps-api").rglob("*.py"), *(ROOT / "hps-api").rglob("*.html")]:
        for group, verb in re.findall(r"\bhps (" + "|".join(GROUPS) + r") ([a-z][a-z-]+)\b", path.read_text()):
            if verb not in verbs(group):
                found.append(f"{path.relative_to(ROOT)}: hps {group} {verb}")
    assert found == []


def test_each_node_function_names_a_verb() -> None:
    for path in (ROOT / "node-functions").glob("*.sh"):
        for group, verb in re.findall(r"\{ n_hps ([a-z]+) ([a-z-]+)", path.read_text()):
            assert verb in verbs(group), f"{path.name}: hps {group} {verb}"


@pytest.mark.parametrize("group", GROUPS)
def test_each_verb_has_its_help_and_its_function(group: str) -> None:
    assert verbs(group)
    for verb, parser in verbs(group).items():
        assert callable(parser.get_default("function")), verb


def test_every_requirement_that_a_test_carries_is_in_the_table() -> None:
    assert set(features.claims()) <= set(features.table())


def test_the_list_of_what_no_test_proves_is_current() -> None:
    assert features.main(["--check"]) == 0, "run: python -m tests.features --todo"


def test_every_failure_is_in_the_page() -> None:
    page = (reference.FOLDER / "errors.md").read_text()
    assert all(f"| {kind.exit_code} | {kind.__name__} | {kind.status} |" in page for kind in KINDS)


def test_the_page_of_booting_names_every_state_event_and_argument() -> None:
    page = (reference.FOLDER / "boot.md").read_text()
    states = re.search(r"## States\n(.*?)\n## ", page, re.DOTALL)
    assert states is not None
    named = {word for row in re.findall(r"^\| ([A-Z][A-Z_, ]+) \|", states[1], re.MULTILINE) for word in row.split(", ")} - {"STATE"}
    assert named == set(STATE_TABLE) == set(STATES)
    words = " ".join(page.split())
    assert f"a boot that installs: {', '.join(INSTALL_ORDER)};" in words
    script = ipxe.render(Install("x86_64-debian_12", Mac("525400770001"), "sch-001", "SCH", "ab", "token", "a1b2c3", 1), "10.77.0.1")
    assert set(re.findall(r"(hps\.[a-z]+)=", script)) == set(re.findall(r"`(hps\.[a-z]+)`", page))


def test_decisions_fit_on_a_screen_and_are_whole() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text()
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name
        assert text.count("\n") <= 50, path.name


def verbs(group: str) -> dict[str, argparse.ArgumentParser]:
    """The verbs of a group."""
    return dict(reference.children(reference.group_parser(group)))
