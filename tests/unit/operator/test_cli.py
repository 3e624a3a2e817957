"""Whoever makes a cluster is its operator; `hps operator` and `hps authority` as they are typed on the IPS."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.cluster.questions import TABLE
from hps.registry.model import HPS, setting
from hps.security import authority, passphrase
from hps.security.certificates import certificate_owner
from tests.unit.flows.networks import Wire
from tests.unit.flows.test_configure_cluster import ANSWERS, FLAGS, Operator, hps

pytestmark = pytest.mark.root
QUICK = ["--probe-seconds", "0.2"]


@pytest.fixture(scope="module")
def net() -> Iterator[Wire]:
    with Wire() as made:
        yield made


@pytest.fixture
def founder(net: Wire, tmp_path: Path) -> Iterator[Operator]:
    """Somebody at an IPS with the cluster `lab`, which is active."""
    made = Operator(net, tmp_path / "ips")
    made.configure(*FLAGS, *QUICK)
    made.registry.change(HPS, setting(ACTIVE_CLUSTER="lab"), create=True)
    yield made
    passphrase.forget(made.paths.authority("lab"))


def typed(founder: Operator, words: str, *arguments: str, code: int = 0) -> str:
    return founder.run(*arguments, stdin=words, code=code, program=(sys.executable, "-m", "hps"))


def own_certificate(folder: Path) -> str:
    text = (folder / "hps-lab.pem").read_text()
    return text[text.index("-----BEGIN CERTIFICATE") :]


@pytest.mark.feature("QS9")
def test_prompts_flags_and_answers_make_whoever_types_the_first_operator(net: Wire, tmp_path: Path) -> None:
    file = tmp_path / "lab.answers"
    file.write_text("".join(f"{key}={value}\n" for key, value in ANSWERS.items()))
    prompted = "".join(f"{ANSWERS.get(question.name, '')}\n" for question in TABLE)
    results = set()
    for name, (arguments, stdin) in {"flags": (FLAGS, ""), "answers": (["--answers", str(file)], ""), "prompts": ([], prompted)}.items():
        someone = Operator(net, tmp_path / name)
        words = someone.configure(*arguments, *(QUICK if arguments else []), stdin=stdin)
        home = someone.paths.base / ".ssl"
        assert f"the certificate is {home / 'hps-lab.pem'}" in words
        owner = certificate_owner(own_certificate(home))
        (account,) = someone.registry.names("account", "lab")
        assert someone.registry.read(account).get("CERTIFICATE") == owner.digest
        modes = tuple(sorted((path.name, path.stat().st_mode & 0o777) for path in (home, *home.iterdir())))
        results.add((owner.kind, owner.name, account, modes))
        chain = ["openssl", "verify", "-CAfile", str(home / "hps-lab-ca.pem"), str(home / "hps-lab.pem")]
        subprocess.run(chain, check=True, capture_output=True)
    ((kind, _, _, modes),) = results
    assert kind == "operator"
    assert modes == ((".ssl", 0o700), ("hps-lab-ca.pem", 0o644), ("hps-lab.pem", 0o600))


def test_making_the_cluster_again_makes_no_second_operator_and_leaving_it_out_makes_none(
    net: Wire, founder: Operator, tmp_path: Path
) -> None:
    before = (founder.paths.base / ".ssl/hps-lab.pem").read_bytes()
    assert "operator" not in founder.configure(*FLAGS, *QUICK)
    assert (founder.paths.base / ".ssl/hps-lab.pem").read_bytes() == before
    without = Operator(net, tmp_path / "without")
    without.configure(*FLAGS, *QUICK, "--no-operator")
    assert not (without.paths.base / ".ssl").exists()
    assert without.registry.names("account", "lab") == ()
    assert (without.paths.authority("lab") / "ca.key").exists()


def test_the_files_of_another_cluster_are_left_and_it_is_said(net: Wire, tmp_path: Path) -> None:
    someone = Operator(net, tmp_path / "ips")
    (someone.paths.base / ".ssl").mkdir(parents=True)
    (someone.paths.base / ".ssl/hps-lab.pem").write_text("of another cluster\n")
    assert "no operator's certificate was made" in someone.configure(*FLAGS, *QUICK)
    assert (someone.paths.base / ".ssl/hps-lab.pem").read_text() == "of another cluster\n"


def test_operators_come_and_go(founder: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "eve"
    assert hps(founder, "operator", "create", "eve", "--folder", str(folder)).split() == [
        str(folder / name) for name in ("hps-lab.pem", "hps-lab-ca.pem")
    ]
    assert "eve" in hps(founder, "account", "list")
    assert "there is an account eve already" in hps(founder, "operator", "create", "eve", "--folder", str(tmp_path / "x"), code=4)
    hps(founder, "account", "remove", "eve")
    assert "eve" not in hps(founder, "account", "list")
    hps(founder, "account", "remove", "eve", code=7)


def test_a_file_for_browsers_takes_its_password_from_standard_input(founder: Operator, tmp_path: Path) -> None:
    words = ("operator", "create", "eve", "--folder", str(tmp_path / "eve"), "--p12")
    assert "too short" in typed(founder, "short\n", *words, code=3)
    assert "hps-lab.p12" in typed(founder, "a long password\n", *words)
    opened = ["openssl", "pkcs12", "-in", str(tmp_path / "eve/hps-lab.p12"), "-nokeys", "-passin", "stdin"]
    assert b"BEGIN CERTIFICATE" in subprocess.run(opened, input=b"a long password", capture_output=True, check=True).stdout


def test_a_passphrase_locks_and_unlocks(founder: Operator, tmp_path: Path) -> None:
    folder = founder.paths.authority("lab")
    assert "not encrypted, usable" in hps(founder, "authority", "show")
    assert authority.state(folder).fingerprint in hps(founder, "authority", "show", "--cluster", "lab")
    hps(founder, "authority", "lock", code=2)
    assert "correct horse" not in typed(founder, "correct horse\n", "authority", "passphrase")
    assert "encrypted, usable" in hps(founder, "authority", "show")
    hps(founder, "authority", "lock")
    assert "encrypted, locked" in hps(founder, "authority", "show")
    assert "hps authority unlock" in hps(founder, "operator", "create", "eve", "--folder", str(tmp_path / "eve"), code=4)
    assert "wrong" not in typed(founder, "wrong horse\n", "authority", "unlock", code=8)
    typed(founder, "correct horse\n", "authority", "unlock")
    hps(founder, "operator", "create", "eve", "--folder", str(tmp_path / "eve"))
    typed(founder, "\n", "authority", "passphrase")
    assert "not encrypted, usable" in hps(founder, "authority", "show")
    assert not passphrase.place(folder).exists()


@pytest.mark.feature("S1")
@pytest.mark.parametrize("name", ["ca.key", "ca.pem"])
def test_a_cluster_whose_secret_is_missing_or_empty_is_not_served(founder: Operator, name: str) -> None:
    path = founder.paths.authority("lab") / name
    hps(founder, "service", "reconcile", "--dry-run")
    kept = path.read_bytes()
    for spoil in (path.unlink, lambda: path.write_bytes(b"")):
        spoil()
        words = hps(founder, "service", "reconcile", code=4)
        assert str(path) in words
        assert "restore" in words
        assert "443" not in (founder.paths.services / "nginx/nginx.conf").read_text()
    assert not path.read_bytes()
    path.write_bytes(kept)
    path.chmod(0o600)
    hps(founder, "cluster", "activate", "lab", *QUICK)
    assert ":443 ssl" in (founder.paths.services / "nginx/nginx.conf").read_text()
