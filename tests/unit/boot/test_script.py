import pytest

from hps.boot import script
from hps.errors import InvalidInput
from hps.values import Mac

MAC = Mac.parse("525400770001")


def test_the_marks_stand_after_the_first_line_and_are_read_again() -> None:
    text = script.marked("#!ipxe\necho x\n", "local: its own disk", MAC)
    assert text == "#!ipxe\n# local: its own disk\n# for 52:54:00:77:00:01\necho x\n"
    assert (script.words_of(text), script.owner_of(text)) == ("local: its own disk", "52:54:00:77:00:01")


@pytest.mark.parametrize(
    "text", ["", "#!ipxe\n", "#!ipxe\necho x\n", "#!ipxe\n# words\necho x\n", "# a\n# for b\n", "#!ipxe\n# a\n# by b\nx\n"]
)
def test_a_script_without_marks_says_nothing(text: str) -> None:
    assert (script.words_of(text), script.owner_of(text)) == ("", "")


@pytest.mark.feature("S5")
@pytest.mark.parametrize("words", ["a\nreboot", "a\rreboot", "${net0/mac}", "a\u2028b", "a\0b"])
def test_words_stay_in_their_comment(words: str) -> None:
    text = script.marked("#!ipxe\necho x\n", words, MAC)
    assert text.count("\n") == 4
    assert "$" not in text
    assert text.isascii()


def test_a_malformed_address_is_refused() -> None:
    with pytest.raises(InvalidInput):
        script.marked("#!ipxe\n", "x", Mac("zz"))
