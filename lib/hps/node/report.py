"""Tell the IPS and the person at the console how far the install is, and keep the log that ends up on the disk."""

import logging
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from hps.errors import HpsError, Unreachable
from hps.system.http import Tls, post_json, request

log = logging.getLogger(__name__)


class MemoryLog(logging.Handler):
    """Keeps every line with the seconds since the kernel started, and prints it to standard error."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Add one record."""
        line = f"[{time.monotonic():8.2f}] {record.getMessage()}"
        self.lines.append(line)
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    def text(self) -> bytes:
        """All lines so far."""
        return "".join(f"{line}\n" for line in self.lines).encode()


def keep_log() -> MemoryLog:
    """Send everything that is logged from now on to a MemoryLog and nowhere else."""
    kept = MemoryLog()
    root = logging.getLogger()
    root.handlers[:] = [kept]
    root.setLevel(logging.INFO)
    return kept


@dataclass
class Report:
    """Sends the steps of an install to the IPS; those before there is a certificate are kept and sent with their times.

    A step that cannot be sent is kept too: the install does not fail because a report did. Each step is sent once.
    """

    plain_url: str = ""
    url: str = ""
    tls: Tls | None = None
    waiting: list[tuple[str, str, float]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)

    def connect(self, url: str, tls: Tls) -> None:
        """From now on there is somebody to tell, and a certificate to tell it with."""
        self.url, self.tls = url, tls

    def step(self, name: str, detail: str = "") -> None:
        """A step of the timeline is done; a second time it is only logged."""
        log.info("%s%s", name, f": {detail}" if detail else "")
        if name not in self.said:
            self.said.add(name)
            self.waiting.append((name, detail, time.monotonic()))
        self.flush()

    def flush(self) -> None:
        """Send what waits, in order; stop at the first that does not arrive, and drop one that the IPS does not take."""
        while self.tls is not None and self.waiting:
            name, detail, moment = self.waiting[0]
            # The clock may have been set since: only the monotonic one tells how long ago this was.
            happened = time.time() - (time.monotonic() - moment)
            try:
                post_json(
                    f"{self.url}/api/install_step", {"step": name, "detail": detail, "time": round(happened, 3)}, self.tls, timeout=10
                )
            except Unreachable as error:
                log.warning("the step %s was not reported yet: %s", name, error)
                return
            except HpsError as error:
                log.warning("the step %s was not taken: %s", name, error)
            self.waiting.pop(0)

    def finish(self, patience: float = 60) -> None:
        """Give what still waits a last chance: the IPS must know of the end, or it would install this machine again."""
        deadline = time.monotonic() + patience
        while self.tls is not None and self.waiting and time.monotonic() < deadline:
            time.sleep(2)
            self.flush()

    def failed(self, reason: str) -> None:
        """Tell the IPS why the install ended; without a certificate it only goes into the log there, and changes no state."""
        self.flush()
        try:
            if self.tls is not None:
                post_json(f"{self.url}/api/install_failed", {"reason": reason[:4000]}, self.tls, timeout=10)
            elif self.plain_url:
                words = urlencode({"cmd": "log_message", "message": f"install failed: {reason[:1000]}", "function": "node install"})
                request("GET", f"{self.plain_url}/hps-api?{words}", timeout=10)
        except HpsError as error:
            log.warning("the failure was not reported: %s", error)
