"""The events of each machine: one append-only file of JSON lines for each MAC address, read from its end, bounded."""

import os
import re
import time
from pathlib import Path

from hps.system import files, lock
from hps.system.revision import Revisions
from hps.timeline.model import Event, checked_event, one_line, parse_events
from hps.timeline.sessions import Session, begins_session, outline, repeats, session_id, sessions
from hps.values import Mac

READ_LIMIT = 256 * 1024
"""Bytes that are read at most from the end of a machine's file."""

SIZE_LIMIT = 1024 * 1024
"""Bytes above which a machine's file is cut down to its last READ_LIMIT bytes."""


LIMIT = 16384
"""Machines whose current boot a process keeps in mind."""

_Signature = tuple[int, int, int]
_current: dict[str, tuple[_Signature, Session]] = {}
"""File -> what it was when it was read last, and the outline of its last boot; each entry is replaced as a whole."""


class Timeline:
    """The boot events below one folder (`<log>/boots`), with one revision for all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._folder = os.fspath(folder)
        # Where the number is lost, the microseconds since 1970 are higher than any that it can have reached.
        self.revisions = Revisions(folder / ".revision", lambda: time.time_ns() // 1000)

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
        known = self._known(mac)
        if known is not None and _again(known, event, detail, time.time()):
            return known.id
        with lock.exclusive(self.folder / ".locks", part=mac.digits):
            current = self._known(mac) or self._outlined(mac)
            now = time.time()
            if current is not None and _again(current, event, detail, now):
                return current.id
            if current is None or begins_session(current, event, now):
                session = session_id(name or mac.digits, now)
            else:
                session = current.id
                now = max(min(moment or now, now), current.started)
            # The file holds milliseconds: what is kept in mind is what would be read.
            added = Event(round(now, 3), session, event, detail, source)
            files.append(self.path(mac), added.line().encode(), mode=0o640)
            self._bound(mac)
            self._keep(mac, current, added)
            self.revisions.bump()
        return session

    def forget(self, mac: Mac) -> None:
        """Remove the events of a machine that is gone."""
        files.remove(self.path(mac))
        if self.folder.is_dir():
            self.revisions.bump()

    def _place(self, mac: Mac) -> str:
        """The file of a machine, as text: it is looked at for every event."""
        return f"{self._folder}/{mac.digits}.jsonl"

    def _known(self, mac: Mac) -> Session | None:
        """The outline of the current boot as it is kept in mind, if the file is still the same."""
        place = self._place(mac)
        kept = _current.get(place)
        return kept[1] if kept is not None and kept[0] == _signature(place) else None

    def _outlined(self, mac: Mac) -> Session | None:
        signature, current = _signature(self._place(mac)), self.current(mac)
        if current is None or signature is None:
            return None
        _remember(self._place(mac), signature, outline(current))
        return outline(current)

    def _keep(self, mac: Mac, current: Session | None, added: Event) -> None:
        """Go on with the event that was just added, without reading the file again."""
        signature = _signature(self._place(mac))
        if signature is None or (current is not None and current.id != added.session and added.time <= current.started):
            return
        before = current.events if current is not None and current.id == added.session else ()
        _remember(self._place(mac), signature, outline(Session(added.session, tuple(sorted((*before, added), key=lambda one: one.time)))))

    def _bound(self, mac: Mac) -> None:
        path = self.path(mac)
        if path.stat().st_size > SIZE_LIMIT:
            files.write(path, _tail(path).encode(), mode=0o640)


def machines(folder: Path) -> tuple[Mac, ...]:
    """Every machine that has events."""
    return tuple(sorted(Mac(path.stem) for path in folder.glob("*.jsonl") if re.fullmatch(r"[0-9a-f]{12}", path.stem)))


def _again(current: Session, event: str, detail: str, now: float) -> bool:
    """Whether an event is the last one once more, within the same boot."""
    return not begins_session(current, event, now) and repeats(current, event, detail)


def _remember(place: str, signature: _Signature, session: Session) -> None:
    if len(_current) >= LIMIT:
        _current.clear()
    _current[place] = (signature, session)


def _signature(place: str) -> _Signature | None:
    try:
        status = os.stat(place)  # noqa: PTH116 - asked for every event
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


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
