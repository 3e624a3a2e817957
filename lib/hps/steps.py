"""The words of a plan: frozen steps that say what they would do and hold every value that they need."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Start a program with an argument list and wait for it; what it reads on standard input is not shown."""

    arguments: tuple[str, ...]
    stdin: bytes = b""
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return "run " + " ".join(self.arguments)


@dataclass(frozen=True)
class Write:
    """Put a whole file in place atomically, with its mode."""

    path: Path
    content: bytes
    mode: int = 0o644
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return f"write {self.path} ({len(self.content)} bytes, mode {self.mode:04o})"


@dataclass(frozen=True)
class Overwrite:
    """Write bytes at an offset of a device or file that exists, in place, and flush them."""

    path: Path
    offset: int
    content: bytes
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return f"overwrite {self.path} at {self.offset} ({len(self.content)} bytes)"


@dataclass(frozen=True)
class MakeDirectory:
    """Make a directory and its parents."""

    path: Path
    mode: int = 0o755
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return f"make directory {self.path}"


@dataclass(frozen=True)
class Link:
    """Make a symbolic link, replacing another link."""

    path: Path
    target: str
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return f"link {self.path} -> {self.target}"


@dataclass(frozen=True)
class Remove:
    """Remove one file; a file that is gone is no error."""

    path: Path
    destroys: str = ""

    def describe(self) -> str:
        """One line for a dry run and for the log."""
        return f"remove {self.path}"


Step = Run | Write | Overwrite | MakeDirectory | Link | Remove
Plan = tuple[Step, ...]


def describe(plan: Plan) -> str:
    """The plan as text, one step a line: this is the dry run."""
    return "".join(f"{step.describe()}\n" for step in plan)
