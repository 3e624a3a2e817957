from hps.services.renewal import RenewalWatch

LOOK, EVERY = RenewalWatch.LOOK, RenewalWatch.EVERY


def looks(moments: list[float]) -> list[bool]:
    watch = RenewalWatch()
    return [watch.due(moment) for moment in moments]


def test_it_looks_first_and_then_every_six_hours() -> None:
    found = looks([1e9 + number * LOOK for number in range(2 * EVERY // LOOK + 1)])
    assert [number * LOOK for number, due in enumerate(found) if due] == [0, EVERY, 2 * EVERY]


def test_a_clock_that_jumps_is_a_reason_to_look() -> None:
    assert looks([1e9, 1e9 + LOOK, 1e9 - 86400, 1e9 - 86400 + LOOK, 2e9, 2e9 + LOOK]) == [True, False, True, False, True, False]
