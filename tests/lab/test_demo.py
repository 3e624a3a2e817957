"""The first command that a newcomer runs, exactly as it is run, and that it leaves nothing behind."""

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.lab import processes

pytestmark = pytest.mark.lab
NAME = f"hps-demo-{os.getpid()}"


def _demo(verb: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.lab.demo", verb]
    return subprocess.run(
        command, env=os.environ | {"HPS_DEMO": NAME}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def _left() -> list[str]:
    """The namespace, files and processes of the demo that are there."""
    home = processes.CACHE / NAME.removeprefix("hps-")
    networks = [line for line in processes.run(["ip", "netns", "list"]).stdout.splitlines() if line.split()[0] == NAME]
    lines = [path.read_bytes().replace(b"\0", b" ").decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [*networks, *([str(home)] if home.exists() else []), *(line for line in lines if f"{home}/" in line)]


@pytest.mark.feature("QS2")
def test_the_demo_ends_with_a_node_and_leaves_nothing_behind() -> None:
    try:
        done = _demo("up")
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"sch-001 +10\.77\.0\.\d+ +INSTALLED +slot a +on", done.stdout)
        page = re.search(r"Status page +(http://127\.0\.0\.1:\d+/)", done.stdout)
        login = re.search(r"Log in +(.+)", done.stdout)
        assert page is not None
        assert login is not None
        with urllib.request.urlopen(page[1], timeout=30) as answer:
            shown = answer.read().decode()
        assert "sch-001" in shown
        assert "INSTALLED" in shown
        assert subprocess.run([*shlex.split(login[1]), "hostname"], capture_output=True, text=True, check=True).stdout.strip() == "sch-001"
        assert "is there already" in _demo("up").stdout
    finally:
        gone = _demo("down")
    assert gone.returncode == 0
    assert _left() == []
