"""`python -m tests.reference`: write everything that is made from the tables of the source."""

from collections.abc import Callable
from pathlib import Path

from tests.generate import completion, functions, manual, pages

ROOT = pages.ROOT
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Made by `python -m tests.reference`; change the source, not this page. -->\n\n"

PAGES: dict[str, Callable[[], str]] = {
    "keys.md": pages.keys,
    "errors.md": pages.errors,
    "commands.md": pages.commands,
    "cli.md": pages.cli,
    "node-functions.md": pages.node_functions,
}


def made() -> dict[Path, Callable[[], str]]:
    """Every file that is made, in the order of the making: the pages read the functions."""
    return {
        ROOT / "node-functions/api.sh": functions.api,
        ROOT / "docs/completion/hps.bash": completion.bash,
        ROOT / "docs/man/hps.1": manual.hps,
        **{ROOT / f"docs/man/{name}.1": lambda name=name: manual.program(name) for name in manual.RECORDS},  # type: ignore[misc]
        **{FOLDER / name: lambda make=make: NOTE + make() for name, make in PAGES.items()},  # type: ignore[misc]
    }


if __name__ == "__main__":
    for path, make in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make())
