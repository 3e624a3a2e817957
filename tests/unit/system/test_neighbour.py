"""One neighbour, asked of a real kernel in a network namespace, and answers that are cut off."""

import subprocess
import sys

import pytest

from hps.errors import InvalidInput
from hps.system import neighbour
from hps.values import Mac

KNOWN = Mac("525400770001")
ASK = "import sys\nfrom hps.system import neighbour\nprint([str(neighbour.ask(sys.argv[1], address)) for address in sys.argv[2:]])\n"
PRELUDE = """set -e
ip link add hps0 type bridge
ip address add 10.77.0.1/24 dev hps0
ip link set hps0 up
ip neighbour add 10.77.0.210 lladdr 52:54:00:77:00:01 dev hps0 nud reachable
ip neighbour add 10.77.0.211 lladdr 52:54:00:77:00:02 dev hps0 nud stale
ip neighbour add 10.77.0.212 dev hps0 nud failed
exec "$@"
"""


@pytest.mark.root
def test_the_kernel_is_asked_for_one_address() -> None:
    asked = ("10.77.0.210", "10.77.0.211", "10.77.0.212", "10.77.0.213")
    words = ["unshare", "--net", "sh", "-c", PRELUDE, "sh", sys.executable, "-c", ASK, "hps0", *asked]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd="lib")
    assert done.stdout == "['52:54:00:77:00:01', '52:54:00:77:00:02', 'None', 'None']\n"


AGAIN = """import subprocess, sys
from hps.system import neighbour
first = neighbour.ask("hps0", "10.77.0.210")
for words in ("link del hps0", "link add hps0 type bridge", "address add 10.77.0.1/24 dev hps0", "link set hps0 up",
              "neighbour add 10.77.0.210 lladdr 52:54:00:77:00:09 dev hps0 nud reachable"):
    subprocess.run(["ip", *words.split()], check=True)
print(first, neighbour.ask("hps0", "10.77.0.210"))
"""


@pytest.mark.root
def test_an_interface_that_is_made_again_is_asked_by_its_new_number() -> None:
    words = ["unshare", "--net", "sh", "-c", PRELUDE, "sh", sys.executable, "-c", AGAIN]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd="lib")
    assert done.stdout == "52:54:00:77:00:01 52:54:00:77:00:09\n"


def message(kind: int = 28, state: int = 0x02, address: bytes = bytes.fromhex(KNOWN.digits)) -> bytes:
    attributes = b"\x08\0\x01\0" + bytes((10, 77, 0, 210)) + bytes((4 + len(address), 0, 2, 0)) + address + b"\0\0"
    body = b"\x02\0\0\0\x07\0\0\0" + bytes((state, 0, 0, 1)) + attributes
    return (16 + len(body)).to_bytes(4, "little") + kind.to_bytes(2, "little") + bytes(10) + body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (message(), KNOWN),
        (message(state=0x01), None),
        (message(state=0x20), None),
        (message(kind=2), None),
        (message()[:-12], None),
        (message()[:28] + b"\0\0\2\0", None),
    ],
)
def test_only_a_whole_entry_is_an_answer(answer: bytes, expected: Mac | None) -> None:
    assert neighbour.parse(answer) == expected


def test_an_address_of_no_machine_is_invalid() -> None:
    with pytest.raises(InvalidInput):
        neighbour.parse(message(address=bytes(6)))


@pytest.mark.programs
def test_an_interface_that_is_not_there_knows_nobody() -> None:
    assert neighbour.ask("none-such", "10.77.0.210") is None
