import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.ask import node
from hps.errors import InvalidInput, NotFound, Usage
from hps.node.configuration import parse_configuration
from hps.node.credentials import Credentials
from tests.unit.node.test_configuration import CONFIG

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(TEXT, TEXT)
def test_values_are_data(first: str, second: str) -> None:
    target, body = node.question(["host_variable", ":name,value", first, second, f"action={second}"])
    assert target == "/terminal/host_variable"
    assert json.loads(body) == {"name": first, "value": second, "action": second}


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["health"], {}),
        (["log_message", "message=a=b"], {"message": "a=b"}),
        (["log_message", ":message", "a=b", "function=f"], {"message": "a=b", "function": "f"}),
        (["host_variable", ":name,value", "DESCRIPTION"], {"name": "DESCRIPTION"}),
        (["host_variable", ":name,value", "DESCRIPTION", ""], {"name": "DESCRIPTION", "value": ""}),
        (["host_variable", ":name,value"], {}),
    ],
)
def test_positions_become_names(words: list[str], given: dict[str, str]) -> None:
    assert json.loads(node.question(words)[1]) == given


@pytest.mark.parametrize("words", [[], [""], [":name", "x"], ["a=b"], ["../x"], ["health", "word"], ["health?x"], ["ä"]])
def test_what_is_no_command_or_no_pair_is_refused(words: list[str]) -> None:
    with pytest.raises(Usage):
        node.question(words)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        node.question(["log_message", "message=\udcff"])


def test_the_address_is_the_one_that_the_whole_parser_finds() -> None:
    for text in (json.dumps(CONFIG), json.dumps(CONFIG, indent=4), json.dumps(CONFIG, separators=(",", ":"))):
        assert node.address_in(text) == parse_configuration(text).hps.address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"Hps": {"Address": ""}}',
        '{"Hps": {"Address": "10.77.0.1.evil"}}',
        '{"Hps": {"Address": "10.77.0.999"}}',
        '{"Hps": {"Address": "evil"}}',
        '{"Hps": {"Address": 5, "Other": "10.77.0.1"}}',
        '{"Address": "10.77.0.1", "Hps": {"Address": "10.77.0.2"}}',
    ],
)
def test_what_names_no_address_or_two_is_none(text: str, tmp_path: Path) -> None:
    assert node.address_in(text) == ""
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput, match="names no IPS"):
        node.ips_address(str(tmp_path))


def test_an_address_inside_of_a_value_is_none() -> None:
    assert node.address_in(json.dumps({"Console": '"Address": "10.77.0.9"', "Hps": {"Address": "10.77.0.1"}})) == "10.77.0.1"


def test_the_files_are_those_of_the_credentials(tmp_path: Path) -> None:
    identity = Credentials(tmp_path)
    assert (identity.ca, identity.pair) == (tmp_path / node.AUTHORITY, tmp_path / node.PAIR)


def test_a_machine_that_is_no_node_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFound):
        node.ips_address(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path), "health"])
    assert node.main() == 7
    assert "no node" in capsys.readouterr().err
