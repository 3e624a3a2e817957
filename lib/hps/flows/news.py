"""Wait until anything that an operator sees changes: a record, or an event of a boot. Nothing is asked in a loop."""

from hps.errors import InvalidInput
from hps.flows import site
from hps.flows.model import Site
from hps.registry.store import FileRegistry
from hps.system import files
from hps.system.revision import wait_any

LONGEST = 30.0
"""Seconds that one wait takes at most."""

AGAIN = 1.0
"""Seconds after which a store of records that lies in no file is asked again."""


def revision(at: Site) -> str:
    """What is known now, as one word: ask it before reading what is to be shown."""
    return f"{at.registry.revision()}.{site.timeline(at).revisions.now()}"


def wait(at: Site, known: str, seconds: float) -> None:
    """Block until there is more than what was known, at most so many seconds.

    Raises:
        InvalidInput: what was known is not a word of `revision`.
        Refused: the kernel grants no watch.
    """
    records, events = _numbers(known)
    boots = site.timeline(at)
    if not boots.folder.is_dir():
        files.make_directory(boots.folder)
    limit = max(0.0, min(seconds, LONGEST))
    if isinstance(at.registry, FileRegistry):
        wait_any([(at.registry.revisions, records), (boots.revisions, events)], limit)
    elif at.registry.revision() <= records:
        wait_any([(boots.revisions, events)], min(limit, AGAIN))


def _numbers(known: str) -> tuple[int, int]:
    first, _, second = known.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (first, second)):
        raise InvalidInput(f"{known[:40]!r} is not a revision", hint="send what X-Hps-Revision said")
    return int(first), int(second)
