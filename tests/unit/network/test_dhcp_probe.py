"""Frames that ask who answers DHCP, and whatever may come back; and a real foreign server in a namespace."""

import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.errors import Refused
from hps.network.dhcp_probe import build_discover, parse_offer, random_mac
from tests.unit.flows.networks import Wire

MAC = bytes.fromhex("025400770001")
NUMBER = 0x12345678


def offer(options: bytes = b"\x35\x01\x02\x36\x04\x0a\x4d\x00\x02\xff", **changed: bytes) -> bytes:
    """A well-formed offer of 10.77.0.2, with parts exchanged."""
    fixed = struct.pack("!BBBBIHH", 2, 1, 6, 0, NUMBER, 0, 0x8000) + bytes(4) + b"\x0a\x4d\x00\x32" + bytes(8)
    payload = fixed + changed.get("hardware", MAC).ljust(16, b"\0") + bytes(64) + changed.get("file", b"").ljust(128, b"\0")
    payload += changed.get("cookie", b"\x63\x82\x53\x63") + options
    datagram = changed.get("ports", b"\0\x43\0\x44") + struct.pack("!HH", 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17) + bytes(2) + b"\x0a\x4d\x00\x02" + b"\xff" * 4
    return b"\xff" * 6 + bytes.fromhex("525400000002") + b"\x08\x00" + header + datagram


def test_a_discover_is_a_broadcast_that_asks_for_one() -> None:
    frame = build_discover(MAC, NUMBER, ((93, b"\0\7"),))
    assert frame[:14] == b"\xff" * 6 + MAC + b"\x08\x00"
    header, datagram = frame[14:34], frame[34:]
    assert struct.unpack("!H", header[2:4])[0] == len(frame) - 14
    assert sum(struct.unpack("!10H", header)) % 0xFFFF == 0
    assert struct.unpack("!HH", datagram[:4]) == (68, 67)
    payload = datagram[8:]
    assert payload[:4] == b"\1\1\6\0"
    assert payload[4:8] == NUMBER.to_bytes(4, "big")
    assert payload[10:12] == b"\x80\0"
    assert payload[236:240] == b"\x63\x82\x53\x63"
    assert b"\x35\x01\x01" in payload
    assert b"\x5d\x02\x00\x07" in payload
    assert len(payload) >= 300


def test_an_offer_is_read() -> None:
    found = parse_offer(offer(file=b"snponly.efi"), MAC, NUMBER)
    assert found is not None
    assert (found.server, found.server_mac, found.address, found.boot_file) == (
        "10.77.0.2",
        "52:54:00:00:00:02",
        "10.77.0.50",
        "snponly.efi",
    )


def test_an_option_in_two_parts_is_one() -> None:
    found = parse_offer(offer(b"\x35\x01\x02\x43\x02ht\x43\x03tp:\xff"), MAC, NUMBER)
    assert found is not None
    assert found.boot_file == "http:"
    assert found.server == "10.77.0.2"


def test_a_list_of_addresses_leaves_out_what_is_cut_off() -> None:
    found = parse_offer(offer(b"\x35\x01\x02\x06\x06\x0a\x00\x00\x01\x0a\x00\xff"), MAC, NUMBER)
    assert found is not None
    assert found.addresses(6) == ("10.0.0.1",)
    assert found.addresses(7) == ()


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        offer()[:60],
        offer(cookie=b"\0\0\0\0"),
        offer(hardware=b"\2\2\2\2\2\2"),
        offer(ports=b"\0\x44\0\x43"),
        offer(b"\x35\x01\x05\xff"),
        offer(b"\x35"),
        offer(b"\x35\xff\x02"),
        offer(b""),
        offer()[:14] + b"\x4f" + offer()[15:],
        offer()[:20] + b"\x20\x01" + offer()[22:],
        offer()[:12] + b"\x86\xdd" + offer()[14:],
    ],
)
def test_anything_else_is_nothing(frame: bytes) -> None:
    assert parse_offer(frame, MAC, NUMBER) is None


def test_the_answer_to_another_question_is_nothing() -> None:
    assert parse_offer(offer(), MAC, NUMBER + 1) is None


@given(st.binary(max_size=600))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    parse_offer(data, MAC, NUMBER)
    parse_offer(offer()[:42] + data, MAC, NUMBER)
    parse_offer(offer(b"\x35\x01\x02" + data), MAC, NUMBER)


@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_no_damage_breaks_the_reader(at: int, data: bytes) -> None:
    whole = offer(file=b"x" * 128)
    parse_offer(whole[:at] + data + whole[at + len(data) :], MAC, NUMBER)


def test_a_random_mac_is_a_local_one_of_one_machine() -> None:
    assert {random_mac()[0] for _ in range(8)} == {2}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as made:
        yield made


@pytest.mark.root
def test_a_real_server_is_found_and_named(wire: Wire, tmp_path: Path) -> None:
    arguments = [
        "-k",
        "-p",
        "0",
        "-u",
        "root",
        "-i",
        "br0",
        "-F",
        "10.77.0.100,10.77.0.110",
        "-l",
        str(tmp_path / "leases"),
        "-x",
        str(tmp_path / "pid"),
    ]
    server = subprocess.Popen(wire.inside(["dnsmasq", "--no-ping", *arguments]), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (found := wire.probe(1.5)):
            assert time.monotonic() < deadline
        assert [(each.server, each.server_mac) for each in found] == [("10.77.0.1", wire.bridge_mac())]
    finally:
        server.terminate()
        server.wait()
    assert wire.probe(1.0) == ()


@pytest.mark.root
def test_an_interface_that_is_missing_is_refused(wire: Wire) -> None:
    with pytest.raises(Refused, match="nowhere"):
        wire.probe(0.2, interface="nowhere")
