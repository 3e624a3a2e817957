import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.errors import InvalidInput, NotFound
from hps.flows import first_boot
from hps.node.configuration import parse_configuration
from hps.steps import Link, Run
from hps.system import command
from tests.unit.node.test_configuration import CONFIG, changed

CONFIGURATION = parse_configuration(json.dumps(CONFIG))
EMPTY = first_boot.Facts({}, {}, "hps-installer", frozenset(), can_make_keys=True)


def satisfied(facts: first_boot.Facts = EMPTY) -> first_boot.Facts:
    files = {path: content for path, (content, _) in first_boot.wanted_files(CONFIGURATION).items()}
    names = [f"ssh_host_{kind}_key{end}" for kind in first_boot.KEY_KINDS for end in ("", ".pub")]
    links = {f"etc/ssh/{name}": f"/var/lib/hps/ssh/{name}" for name in names}
    return first_boot.Facts(files, links, "sch-001", frozenset(first_boot.KEY_KINDS), can_make_keys=True)


@pytest.mark.feature("AB11")
def test_fresh_node_gets_everything_and_a_second_time_nothing() -> None:
    plan = first_boot.plan(CONFIGURATION, EMPTY)
    assert Run(("hostname", "sch-001")) in plan
    assert Link(Path("/etc/ssh/ssh_host_ed25519_key"), "/var/lib/hps/ssh/ssh_host_ed25519_key") in plan
    assert len([step for step in plan if isinstance(step, Run) and step.arguments[0] == "ssh-keygen"]) == 2
    assert first_boot.plan(CONFIGURATION, satisfied()) == ()


def test_only_what_differs_is_mended() -> None:
    facts = satisfied()
    broken = first_boot.Facts({**facts.files, "etc/hosts": b"x"}, facts.links, facts.hostname, facts.host_keys, facts.can_make_keys)
    assert [step.describe().split()[1] for step in first_boot.plan(CONFIGURATION, broken)] == ["/etc/hosts"]


def test_node_without_ssh_gets_no_keys() -> None:
    plan = first_boot.plan(CONFIGURATION, first_boot.Facts({}, {}, "sch-001", frozenset(), can_make_keys=False))
    assert not any(isinstance(step, Run | Link) for step in plan)


def test_files() -> None:
    files = first_boot.wanted_files(CONFIGURATION)
    assert files["etc/hostname"] == (b"sch-001\n", 0o644)
    assert files["etc/resolv.conf"] == (b"search lab.example\nnameserver 10.77.0.1\n", 0o644)
    assert files["etc/systemd/timesyncd.conf.d/hps.conf"][0] == b"[Time]\nNTP=10.77.0.1\n"
    assert files["root/.ssh/authorized_keys"][1] == 0o600
    assert files["root/.ssh/authorized_keys"][0].startswith(b"ssh-ed25519 AAAA")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "var/lib/hps/identity").mkdir(parents=True)
    # The node is called as this machine is, so that the plan has no reason to rename it.
    name = command.run(("hostname",)).strip()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        pytest.skip(f"this machine is called {name!r}: it would be renamed")
    (tmp_path / "var/lib/hps/identity/config.json").write_text(changed("Machine.Hostname", name))
    yield tmp_path


@pytest.mark.programs
@pytest.mark.feature("AB11")
def test_identity_on_a_tree_is_applied_once(root: Path) -> None:
    (root / "etc").mkdir()
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    first = [step for step in first_boot.apply_identity(root) if not (isinstance(step, Run) and step.arguments[0] == "hostname")]
    assert first
    assert not (root / "etc/resolv.conf").is_symlink()
    assert "Address=10.77.0.11/24" in (root / "etc/systemd/network/10-hps.network").read_text()
    again = [step for step in first_boot.apply_identity(root) if not (isinstance(step, Run) and step.arguments[0] == "hostname")]
    assert again == []
    assert (root / "run/hps/identity-applied").exists()


def test_node_without_identity_says_what_helps(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="install this node again"):
        first_boot.apply_identity(tmp_path)
    (tmp_path / "var/lib/hps/identity").mkdir(parents=True)
    (tmp_path / "var/lib/hps/identity/config.json").write_text("{")
    with pytest.raises(InvalidInput):
        first_boot.apply_identity(tmp_path)
