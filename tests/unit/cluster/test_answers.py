"""Answers: the same record whichever way they came, and each bad one named."""

import ipaddress
from collections.abc import Iterator

import pytest

from hps.cluster import answers
from hps.cluster.questions import TABLE, Facts
from hps.errors import HpsError, InvalidInput, Refused, Usage
from hps.registry.text import render_record

FACTS = Facts(interfaces={"br0": (ipaddress.IPv4Interface("10.77.0.1/24"),)}, today="2026-11-21")
GIVEN = {
    "CLUSTER_NAME": "lab",
    "DESCRIPTION": 'a "first" one',
    "DHCP_IFACE": "br0",
    "DHCP_IP": "10.77.0.1",
    "NETWORK_CIDR": "10.77.0.0/24",
    "DNS_DOMAIN": "lab.example",
    "NTP_LOCAL_SERVER": "10.77.0.3",
}


def talk(given: dict[str, str]) -> dict[str, str]:
    """The answers of somebody who types them, and an empty line for all others."""
    lines: Iterator[str] = iter([given.get(question.name, "") for question in TABLE])
    told: list[str] = []

    def tell(words: str) -> str:
        told.append(words)
        return words

    found = answers.converse(lambda _prompt: next(lines), tell, lambda _name: FACTS)
    assert told == []
    return found


@pytest.mark.feature("QS9")
def test_prompts_flags_and_a_file_make_the_same_bytes() -> None:
    flags = render_record(answers.record(answers.complete(GIVEN, FACTS)))
    file = render_record(answers.record(answers.complete(answers.read(render_record(GIVEN)), FACTS)))
    prompts = render_record(answers.record(answers.complete(talk(GIVEN), FACTS)))
    assert flags == file == prompts
    assert "CREATED=2026-11-21\n" in flags


@pytest.mark.feature("QS9")
def test_a_record_answers_its_own_questions() -> None:
    record = answers.record(answers.complete(GIVEN, FACTS))
    later = Facts(interfaces=FACTS.interfaces, today="2030-01-01", existing=record)
    assert answers.record(answers.complete({"CLUSTER_NAME": "lab"}, later)) == record
    assert answers.record(answers.complete(record, later)) == record


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DHCP_IFACE": "eth7"}, "no interface eth7"),
        ({"DHCP_IP": "10.78.0.1"}, "not an address of"),
        ({"DHCP_IP": "10.77.0.255"}, "not an address of"),
        ({"DHCP_RANGESIZE": "253"}, "does not fit"),
        ({"DHCP_RANGESIZE": "many"}, "not a number"),
        ({"NETWORK_CIDR": "10.77.0.1/24"}, "not an IPv4 network"),
        ({"DNS_DOMAIN": "lab example"}, "not a DNS domain"),
        ({"CLUSTER_NAME": "../x"}, "not a valid name"),
        ({"CLUSTER_NAME": ""}, "nobody said"),
        ({"DHCP_IFACE": ""}, "nobody said"),
        ({"DEFAULT_ROUTE": "10.1.0.1"}, "is not in"),
        ({"CONSOLE": "console=ttyS0\nquiet"}, "cannot carry"),
        ({"IPS_NAMES": "ips-01,ips-01"}, "given twice"),
        ({"CONFIGURE_AT": "somewhere"}, "not allowed"),
    ],
)
def test_a_bad_answer_is_named(changed: dict[str, str], words: str) -> None:
    with pytest.raises(HpsError, match=words):
        answers.record(answers.complete(GIVEN | changed, FACTS))


def test_an_unknown_interface_is_answered_with_those_that_exist() -> None:
    with pytest.raises(Refused) as caught:
        answers.complete(GIVEN | {"DHCP_IFACE": "eth7"}, FACTS)
    assert "br0" in caught.value.hint


def test_an_interface_is_never_chosen_for_somebody() -> None:
    with pytest.raises(Usage, match="DHCP_IFACE"):
        answers.complete({key: value for key, value in GIVEN.items() if key != "DHCP_IFACE"}, FACTS)


def test_a_key_that_no_question_asks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="STATE"):
        answers.read("STATE=INSTALLED\n")


def test_a_bad_line_is_asked_again_and_an_end_is_named() -> None:
    lines = iter(["../x", "lab"])
    told: list[str] = []

    def ask(_prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    def tell(words: str) -> str:
        told.append(words)
        return words

    with pytest.raises(Usage, match="CREATED"):
        answers.converse(ask, tell, lambda _name: FACTS)
    assert len(told) == 1


def test_the_prompt_of_the_interface_names_those_that_exist() -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return GIVEN.get(prompt.rsplit("\n", 1)[-1].split(" ")[0], "")

    answers.converse(ask, lambda words: words, lambda _name: FACTS)
    assert any("one of: br0" in prompt for prompt in prompts)


@pytest.mark.feature("CL3")
def test_the_next_ips_is_the_next_number() -> None:
    assert answers.next_ips_name([]) == "ips-01"
    assert answers.with_ips({"IPS_NAMES": "ips-01"}) == ("ips-01,ips-02", "ips-02")
    assert answers.with_ips({}) == ("ips-01,ips-02", "ips-02")
    assert answers.with_ips({"IPS_NAMES": "ips-01,ips-03"}) == ("ips-01,ips-03,ips-02", "ips-02")


@pytest.mark.feature("CL3")
def test_a_name_that_an_ips_has_is_refused() -> None:
    with pytest.raises(Refused, match="ips-01") as caught:
        answers.with_ips({"IPS_NAMES": "ips-01"}, "ips-01")
    assert "ips-02" in caught.value.hint


def test_differences_are_named() -> None:
    assert answers.differences({"A": "1", "B": "2"}, {"A": "1", "B": "3", "C": "4"}) == ("B", "C")
