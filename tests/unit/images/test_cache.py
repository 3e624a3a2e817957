"""What is kept is whole, made once, and not kept for ever."""

import os
from pathlib import Path

import pytest

from hps.errors import Refused
from hps.images.cache import content_key, forget_old, kept


def test_the_parts_and_their_borders_make_the_key() -> None:
    assert content_key(("ab", "c")) == content_key((b"ab", b"c"))
    assert content_key(("ab", "c")) != content_key(("a", "bc"))
    assert len(content_key(())) == 12


@pytest.mark.programs
def test_a_thing_is_made_once_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        target.write_text("whole")

    def fail(target: Path) -> None:
        target.write_text("half")
        raise Refused("no")

    place = tmp_path / "cache" / "thing"
    with pytest.raises(Refused):
        kept(place, fail)
    assert not place.exists()
    assert kept(place, make) == kept(place, make) == place
    assert len(made) == 1
    kept(place, make, again=True)
    assert len(made) == 2
    assert [path.name for path in place.parent.iterdir() if not path.name.endswith(".lock")] == ["thing"]


@pytest.mark.programs
def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "middle", "old")):
        kept(tmp_path / f"tree-{name}", lambda target: target.mkdir())
        os.utime(tmp_path / f".tree-{name}.lock", (1000 - age, 1000 - age))
    (tmp_path / "tree-not-ours").mkdir()
    forget_old(tmp_path, "tree-*", keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".tree-middle.lock",
        ".tree-new.lock",
        "tree-middle",
        "tree-new",
        "tree-not-ours",
    ]
