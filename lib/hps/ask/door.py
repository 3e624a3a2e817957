"""One question to hps-api and its answer, over the operator's socket or over what `hps.ask.tls` opens.

Whoever types waits for the interpreter, so nothing is imported that can be left out: `_socket` is what the module `socket`
wraps, and loads in a tenth of the time (tests/bench/start.py).
"""

import _socket
import sys

from hps.errors import Denied, HpsError, InvalidInput, NotFound, Refused, Unreachable

PATIENCE = 130
"""Seconds for which an answer is waited for; nginx gives hps-api 120."""

LONGEST_QUESTION = 256 * 1024
"""Bytes of the largest body that hps-api takes."""

LONGEST_ANSWER = 64 << 20
"""Bytes of the largest answer that is read."""

NOT_TEXT = "values are text: encode other data, for example with base64"
MEDIA = "application/json"
_ESCAPES = {number: f"\\u{number:04x}" for number in range(32)} | {ord('"'): '\\"', ord("\\"): "\\\\"}
_BY_STATUS: dict[int, type[HpsError]] = {
    400: InvalidInput,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Refused,
    413: InvalidInput,
    429: Unreachable,
}


class Socket(_socket.socket):
    """A socket that TLS can refer to without keeping it alive."""

    __slots__ = ("__weakref__",)


class Channel:
    """How bytes go and come on a connection that is open."""

    def __init__(self, plain: Socket, place: str) -> None:
        self.plain, self.place = plain, place

    def send(self, content: bytes) -> None:
        """Send everything."""
        self.plain.sendall(content)

    def receive(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        return self.plain.recv(size)


class Answer:
    """What was answered: the status of HTTP, the headers by their names in lower case, and the body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def exit_code(self) -> int:
        """The exit code: what hps-api says, else what the status stands for."""
        said = self.headers.get("x-hps-exit", "")
        if said.isdecimal() and int(said) < 256:
            return int(said)
        if self.status == 200:
            return 0
        return _BY_STATUS.get(self.status, Unreachable if self.status > 500 else HpsError).exit_code

    def show(self) -> int:
        """Print what a terminal shows, and return the exit code: of the body, as many bytes as X-Hps-Out says are output."""
        said = self.headers.get("x-hps-out", "")
        if not said.isdecimal():
            sys.stderr.write(self._failure())
            return self.exit_code() or HpsError.exit_code
        sys.stdout.flush()
        sys.stdout.buffer.write(self.body[: int(said)])
        sys.stdout.buffer.flush()
        sys.stderr.write(self.body[int(said) :].decode(errors="replace"))
        return self.exit_code()

    def _failure(self) -> str:
        """What a failure says that came from before the terminal: nginx, or the question whether the caller may (text form)."""
        first, _, second = self.body.decode(errors="replace").partition("\nhint: ")
        message, found = first.removeprefix("error: ").strip(), first.startswith("error: ")
        return failure(HpsError(message if found else f"the answer has the status {self.status}", second.strip() if found else ""))


def failure(error: HpsError) -> str:
    """A failure as a terminal shows it: a line that says what is wrong, and below it what to do; nothing steers the terminal. Pure."""
    return "".join(f"{line}\n" for line in (f"hps: {_plain(error.message)}", *(f"  {_plain(line)}" for line in error.hint.splitlines())))


def quoted(text: str) -> str:
    """Text as JSON (RFC 8259, 7); the library takes as long to load as everything else here together. Pure."""
    return f'"{text.translate(_ESCAPES)}"'


def word(argument: str) -> str:
    """A word of the command line as text: its bytes read as UTF-8, whatever the locale says; raises InvalidInput."""
    try:
        return argument.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8")
    except UnicodeError as error:
        raise InvalidInput("a word of the command line is not UTF-8", hint=NOT_TEXT) from error


def ask(channel: Channel, target: str, body: bytes) -> Answer:
    """POST this JSON, read the whole answer, and close the connection.

    HTTP/1.0, so that the answer ends where the connection does and nothing comes in chunks (RFC 9112, 7.1 and 9.6).

    Raises:
        InvalidInput: the question or the answer is too long.
        Unreachable: the answer does not come, or only half of it.
    """
    place = channel.place
    head = f"POST {target} HTTP/1.0\r\nHost: {place}\r\nAccept: text/plain\r\nContent-Type: {MEDIA}\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        if len(body) > LONGEST_QUESTION:
            raise InvalidInput("this is too much for one command", hint=f"at most {LONGEST_QUESTION // 1024} KiB")
        channel.send(head.encode() + body)
        return parse(_whole(channel), place)
    except TimeoutError:
        raise Unreachable(f"{place} did not answer within {PATIENCE} seconds", hint="try again") from None
    except OSError as error:
        raise Unreachable(f"{place} ended the conversation: {reason(error)}", hint="try again") from error
    finally:
        channel.plain.close()


def parse(content: bytes, place: str) -> Answer:
    """An answer of HTTP from its bytes; raises Unreachable where it is none, or not whole. Pure."""
    head, end, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if not end or len(words) < 2 or not words[0].startswith("HTTP/1.") or not (len(words[1]) == 3 and words[1].isdecimal()):
        raise Unreachable(f"{place} does not answer as a server of HTTP does", hint="try again")
    if headers.get("content-length", "") != str(len(body)):
        raise Unreachable(f"the answer of {place} was cut off", hint="try again")
    return Answer(int(words[1]), headers, body)


def local(path: str) -> Channel | None:
    """The operator's door of this machine; none where nobody listens. Raises Denied for whoever may not pass, Unreachable."""
    plain = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    plain.settimeout(PATIENCE)
    try:
        plain.connect(path)
    except OSError as error:
        plain.close()
        # Without a number it is the path that is too long for a socket: nobody listens there either (unix(7)).
        if error.errno is None or isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
            return None
        if isinstance(error, PermissionError):
            raise Denied(f"you may not use {path}", hint="only root is the operator of this machine: sudo hps …") from error
        raise Unreachable(f"{path} cannot be asked: {reason(error)}", hint="hps service status") from error
    return Channel(plain, "localhost")


def reason(error: OSError) -> str:
    """What the operating system says about a failure."""
    return str(error.strerror or error or type(error).__name__)


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _whole(channel: Channel) -> bytes:
    parts, size = [], 0
    while part := channel.receive(1 << 16):
        parts.append(part)
        size += len(part)
        if size > LONGEST_ANSWER:
            raise InvalidInput(f"{channel.place} answers too much")
    return b"".join(parts)
