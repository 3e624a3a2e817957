"""The events of each machine: one append-only file of JSON lines for each MAC address, read from its end, bounded."""

import os
import re
import time
from pathlib import Path

from hps.system import files, lock
from hps.timeline.model import Event, checked_event, one_line, parse_events
from hps.timeline.sessions import Session, begins_session, repeats, session_id, sessions
from hps.values import Mac

READ_LIMIT = 256 * 1024
"""Bytes that are read at most from the end of a machine's file."""

SIZE_LIMIT = 1024 * 1024
"""Bytes above which a machine's file is cut down to its last READ_LIMIT bytes."""


class Timeline:
    """The boot events below one folder (`<log>/boots`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, mac: Mac) -> Path:
        """The file of a machine."""
        return self.folder / f"{mac.digits}.jsonl"

    def events(self, mac: Mac) -> tuple[Event, ...]:
        """The latest events of a machine, oldest first."""
        return parse_events(_tail(self.path(mac)))

    def sessions(self, mac: Mac) -> tuple[Session, ...]:
        """The latest boots of a machine, oldest first."""
        return sessions(self.events(mac))

    def current(self, mac: Mac) -> Session | None:
        """The boot that a machine is in, or was in last."""
        found = self.sessions(mac)
        return found[-1] if found else None

    def record(self, mac: Mac, event: str, detail: str = "", source: str = "api", name: str = "", moment: float | None = None) -> str:
        """Add an event and return the id of the boot that it belongs to.

        Args:
            mac: the machine.
            event: a name of the timeline's order, or `failed`.
            detail: words for people; cut to one bounded line.
            source: which program says so.
            name: the host's name, for the id of a new boot.
            moment: when it happened in epoch seconds, where that was earlier; never later than now, never before its boot.

        Raises:
            InvalidInput: no such event.
        """
        detail = one_line(detail)
        checked_event(event)
        with lock.exclusive(self.folder / f".{mac.digits}.lock"):
            now = time.time()
            current = self.current(mac)
            fresh = begins_session(current, event, now)
            if current is None or fresh:
                session = session_id(name or mac.digits, now)
            else:
                session = current.id
                if repeats(current, event, detail):
                    return session
                now = max(min(moment or now, now), current.started)
            files.append(self.path(mac), Event(now, session, event, detail, source).line().encode(), mode=0o640)
            self._bound(mac)
        return session

    def forget(self, mac: Mac) -> None:
        """Remove the events of a machine that is gone."""
        files.remove(self.path(mac))

    def _bound(self, mac: Mac) -> None:
        path = self.path(mac)
        if path.stat().st_size > SIZE_LIMIT:
            files.write(path, _tail(path).encode(), mode=0o640)


def machines(folder: Path) -> tuple[Mac, ...]:
    """Every machine that has events."""
    return tuple(sorted(Mac(path.stem) for path in folder.glob("*.jsonl") if re.fullmatch(r"[0-9a-f]{12}", path.stem)))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - READ_LIMIT))
            data = stream.read(READ_LIMIT)
    except FileNotFoundError:
        return ""
    if size > READ_LIMIT:
        data = data.partition(b"\n")[2]
    return data.decode(errors="replace")
