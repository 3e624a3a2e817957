"""Every place below one base."""

from functools import cached_property
from pathlib import Path

import pytest

from hps.paths import Paths


def test_everything_is_below_the_base() -> None:
    paths = Paths(Path("/base"))
    places = [getattr(paths, name) for name, value in vars(Paths).items() if isinstance(value, cached_property)]
    assert len(places) >= 9
    assert len(set(places)) == len(places)
    assert all(place.is_relative_to("/base") for place in places)


def test_the_base_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPS_BASE", "/elsewhere")
    assert Paths.from_environment() == Paths(Path("/elsewhere"))
    monkeypatch.delenv("HPS_BASE")
    assert Paths.from_environment() == Paths(Path("/srv/hps"))
