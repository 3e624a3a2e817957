"""The table of failures."""

import pytest

from hps.errors import KINDS, CommandFailed, Denied, HpsError, InvalidInput, NotFound, Refused, Unreachable, Usage


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (Usage, 2, 400),
        (InvalidInput, 3, 400),
        (Refused, 4, 409),
        (CommandFailed, 5, 502),
        (Unreachable, 6, 503),
        (NotFound, 7, 404),
        (Denied, 8, 403),
    ],
)
def test_each_failure_has_its_code_and_status(kind: type[HpsError], code: int, status: int) -> None:
    assert (kind.exit_code, kind.status) == (code, status)


def test_the_table_holds_every_class_once() -> None:
    assert set(KINDS) == set(HpsError.__subclasses__())
    assert len({kind.exit_code for kind in KINDS}) == len(KINDS)
    assert len({kind.word for kind in KINDS}) == len(KINDS)


def test_a_failure_says_its_hint() -> None:
    assert str(Refused("no", hint="arm it")) == "no (arm it)"
    assert str(Refused("no")) == "no"
