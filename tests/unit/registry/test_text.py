"""The format of records: any string survives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.registry.text import MAXIMUM_VALUE, BadLine, end_mark, line_of, parse_file, parse_record, render_record

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


@pytest.mark.feature("CF5")
@given(st.dictionaries(KEYS, TEXT), st.integers(min_value=0, max_value=10**15))
@example({"A": "# end 3\n# end 4\n"}, 5)
def test_a_file_gives_its_values_and_its_revision(values: dict[str, str], revision: int) -> None:
    assert parse_file(render_record(values) + end_mark(revision)) == (values, revision)


@pytest.mark.feature("CF4")
@given(st.dictionaries(KEYS, TEXT, max_size=4), st.integers(min_value=0, max_value=10**6), st.data())
def test_a_file_that_is_cut_anywhere_is_noticed(values: dict[str, str], revision: int, data: st.DataObject) -> None:
    text = render_record(values) + end_mark(revision)
    with pytest.raises(BadLine):
        parse_file(text[: data.draw(st.integers(min_value=0, max_value=len(text) - 1))])


@pytest.mark.feature("CF4")
@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "end mark"),
        ("A=1\n", 1, "end mark"),
        ("A=1\nB=2\n", 2, "end mark"),
        ("A=1\nrubbish\n# end 3\n", 2, "not KEY=value"),
        ("A=1\n# end 3", 2, "cut off"),
        ("A=1\n# end\n", 2, "end mark"),
        ("A=1\n# end x\n", 2, "end mark"),
        ("A=1\n# end 3\nB=1\n", 3, "after the end mark"),
        ("A=1\n# end 3\n\n", 3, "after the end mark"),
        ("A=1\n# end 3\nB=1\n# end 4\n", 3, "after the end mark"),
        ("\0\0\0\0", 1, "not KEY=value"),
    ],
)
def test_a_damaged_file_is_named_by_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadLine, match=words) as damage:
        parse_file(text)
    assert damage.value.line == line


def test_words_of_people_may_stand_before_the_end_mark() -> None:
    assert parse_file("# end of the first part\nA=1\n# end 12\n") == ({"A": "1"}, 12)


def test_the_line_of_a_key_is_found() -> None:
    assert [line_of("# x\nA=1\nAB=2\n", key) for key in ("A", "AB", "B")] == [2, 3, 0]


@pytest.mark.parametrize(
    "values",
    [{"a": "1"}, {"": "1"}, {"A B": "1"}, {"A\n": "1"}, {"1A": "1"}, {"A" * 65: "1"}, {"A": "x" * (MAXIMUM_VALUE + 1)}, {"A": "\ud800"}],
)
def test_what_a_record_cannot_hold_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        render_record(values)


def test_comments_and_empty_lines_are_skipped() -> None:
    assert parse_record("# written by hand\n\nA=# no comment\n") == {"A": "# no comment"}
