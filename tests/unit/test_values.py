"""Values are right from the moment they are made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.values import (
    Mac,
    checked_address,
    checked_domain,
    checked_host_name,
    checked_name,
    checked_network,
    checked_plain,
    checked_version,
)


@pytest.mark.parametrize("text", ["52:54:00:77:00:01", "52-54-00-77-00-01", "525400770001", "52:54:00:77:00:01".upper()])
def test_a_mac_is_read_in_each_form(text: str) -> None:
    assert Mac.parse(text) == Mac("525400770001")
    assert str(Mac.parse(text)) == "52:54:00:77:00:01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "52:54:00:77:00",
        "52:54:00:77:00:01:02",
        "52:54-00:77:00:0g",
        "5:2:5:4:0:0:7",
        "5254:0077:0001",
        "01:00:5e:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        "000000000000",
        "52:54:00:77:00:01\n",
    ],
)
def test_what_is_no_mac_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Mac.parse(text)


@given(st.integers(min_value=1, max_value=2**48 - 1).filter(lambda number: not number >> 40 & 1))
def test_a_mac_survives_its_text(number: int) -> None:
    mac = Mac(f"{number:012x}")
    assert Mac.parse(str(mac)) == mac == Mac.parse(mac.digits)


@pytest.mark.feature("S6")
@pytest.mark.parametrize("text", ["", ".", "..", "../x", "a/b", "/etc", "-x", ".x", "a\0b", "a b", "a\n", "ä", "x" * 65])
def test_a_name_that_is_no_path_component_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_name(text)


@pytest.mark.parametrize("text", ["a", "x86_64-debian_12", "0.1", "A.b-c_d", "x" * 64])
def test_a_name_is_kept(text: str) -> None:
    assert checked_name(text) == text


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("sch-001", True),
        ("a", True),
        ("a" * 63, True),
        ("", False),
        ("A", False),
        ("-a", False),
        ("a-", False),
        ("a.b", False),
        ("a" * 64, False),
        ("a\n", False),
        ("a${x}", False),
    ],
)
def test_host_names(text: str, good: bool) -> None:
    assert _accepts(checked_host_name, text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [("cluster.example", True), ("a", True), ("a..b", False), (".a", False), ("a.", False), (".".join(["a" * 63] * 4), False)],
)
def test_domains(text: str, good: bool) -> None:
    assert _accepts(checked_domain, text) is good


@pytest.mark.feature("S5")
@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "\r",
        "a\nb",
        "a && b",
        "a || b",
        "#!ipxe",
        "a;b",
        "${net0/mac}",
        "$x",
        '"',
        "'",
        "\\",
        "a\0",
        "a\u2028b",
        "ä",
        "`x`",
        "(x)",
        "<x>",
        "*",
        "\t",
    ],
)
def test_text_that_could_leave_its_place_in_a_boot_script_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_plain(text, "the console")


@pytest.mark.feature("S5")
@given(st.text())
def test_plain_text_never_holds_a_character_with_a_meaning(text: str) -> None:
    if _accepts(lambda value: checked_plain(value, "it"), text):
        assert text.isascii()
        assert not set(text) & set("\n\r\0\\\"'`$&|;#!{}()<>*?~^[]\t")


@pytest.mark.parametrize(
    ("text", "good"),
    [("10.77.0.1", True), ("10.77.0", False), ("010.1.1.1", False), ("::1", False), ("10.77.0.256", False), ("10.77.0.1 ", False)],
)
def test_addresses(text: str, good: bool) -> None:
    assert _accepts(checked_address, text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("10.77.0.0/24", True),
        ("10.0.0.0/8", True),
        ("10.77.0.1/24", False),
        ("10.0.0.0/7", False),
        ("10.0.0.0/30", False),
        ("fe80::/64", False),
        ("x", False),
    ],
)
def test_networks(text: str, good: bool) -> None:
    assert _accepts(checked_network, text) is good


def _accepts(check: object, text: str) -> bool:
    assert callable(check)
    try:
        check(text)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize("text", ["6.1.0-56-amd64", "6.12.117+deb13-amd64", "2.0~rc1"])
def test_a_version_is_kept_as_debian_writes_it(text: str) -> None:
    assert checked_version(text) == text


@pytest.mark.parametrize("text", ["", "../6.1", "6.1/x", "6.1 x", "+"])
def test_a_version_that_is_no_path_component_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_version(text)
