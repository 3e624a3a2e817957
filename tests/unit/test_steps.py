"""A plan says what it would do."""

from pathlib import Path

import pytest

from hps.steps import Link, MakeDirectory, Overwrite, Remove, Run, Step, Write, describe


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Run(("mke2fs", "-q", "/dev/vda3"), destroys="/dev/vda3"), "run mke2fs -q /dev/vda3"),
        (Write(Path("/etc/hostname"), b"sch-001\n", 0o600), "write /etc/hostname (8 bytes, mode 0600)"),
        (Overwrite(Path("/dev/vda"), 512, b"ab"), "overwrite /dev/vda at 512 (2 bytes)"),
        (MakeDirectory(Path("/mnt")), "make directory /mnt"),
        (Link(Path("/boot/vmlinuz"), "vmlinuz-6.1"), "link /boot/vmlinuz -> vmlinuz-6.1"),
        (Remove(Path("/tmp/x")), "remove /tmp/x"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_each_step_describes_itself(step: Step, words: str) -> None:
    assert step.describe() == words
    assert describe((step, step)) == f"{words}\n{words}\n"


def test_what_is_read_on_standard_input_is_not_described() -> None:
    assert "secret" not in Run(("cryptsetup", "luksFormat"), stdin=b"secret").describe()


def test_an_empty_plan_says_nothing() -> None:
    assert describe(()) == ""
