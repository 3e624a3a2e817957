"""The one module that speaks HTTP as a client (RFC 9110): requests, the JSON of hps-api, and downloads that resume."""

import http.client
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from hps.errors import KINDS, Denied, HpsError, InvalidInput, NotFound, Refused, Unreachable, Usage
from hps.system.tree import failure

MAXIMUM_BODY = 64 << 20
STALL = 30.0
"""Seconds without a single byte after which a connection counts as dead."""
_CHUNK = 1 << 18
_BY_STATUS = {kind.status: kind for kind in KINDS if kind is not Usage} | {401: Denied, 504: Unreachable}
_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")


@dataclass(frozen=True)
class Tls:
    """Whom to trust and who to be: the CA that the server must prove, and a client certificate with its key."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """The settings for one connection: TLS 1.2 or newer, name and chain checked; raises NotFound, InvalidInput."""
        try:
            context = ssl.create_default_context(cafile=str(self.ca))
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except FileNotFoundError as error:
            raise NotFound(f"a certificate, key or CA beside {self.ca} does not exist") from error
        except ssl.SSLError as error:
            raise InvalidInput(f"a certificate, key or CA beside {self.ca} is damaged") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True)
class Response:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    timeout: float = STALL,
    limit: int = MAXIMUM_BODY,
) -> Response:
    """One request and its whole answer, whatever the status; redirects are not followed.

    Raises:
        Unreachable: no connection, no answer within `timeout` seconds, or one that was cut off.
        Denied: the server did not prove that it is who the CA says.
        InvalidInput: the URL is not http or https, or the answer has more than `limit` bytes.
    """
    with _answer(method, url, body, headers or {}, tls, timeout) as answer:
        content = answer.read(limit + 1)
        if len(content) > limit:
            raise InvalidInput(f"the answer of {url} is larger than {limit} bytes")
        if answer.length:
            raise Unreachable(f"the answer of {url} was cut off", hint="try again")
        return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)


def post_json(url: str, value: object, tls: Tls | None = None, timeout: float = STALL) -> object:
    """Post an object to hps-api and return the `result` of its answer.

    Raises the class of hps.errors that the status stands for, with the error and the hint that the server gave.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    response = request("POST", url, json.dumps(value).encode(), headers, tls, timeout)
    try:
        answer = json.loads(response.body)
    except ValueError:
        answer = None
    if response.status == 200 and isinstance(answer, dict) and answer.get("ok") is True:
        return answer.get("result")
    words = answer if isinstance(answer, dict) else {}
    kind = _BY_STATUS.get(response.status, HpsError)
    if not words and response.status == 502:
        kind = Unreachable  # a proxy without its server, not the server's own 502
    raise kind(str(words.get("error") or f"{url} answered with status {response.status}"), hint=str(words.get("hint") or ""))


