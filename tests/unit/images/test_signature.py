import random
from pathlib import Path

import pytest

from hps.errors import Denied, NotFound
from hps.images.manifest import render_manifest
from hps.images.signature import create_key, public_key, sign, verify
from tests.unit.images.test_manifest import SAMPLE

pytestmark = pytest.mark.programs


def test_a_signed_manifest_is_verified_and_read(key: Path) -> None:
    assert verify(sign(render_manifest(SAMPLE), key), [public_key(key)]) == SAMPLE


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    key = create_key(tmp_path)
    before = (key.read_bytes(), public_key(key).read_bytes())
    assert key.stat().st_mode & 0o777 == 0o600
    assert create_key(tmp_path) == key
    assert before == (key.read_bytes(), public_key(key).read_bytes())


def test_any_of_several_keys_may_vouch(key: Path, tmp_path: Path) -> None:
    other = create_key(tmp_path)
    signed = sign(render_manifest(SAMPLE), key)
    assert verify(signed, [public_key(other), public_key(key)]) == SAMPLE
    with pytest.raises(Denied, match=r"image\.pub"):
        verify(signed, [public_key(other)])
    with pytest.raises(Denied, match="no public key"):
        verify(signed, [])


def test_every_flipped_bit_is_denied_before_anything_is_parsed(key: Path) -> None:
    signed = sign(render_manifest(SAMPLE), key)
    places = random.Random(1).sample(range(len(signed) * 8), 24) + [
        (len(signed) - 4) * 8 + bit for bit in range(8)
    ]  # the last base64 digits
    for place in places:
        damaged = bytearray(signed)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(Denied):
            verify(bytes(damaged), [public_key(key)])


@pytest.mark.parametrize("damaged", [b"", b"x", b"hps-image 1\n", render_manifest(SAMPLE)])
def test_without_a_signature_it_is_denied(key: Path, damaged: bytes) -> None:
    with pytest.raises(Denied):
        verify(damaged, [public_key(key)])
    with pytest.raises(Denied):
        verify(sign(render_manifest(SAMPLE), key) + damaged + b"\n", [public_key(key)])


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        sign(b"text\n", tmp_path / "image.key")
