"""What a profile is, and how its files are read. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hps.errors import InvalidInput, NotFound
from hps.registry.keys import checked_type
from hps.values import checked_name

_NAME = re.compile(r"([A-Za-z0-9_]{1,16})-([a-z0-9]{1,16})_([A-Za-z0-9.]{1,16})")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")
_SCRIPT = re.compile(r"[0-9]{2}-[a-z0-9][a-z0-9-]{0,60}")


@dataclass(frozen=True)
class Script:
    """One executable text file of a profile."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Profile:
    """A profile folder `<arch>-<os>_<tag>`, read and checked."""

    name: str
    architecture: str
    system: str
    version: str
    packages: tuple[str, ...]
    type_packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scripts: tuple[Script, ...] = ()
    tests: tuple[Script, ...] = ()

    @property
    def os_id(self) -> str:
        """The operating system as records name it, `arch:name:version`."""
        return f"{self.architecture}:{self.system}:{self.version}"

    @property
    def types(self) -> tuple[str, ...]:
        """The types of host that it can make."""
        return tuple(sorted(self.type_packages))

    def packages_for(self, host_type: str) -> tuple[str, ...]:
        """The packages of one type, sorted; raises NotFound when the profile does not make that type."""
        if host_type not in self.type_packages:
            raise NotFound(
                f"the profile {self.name} makes no {host_type}", hint=f"it makes {', '.join(self.types)}; add {host_type}/packages.list"
            )
        return tuple(sorted({*self.packages, *self.type_packages[host_type]}))


def parse_name(name: str) -> tuple[str, str, str]:
    """Architecture, system and version of a profile's name; raises InvalidInput."""
    checked_name(name, "profile name")
    match = _NAME.fullmatch(name)
    if match is None:
        raise InvalidInput(f"{name!r} is not the name of a profile", hint="call the folder <arch>-<os>_<tag>, as x86_64-debian_12")
    return match[1], match[2], match[3]


def parse_packages(text: str, where: str) -> tuple[str, ...]:
    """The package names of a list: one a line, `#` starts a comment; raises InvalidInput naming file and line."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        if not _PACKAGE.fullmatch(word):
            raise InvalidInput(f"{where}:{number}: {word[:60]!r} is not a package name", hint="write one package a line, in lower case")
        if word in found:
            raise InvalidInput(f"{where}:{number}: {word} stands here twice, first in line {found[word]}", hint="remove one of them")
        found[word] = number
    return tuple(found)


def checked_script(script: Script, where: str) -> Script:
    """A script whose name gives its order and whose first line names its interpreter; raises InvalidInput."""
    if not _SCRIPT.fullmatch(script.name):
        raise InvalidInput(f"{where}/{script.name}: the name gives no order", hint="name it NN-what-it-does, as 10-modules")
    if not script.content.startswith(b"#!/"):
        raise InvalidInput(f"{where}/{script.name}:1: no interpreter is named", hint="begin the file with #!/bin/sh")
    return script


def make_profile(name: str, lists: Mapping[str, str], scripts: tuple[Script, ...], tests: tuple[Script, ...]) -> Profile:
    """A checked profile from the texts of its files; `lists` maps `` and each type to a packages.list.

    Raises InvalidInput naming the file, and the line where there is one.
    """
    architecture, system, version = parse_name(name)
    if "" not in lists:
        raise InvalidInput(f"{name}/packages.list is missing", hint="every profile has one")
    by_type = {}
    for word, text in lists.items():
        if word:
            if checked_type(word) != word:
                raise InvalidInput(
                    f"{name}/{word}: the folder of a type carries its proper name", hint=f"rename it to {checked_type(word)}"
                )
            by_type[word] = parse_packages(text, f"{name}/{word}/packages.list")
    return Profile(
        name,
        architecture,
        system,
        version,
        parse_packages(lists[""], f"{name}/packages.list"),
        by_type,
        tuple(checked_script(script, f"{name}/install-scripts") for script in scripts),
        tuple(checked_script(script, f"{name}/tests") for script in tests),
    )
