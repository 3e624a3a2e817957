"""Whole Ethernet frames on one interface, sent and heard (packet(7)); the only raw sockets of HPS."""

import select
import socket
import struct
import time
from collections.abc import Iterator

from hps.errors import Refused

_IPV4 = 0x0800
_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISCUOUS = 263, 1, 1
_LONGEST = 65536


def exchange(interface: str, frame: bytes, seconds: float, again: float = 1.0) -> Iterator[bytes]:
    """Send a frame, and yield every IPv4 frame that is heard until the time is over.

    Args:
        interface: the name of the interface.
        frame: a whole Ethernet frame.
        seconds: how long to listen; the caller may stop earlier.
        again: seconds after which the frame is sent a second time.

    Raises:
        Refused: the interface is missing or down, or this process may not open it.
    """
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IPV4)) as link:
            link.bind((interface, _IPV4))
            membership = struct.pack("iHH8s", socket.if_nametoindex(interface), _PROMISCUOUS, 0, b"")
            link.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, membership)
            link.send(frame)
            yield from _heard(link, frame, time.monotonic() + seconds, time.monotonic() + again)
    except OSError as error:
        raise Refused(f"{interface} cannot be listened on: {error.strerror}", hint=f"as root: ip link set {interface} up") from error


def _heard(link: socket.socket, frame: bytes, deadline: float, repeat: float) -> Iterator[bytes]:
    while (now := time.monotonic()) < deadline:
        if now >= repeat:
            link.send(frame)
            repeat = deadline
        ready, _, _ = select.select([link], [], [], min(deadline, repeat) - now)
        if ready:
            yield link.recv(_LONGEST)
