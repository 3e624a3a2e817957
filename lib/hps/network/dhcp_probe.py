"""Ask an interface who answers DHCP there, without taking an address: RFC 2131, RFC 2132, RFC 4578.

The frames are built and read by pure functions; anything at all may arrive, and what is no offer is nothing.
"""

import ipaddress
import secrets
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hps.system import packet

Option = tuple[int, bytes]

_COOKIE = b"\x63\x82\x53\x63"
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_BROADCAST_FLAG = 0x8000
MESSAGE_TYPE, SERVER, REQUESTED, CLIENT, BOOT_FILE = 53, 54, 55, 61, 67
DISCOVER, OFFER = 1, 2
_WANTED = bytes((1, 3, 6, 7, 15, 42, 43, 51, 54, 60, 66, 67, 69, 175))


@dataclass(frozen=True)
class Offer:
    """What one server offered."""

    server: str
    server_mac: str
    address: str
    boot_file: str = ""
    next_server: str = ""
    options: Mapping[int, bytes] = field(default_factory=dict)

    def addresses(self, option: int) -> tuple[str, ...]:
        """An option that is a list of IPv4 addresses; what is cut off is left out."""
        value = self.options.get(option, b"")
        return tuple(str(ipaddress.IPv4Address(value[at : at + 4])) for at in range(0, len(value) - 3, 4))


def random_mac() -> bytes:
    """A locally administered address of one machine that nobody has."""
    return b"\x02" + secrets.token_bytes(5)


def build_discover(mac: bytes, transaction: int, options: Iterable[Option] = ()) -> bytes:
    """A DHCPDISCOVER as a whole broadcast frame that asks for a broadcast answer.

    Args:
        mac: the 6 bytes of the hardware address.
        transaction: a 32-bit number that the answer repeats.
        options: further options by number, in order; each at most 255 bytes.
    """
    given = ((MESSAGE_TYPE, bytes((DISCOVER,))), (REQUESTED, _WANTED), *options)
    body = b"".join(bytes((number, len(value))) + value for number, value in given)
    nothing = bytes(4)
    fixed = _FIXED.pack(1, 1, 6, 0, transaction, 0, _BROADCAST_FLAG, nothing, nothing, nothing, nothing, mac, b"", b"")
    payload = (fixed + _COOKIE + body + b"\xff").ljust(300, b"\0")
    datagram = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, nothing, b"\xff" * 4)
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + header + datagram


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def parse_offer(frame: bytes, mac: bytes, transaction: int) -> Offer | None:
    """The offer in a frame, or None where it is anything else, or an answer to somebody else."""
    payload = _datagram(frame)
    if payload is None or len(payload) < _FIXED.size + 4 or payload[_FIXED.size : _FIXED.size + 4] != _COOKIE:
        return None
    kind, _, _, _, number, _, _, _, address, following, _, hardware, _, file = _FIXED.unpack_from(payload)
    if kind != 2 or number != transaction or hardware[:6] != mac:
        return None
    options = _options(payload[_FIXED.size + 4 :])
    if options.get(MESSAGE_TYPE) != bytes((OFFER,)):
        return None
    named = options.get(SERVER, b"")
    server = named if len(named) == 4 else frame[26:30]
    return Offer(
        server=str(ipaddress.IPv4Address(server)),
        server_mac=frame[6:12].hex(":"),
        address=str(ipaddress.IPv4Address(address)),
        boot_file=_text(options.get(BOOT_FILE, b"") or file),
        next_server=str(ipaddress.IPv4Address(following)),
        options=options,
    )


def _datagram(frame: bytes) -> bytes | None:
    """The payload of a UDP datagram from port 67 to port 68 in an IPv4 frame that is no fragment."""
    if len(frame) < 14 + 20 + 8 or frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4:
        return None
    length = (frame[14] & 0x0F) * 4
    start = 14 + length
    if length < 20 or frame[23] != 17 or len(frame) < start + 8 or struct.unpack("!H", frame[20:22])[0] & 0x3FFF:
        return None
    source, target, size, _ = struct.unpack("!HHHH", frame[start : start + 8])
    return frame[start + 8 : start + size] if (source, target) == (67, 68) else None


def _options(data: bytes) -> dict[int, bytes]:
    """The options up to the end mark; one given twice is joined (RFC 3396), one cut off ends the list."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            break
        found[data[at]] = found.get(data[at], b"") + data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


def _text(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("ascii", errors="replace")


def probe(
    interface: str, seconds: float = 4, mac: bytes | None = None, options: Iterable[Option] = (), first: bool = False
) -> tuple[Offer, ...]:
    """The offers that are made on an interface, one for each server.

    Args:
        interface: where to ask.
        seconds: how long to listen; a server that pings an address first needs more than 3.
        mac: the hardware address to ask as; a random one by default.
        options: further options of the question.
        first: whether to stop at the first offer.

    Raises:
        Refused: the interface is missing or down, or this process may not open it.
    """
    mac = mac or random_mac()
    transaction = secrets.randbits(32)
    found: dict[str, Offer] = {}
    for frame in packet.exchange(interface, build_discover(mac, transaction, options), seconds):
        offer = parse_offer(frame, mac, transaction)
        if offer is not None:
            found.setdefault(f"{offer.server} {offer.server_mac}", offer)
            if first:
                break
    return tuple(found.values())
