"""The kernel's answer about one neighbour on a link: RTM_GETNEIGH for one address (rtnetlink(7), Linux 5.0 or newer)."""

import contextlib
import errno
import functools
import socket
import struct
import threading

from hps.errors import InvalidInput
from hps.values import Mac

_REQUEST, _ERROR, _GETNEIGH, _NEWNEIGH = 1, 2, 30, 28
_DESTINATION, _LINK_ADDRESS = 1, 2
_VALID = 0xDE
"""States in which the kernel knows the link address: permanent, noarp, reachable, probe, stale, delay (linux/neighbour.h)."""
_HEADER = struct.Struct("=IHHII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_CODE = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")
_own = threading.local()


def ask(interface: str, address: str) -> Mac | None:
    """The machine that the kernel knows at this IPv4 address on this interface; None where it knows none, or cannot be asked."""
    with contextlib.suppress(OSError, struct.error, InvalidInput):
        answer = _exchange(_request(_index(interface), address))
        if _interface_is_gone(answer):
            # One that was made again has another number.
            _index.cache_clear()
            answer = _exchange(_request(_index(interface), address))
        return parse(answer)
    return None


@functools.lru_cache(maxsize=16)
def _index(interface: str) -> int:
    return socket.if_nametoindex(interface)


def parse(answer: bytes) -> Mac | None:
    """The link address in one message of the kernel; None where that is an error, or the entry is not complete. Pure.

    Raises struct.error for an answer that is cut off, InvalidInput for an address that is not one of one machine.
    """
    length, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _NEWNEIGH:
        return None
    _, _, state, _, _ = _NEIGHBOUR.unpack_from(answer, _HEADER.size)
    place = _HEADER.size + _NEIGHBOUR.size
    while state & _VALID and place + _ATTRIBUTE.size <= min(length, len(answer)):
        size, attribute = _ATTRIBUTE.unpack_from(answer, place)
        if size < _ATTRIBUTE.size:
            return None
        if attribute == _LINK_ADDRESS:
            return Mac.parse(answer[place + _ATTRIBUTE.size : place + size].hex())
        place += (size + 3) & ~3
    return None


def _interface_is_gone(answer: bytes) -> bool:
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    return kind == _ERROR and _CODE.unpack_from(answer, _HEADER.size) == (-errno.ENODEV,)


def _request(index: int, address: str) -> bytes:
    body = _NEIGHBOUR.pack(socket.AF_INET, index, 0, 0, 0) + _ATTRIBUTE.pack(8, _DESTINATION) + socket.inet_aton(address)
    return _HEADER.pack(_HEADER.size + len(body), _GETNEIGH, _REQUEST, 1, 0) + body


def _exchange(request: bytes) -> bytes:
    """The answer of the kernel, on a socket that each thread keeps; after any failure it makes another one."""
    kernel: socket.socket | None = getattr(_own, "kernel", None)
    if kernel is None:
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    _own.kernel = None
    number = getattr(_own, "number", 0) % 0xFFFFFFFF + 1
    try:
        kernel.sendto(request[:8] + struct.pack("=I", number) + request[12:], (0, 0))
        # The kernel has answered when it has taken the question.
        answer = kernel.recv(4096, socket.MSG_DONTWAIT)
        if len(answer) < _HEADER.size or _HEADER.unpack_from(answer)[3] != number:
            raise OSError("an answer to another question")
    except OSError:
        kernel.close()
        raise
    _own.kernel, _own.number = kernel, number
    return answer
