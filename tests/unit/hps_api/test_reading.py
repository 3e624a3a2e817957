"""What a request may say, and how: every odd encoding is an answer, and every text arrives as it was sent."""

import json
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import HpsError, InvalidInput, Usage
from hps_api import reading

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("%2b", "+"),
        ("%00", "\0"),
        ("%C3%BC", "ü"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("a=b", "a=b"),
        ("%26", "&"),
        ("", ""),
        ("007", "007"),
        ("a;b", "a;b"),
    ],
)
def test_percent_encoding(encoded: str, value: str) -> None:
    assert reading.pairs(f"x={encoded}".encode()) == {"x": value}


@pytest.mark.parametrize("encoded", ["%ff", "%C3", "%", "%2", "%zz", "%C0%AF", "%ED%A0%80", "a%"])
def test_what_is_no_utf8_is_refused_with_a_hint(encoded: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reading.pairs(f"x={encoded}".encode())
    assert "percent" in refused.value.hint
    with pytest.raises(InvalidInput):
        reading.pairs(f"{encoded}=x".encode())


def test_raw_bytes_are_utf8_or_nothing() -> None:
    assert reading.pairs("x=ü".encode()) == {"x": "ü"}
    with pytest.raises(InvalidInput):
        reading.pairs("x=ü".encode("latin-1"))


@pytest.mark.parametrize("encoded", [b"a=1&a=1", b"a=1&%61=2", b"cmd=a&cmd=b"])
def test_a_name_is_given_once(encoded: bytes) -> None:
    with pytest.raises(Usage, match="given twice"):
        reading.pairs(encoded)


def test_query_and_form_do_not_give_the_same() -> None:
    assert reading.joined({"a": "1"}, {"b": "2"}) == {"a": "1", "b": "2"}
    with pytest.raises(Usage, match="given twice"):
        reading.joined({"a": "1"}, {"a": "1"})


def test_parameters_are_counted() -> None:
    assert len(reading.pairs(b"&".join(b"a%d=" % number for number in range(reading.MAXIMUM_FIELDS)))) == reading.MAXIMUM_FIELDS
    with pytest.raises(Usage, match="too many"):
        reading.pairs(b"&".join(b"a%d=" % number for number in range(reading.MAXIMUM_FIELDS + 1)))


@pytest.mark.feature("AP5")
@given(name=TEXT.filter(bool), value=TEXT)
def test_every_text_survives_both_forms(name: str, value: str) -> None:
    for encode in (quote_plus, quote):
        assert reading.pairs(urlencode({name: value}, quote_via=encode).encode()) == {name: value}
    for ascii_only in (True, False):
        assert reading.json_object(json.dumps({name: value}, ensure_ascii=ascii_only).encode()) == {name: value}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.feature("AP5")
@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_every_json_value_survives(value: dict[str, Any]) -> None:
    try:
        assert reading.json_object(json.dumps(value).encode()) == value
    except InvalidInput as error:
        assert "too deep" in error.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}{}", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": 1, "a": 1}', "gives a name twice"),
        (b'{"a": {"b": 1, "b": 2}}', "gives a name twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "Infinity is not JSON"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"\\udc00": 1}', "half a character"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": ' + b"[" * 9 + b"]" * 9 + b"}", "too deep"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deep"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "too deep"),
        (b"[" * 200_000, "too deep"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": "\n"}', "not JSON"),
    ],
)
def test_what_is_no_plain_json_object_is_an_answer(body: bytes, words: str) -> None:
    with pytest.raises(HpsError, match=words) as refused:
        reading.json_object(body)
    assert refused.value.status == 400
    assert refused.value.hint


def test_an_empty_body_is_an_empty_object() -> None:
    assert reading.json_object(b"") == {}
