"""Build a root tree with mmdebstrap: the same packages give the same bytes."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hps.errors import InvalidInput
from hps.images.cache import EPOCH, content_key, forget_old, kept
from hps.system import command, files

SUITES = {("debian", "12"): "bookworm", ("debian", "13"): "trixie"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
EXCLUDED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")
_SCRIPTS = "/run/hps-install-scripts"
_PACKAGE = re.compile(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+)", re.MULTILINE)
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": str(EPOCH), "INITRD": "No", "DEBIAN_FRONTEND": "noninteractive"}
"""INITRD=No: the kernel's package makes no initrd (kernel-package's word, honoured by initramfs-tools); a script does, once."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What one tree is made of: a profile for one type of host, checked; scripts are (name, content) in their order."""

    name: str
    architecture: str
    system: str
    version: str
    packages: tuple[str, ...]
    scripts: tuple[tuple[str, bytes], ...]


def suite(recipe: Recipe) -> str:
    """The name of the Debian suite; raises InvalidInput for a system that cannot be built here."""
    found = SUITES.get((recipe.system, recipe.version))
    if found is None or recipe.architecture not in ARCHITECTURES:
        known = ", ".join(f"{name} {version}" for name, version in sorted(SUITES))
        raise InvalidInput(
            f"no builder knows {recipe.system} {recipe.version} for {recipe.architecture}",
            hint=f"known: {known}, for {', '.join(ARCHITECTURES)}",
        )
    return found


def base_arguments(recipe: Recipe) -> tuple[str, ...]:
    """The options of mmdebstrap that decide what is in the tree, without suite and target."""
    return (
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--architectures={ARCHITECTURES[recipe.architecture]}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        f"--include={','.join(recipe.packages)}",
    )


def hook_arguments(recipe: Recipe, scripts: Path) -> tuple[str, ...]:
    """The hooks that run the profile's scripts in the chroot in the order of their names, then take them out again.

    The names were checked when the profile was read: they hold nothing that the shell of a hook could take for its own.
    """
    runs = (f'--customize-hook=chroot "$1" {_SCRIPTS}/{name}' for name, _ in recipe.scripts)
    return (
        f'--customize-hook=mkdir -p "$1{_SCRIPTS}"',
        f"--customize-hook=sync-in {scripts} {_SCRIPTS}",
        *runs,
        f'--customize-hook=rm -rf "$1{_SCRIPTS}"',
    )


def parse_versions(simulation: str) -> tuple[str, ...]:
    """What apt would install, as sorted `name=version`, from the output of a simulation."""
    return tuple(sorted({f"{name}={version}" for name, version in _PACKAGE.findall(simulation)}))


def root_key(recipe: Recipe, versions: tuple[str, ...], tool: str) -> str:
    """What a tree is made of: the packages with their versions, the options, the scripts and mmdebstrap itself."""
    scripts = (part for script in recipe.scripts for part in script)
    return content_key((tool, str(EPOCH), suite(recipe), *base_arguments(recipe), *versions, *scripts))


def build_root(recipe: Recipe, cache: Path, again: bool = False, say: Say = lambda line: None) -> Path:
    """The root tree of that recipe, from the cache where nothing changed; the tree must not be written to.

    Args:
        recipe: what to build.
        cache: where trees are kept.
        again: build even what is there.
        say: told what is being done.

    Raises:
        InvalidInput: nobody here can build that system.
        NotFound: mmdebstrap is not installed.
        CommandFailed: mmdebstrap or a script failed; the hint is the end of what it said.
    """
    say("asking the archive for the versions of its packages")
    arguments = base_arguments(recipe)
    versions = _versions((*arguments, "--verbose", "--simulate"), suite(recipe))
    key = root_key(recipe, versions, command.run(["mmdebstrap", "--version"]))
    place = cache / f"{recipe.name}-{key}"
    if place.exists() and not again:
        say(f"the tree {place.name} is there already")

    def make(target: Path) -> None:
        say(f"building {recipe.name}: about a minute")
        with tempfile.TemporaryDirectory(prefix="hps-scripts-") as folder:
            for name, content in recipe.scripts:
                files.write(Path(folder, name), content, mode=0o755)
            hooks = hook_arguments(recipe, Path(folder))
            command.run([*arguments, "--format=directory", *hooks, suite(recipe), str(target)], environment=_ENVIRONMENT)
        command.run(["find", str(target), "-newermt", f"@{EPOCH}", "-exec", "touch", "-h", "-d", f"@{EPOCH}", "{}", "+"])

    kept(place, make, again)
    forget_old(cache, f"{recipe.name}-*")
    return place


def _versions(simulation: tuple[str, ...], codename: str) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="hps-simulate-") as folder:
        log = Path(folder, "log")
        command.run([*simulation, f"--logfile={log}", codename, "/dev/null"], environment=_ENVIRONMENT)
        return parse_versions(files.read_text(log))
