"""The serial line of a machine: everything it wrote, waiting for words, and typing."""

import contextlib
import re
import socket
import threading
import time
from pathlib import Path

from tests.lab.processes import PATIENCE, Late

_ESCAPE = re.compile(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>])")


def plain(text: str) -> str:
    """The text without terminal control sequences."""
    return _ESCAPE.sub("", text).replace("\r", "")


class Serial:
    """One connection to QEMU's socket. A thread collects what comes; QEMU itself keeps the same in a log file."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._changed = threading.Condition()
        self._text = ""
        self.closed = False
        threading.Thread(target=self._read, daemon=True, name=f"serial {path}").start()

    @property
    def position(self) -> int:
        """Where the transcript ends now: give it to `wait` to see only what is new."""
        with self._changed:
            return len(self._text)

    def text(self, start: int = 0) -> str:
        """What was written since a position, control sequences included."""
        with self._changed:
            return self._text[start:]

    def wait(self, pattern: str, seconds: float, start: int = 0) -> "re.Match[str]":
        """Wait until the pattern stands in what was written since `start`; raises Late with the end of the transcript."""
        end = time.monotonic() + seconds * PATIENCE
        expression = re.compile(pattern)
        with self._changed:
            while True:
                found = expression.search(plain(self._text[start:]))
                if found:
                    return found
                if self.closed or not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise Late(f"the serial line never said {pattern!r}; its end:\n{plain(self._text)[-1500:]}")

    def send(self, text: str) -> None:
        """Type this."""
        self._socket.sendall(text.encode())

    def close(self) -> None:
        """End the connection; the machine goes on."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                self._text += data.decode(errors="replace")
                self.closed = self.closed or not data
                self._changed.notify_all()
            if not data:
                return
