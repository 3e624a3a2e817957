"""The how-to documents, typed as they stand in a network namespace: what is printed is what they say."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("quick-start", "boot-a-machine", "change-settings", "troubleshoot")
PRELUDE = "ip link set lo up && ip link add eth1 type bridge && ip addr add 10.77.0.1/24 dev eth1 && ip link set eth1 up"
PATIENCE = 90


@dataclass(frozen=True)
class Step:
    """One thing to type, and what is printed then."""

    page: str
    typed: str
    expected: tuple[str, ...]


def steps() -> Iterator[Step]:
    """Every step of the blocks that are marked `console`, in the order of the pages."""
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```$", (ROOT / "docs/how-to" / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                typed, *expected = part.splitlines()
                yield Step(page, typed, tuple(expected))


def matches(expected: tuple[str, ...], printed: list[str]) -> bool:
    """Whether what was printed is what was expected; a line `…` stands for any lines, `…` in a line for any text. Pure."""
    pattern = "".join("(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "a", False),
        ("…", "", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nb\nc", False),
        ("a … c", "a b c", True),
        ("a.c", "abc", False),
    ],
)
def test_matching(expected: str, printed: str, same: bool) -> None:
    assert matches(tuple(expected.splitlines()), printed.splitlines()) is same


class Terminal:
    """A shell in a network namespace of its own, in which eth1 carries 10.77.0.1."""

    def __init__(self, base: Path) -> None:
        environment = {
            **os.environ,
            "HOME": str(base.parent),
            "HPS_BASE": str(base),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.shell = subprocess.Popen(
            ["unshare", "--net", "bash", "--noprofile", "--norc"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        assert self.type(PRELUDE) == []

    def type(self, typed: str) -> list[str]:
        """Type a line and return what is printed until it ends."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f"{typed}\necho @@end\n")
        lines = []
        while (line := self.shell.stdout.readline()) != "@@end\n":
            assert line, "the shell ended"
            lines.append(line.rstrip("\n"))
        return lines

    def close(self) -> None:
        """Stop the services and end the shell."""
        assert self.shell.stdin is not None
        self.type("hps service stop; wait")
        self.shell.stdin.close()
        self.shell.wait(60)


@pytest.mark.feature("QS6")
@pytest.mark.root
def test_every_step_prints_what_its_page_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    terminal = Terminal(tmp_path_factory.mktemp("ips", numbered=True) / "hps")
    try:
        for step in steps():
            deadline = time.monotonic() + PATIENCE
            printed = terminal.type(step.typed)
            # Reading is repeated: services that were told to start take a moment.
            while not matches(step.expected, printed) and " status" in step.typed and time.monotonic() < deadline:
                time.sleep(0.5)
                printed = terminal.type(step.typed)
            assert matches(step.expected, printed), (
                f"{step.page}: $ {step.typed}\nexpected:\n" + "\n".join(step.expected) + "\nprinted:\n" + "\n".join(printed)
            )
    finally:
        terminal.close()
