"""`hps image …`: build and publish, list, verify, and the medium for machines without network boot."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from hps.errors import NotFound
from hps.flows import publish
from hps.images.media import make_media
from hps.images.signature import create_key, public_key
from hps.images.store import list_images, newest_image, read_manifest, verify_image
from hps.registry.settings import open_paths
from hps.registry.store import FileRegistry
from hps.values import checked_name


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of `hps image`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    build = _verb(verbs, "build", "build an image from a profile, publish it, and place the installer and the loaders", _build)
    build.add_argument("profile", metavar="PROFILE", help="a folder below profiles/, as x86_64-debian_12")
    build.add_argument("type", metavar="TYPE", help="SCH, TCH, CCH or DRH")
    build.add_argument("--rebuild", action="store_true", help="build the root tree even where nothing changed")
    _verb(verbs, "profiles", "every profile, and the types that it makes", _profiles)
    _verb(verbs, "list", "every published image", _list)
    verify = _verb(verbs, "verify", "check signature, index and every object of an image", _verify)
    verify.add_argument("image", metavar="NAME[/SEQUENCE]", help="the newest one where no sequence is given")
    _verb(verbs, "key", "make the signing key where there is none, and print where its public half is", _key)
    media = _verb(verbs, "media", "write a CD and USB image that starts a machine which cannot start from the network", _media)
    media.add_argument("output", metavar="FILE", help="where it goes, as hps.iso")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    function: Callable[[argparse.Namespace], int | None],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=words)
    verb.set_defaults(function=function)
    return verb


def _build(options: argparse.Namespace) -> None:
    paths = open_paths()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    done = publish.publish(paths, FileRegistry(paths.config), options.profile, options.type, options.rebuild, say)
    manifest = read_manifest(done.image.folder, [public_key(paths.config / "keys" / "image.key")])
    print(
        f"image {done.image.reference}: {_megabytes(manifest.size_bytes)} on disk, {_megabytes(manifest.pack_bytes)} to fetch, "
        f"{manifest.inodes} paths, Linux {manifest.kernel}"
    )
    print(f"installer: kernel {_megabytes(done.kernel_bytes)}, initrd {_megabytes(done.initrd_bytes)}")


def _profiles(options: argparse.Namespace) -> None:
    for profile in publish.profiles(FileRegistry(open_paths().config)):
        print(f"{profile.name}  {profile.os_id}  {' '.join(profile.types)}")


def _list(options: argparse.Namespace) -> None:
    paths = open_paths()
    for image in list_images(paths.images):
        size = sum(part.stat().st_size for part in image.folder.iterdir())
        made = time.strftime("%Y-%m-%d %H:%M", time.gmtime((image.folder / "manifest").stat().st_mtime))
        print(f"{image.reference}  {_megabytes(size)}  {made}")


def _verify(options: argparse.Namespace) -> None:
    paths = open_paths()
    name, slash, sequence = options.image.partition("/")
    checked_name(name, "image name")
    image = newest_image(paths.images, name)
    if slash:
        found = [one for one in list_images(paths.images) if one.reference == f"{name}/{sequence}"]
        if not found:
            raise NotFound(f"there is no image {name}/{sequence[:20]}", hint=f"the newest one is {image.reference}")
        image = found[0]
    manifest = verify_image(image.folder, [public_key(paths.config / "keys" / "image.key")])
    print(f"{image.reference} is whole: {len(manifest.objects)} objects, {manifest.inodes} paths, signed by a key of this IPS")


def _key(options: argparse.Namespace) -> None:
    print(public_key(create_key(open_paths().config / "keys")))


def _media(options: argparse.Namespace) -> None:
    size = make_media(Path(options.output))
    print(f"{options.output}: {_megabytes(size)}; write it to a CD or a USB stick, or mount it with the machine's BMC")


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
