"""Plans become effects, and what destroys asks first."""

from pathlib import Path

import pytest

from hps.errors import CommandFailed, Refused
from hps.steps import Link, MakeDirectory, Overwrite, Plan, Remove, Run, Step, Write
from hps.system import executor


@pytest.mark.programs
def test_each_kind_of_step_is_carried_out_in_order(tmp_path: Path) -> None:
    seen: list[Step] = []
    plan: Plan = (
        MakeDirectory(tmp_path / "d"),
        Write(tmp_path / "d" / "f", b"old", 0o600),
        Overwrite(tmp_path / "d" / "f", 1, b"L"),
        Link(tmp_path / "l", "d"),
        Run(("cp", str(tmp_path / "d" / "f"), str(tmp_path / "copy"))),
        Remove(tmp_path / "d" / "f"),
    )
    executor.apply(plan, before=seen.append)
    assert tuple(seen) == plan
    assert (tmp_path / "copy").read_bytes() == b"oLd"
    assert (tmp_path / "l").readlink() == Path("d")
    assert list((tmp_path / "d").iterdir()) == []


@pytest.mark.feature("S25")
@pytest.mark.parametrize("allowed", [(), ("/dev/vdb",), ("/dev/vd",)])
def test_a_plan_that_destroys_more_than_was_allowed_does_nothing_at_all(allowed: tuple[str, ...], tmp_path: Path) -> None:
    plan = (Write(tmp_path / "first", b""), Overwrite(tmp_path / "disk", 0, b"x", destroys="/dev/vda"))
    with pytest.raises(Refused, match="would destroy /dev/vda"):
        executor.apply(plan, may_destroy=allowed)
    assert list(tmp_path.iterdir()) == []


def test_what_was_allowed_is_done(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"data")
    executor.apply((Overwrite(tmp_path / "disk", 0, b"\0\0\0\0", destroys="disk 1"),), may_destroy=("disk 1",))
    assert (tmp_path / "disk").read_bytes() == b"\0\0\0\0"


@pytest.mark.programs
def test_a_failure_stops_the_plan(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        executor.apply((Run(("false",)), Write(tmp_path / "after", b"")))
    assert not (tmp_path / "after").exists()


def test_an_empty_plan_does_nothing() -> None:
    executor.apply(())