def download(
    url: str,
    path: Path,
    size: int | None = None,
    tls: Tls | None = None,
    retries: int = 6,
    progress: Callable[[int], None] | None = None,
    stall: float = STALL,
) -> None:
    """Download a file; after a cut go on where it ended.

    A file that is there already is taken as the beginning when `size` is known; the caller checks the content.

    Args:
        url: http or https.
        path: the file; what arrived stays there after a failure.
        size: bytes that it must have; by default what the server says.
        tls: for https.
        retries: attempts in a row that may fail without a MiB of progress; the pauses between them double from 0.5 s to 8 s.
        progress: called with the bytes that are here, after each chunk.
        stall: seconds without a byte after which an attempt has failed.

    Raises:
        NotFound, Denied: the server said so (4xx); that is final.
        InvalidInput: the file has another size there.
        Refused: no space, or the file cannot be written; that is no failure of the network.
        Unreachable: the retries are used up; the hint is the last failure.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise failure(path, error) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        transfer = _Transfer(url, path, stream, size, tls, stall, progress)
        failures, mark = 0, transfer.here
        while True:
            try:
                transfer.attempt()
            except Unreachable as error:
                if transfer.here - mark >= 1 << 20:
                    failures, mark = 0, transfer.here
                failures += 1
                if failures > retries:
                    raise Unreachable(f"{url} could not be downloaded ({transfer.here} bytes are here)", hint=error.message) from error
                pause(failures - 1)
            else:
                return


def pause(attempt: int) -> None:
    """Wait before the next attempt: 0.5 s after the first (0), doubled each time, at most 8 s."""
    time.sleep(min(0.5 * 2**attempt, 8))


class _Transfer:
    """One download: how much is here, and what the server said about the whole."""

    def __init__(
        self,
        url: str,
        path: Path,
        stream: IO[bytes],
        size: int | None,
        tls: Tls | None,
        stall: float,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.url, self.path, self.stream, self.size, self.tls, self.stall, self.progress = url, path, stream, size, tls, stall, progress
        self.validator = ""
        self.here = os.fstat(stream.fileno()).st_size
        if size is None or self.here > size:
            self._restart()

    def attempt(self) -> None:
        """Ask for what is missing and write it; raises Unreachable when it ends early."""
        if self.here == self.size:
            return
        headers = {"Range": f"bytes={self.here}-"} if self.here else {}
        if self.here and self.validator:
            headers["If-Range"] = self.validator
        with _answer("GET", self.url, b"", headers, self.tls, self.stall) as answer:
            self._accept(answer)
            buffer = memoryview(bytearray(_CHUNK))
            while count := answer.readinto(buffer):
                self._write(buffer[:count])
        if self.here != self.size:
            raise Unreachable(f"{self.url} was cut off after {self.here} of {self.size} bytes")

    def _accept(self, answer: http.client.HTTPResponse) -> None:
        check_status(self.url, answer.status)
        whole = answer.length
        if answer.status == 206:
            found = _RANGE.fullmatch(answer.getheader("Content-Range", ""))
            if found is None or int(found[1]) != self.here:
                raise InvalidInput(f"{self.url} answered with another range than asked for")
            whole = int(found[3])
        elif self.here:
            self._restart()
        if whole is None:
            raise InvalidInput(f"{self.url} does not say how long it is")
        if self.size is not None and whole != self.size:
            raise InvalidInput(f"{self.url} has {whole} bytes instead of {self.size}", hint="it was changed or not published whole")
        self.size = whole
        self.validator = answer.getheader("ETag") or answer.getheader("Last-Modified") or ""
        if self.validator.startswith("W/"):
            self.validator = ""

    def _restart(self) -> None:
        self.stream.seek(0)
        self.stream.truncate()
        self.here = 0

    def _write(self, content: memoryview) -> None:
        if self.size is not None and self.here + len(content) > self.size:
            raise InvalidInput(f"{self.url} sends more than {self.size} bytes")
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self.stream.fileno(), content[written:], self.here + written)
        except OSError as error:
            raise _LocalFailure(failure(self.path, error)) from error
        self.here += len(content)
        if self.progress is not None:
            self.progress(self.here)


class _LocalFailure(Exception):
    """Carries a failure of the disk out past the handlers of network failures."""

    def __init__(self, failure: HpsError) -> None:
        super().__init__(str(failure))
        self.failure = failure


def check_status(url: str, status: int) -> None:
    """Raise what the status of an answer to GET stands for: 5xx Unreachable, 401 and 403 Denied, other 4xx NotFound, 3xx Refused."""
    if status in (200, 206):
        return
    if status >= 500:
        raise Unreachable(f"{url} answered with status {status}")
    if status in (401, 403):
        raise Denied(f"{url} was denied with status {status}")
    if status >= 400:
        raise NotFound(f"{url} is not there (status {status})")
    raise Refused(f"{url} answered with status {status}", hint="redirects are not followed")


@contextmanager
def _answer(
    method: str, url: str, body: bytes, headers: Mapping[str, str], tls: Tls | None, timeout: float
) -> Iterator[http.client.HTTPResponse]:
    """Send a request on a connection of its own; while its answer is read, too, network failures become Unreachable."""
    connection, path = _connection(url, tls, timeout)
    try:
        connection.request(method, path, body=body or None, headers=dict(headers))
        yield connection.getresponse()
    except ssl.SSLCertVerificationError as error:
        raise Denied(f"the server of {url} is not the one that the CA vouches for", hint=error.verify_message) from error
    except _LocalFailure as error:
        raise error.failure from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise InvalidInput(f"{url[:200]!r} is not a URL that can be asked for") from error
    except TimeoutError as error:
        raise Unreachable(f"{url} did not answer within {timeout:.0f} seconds", hint="is the server up, and the network?") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{url} is not reachable: {error or type(error).__name__}", hint="is the server up, and the network?") from error
    finally:
        connection.close()


def _connection(url: str, tls: Tls | None, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput(f"{url[:200]!r} is not a URL") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise InvalidInput(f"{url[:200]!r} is not an http or https URL", hint="for example http://10.77.0.1/images")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # http.client sets TCP_NODELAY itself, so that a small request is not held back (RFC 896 against delayed ACK).
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout), path
    if tls is None:
        raise InvalidInput(f"{url} needs a CA to check the server with", hint="give the CA certificate of the cluster")
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=tls.context()), path
