"""Publish an operating system: build its tree, put HPS into it, sign it as an image, and place what machines start with."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hps.flows import serve
from hps.images import build, installer, layer, loader
from hps.images.cache import remove_tree
from hps.images.signature import create_key, public_key
from hps.images.store import PublishedImage, create_image
from hps.paths import Paths
from hps.profiles.facts import profile_names, profiles_root, read_profile
from hps.profiles.model import Profile
from hps.registry import settings
from hps.registry.keys import checked_type
from hps.registry.model import Edit, Registry, Values, os_name
from hps.system import files

Say = Callable[[str], None]


@dataclass(frozen=True)
class Published:
    """What a build has put in place; sizes in bytes."""

    profile: Profile
    host_type: str
    image: PublishedImage
    kernel_bytes: int
    initrd_bytes: int


def image_name(profile: Profile, host_type: str) -> str:
    """The name of the image of a profile and a type."""
    return f"{profile.name}-{host_type}"


def recipe(profile: Profile, host_type: str) -> build.Recipe:
    """What the tree of a profile and a type is made of; raises NotFound when the profile does not make that type."""
    return build.Recipe(
        image_name(profile, host_type),
        profile.architecture,
        profile.system,
        profile.version,
        profile.packages_for(host_type),
        tuple((script.name, script.content) for script in profile.scripts),
    )


def profiles(registry: Registry) -> tuple[Profile, ...]:
    """Every profile that there is, checked; raises InvalidInput naming what is wrong in which file."""
    root = profiles_root(settings.setting(registry, "PROFILES"))
    return tuple(read_profile(root, name) for name in profile_names(root))


def cache_folder(registry: Registry) -> Path:
    """Where built trees are kept: the folder `images` below the one that the setting CACHE names."""
    return Path(settings.setting(registry, "CACHE")) / "images"


def os_edit(profile: Profile, host_type: str, reference: str) -> Edit:
    """The change of the record of an operating system that offers this image for this type."""

    def edit(old: Values) -> Values:
        types = {word for word in old.get("HPS_TYPES", "").split(",") if word} | {host_type}
        return {
            **old,
            "OS_ID": profile.os_id,
            "ARCH": profile.architecture,
            "NAME": profile.system,
            "VERSION": profile.version,
            "PROFILE": profile.name,
            "HPS_TYPES": ",".join(sorted(types)),
            f"IMAGE_{host_type}": reference,
        }

    return edit


def publish(paths: Paths, registry: Registry, name: str, host_type: str, again: bool = False, say: Say = lambda line: None) -> Published:
    """Build and publish one image, and make its operating system known, in this order: a name is offered only when it is whole.

    Args:
        paths: where the IPS keeps things.
        registry: where the record of the operating system goes.
        name: of the profile.
        host_type: for which type of host; an alias will do.
        again: build the root tree even where nothing changed.
        say: told each phase.

    Raises:
        InvalidInput, NotFound: of the profile.
        Refused: the tree holds the identity of one machine.
        CommandFailed: a program failed; nothing new is offered then.
    """
    host_type = checked_type(host_type)
    profile = read_profile(profiles_root(settings.setting(registry, "PROFILES")), name)
    cache = cache_folder(registry)
    base = build.build_root(recipe(profile, host_type), cache, again, say)
    key = create_key(paths.config / "keys")
    work = cache / f"layer-{base.name}-{time.time_ns()}"
    with ExitStack() as stack:
        stack.callback(remove_tree, work)
        say("adding HPS and the boot loader")
        layer.copy_tree(base, work)
        application = layer.compiled_application(work)
        layer.add_layer(work, application, loader.node_loader(), public_key(key))
        say("reading, compressing and signing every file")
        image = create_image(work, image_name(profile, host_type), profile.architecture, int(time.time()), paths.images, key)
    say("making the installer")
    keys = {public_key(key).name: public_key(key).read_bytes()}
    parts = installer.installer(base, cache, application, keys, int(time.time()))
    place_loaders(paths)
    place(paths.boot / "installer" / profile.name, parts)
    registry.change(os_name(profile.os_id), os_edit(profile, host_type, image.reference), create=True)
    # Hosts that wait for an image have scripts that say so.
    serve.publish_all(paths, registry)
    say(f"{image.reference} is published")
    return Published(profile, host_type, image, len(parts["vmlinuz"]), len(parts["initrd.img"]))


def place_loaders(paths: Paths) -> None:
    """Put what machines start with over TFTP and HTTP in its place; raises NotFound where a package is missing."""
    first = loader.tftp_loader()
    place(paths.tftp, first)
    place(paths.boot, {**first, **loader.network_loader()})


def place(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files that differ from what is there; each is replaced whole, so a machine that reads it gets the old or the new one."""
    for name, content in contents.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            files.write(path, content)
