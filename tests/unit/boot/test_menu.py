import pytest

from hps.boot.menu import Choice, folder, parse_choice
from hps.errors import InvalidInput


@pytest.mark.parametrize(
    ("item", "choice"),
    [
        ("boot_SCH@x86_64:debian:12", Choice("SCH", "x86_64:debian:12", False)),
        ("erase_DRH@x86_64:debian:12", Choice("DRH", "x86_64:debian:12", True)),
        ("boot_TCH", Choice("TCH", "", False)),
        ("reboot", None),
        ("boot_sch", None),
        ("boot_SCH@x86_64:debian:12 x", None),
        ("boot_SCH@../../etc", None),
    ],
)
def test_items_are_read(item: str, choice: Choice | None) -> None:
    assert parse_choice(item) == choice


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_choice("boot_XYZ@x86_64:debian:12")


def test_an_operating_system_names_its_folder() -> None:
    assert folder("x86_64:debian:12") == "x86_64-debian_12"
