"""The documents say what is so: made pages are current, links lead somewhere, what they name exists."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from hps.boot import ipxe
from hps.boot.decision import STATE_TABLE
from hps.boot.model import Install
from hps.cli import GROUPS
from hps.commands.table import COMMANDS
from hps.errors import KINDS
from hps.flows.model import NODE
from hps.registry.keys import STATES
from hps.timeline.model import INSTALL_ORDER
from hps.values import Mac
from tests import features, reference
from tests.generate import manual
from tests.generate import verbs as generate

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.name not in ("DEVELOPERS.md", "NOTES.md")
)


@pytest.mark.parametrize("path", reference.made(), ids=lambda path: path.name)
def test_each_made_file_is_current(path: Path) -> None:
    assert path.read_text() == reference.made()[path](), "run: python -m tests.reference"


def test_nothing_is_left_of_what_is_no_longer_made() -> None:
    assert {*ROOT.glob("docs/man/*"), *ROOT.glob("docs/completion/*")} <= set(reference.made())


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
    for group, verb in re.findall(r"(?:`|^ {4}|^\$ )hps ([a-z_]+) ([a-z-]+)", text, re.MULTILINE):
        assert group in generate.groups(), f"hps {group}"
        assert verb in verbs(group), f"hps {group} {verb}"
    for group, verb in re.findall(r"(?:`|^ {4}|^\$ )(host_config|cluster_config|hps_config) ([a-z-]+)", text, re.MULTILINE):
        assert verb in verbs(group), f"{group} {verb}"


def test_commands_that_the_words_of_the_source_name_exist() -> None:
    """A hint that says `hps GROUP VERB` can be typed."""
    found = []
    for path in [*(ROOT / "lib").rglob("*.py"), *(ROOT / "hps-api").rglob("*.py"), *(ROOT / "hps-api").rglob("*.html")]:
        for group, verb in re.findall(r"\bhps (" + "|".join(generate.groups()) + r") ([a-z][a-z-]+)\b", path.read_text()):
            if verb not in verbs(group):
                found.append(f"{path.relative_to(ROOT)}: hps {group} {verb}")
    assert found == []


def test_each_node_function_names_a_verb() -> None:
    for path in (ROOT / "node-functions").glob("*.sh"):
        for group, verb in re.findall(r"\{ n_hps ([a-z]+) ([a-z-]+)", path.read_text()):
            assert verb in verbs(group), f"{path.name}: hps {group} {verb}"


def test_each_function_is_of_a_command_that_nodes_may_call() -> None:
    asking = [command for command in COMMANDS if command.function]
    assert all(NODE in command.callers for command in asking)
    defined = [
        name for path in (ROOT / "node-functions").glob("*.sh") for name in re.findall(r"^(n_\w+)\(\)", path.read_text(), re.MULTILINE)
    ]
    assert len(set(defined)) == len(defined)
    assert {command.function for command in asking} <= set(defined)


@pytest.mark.parametrize("group", GROUPS)
def test_each_verb_of_this_machine_has_its_function(group: str) -> None:
    found = generate.children(generate.group_parser(group))
    assert found
    for verb, parser in found:
        assert callable(parser.get_default("function")), verb


def test_each_verb_says_what_it_does() -> None:
    for verb in generate.every():
        assert verb.help, verb.words


@pytest.mark.parametrize("name", ["hps", *manual.RECORDS])
def test_a_manual_page_is_whole(name: str) -> None:
    page = (ROOT / f"docs/man/{name}.1").read_text()
    assert all(f".B {kind.exit_code}\n" in page for kind in KINDS)
    for verb in [verb for group in ([name] if name in manual.RECORDS else generate.groups()) for verb in generate.verbs(group)]:
        assert manual.text(verb.usage.removeprefix("hps ")) in page


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
@pytest.mark.parametrize("name", ["hps", *manual.RECORDS])
def test_a_manual_page_is_set_without_a_warning(name: str) -> None:
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", ROOT / f"docs/man/{name}.1"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "\\" not in done.stdout
    assert len(done.stdout) > 1000


COMPLETED = (
    ("hps ", "host cluster_config service --ips"),
    ("hps ho", "host host_config"),
    ("hps host ", "list configure timeline"),
    ("hps host configure --ty", "--type"),
    ("hps host configure sch-001 --type ", "SCH TCH CCH DRH"),
    ("hps host configure sch-001 --type=S", "SCH"),
    ("hps service sta", "start status"),
    ("hps hps_config set LOG_", "LOG_LEVEL"),
    ("host_config ", "get set unset list exists"),
    ("host_config set sch-001 BMC_", "BMC_ADDRESS BMC_USER BMC_PASSWORD"),
    ("/usr/bin/cluster_config get NTP", "NTP_LOCAL_SERVER"),
)


@pytest.mark.programs
@pytest.mark.parametrize(("typed", "offered"), COMPLETED)
def test_bash_completes(typed: str, offered: str) -> None:
    """A real bash, given the words as readline gives them: an equals sign is a word of its own."""
    words = typed.replace("=", " = ").split(" ")
    given = f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}"
    script = f"set -u; . docs/completion/hps.bash; {given}; _hps; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == ""
    found = set(done.stdout.split())
    assert set(offered.split()) <= found
    assert all(word.startswith(words[-1]) for word in found)


@pytest.mark.programs
def test_bash_completes_every_verb() -> None:
    for verb in generate.every():
        script = f"set -u; . docs/completion/hps.bash; _hps_next '{' '.join(verb.words)}'"
        done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
        assert set(verb.options) <= set(done.stdout.split()), verb.words


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


def verbs(group: str) -> set[str]:
    """The verbs of a group."""
    return {verb.words[1] for verb in generate.verbs(group) if len(verb.words) > 1}
