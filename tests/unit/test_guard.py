"""The guard of tests/conftest.py: a test without a mark has no effects."""

import os
import socket
import subprocess

import pytest

from tests.conftest import ForbiddenEffect


def test_a_test_without_a_mark_cannot_start_a_program() -> None:
    with pytest.raises(ForbiddenEffect, match="mark it programs"):
        subprocess.run(["true"], check=True)
    with pytest.raises(ForbiddenEffect):
        os.system("true")


def test_a_test_without_a_mark_cannot_connect(tmp_path: object) -> None:
    with socket.socket(socket.AF_UNIX) as plug, pytest.raises(ForbiddenEffect):
        plug.connect(f"{tmp_path}/none")


@pytest.mark.programs
def test_a_marked_test_can_start_a_program() -> None:
    assert subprocess.run(["true"], check=False).returncode == 0
