"""The format of records: any string survives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.registry.text import MAXIMUM_VALUE, parse_record, render_record

KEYS = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)
TEXT = st.text(alphabet=st.characters(codec="utf-8"))


@pytest.mark.feature("CF5")
@given(st.dictionaries(KEYS, TEXT))
@example({"A": "\\n\n\\\\\r\0=#", "B": "", "C": " 'x' \"y\" ", "D": "\u2028\x85\x1c"})
def test_any_string_survives_a_round_trip(values: dict[str, str]) -> None:
    text = render_record(values)
    assert parse_record(text) == values
    assert render_record(parse_record(text)) == text
    assert text.count("\n") == len(values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A\n", "line 1 is not"),
        ("A=1\nb=2\n", "line 2 is not"),
        (" A=1\n", "line 1 is not"),
        ("A=1\nA=2\n", "line 2 gives A a second time"),
        ("A=1", "cut off"),
        ("A=1\nB=", "cut off"),
        ("A=\\x\n", "unknown escape"),
        ("A=\\\n", "unknown escape"),
        ("\ufeffA=1\n", "line 1 is not"),
    ],
)
def test_a_damaged_record_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_record(text)


@pytest.mark.parametrize(
    "values",
    [{"a": "1"}, {"": "1"}, {"A B": "1"}, {"A\n": "1"}, {"1A": "1"}, {"A" * 65: "1"}, {"A": "x" * (MAXIMUM_VALUE + 1)}, {"A": "\ud800"}],
)
def test_what_a_record_cannot_hold_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        render_record(values)


def test_comments_and_empty_lines_are_skipped() -> None:
    assert parse_record("# written by hand\n\nA=# no comment\n") == {"A": "# no comment"}
