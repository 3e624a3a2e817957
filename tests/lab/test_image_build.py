"""Building: the same profile gives the same image twice, and the medium for machines without network boot starts."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hps.flows import publish
from hps.images import build, layer, loader
from hps.images.cache import EPOCH
from hps.images.manifest import Manifest
from hps.images.signature import create_key, public_key
from hps.images.store import create_image, verify_image
from hps.profiles.facts import profiles_root, read_profile

pytestmark = [pytest.mark.lab, pytest.mark.root]
PROFILE = "x86_64-debian_12"


def built(recipe: build.Recipe, folder: Path, key: Path) -> Manifest:
    """The manifest of an image that shares nothing with another build but the archive."""
    tree = folder / "tree"
    layer.copy_tree(build.build_root(recipe, folder / "cache"), tree)
    layer.add_layer(tree, layer.compiled_application(tree), loader.node_loader(), public_key(key))
    image = create_image(tree, recipe.name, recipe.architecture, EPOCH, folder / "images", key)
    return verify_image(image.folder, [public_key(key)])


@pytest.mark.feature("AB1", "AB17")
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
