"""Talk to one QEMU over its QMP socket: commands, and the events it reports (QEMU's docs/interop/qmp-spec.txt)."""

import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from tests.lab.processes import PATIENCE, Late


class Qmp:
    """One connection. A thread reads it; commands wait for their answer, events are kept in order."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._changed = threading.Condition()
        self._answers: list[dict[str, Any]] = []
        self._one_command = threading.Lock()
        self.events: list[dict[str, Any]] = []
        self.closed = False
        threading.Thread(target=self._read, daemon=True, name=f"qmp {path}").start()
        self.command("qmp_capabilities")

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Carry out one command and return what it returned; an error is an assertion."""
        with self._one_command:
            message = {"execute": name, "arguments": arguments} if arguments else {"execute": name}
            self._socket.sendall(json.dumps(message).encode())
            with self._changed:
                self._changed.wait_for(lambda: self._answers or self.closed, 60 * PATIENCE)
                if not self._answers:
                    raise Late(f"QEMU gave no answer to {name}")
                answer = self._answers.pop(0)
        if "error" in answer:
            raise AssertionError(f"QEMU refused {name}: {answer['error']}")
        return answer.get("return")

    def hang_up(self, name: str) -> None:
        """Send a command that QEMU does not live to answer."""
        try:
            self._socket.sendall(json.dumps({"execute": name}).encode())
        except OSError:
            return
        with self._changed:
            self._changed.wait_for(lambda: self.closed, 30 * PATIENCE)

    def count(self, event: str) -> int:
        """How often this event was seen."""
        with self._changed:
            return sum(1 for seen in self.events if seen["event"] == event)

    def wait_event(self, event: str, seconds: float, count: int = 1) -> None:
        """Wait until the event was seen so many times since the start; raises Late."""
        end = time.monotonic() + seconds * PATIENCE
        with self._changed:
            while sum(1 for seen in self.events if seen["event"] == event) < count:
                if self.closed or not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise Late(f"the machine reported no {event} (number {count}) within {seconds * PATIENCE:.0f} seconds")

    def close(self) -> None:
        """Leave QEMU running and end the connection."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            with self._changed:
                for line in lines:
                    message = json.loads(line) if line.strip() else {}
                    if "event" in message:
                        self.events.append(message)
                    elif "return" in message or "error" in message:
                        self._answers.append(message)
                self.closed = self.closed or not data
                self._changed.notify_all()
            if not data:
                return
