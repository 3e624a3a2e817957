"""The settings of the program itself: the record `hps`, and the folders that follow from it.

Only where that record is comes from the environment (`HPS_BASE`, `hps.paths`); everything else is a key of it.
"""

import dataclasses
import logging
from pathlib import Path

from hps.errors import HpsError, NotFound
from hps.paths import Paths
from hps.registry.keys import default
from hps.registry.model import HPS, Registry, Values
from hps.registry.store import FileRegistry


def read(registry: Registry) -> Values:
    """The values of the record `hps`; empty where there is none yet."""
    try:
        return registry.read(HPS).values
    except NotFound:
        return {}


def setting(registry: Registry, key: str) -> str:
    """A setting of the program, or its default."""
    return read(registry).get(key) or default("hps", key)


def located(paths: Paths, values: Values) -> Paths:
    """The same paths with the folders that these values of the record `hps` name."""
    folder = Path(values["RESOURCES"]) if values.get("RESOURCES") else None
    return paths if folder == paths.resources_folder else dataclasses.replace(paths, resources_folder=folder)


def open_paths() -> Paths:
    """The folders of this IPS: its base from the environment, the others from its settings."""
    paths = Paths.from_environment()
    return located(paths, read(FileRegistry(paths.config)))


def log_level(paths: Paths) -> int:
    """What programs write to their logs, as `logging` counts; the default where the settings cannot be read."""
    try:
        word = setting(FileRegistry(paths.config), "LOG_LEVEL")
    except HpsError:
        word = default("hps", "LOG_LEVEL")
    return int(getattr(logging, word.upper()))
