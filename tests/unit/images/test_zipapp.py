"""The application is the same bytes every time, and its exit code is the program's."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hps.images import layer, zipapp


def test_the_same_sources_give_the_same_bytes_in_any_order() -> None:
    first = zipapp.pack({"hps/a.py": b"1", "hps/b.py": b"2"})
    assert first == zipapp.pack({"hps/b.py": b"2", "hps/a.py": b"1"})
    assert first.startswith(b"#!/usr/bin/python3\n")
    assert zipfile.ZipFile(io.BytesIO(first)).namelist() == ["__main__.py", "hps/a.py", "hps/b.py"]


def test_the_sources_are_the_modules_and_nothing_else(tmp_path: Path) -> None:
    for name in ("hps/__init__.py", "hps/disks/plan.py", "hps/assets/x.py", "hps/__pycache__/y.py", "hps/note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert sorted(zipapp.sources(tmp_path / "hps")) == ["hps/__init__.py", "hps/disks/plan.py"]


@pytest.mark.programs
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--help",), 0), (("no-such-group",), 2), (("image", "verify", "../x"), 3), (("image", "verify", "missing"), 7)],
)
def test_the_real_application_gives_the_exit_code(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    application = tmp_path / zipapp.NAME
    application.write_bytes(zipapp.pack(zipapp.sources(layer.PACKAGE)))
    done = subprocess.run(
        [sys.executable, "-I", str(application), *arguments], capture_output=True, text=True, env={"HPS_BASE": str(tmp_path)}, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.programs
def test_what_a_node_runs_needs_only_the_standard_library(tmp_path: Path) -> None:
    application = tmp_path / zipapp.NAME
    application.write_bytes(zipapp.pack(zipapp.sources(layer.PACKAGE)))
    done = subprocess.run([sys.executable, "-IS", str(application), "node", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
