"""Places for machines whose answer is held back: a bounded number in each process, one for each machine.

Each takes a thread of hps-api, so that some must be left for everybody else (`supervisor.d/hps-api.conf`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hps.values import Mac


class Places:
    """At most `limit` machines at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._guard = threading.Lock()
        self._taken: set[Mac] = set()

    def taken(self) -> int:
        """How many are held now."""
        return len(self._taken)

    @contextmanager
    def take(self, mac: Mac) -> Iterator[bool]:
        """Hold a place for the body; false where none is free, or where this machine has one already."""
        with self._guard:
            free = len(self._taken) < self.limit and mac not in self._taken
            if free:
                self._taken.add(mac)
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self._taken.discard(mac)


PLACES = Places(48)
"""Those of this process, of the 64 threads that it has."""
