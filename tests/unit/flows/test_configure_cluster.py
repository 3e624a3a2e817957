"""`cluster-configure` as an operator runs it: prompts, flags and a file of answers, and every refusal."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.cluster.questions import TABLE
from hps.paths import Paths
from hps.registry.model import HPS, cluster_name, setting
from hps.registry.store import FileRegistry
from tests.unit.flows.networks import Wire

pytestmark = pytest.mark.root
ANSWERS = {
    "CLUSTER_NAME": "lab",
    "CREATED": "2026-11-21",
    "DESCRIPTION": "the first = one",
    "DHCP_IFACE": "br0",
    "DHCP_IP": "10.77.0.1",
    "NETWORK_CIDR": "10.77.0.0/24",
    "DNS_DOMAIN": "lab.example",
    "DEFAULT_TYPE": "SCH",
    "DEFAULT_OS": "x86_64:debian:12",
    "OPERATOR_SSH_KEYS": "ssh-ed25519 AAAA operator@lab",
}
FLAGS = [word for question in TABLE if question.name in ANSWERS for word in (question.flag, ANSWERS[question.name])]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Wire() as made:
        yield made


class Operator:
    """Somebody at a fresh IPS."""

    def __init__(self, wire: Wire, base: Path) -> None:
        self.wire, self.paths = wire, Paths(base)
        self.registry = FileRegistry(self.paths.config)

    def run(self, *arguments: str, stdin: str = "", code: int = 0, program: tuple[str, ...] = ("hps",)) -> str:
        command = self.wire.inside(["env", f"HOME={self.paths.base}", f"HPS_BASE={self.paths.base}", *program, *arguments])
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def configure(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        program = (sys.executable, "-c", "import sys; from hps.cluster.cli import main; sys.exit(main())")
        return self.run("--probe-seconds", "0.1", *arguments, stdin=stdin, code=code, program=program)

    def record(self) -> bytes:
        return (self.paths.config / "clusters" / "lab" / "cluster.conf").read_bytes()


def operator(wire: Wire, base: Path) -> Operator:
    return Operator(wire, base)


@pytest.fixture
def here(wire: Wire, tmp_path: Path) -> Operator:
    assert shutil.which("ip")
    return operator(wire, tmp_path / "ips")


def hps(here: Operator, *arguments: str, code: int = 0) -> str:
    return here.run(*arguments, code=code, program=(sys.executable, "-m", "hps"))


@pytest.mark.feature("QS9")
def test_prompts_flags_and_answers_leave_the_same_bytes(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "lab.answers"
    file.write_text("".join(f"{key}={value}\n" for key, value in ANSWERS.items()))
    typed = "".join(f"{ANSWERS.get(question.name, '')}\n" for question in TABLE)
    ways = {"flags": (FLAGS, ""), "answers": (["--answers", str(file)], ""), "prompts": ([], typed)}
    records = set()
    for name, (arguments, stdin) in ways.items():
        someone = operator(wire, tmp_path / name)
        planned = someone.configure("--dry-run", *arguments, stdin=stdin)
        assert not someone.paths.base.exists()
        someone.configure(*arguments, stdin=stdin)
        records.add(someone.record())
        assert planned.endswith(someone.record().decode().partition("# end")[0])
    assert len(records) == 1
    assert b"DESCRIPTION=the first = one\n" in records.pop()


def test_the_same_again_is_already_so_and_something_else_is_refused(here: Operator) -> None:
    here.configure(*FLAGS)
    old = here.record()
    assert "already so" in here.configure(*FLAGS)
    assert "already so" in here.configure("--cluster-name", "lab")
    words = here.configure("--cluster-name", "lab", "--dns-domain", "other.example", code=4)
    assert "DNS_DOMAIN" in words
    assert "hps cluster set lab" in words
    assert here.record() == old


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--dhcp-iface", "eth7"], 4, "one of: br0, port"),
        (["--dhcp-ip", "10.78.0.1"], 3, "not an address of"),
        (["--dhcp-rangesize", "300"], 3, "does not fit"),
        (["--dns-domain", "a\nb"], 3, "not a DNS domain"),
        (["--answers", "/nowhere"], 7, "does not exist"),
        (["--cluster-name", "a/b"], 3, "not a valid cluster name"),
    ],
)
def test_a_bad_answer_leaves_nothing(here: Operator, flags: list[str], code: int, words: str) -> None:
    assert words in here.configure(*FLAGS, *flags, code=code)
    assert not list(here.paths.config.glob("clusters/*/cluster.conf"))


def test_prompts_that_end_early_are_named(here: Operator) -> None:
    assert "DHCP_IFACE" in here.configure(stdin="lab\n\n\n\n", code=2)


@pytest.mark.feature("CL3")
def test_an_ips_has_a_name_of_its_own(here: Operator) -> None:
    here.configure(*FLAGS)
    assert hps(here, "cluster", "add-ips", "lab").strip() == "ips-02"
    assert "named ips-02 already" in hps(here, "cluster", "add-ips", "lab", "--name", "ips-02", code=4)
    here.registry.change(HPS, setting(IPS_NAME="ips-07"), create=True)
    words = hps(here, "cluster", "activate", "lab", "--probe-seconds", "0.2", code=4)
    assert "this IPS is ips-07" in words
    assert hps(here, "cluster", "add-ips", "lab", "--name", "ips-07").strip() == "ips-07"
    hps(here, "cluster", "activate", "lab", "--probe-seconds", "0.2")
    assert here.registry.read(HPS).values == {"ACTIVE_CLUSTER": "lab", "IPS_NAME": "ips-07"}


def test_clusters_are_shown_and_changed(here: Operator) -> None:
    here.configure(*FLAGS)
    assert hps(here, "cluster", "list") == "  lab\n"
    hps(here, "cluster", "set", "lab", "MENU_TIMEOUT=5", "DEFAULT_TYPE=")
    shown = hps(here, "cluster", "show", "lab")
    assert "MENU_TIMEOUT=5\n" in shown
    assert "DEFAULT_TYPE" not in shown
    assert "not a key" in hps(here, "cluster", "set", "lab", "MENU_TIMEOUTS=", code=3)
    assert "keeps its name" in hps(here, "cluster", "set", "lab", "CLUSTER_NAME=x", code=3)
    assert "NETWORK_CIDR may not be empty" in hps(here, "cluster", "set", "lab", "NETWORK_CIDR=", code=3)
    assert "is not KEY=VALUE" in hps(here, "cluster", "set", "lab", "A=1", "x", code=2)
    assert "no cluster is active" in hps(here, "cluster", "show", code=2)
    assert "there is no record" in hps(here, "cluster", "activate", "nowhere", code=7)
    assert hps(here, "cluster", "show", "lab") == shown


@pytest.mark.feature("S23")
def test_a_secret_is_neither_shown_nor_taken_from_the_command_line(here: Operator) -> None:
    here.configure(*FLAGS)
    here.registry.change(cluster_name("lab"), setting(OPENSVC_CLUSTER_SECRET="canary-8812"))
    shown = hps(here, "cluster", "show", "lab")
    assert "CLUSTER_NAME=lab\n" in shown
    words = hps(here, "cluster", "set", "lab", "OPENSVC_CLUSTER_SECRET=another-9913", code=2)
    assert "cluster_config set OPENSVC_CLUSTER_SECRET -" in words
    again = here.configure("--dry-run", "--cluster-name", "lab")
    changed = hps(here, "cluster", "set", "lab", "MENU_TIMEOUT=9")
    assert not any(secret in text for text in (shown, words, again, changed) for secret in ("canary-8812", "another-9913"))
    assert here.registry.read(cluster_name("lab")).get("OPENSVC_CLUSTER_SECRET") == "canary-8812"
