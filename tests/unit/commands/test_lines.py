"""Answers as lines: no value forges one, and none steers a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.commands import lines


@given(st.dictionaries(st.text("ABC_", min_size=1), st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_every_answer_is_read_back(values: dict[str, str]) -> None:
    shown = lines.text(values)
    assert all(character.isprintable() for character in shown.replace("\n", ""))
    found = {}
    for line in shown.split("\n")[:-1]:
        key, _, value = line.partition("=")
        found[key] = json.loads(value) if value.startswith('"') else value
    assert found == values


@pytest.mark.feature("S4")
@pytest.mark.parametrize("value", ["x\nSTATE=INSTALLED", "\x1b]0;title\x07", "\x9b31m", "\u2028", "\u202eabc", "\r", "\0"])
def test_a_hostile_value_is_one_line_of_plain_characters(value: str) -> None:
    assert lines.text({"A": value}) == f"A={json.dumps(value)}\n"
    assert lines.plain(value).isprintable()


def test_what_is_no_text_is_json() -> None:
    assert lines.text({"a": ["x"], "b": 1, "c": "words here"}) == 'a=["x"]\nb=1\nc=words here\n'
    assert lines.rows({"a": ["x"], "c": "words"}) == [("a", '["x"]'), ("c", "words")]
