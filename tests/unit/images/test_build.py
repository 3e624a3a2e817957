"""What a tree is made of decides its key; the options are a list of arguments."""

from dataclasses import replace
from pathlib import Path

import pytest

from hps.errors import InvalidInput
from hps.images.build import Recipe, base_arguments, hook_arguments, parse_versions, root_key, suite

RECIPE = Recipe(
    "x86_64-debian_12-SCH", "x86_64", "debian", "12", ("python3", "udev"), (("10-first", b"#!/bin/sh\n"), ("20-second", b"#!/bin/sh\n"))
)
SIMULATION = """\
Inst libc6 (2.36-9 Debian:12.5/stable [amd64])
Inst python3 [3.11.1-1] (3.11.2-1+b1 Debian:12.5/stable [amd64])
Conf libc6 (2.36-9 Debian:12.5/stable [amd64])
Inst libc6 (2.36-9 Debian:12.5/stable [amd64])
"""


def test_the_versions_that_apt_would_install() -> None:
    assert parse_versions(SIMULATION) == ("libc6=2.36-9", "python3=3.11.2-1+b1")


@pytest.mark.parametrize(
    "other",
    [
        (replace(RECIPE, packages=("python3",)), ("libc6=1",), "1"),
        (replace(RECIPE, scripts=RECIPE.scripts[:1]), ("libc6=1",), "1"),
        (replace(RECIPE, scripts=(("10-first", b"#!/bin/dash\n"), RECIPE.scripts[1])), ("libc6=1",), "1"),
        (replace(RECIPE, version="13"), ("libc6=1",), "1"),
        (RECIPE, ("libc6=2",), "1"),
        (RECIPE, ("libc6=1",), "2"),
    ],
)
def test_the_key_changes_with_everything_that_goes_in(other: tuple[Recipe, tuple[str, ...], str]) -> None:
    assert root_key(RECIPE, ("libc6=1",), "1") == root_key(RECIPE, ("libc6=1",), "1")
    assert root_key(*other) != root_key(RECIPE, ("libc6=1",), "1")


def test_the_arguments() -> None:
    arguments = base_arguments(RECIPE)
    assert "--include=python3,udev" in arguments
    assert "--architectures=amd64" in arguments
    assert suite(RECIPE) == "bookworm"
    hooks = hook_arguments(RECIPE, Path("/tmp/scripts"))
    runs = [hook for hook in hooks if "chroot" in hook]
    assert [hook.rpartition("/")[2] for hook in runs] == ["10-first", "20-second"]
    assert hooks[-1].startswith("--customize-hook=rm -rf")


@pytest.mark.parametrize("recipe", [replace(RECIPE, system="alpine"), replace(RECIPE, version="99"), replace(RECIPE, architecture="sparc")])
def test_a_system_that_nobody_can_build_is_refused(recipe: Recipe) -> None:
    with pytest.raises(InvalidInput, match="no builder"):
        suite(recipe)
