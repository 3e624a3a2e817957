import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hps.ask import operator, tls
from hps.errors import Denied, InvalidInput, NotFound, Usage
from hps.paths import Paths


@pytest.mark.parametrize("base", [None, "/elsewhere"])
def test_the_base_follows_the_rule_of_the_paths(base: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HPS_BASE", raising=False)
    if base is not None:
        monkeypatch.setenv("HPS_BASE", base)
    assert operator.base() == str(Paths.from_environment().base)


def test_the_words_and_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    assert json.loads(operator.question(["host", 'a"\\\n'])) == {"words": ["host", 'a"\\\n']}
    given("pässword\n".encode())
    assert json.loads(operator.question(["set", "-"])) == {"words": ["set", "-"], "input": "pässword\n"}
    assert json.loads(operator.question(["set", "--", "-"])) == {"words": ["set", "--", "-"]}
    given(b"\xff")
    with pytest.raises(InvalidInput, match="standard input is not UTF-8"):
        operator.question(["-"])


@pytest.mark.parametrize(
    ("names", "cluster", "found"),
    [
        (["hps-lab.pem", "hps-lab-ca.pem", "other.pem", "hps-lab.p12"], "", "hps-lab.pem"),
        (["hps-lab.pem", "hps-lab-ca.pem", "hps-two.pem"], "two", "hps-two.pem"),
        (["hps-x-ca.pem", "hps-x-ca-ca.pem"], "", "hps-x-ca.pem"),
    ],
)
def test_the_certificate_is_that_of_the_cluster(tmp_path: Path, names: list[str], cluster: str, found: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert operator.certificate(str(tmp_path), cluster) == str(tmp_path / found)


def test_no_certificate_and_several(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(NotFound, match=r"hps-\*\.pem"):
            operator.certificate(str(folder), "")
    for name in ("hps-a.pem", "hps-a-ca.pem", "hps-b.pem"):
        (tmp_path / name).touch()
    with pytest.raises(Usage, match="a, b"):
        operator.certificate(str(tmp_path), "")


@pytest.mark.parametrize("words", [["--ips"], ["--ips", "ips-01"], ["--ips="], ["--cluster", "lab", "health"], ["--ips", ":443", "health"]])
def test_whom_and_what_to_ask_has_to_be_said(words: list[str]) -> None:
    with pytest.raises(Usage):
        operator.remote(words)


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "²"])
def test_a_port_is_a_number(port: str) -> None:
    with pytest.raises(InvalidInput, match="port"):
        operator.remote(["--ips", f"ips-01:{port}", "health"])


def test_another_ips_is_asked_with_the_certificate_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def connect(*arguments: object) -> None:
        asked.append(arguments)
        raise Denied("enough")

    monkeypatch.setattr(tls, "connect", connect)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssl").mkdir()
    own = tmp_path / ".ssl/hps-lab.pem"
    own.touch()
    for words in (["--ips", "ips-01", "health"], ["--cluster=lab", "--ips=ips-01:8443", "host", "list"]):
        with pytest.raises(Denied):
            operator.remote(words)
    trusted = str(tmp_path / ".ssl/hps-lab-ca.pem")
    assert asked == [("ips-01", 443, trusted, str(own), str(own)), ("ips-01", 8443, trusted, str(own), str(own))]
