"""Lines and paths of configurations."""

from pathlib import Path

import pytest

from hps.errors import InvalidInput
from hps.services.text import checked_path, checked_socket, joined


def test_lines_are_joined() -> None:
    assert joined(("a", "", "b")) == "a\n\nb\n"


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\u2028", "\x85"])
def test_a_line_is_one_line(character: str) -> None:
    with pytest.raises(InvalidInput):
        joined((f"a{character}b",))


@pytest.mark.parametrize("text", ["/a b", "a", "/a;b", "/a{b", "/a%b", "/a$b", "/a'b", "/\u00e4"])
def test_a_path_needs_no_quotes(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_path(Path(text))


def test_a_socket_fits_into_its_address() -> None:
    assert checked_socket(Path("/" + "a" * 95)) == "/" + "a" * 95
    with pytest.raises(InvalidInput):
        checked_socket(Path("/" + "a" * 96))
