"""Words in, text and an exit code out: every command that is a verb, as a terminal shows it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hps.commands import table, terminal
from hps.errors import Denied, NotFound, Usage
from hps.flows import site
from hps.flows.model import NODE, OPERATOR, Caller, Site
from hps.registry.keys import TABLE
from hps.registry.model import host_name, setting
from tests.sites import mac_of, make_site

pytestmark = pytest.mark.programs  # a changed cluster is brought to the services, which asks what runs

LOCAL = Caller(OPERATOR, name="local")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CANARY = "canary-4711-swordfish"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("site", numbered=True))
    made.registry.change(host_name("lab", mac_of(1)), setting(HOSTNAME="sch-001", STATE="UNCONFIGURED"), create=True)
    yield made


def run(at: Site, *words: str, given: str | None = None) -> terminal.Output:
    return terminal.run(site.open_site(at.paths), LOCAL, words, given)


def test_every_group_says_what_it_is_for() -> None:
    assert set(terminal.groups()) == set(terminal.GROUPS)
    assert all(terminal.groups().values())


@pytest.mark.parametrize("words", terminal.verbs(), ids=" ".join)
def test_every_verb_has_its_help(at: Site, words: tuple[str, ...]) -> None:
    command = terminal.verbs()[words]
    shown = run(at, *words, "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"usage: hps {' '.join(words)}")
    text = " ".join(shown.out.split())
    assert command.help in text
    assert all(" ".join(each.help.split()) in text for each in command.parameters)
    assert run(at, *words, "-h") == shown


def test_help_of_a_group_names_its_verbs(at: Site) -> None:
    shown = " ".join(run(at, "host", "--help").out.split())
    for words, command in terminal.verbs().items():
        assert (f"{words[-1]} {command.help}" in shown) == (words[0] == "host")
    assert all(group in run(at, "--help").out for group in terminal.groups())


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("host",),
        ("host", "nonsense"),
        ("host", "show"),
        ("host", "show", "a", "b"),
        ("host", "list", "--nonsense"),
        ("host", "list", "--unconf"),
        ("host", "configure", "x"),
        ("host_config", "set", "sch-001", "DESCRIPTION", "-x"),
    ],
)
def test_wrong_words_are_a_matter_of_usage(at: Site, words: tuple[str, ...]) -> None:
    shown = run(at, *words)
    assert (shown.code, shown.out) == (Usage.exit_code, "")
    assert shown.error.startswith("hps: ")
    assert "--help" in shown.error


def test_failures_have_their_codes(at: Site) -> None:
    assert run(at, "host", "show", "sch-999").code == NotFound.exit_code
    assert terminal.run(at, Caller(NODE, mac_of(1)), ["host", "list"]).code == Denied.exit_code


def test_the_answer_as_json(at: Site) -> None:
    assert json.loads(run(at, "health", "--json").out) == {"status": "ready", "cluster": "lab"}
    assert [one["MAC"] for one in json.loads(run(at, "host", "list", "--json").out)["hosts"]] == [str(mac_of(1))]


@pytest.mark.feature("CF5")
@example("-")
@example("--")
@example("--json")
@example("-1")
@example("")
@settings(deadline=None, max_examples=50)
@given(TEXT)
def test_any_text_comes_back_the_same(at: Site, value: str) -> None:
    """After `--` as a word, and by standard input."""
    for words, given_input in ((("--", value), None), (("-",), value + "\n")):
        assert run(at, "host_config", "unset", "sch-001", "DESCRIPTION").code == 0
        assert run(at, "host_config", "set", "sch-001", "DESCRIPTION", *words, given=given_input).error == ""
        assert json.loads(run(at, "host_config", "get", "sch-001", "DESCRIPTION", "--json").out)["value"] == value


@settings(deadline=None)
@given(TEXT)
def test_any_text_is_an_option_too(at: Site, value: str) -> None:
    shown = run(at, "host", "timeline", "sch-001", f"--session={value}")
    assert shown.problem is not None
    assert "boot" in shown.problem.message or "session" in shown.problem.message


def test_the_life_of_a_key(at: Site) -> None:
    def config(verb: str, *words: str) -> terminal.Output:
        return run(at, "host_config", verb, "sch-001", *words)

    assert config("exists", "BMC_USER").code == NotFound.exit_code
    assert config("set", "BMC_USER", "admin").code == 0
    assert config("get", "BMC_USER").out == "admin\n"
    assert config("exists", "BMC_USER").code == 0
    assert "BMC_USER=admin\n" in config("list").out
    assert config("unset", "BMC_USER").code == 0
    assert config("get", "BMC_USER").code == NotFound.exit_code


SECRETS = [(key.kind, key.name) for key in TABLE if key.secret]


@pytest.mark.feature("S21")
@pytest.mark.parametrize(("kind", "key"), SECRETS)
def test_a_secret_that_was_typed_is_refused(at: Site, kind: str, key: str) -> None:
    where = ("sch-001",) if kind == "host" else ()
    for words in ((CANARY,), ("--", CANARY), ("--", "-")):
        typed = run(at, f"{kind}_config", "set", *where, key, *words)
        assert typed.code == Usage.exit_code
        assert "standard input" in typed.error
        assert CANARY not in typed.error
    assert run(at, f"{kind}_config", "exists", *where, key).code == NotFound.exit_code
    assert run(at, f"{kind}_config", "set", *where, key, "-").code == Usage.exit_code
    done = run(at, f"{kind}_config", "set", *where, key, "-", given=f"{CANARY}\n")
    assert done.code == 0
    assert run(at, f"{kind}_config", "exists", *where, key).code == 0
    for shown in (
        run(at, f"{kind}_config", "get", *where, key),
        run(at, f"{kind}_config", "list", *where),
        run(at, "host", "list", "--json"),
    ):
        assert CANARY not in shown.out + shown.error
    assert CANARY not in (at.paths.log / "audit.log").read_text()
    assert run(at, f"{kind}_config", "unset", *where, key).code == 0


def test_there_is_a_secret_of_each_kind_to_look_at() -> None:
    assert {kind for kind, _ in SECRETS} >= {"host", "cluster"}


def test_a_command_by_its_name(at: Site) -> None:
    node = Caller(NODE, mac_of(1))
    assert terminal.call(at, node, "host_variable", {"name": "STATE"}).out == "UNCONFIGURED\n"
    assert terminal.call(at, node, "host_list", {}).code == Denied.exit_code
    assert terminal.call(at, node, "nonsense", {}).code == NotFound.exit_code
    assert terminal.call(at, node, "health", {"x": "y"}).code == Usage.exit_code


def test_a_file_is_shown_as_it_is(at: Site, tmp_path: Path) -> None:
    assert "STATE=UNCONFIGURED\n" in terminal.call(at, Caller(NODE, mac_of(1)), "host_get_config", {}).out


def test_every_verb_is_of_operators() -> None:
    """What a person types at the IPS, the IPS lets a person do."""
    assert all(OPERATOR in command.callers for command in table.COMMANDS if command.verb)
