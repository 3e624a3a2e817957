"""The table of questions, and what it suggests."""

import ipaddress

import pytest

from hps.cluster.questions import TABLE, Facts
from hps.registry.keys import KEYS

FACTS = Facts(
    interfaces={"br0": (ipaddress.IPv4Interface("10.77.0.1/24"),), "eth0": ()},
    today="2026-11-21",
)
BY_NAME = {question.name: question for question in TABLE}


def test_every_question_fills_a_key_of_a_cluster_and_every_flag_is_its_own() -> None:
    assert all(("cluster", question.name) in KEYS for question in TABLE)
    assert len({question.flag for question in TABLE}) == len(TABLE)
    by_hand = {"CERTIFICATE_DAYS", "OPENSVC_CLUSTER_SECRET"}
    assert {name for kind, name in KEYS if kind == "cluster"} == set(BY_NAME) | by_hand
    assert not any(question.key.secret for question in TABLE)


@pytest.mark.parametrize(
    ("name", "answers", "suggestion"),
    [
        ("CLUSTER_NAME", {}, ""),
        ("CREATED", {}, "2026-11-21"),
        ("IPS_NAMES", {}, "ips-01"),
        ("DHCP_IFACE", {}, ""),
        ("DHCP_IP", {"DHCP_IFACE": "br0"}, "10.77.0.1"),
        ("DHCP_IP", {"DHCP_IFACE": "eth0"}, ""),
        ("NETWORK_CIDR", {"DHCP_IFACE": "br0", "DHCP_IP": "10.77.0.1"}, "10.77.0.0/24"),
        ("NETWORK_CIDR", {"DHCP_IFACE": "br0", "DHCP_IP": "10.78.0.1"}, ""),
        ("DNS_DOMAIN", {"CLUSTER_NAME": "Lab"}, "lab.internal"),
        ("DNS_DOMAIN", {"CLUSTER_NAME": "a_b"}, ""),
        ("DHCP_RANGESIZE", {}, "50"),
        ("DEFAULT_ROUTE", {}, ""),
    ],
)
def test_suggestions(name: str, answers: dict[str, str], suggestion: str) -> None:
    assert BY_NAME[name].suggestion(answers, FACTS) == suggestion


def test_what_a_cluster_says_already_is_suggested_first() -> None:
    facts = Facts(existing={"CLUSTER_NAME": "lab", "CREATED": "2025-01-01", "DHCP_RANGESIZE": "10"}, today="2026-11-21")
    assert BY_NAME["CREATED"].suggestion({}, facts) == "2025-01-01"
    assert BY_NAME["DHCP_RANGESIZE"].suggestion({}, facts) == "10"
