import pytest

from hps.errors import InvalidInput, NotFound
from hps.images.pack import Frame, parse_index, ranges, render_index

DIGESTS = [f"sha256:{letter * 64}" for letter in "abcdef"]
INDEX = tuple(Frame(digest, 10 * number, 10) for number, digest in enumerate(DIGESTS))


def test_what_is_written_is_read_back() -> None:
    assert parse_index(render_index(INDEX)) == INDEX
    assert render_index(INDEX).startswith(b"a" * 64 + b" 0 10\n")
    assert parse_index(b"") == ()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ()),
        ("a", ((0, 10),)),
        ("abc", ((0, 30),)),
        ("fa", ((0, 10), (50, 10))),
        ("bcef", ((10, 20), (40, 20))),
        ("abcdef", ((0, 60),)),
    ],
)
def test_ranges_are_as_few_as_can_be(wanted: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert ranges(INDEX, [f"sha256:{letter * 64}" for letter in wanted]) == expected


def test_a_missing_object_is_named() -> None:
    with pytest.raises(NotFound, match="sha256:9"):
        ranges(INDEX, [DIGESTS[0], "sha256:" + "9" * 64])


@pytest.mark.parametrize(
    "text",
    [
        b"x\n",
        b"a" * 64 + b" 1 10\n",
        b"a" * 64 + b" 0 0\n",
        b"a" * 64 + b" 0 10",
        b"A" * 64 + b" 0 10\n",
        (b"a" * 64 + b" 0 5\n") * 2,
        b"\xff\n",
    ],
)
def test_a_wrong_index_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_index(text)


def test_a_digest_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        parse_index(b"a" * 64 + b" 0 5\n" + b"a" * 64 + b" 5 5\n")
