"""Building: the same profile gives the same image twice, and the medium for machines without network boot starts."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hps.flows import publish
from hps.images import build, layer, loader
from hps.images.cache import EPOCH
from hps.images.manifest import Manifest
from hps.images.media import make_media
from hps.images.signature import create_key, public_key
from hps.images.store import create_image, verify_image
from hps.profiles.facts import profiles_root, read_profile
from tests.lab import processes

pytestmark = [pytest.mark.lab, pytest.mark.root]
PROFILE = "x86_64-debian_12"


def built(recipe: build.Recipe, folder: Path, key: Path) -> Manifest:
    """The manifest of an image that shares nothing with another build but the archive."""
    tree = folder / "tree"
    layer.copy_tree(build.build_root(recipe, folder / "cache"), tree)
    layer.add_layer(tree, layer.compiled_application(tree), loader.node_loader(), public_key(key))
    image = create_image(tree, recipe.name, recipe.architecture, EPOCH, folder / "images", key)
    return verify_image(image.folder, [public_key(key)])


@pytest.mark.feature("AB1")
def test_two_builds_from_nothing_have_the_same_digest(tmp_path: Path) -> None:
    recipe = publish.recipe(read_profile(profiles_root(), PROFILE), "SCH")
    key = create_key(tmp_path / "keys")
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda name: built(recipe, tmp_path / name, key), ("first", "second"))
    print(f"two builds at once: {time.monotonic() - began:.0f} s")
    differing = [(one, other) for one, other in zip(first.entries, second.entries, strict=False) if one != other]
    assert differing == []
    assert replace(first, entries=()) == replace(second, entries=())
    assert len(first.entries) > 5000
    assert first.kernel != "none"


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image for CD and USB."""
    path = tmp_path_factory.mktemp("medium") / "hps.iso"
    assert make_media(path) < 16 << 20
    return path


@pytest.mark.feature("I3")
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("kind", ["cd", "usb"])
def test_the_medium_asks_dhcp_with_ipxe(tmp_path: Path, medium: Path, firmware: str, kind: str) -> None:
    """The same bytes as a CD and as a stick; the card has no ROM, so only the medium can be what speaks."""
    wire = tmp_path / "wire"
    arguments = [
        "qemu-system-x86_64",
        "-machine",
        "q35,accel=tcg",
        "-m",
        "512",
        "-nodefaults",
        "-display",
        "none",
        "-daemonize",
        "-vga",
        "std",
    ]
    arguments += ["-pidfile", str(tmp_path / "pid"), "-netdev", "user,id=n0,restrict=on", "-device", "e1000,netdev=n0,romfile="]
    arguments += ["-object", f"filter-dump,id=f0,netdev=n0,file={wire}", "-drive", f"file={medium},format=raw,if=none,id=m0,readonly=on"]
    arguments += (
        ["-device", "ide-cd,drive=m0,bootindex=1"]
        if kind == "cd"
        else ["-device", "qemu-xhci", "-device", "usb-storage,drive=m0,bootindex=1"]
    )
    if firmware == "uefi":
        shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", tmp_path / "vars.fd")
        arguments += ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]
        arguments += ["-drive", f"if=pflash,format=raw,file={tmp_path / 'vars.fd'}"]
    processes.run(arguments)
    pid = int((tmp_path / "pid").read_text())
    try:
        processes.until(lambda: b"iPXE" in wire.read_bytes(), 180, "a DHCP request of iPXE")
    finally:
        processes.end([pid])
