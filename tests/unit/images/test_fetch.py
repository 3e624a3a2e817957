import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hps.errors import Denied, HpsError, InvalidInput, NotFound, Refused, Unreachable
from hps.images.fetch import fetch_image, fetch_manifest
from hps.images.manifest import render_manifest
from hps.images.pack import parse_index
from hps.images.scan import scan
from hps.images.signature import create_key, public_key, sign
from hps.images.store import PublishedImage, read_manifest
from hps.images.unpack import LocalImage, unpack
from hps.system import http
from tests.unit.images.conftest import CREATED
from tests.unit.images.test_store import NAME, publish
from tests.unit.system.web import Web, serving

pytestmark = [pytest.mark.programs, pytest.mark.root]
ROOM = 1 << 30
PARTS = ("manifest", "pack", "index")


class Fetching:
    """One published image behind a server, and what a node would do."""

    def __init__(self, web: Web, image: PublishedImage, key: Path, directory: Path) -> None:
        self.web, self.image, self.key, self.directory = web, image, key, directory
        self.reports: list[str] = []
        for part in PARTS:
            web.files[f"/images/{image.reference}/{part}"] = (image.folder / part).read_bytes()

    def path(self, part: str) -> str:
        return f"/images/{self.image.reference}/{part}"

    def fetch(
        self, name: str = "", keys: list[Path] | None = None, free: int = ROOM, machine: str = "x86_64", retries: int = 2
    ) -> LocalImage:
        vouching = [public_key(self.key)] if keys is None else keys
        url = f"{self.web.url}/images"

        def report(event: str, detail: str) -> None:
            self.reports.append(event)

        return fetch_image(url, name or self.image.reference, vouching, self.directory, free, report, architecture=machine, retries=retries)


@pytest.fixture
def fetching(tree: Path, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetching]:
    monkeypatch.setattr(http, "pause", lambda attempt: None)
    image = publish(tree, tmp_path / "images", key)
    with serving() as web:
        yield Fetching(web, image, key, tmp_path / "local")


@pytest.mark.feature("I28")
def test_the_manifest_comes_first_and_then_one_request_for_everything(fetching: Fetching, tmp_path: Path) -> None:
    local = fetching.fetch()
    assert [asked[0] for asked in fetching.web.asked] == [fetching.path("manifest"), fetching.path("pack")]
    assert fetching.reports == ["manifest", "objects", "verified"]
    (tmp_path / "target").mkdir()
    unpack(local, tmp_path / "target")
    assert scan(tmp_path / "target", CREATED) == local.manifest.entries


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_bit_in_the_pack_is_refused_and_not_kept(fetching: Fetching, place: float) -> None:
    whole = fetching.web.files[fetching.path("pack")]
    damaged = bytearray(whole)
    damaged[int(len(whole) * place)] ^= 4
    fetching.web.files[fetching.path("pack")] = bytes(damaged)
    with pytest.raises(InvalidInput, match=r"object sha256:[0-9a-f]{64} .* is missing or damaged"):
        fetching.fetch()
    assert fetching.reports == ["manifest", "objects"]
    assert list(fetching.directory.iterdir()) == []
    fetching.web.files[fetching.path("pack")] = whole
    fetching.fetch()


def test_a_missing_object_is_named(fetching: Fetching) -> None:
    manifest = read_manifest(fetching.image.folder, [public_key(fetching.key)])
    frames = parse_index((fetching.image.folder / "index").read_bytes())
    missing = frames[2]
    whole = fetching.web.files[fetching.path("pack")]
    fetching.web.files[fetching.path("pack")] = whole[: missing.offset] + whole[missing.offset + missing.length :]
    with pytest.raises(InvalidInput, match="instead of"):
        fetching.fetch()
    lying = replace(manifest, pack_bytes=len(whole) - missing.length)
    fetching.web.files[fetching.path("manifest")] = sign(render_manifest(lying), fetching.key)
    with pytest.raises(InvalidInput, match=rf"{missing.digest} .* is missing or damaged"):
        fetching.fetch()


