from pathlib import Path

import pytest

from hps.node import clock

BUILT, IPS = 1_790_000_000.0, 1_795_000_000.0
OLD = 978_307_200.0


@pytest.mark.feature("I23")
@pytest.mark.parametrize(
    ("now", "built", "given", "target"),
    [
        (OLD, BUILT, 0, BUILT),
        (OLD, BUILT, IPS, IPS),
        (OLD, BUILT, OLD, BUILT),
        (IPS, BUILT, IPS, None),
        (IPS + 60, BUILT, IPS, None),
        (IPS + 61, BUILT, IPS, IPS),
        (IPS - 61, BUILT, IPS, IPS),
        (IPS, BUILT, 0, None),
        (IPS + 1e9, BUILT, IPS, IPS),
        (IPS, 0, 0, None),
    ],
)
def test_clock_is_set_only_where_it_is_wrong(now: float, built: float, given: float, target: float | None) -> None:
    assert clock.decide(now, built, given) == target


def test_good_clock_is_left_alone(tmp_path: Path) -> None:
    stamp = tmp_path / "build-timestamp"
    stamp.touch()
    assert clock.correct(stamp, 0).startswith("the clock is right: 20")
