"""Mutual TLS (RFC 8446) for a question that has to start fast.

`_ssl` is what the module `ssl` wraps; wrapped, a question from a node takes twice as long (tests/bench/start.py). A context of
the kind PROTOCOL_TLS_CLIENT checks the chain and the name of the server by itself (docs.python.org, ssl).
"""

import _socket
import _ssl

from hps.ask.door import PATIENCE, Channel, Socket, reason
from hps.errors import Denied, InvalidInput, NotFound, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 443


class Secure(Channel):
    """A channel of TLS over a socket."""

    def __init__(self, plain: Socket, place: str, write: "Callable[[memoryview], int]", read: "Callable[[int], bytes]") -> None:
        super().__init__(plain, place)
        self._write, self._read = write, read

    def send(self, content: bytes) -> None:
        """Send everything."""
        left = memoryview(content)
        while left:
            left = left[self._write(left) :]

    def receive(self, size: int) -> bytes:
        """At most so many bytes; none at the end. Whether that is the end of the answer too, its length says."""
        try:
            return self._read(size)
        except _ssl.SSLEOFError:
            return b""


def connect(host: str, port: int, ca: str, certificate: str, key: str) -> Secure:
    """Open a connection on which both sides have proved who they are.

    Args:
        host: address or name, which the certificate of the server must hold.
        port: where it listens.
        ca: file with the certificate of the authority that vouches for the server.
        certificate: file with our certificate.
        key: file with its private key; may be the same file.

    Raises:
        NotFound, InvalidInput: one of the files is not there, or damaged.
        Denied: one of the files may not be read, or the server is not who it should be.
        Unreachable: there is no connection.
    """
    settings = context(ca, certificate, key)
    plain = _connected(host, port)
    try:
        inner = settings._wrap_socket(plain, False, host)  # type: ignore[attr-defined]
        inner.do_handshake()
    except _ssl.SSLCertVerificationError as error:
        plain.close()
        words = str(getattr(error, "verify_message", "") or error)
        raise Denied(f"{host} is not the server that the authority of the cluster vouches for", hint=words) from error
    except OSError as error:
        plain.close()
        raise Unreachable(f"{host} does not speak TLS with us: {reason(error)}", hint="is it the IPS?") from error
    return Secure(plain, host, inner.write, inner.read)


def context(ca: str, certificate: str, key: str) -> "_ssl._SSLContext":
    """The settings of a connection: TLS 1.2 or newer, chain and name checked; raises NotFound, InvalidInput, Denied."""
    made = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
    try:
        made.minimum_version = _ssl.PROTO_TLSv1_2
        made.load_verify_locations(ca)
        made.load_cert_chain(certificate, key)
    except FileNotFoundError as error:
        raise NotFound(f"one of {ca}, {certificate} and {key} does not exist") from error
    except PermissionError as error:
        raise Denied(f"one of {ca}, {certificate} and {key} may not be read by you", hint="ask as their owner") from error
    except OSError as error:
        raise InvalidInput(f"one of {ca}, {certificate} and {key} is damaged") from error
    if not made.check_hostname or made.verify_mode != _ssl.CERT_REQUIRED:
        raise Denied("this Python does not check who a server is")
    return made


def _connected(host: str, port: int) -> Socket:
    try:
        # As bytes: for text Python would load its tables of international names first.
        found = _socket.getaddrinfo(host.encode("ascii"), port, 0, _socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"there is no address for {host[:100]!r}", hint="is the name right?") from error
    problem = "no address"
    for family, kind, protocol, _, address in found:
        plain = Socket(family, kind, protocol)
        plain.settimeout(PATIENCE)
        try:
            plain.connect(address)
            plain.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            problem = reason(error)
        else:
            return plain
    raise Unreachable(f"{host} port {port} is not reachable: {problem}", hint="is the IPS up, and the network?")
