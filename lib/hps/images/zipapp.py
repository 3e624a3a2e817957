"""Pack HPS into one executable file, `hps.pyz`: the same sources give the same bytes (docs.python.org, zipapp)."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

NAME = "hps.pyz"
SHEBANG = b"#!/usr/bin/python3\n"
MAIN = b"""import sys

from hps.__main__ import main

sys.exit(main())
"""
_LEFT_OUT = frozenset({"__pycache__", "assets"})


def sources(package: Path) -> dict[str, bytes]:
    """The modules of the package `hps` by their path in the archive; assets are not among them."""
    return {
        str(path.relative_to(package.parent)): path.read_bytes()
        for path in sorted(package.rglob("*.py"))
        if not _LEFT_OUT & set(path.relative_to(package).parts)
    }


def pack(modules: Mapping[str, bytes]) -> bytes:
    """The application as bytes.

    Members are stored, not compressed: an image is compressed as a whole, and a start reads them faster. A member `x.pyc`
    beside `x.py` saves the interpreter that made it the work of compiling; another interpreter passes it by.
    """
    content = io.BytesIO(SHEBANG)
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, text in sorted({**modules, "__main__.py": MAIN}.items()):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            archive.writestr(member, text)
    return content.getvalue()
