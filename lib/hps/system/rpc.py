"""XML-RPC over a Unix socket: how supervisor is asked and told."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from hps.errors import CommandFailed, Unreachable


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection(self._path, self._timeout)


def call(path: Path, method: str, *arguments: object, timeout: float = 30) -> Any:
    """Call one method and return its answer.

    Args:
        path: the socket.
        method: its full name, for example `supervisor.getState`.
        arguments: what XML-RPC can carry: strings, numbers, booleans, lists.
        timeout: seconds to wait for the answer.

    Raises:
        Unreachable: nobody listens there, or there was no answer in time.
        CommandFailed: the other side says no; the hint is its words.
    """
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path, timeout), use_builtin_types=True) as server:
            return getattr(server, method)(*arguments)
    except xmlrpc.client.Fault as error:
        raise CommandFailed(f"{method} was refused", hint=error.faultString) from error
    except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
        raise Unreachable(f"nothing answers at {path}", hint="start the services: hps service start") from error