def test_a_pack_that_is_not_the_published_one_is_refused_though_its_objects_are_right(fetching: Fetching) -> None:
    manifest = read_manifest(fetching.image.folder, [public_key(fetching.key)])
    other = replace(manifest, pack=f"sha256:{'0' * 64}")
    fetching.web.files[fetching.path("manifest")] = sign(render_manifest(other), fetching.key)
    with pytest.raises(InvalidInput, match="not the published one"):
        fetching.fetch()
    assert list(fetching.directory.iterdir()) == []


@pytest.mark.feature("S7")
def test_more_content_than_the_manifest_says_is_refused(fetching: Fetching) -> None:
    manifest = read_manifest(fetching.image.folder, [public_key(fetching.key)])
    with subprocess.Popen(["head", "-c", str(200 << 20), "/dev/zero"], stdout=subprocess.PIPE) as zeros:
        bomb = subprocess.run(["zstd", "-c"], stdin=zeros.stdout, capture_output=True, check=True).stdout
    pack = fetching.web.files[fetching.path("pack")] + bomb
    fetching.web.files[fetching.path("pack")] = pack
    fetching.web.files[fetching.path("manifest")] = sign(render_manifest(replace(manifest, pack_bytes=len(pack))), fetching.key)
    with pytest.raises(InvalidInput, match="more than its manifest says"):
        fetching.fetch()


def test_a_wrong_signature_is_denied_before_anything_else_is_fetched(fetching: Fetching, tmp_path: Path) -> None:
    with pytest.raises(Denied):
        fetching.fetch(keys=[public_key(create_key(tmp_path / "other"))])
    damaged = bytearray(fetching.web.files[fetching.path("manifest")])
    damaged[len(damaged) // 2] ^= 1
    fetching.web.files[fetching.path("manifest")] = bytes(damaged)
    with pytest.raises(Denied):
        fetching.fetch()
    assert {asked[0] for asked in fetching.web.asked} == {fetching.path("manifest")}
    assert not fetching.directory.exists()


def test_another_image_than_asked_for_is_refused(fetching: Fetching) -> None:
    fetching.web.files[f"/images/{NAME}/2/manifest"] = fetching.web.files[fetching.path("manifest")]
    with pytest.raises(InvalidInput, match="is the manifest of"):
        fetching.fetch(name=f"{NAME}/2")


@pytest.mark.parametrize("name", ["", "x", "../etc/1", f"{NAME}/0", f"{NAME}/1/..", f"{NAME}/x", "a b/1"])
def test_a_name_that_names_no_image(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not name"):
        fetch_manifest("http://127.0.0.1:9", name, [])


def test_what_does_not_fit_is_refused_with_numbers(fetching: Fetching) -> None:
    with pytest.raises(Refused, match=r"needs 4 MiB .* 1 MiB are free"):
        fetching.fetch(free=1 << 20)
    with pytest.raises(Refused, match="is for x86_64, and this machine is arm64"):
        fetching.fetch(machine="arm64")
    assert fetching.path("pack") not in {asked[0] for asked in fetching.web.asked}


def test_a_server_that_goes_away_midway_is_resumed_or_reported(fetching: Fetching) -> None:
    size = len(fetching.web.files[fetching.path("pack")])
    fetching.web.statuses, fetching.web.cuts = [200, 200, 503], [10**9, size // 2]
    local = fetching.fetch()
    assert local.pack.stat().st_size == size
    assert [asked[1] for asked in fetching.web.asked][-1] == f"bytes={size // 2}-"
    local.pack.unlink()
    fetching.web.cuts = [10**9, *[10] * 9]
    with pytest.raises(Unreachable, match="could not be downloaded"):
        fetching.fetch()


@pytest.mark.parametrize(("part", "status", "kind"), [("manifest", 404, NotFound), ("manifest", 403, Denied), ("pack", 404, NotFound)])
def test_what_the_server_refuses(fetching: Fetching, part: str, status: int, kind: type[HpsError]) -> None:
    fetching.web.statuses = [200] * PARTS.index(part) + [status] * 9
    with pytest.raises(kind):
        fetching.fetch()
    assert len(fetching.web.asked) == PARTS.index(part) + 1


def test_a_manifest_that_comes_late_is_waited_for(fetching: Fetching) -> None:
    fetching.web.statuses = [503, 502]
    fetching.fetch()
    fetching.web.statuses = [503] * 9
    with pytest.raises(Unreachable):
        fetching.fetch()
