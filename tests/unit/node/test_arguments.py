from pathlib import Path

import pytest

from hps.errors import InvalidInput
from hps.node import arguments
from hps.security.tokens import TokenStore
from hps.values import Mac

GOOD = {
    "mode": "install",
    "url": "http://10.77.0.1",
    "tls": "https://10.77.0.1",
    "ca": "ab" * 32,
    "token": "525400770001.Abc_def-0123456789",
    "mac": "525400770001",
    "time": "1795248000",
    "session": "a1b2c3",
}


def line(**changes: str | None) -> str:
    words = {**GOOD, **changes}
    return (
        "BOOT_IMAGE=x quiet " + " ".join(f"hps.{name}={value}" for name, value in words.items() if value is not None) + " console=ttyS0\n"
    )


def test_all_arguments() -> None:
    found = arguments.parse(line())
    assert found == arguments.InstallArguments(
        "install", GOOD["url"], GOOD["tls"], GOOD["ca"], GOOD["token"], Mac("525400770001"), 1795248000, "a1b2c3", 300
    )
    assert arguments.parse(line(wait="5", url="http://10.77.0.1:8080/")).wait == 5
    assert GOOD["token"] not in repr(found)


def test_a_token_that_the_ips_mints_is_a_token(tmp_path: Path) -> None:
    token = TokenStore(tmp_path).mint(Mac("525400770001"))
    assert arguments.parse(line(token=token)).token == token


def test_optional_arguments() -> None:
    found = arguments.parse(line(time=None, session=None))
    assert (found.time, found.session) == (0, "000000")
    assert arguments.parse(line(mode="rescue", token=None)).token == ""


@pytest.mark.feature("S5")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", None),
        ("mode", "destroy"),
        ("url", None),
        ("url", "https://10.77.0.1"),
        ("url", "http://10.77.0.1/x"),
        ("url", "http://user@10.77.0.1"),
        ("url", "http://10.77.0.999"),
        ("url", "http://ips"),
        ("url", "http://10.77.0.1:99999"),
        ("tls", "http://10.77.0.1"),
        ("ca", "AB" * 32),
        ("ca", "ab"),
        ("token", None),
        ("token", "short"),
        ("token", "525400770001." + "x" * 101),
        ("token", "525400770001-Abc_def-0123456789"),
        ("token", "$(reboot)aaaaaaaaaaaaaaaaaaa"),
        ("mac", "ff:ff:ff:ff:ff:ff"),
        ("mac", None),
        ("time", "-1"),
        ("time", "1e9"),
        ("session", "ABCDEF"),
        ("session", "${x}"),
        ("other", "a'b"),
        ("other", 'a"b'),
        ("other", "a;b"),
        ("other", "a\\b"),
        ("wait", "soon"),
    ],
)
def test_bad_arguments_are_named(name: str, value: str | None) -> None:
    with pytest.raises(InvalidInput, match=rf"hps\.'?{name}"):
        arguments.parse(line(**{name: value}))


def test_no_argument_twice_and_none_without_value() -> None:
    with pytest.raises(InvalidInput, match=r"hps\.mode is given twice"):
        arguments.parse(line() + " hps.mode=rescue")
    with pytest.raises(InvalidInput, match="no value"):
        arguments.parse("hps.mode")


@pytest.mark.feature("I63")
@pytest.mark.parametrize(
    ("text", "wait"), [("hps.wait=7 x", 7), ("x hps.wait=7", 7), ("hps.wait=never", 300), ("", 300), ("nohps.wait=7", 300)]
)
def test_wait_is_known_even_when_nothing_else_is(text: str, wait: int) -> None:
    assert arguments.failure_wait(text) == wait
