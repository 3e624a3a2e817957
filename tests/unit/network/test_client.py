import pytest

from hps.errors import InvalidInput
from hps.network import client
from hps.network.client import Answer
from hps.network.links import Link
from hps.steps import Run, Write, describe
from hps.values import Mac

ENVIRONMENT = {
    "interface": "eth0",
    "ip": "10.77.0.101",
    "subnet": "255.255.255.0",
    "serverid": "10.77.0.1",
    "router": "10.77.0.254 10.77.0.253",
    "dns": "10.77.0.1 10.77.0.2",
    "domain": "lab.example",
    "siaddr": "10.77.0.1",
    "PATH": "/bin",
}
ANSWER = Answer("eth0", "10.77.0.101", 24, "10.77.0.1", "10.77.0.254", ("10.77.0.1", "10.77.0.2"), "lab.example", "10.77.0.1")


def environment(**changes: str | None) -> bytes:
    return b"".join(f"{key}={value}\0".encode() for key, value in {**ENVIRONMENT, **changes}.items() if value is not None)


@pytest.mark.feature("I7")
def test_answer_is_read_from_the_environment() -> None:
    assert client.parse_answer(environment()) == ANSWER


@pytest.mark.feature("I7")
@pytest.mark.parametrize(
    ("siaddr", "tftp", "server"),
    [
        ("10.77.0.1", None, "10.77.0.1"),
        (None, "10.77.0.9", "10.77.0.9"),
        ("10.77.0.1", "10.77.0.9", "10.77.0.1"),
        ("0.0.0.0", "ips.lab.example", "ips.lab.example"),
        (None, "`reboot`", ""),
        (None, None, ""),
    ],
)
def test_boot_server_from_siaddr_or_option_66(siaddr: str | None, tftp: str | None, server: str) -> None:
    assert client.parse_answer(environment(siaddr=siaddr, tftp=tftp)).boot_server == server


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ip", None),
        ("ip", "10.77.0.300"),
        ("ip", "$(reboot)"),
        ("subnet", None),
        ("subnet", "255.0.255.0"),
        ("serverid", "x"),
        ("router", "10.77.0.1;reboot"),
        ("dns", "evil\nnameserver 1.1.1.1"),
        ("domain", "a b"),
        ("domain", "a\nb"),
        ("interface", "a/b"),
        ("interface", None),
    ],
)
def test_bad_answers_are_not_answers(name: str, value: str | None) -> None:
    with pytest.raises(InvalidInput):
        client.parse_answer(environment(**{name: value}))


@pytest.mark.feature("I25")
def test_address_route_and_resolver_as_in_the_answer() -> None:
    plan = client.address_plan(ANSWER)
    assert [step.describe() for step in plan if isinstance(step, Run)] == [
        "run ip addr flush dev eth0",
        "run ip addr add 10.77.0.101/24 dev eth0",
        "run ip route replace default via 10.77.0.254 dev eth0",
    ]
    written = [step for step in plan if isinstance(step, Write)]
    assert written[0].content == b"search lab.example\nnameserver 10.77.0.1\nnameserver 10.77.0.2\n"
    assert "route" not in describe(client.address_plan(client.parse_answer(environment(router=None))))


A, B = Link("eth0", Mac("525400770001"), True), Link("eth1", Mac("525400770002"), True)
LATE = Link("eth0", A.mac, False)
FIRST, SECOND = ANSWER, Answer("eth1", "10.77.0.102", 24, "10.77.0.1")


@pytest.mark.feature("I8")
@pytest.mark.parametrize(
    ("answers", "known", "preferred", "waited", "chosen"),
    [
        ((), (A, B), A.mac, 9, None),
        ((FIRST,), (A, B), A.mac, 0, FIRST),
        ((SECOND, FIRST), (A, B), A.mac, 0, FIRST),
        ((SECOND,), (A, B), A.mac, 0, None),
        ((SECOND,), (A, B), A.mac, client.GRACE, SECOND),
        ((SECOND,), (LATE, B), A.mac, 0, SECOND),
        ((SECOND, FIRST), (A, B), None, 0, SECOND),
        ((SECOND, FIRST), (A, B), Mac("525400770009"), 0, SECOND),
    ],
)
def test_first_valid_answer_wins_and_the_interface_started_from_is_preferred(
    answers: tuple[Answer, ...], known: tuple[Link, ...], preferred: Mac | None, waited: float, chosen: Answer | None
) -> None:
    assert client.select({answer.interface: answer for answer in answers}, known, preferred, waited) == chosen
