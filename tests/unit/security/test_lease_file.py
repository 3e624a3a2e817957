"""Leases by address: read once, read again after a change, the same work however many there are."""

import os
from pathlib import Path

import pytest

from hps.security import lease_file
from hps.security.lease_file import LeaseFile
from hps.security.leases import parse_leases
from hps.values import Mac

NOW = 1795000000.0


def write(path: Path, count: int, expiry: int = 0, age: float = 10) -> None:
    path.write_text("".join(f"{expiry} 52:54:00:00:{n // 256:02x}:{n % 256:02x} 10.1.{n // 256}.{n % 256} * *\n" for n in range(count)))
    moment = path.stat().st_mtime - age
    os.utime(path, (moment, moment))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each reading of the file parsed."""
    found: list[int] = []

    def counted(text: str) -> object:
        found.append(len(text))
        return parse_leases(text)

    monkeypatch.setattr(lease_file, "parse_leases", counted)
    return found


def test_ten_thousand_leases_are_read_once(tmp_path: Path, reads: list[int]) -> None:
    path = tmp_path / "leases"
    write(path, 10_000)
    leases = LeaseFile(path)
    assert leases.holder("10.1.39.15", NOW) == Mac("52540000270f")
    assert leases.holder("10.1.39.16", NOW) is None
    assert leases.holder("10.1.0.1", NOW) == Mac("525400000001")
    assert len(reads) == 1


def test_a_change_is_seen(tmp_path: Path, reads: list[int]) -> None:
    path = tmp_path / "leases"
    leases = LeaseFile(path)
    assert leases.holder("10.1.0.0", NOW) is None
    write(path, 1)
    assert leases.holder("10.1.0.0", NOW) == Mac("525400000000")
    write(path, 1, expiry=int(NOW), age=20)
    assert leases.holder("10.1.0.0", NOW) is None
    assert leases.holder("10.1.0.0", NOW - 1) == Mac("525400000000")
    path.unlink()
    assert leases.holder("10.1.0.0", NOW - 1) is None
    assert len(reads) == 2


def test_a_file_that_was_just_written_is_not_trusted_to_stay(tmp_path: Path, reads: list[int]) -> None:
    path = tmp_path / "leases"
    leases = LeaseFile(path)
    for expected in ("0", "1"):
        # The same length, and what may be the same time stamp.
        path.write_text(f"0 52:54:00:00:00:0{expected} 10.1.0.0 * *\n")
        assert leases.holder("10.1.0.0", NOW) == Mac(f"52540000000{expected}")
    assert len(reads) == 2
