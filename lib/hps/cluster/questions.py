"""The one table of questions that make a cluster; prompts, flags and answers files all come from it. Pure."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hps.errors import InvalidInput
from hps.registry.keys import KEYS, Key, default
from hps.values import checked_host_name

Answers = Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """What a suggestion may be made from: the machine's interfaces, the day, and what a cluster of this name says already."""

    interfaces: Mapping[str, tuple[ipaddress.IPv4Interface, ...]] = field(default_factory=dict)
    today: str = ""
    ips_name: str = "ips-01"
    existing: Answers = field(default_factory=dict)


Suggest = Callable[[Answers, Facts], str]


@dataclass(frozen=True)
class Question:
    """One question: the key of the record that it fills, and what is suggested where the table of keys has no default."""

    name: str
    suggest: Suggest | None = None
    required: bool = False

    @property
    def key(self) -> Key:
        """The row of the table of keys: check, default and words."""
        return KEYS["cluster", self.name]

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return "--" + self.name.lower().replace("_", "-")

    def suggestion(self, answers: Answers, facts: Facts) -> str:
        """What is taken when nobody says otherwise; empty where somebody must, or where nothing is a fine answer."""
        if self.name in facts.existing:
            return facts.existing[self.name]
        if facts.existing and not self.required:
            return ""
        return self.suggest(answers, facts) if self.suggest is not None else default("cluster", self.name)


def _networks(answers: Answers, facts: Facts) -> tuple[ipaddress.IPv4Interface, ...]:
    return facts.interfaces.get(answers.get("DHCP_IFACE", ""), ())


def _address(answers: Answers, facts: Facts) -> str:
    return next((str(own.ip) for own in _networks(answers, facts)), "")


def _network(answers: Answers, facts: Facts) -> str:
    return next((str(own.network) for own in _networks(answers, facts) if str(own.ip) == answers.get("DHCP_IP")), "")


def _domain(answers: Answers, _facts: Facts) -> str:
    try:
        return checked_host_name(answers.get("CLUSTER_NAME", "").lower()) + ".internal"
    except InvalidInput:
        return ""


TABLE: tuple[Question, ...] = (
    Question("CLUSTER_NAME", required=True),
    Question("CREATED", lambda _answers, facts: facts.today, required=True),
    Question("IPS_NAMES", lambda _answers, facts: facts.ips_name, required=True),
    Question("DESCRIPTION"),
    # Never suggested: nothing is served on an interface that nobody named.
    Question("DHCP_IFACE", required=True),
    Question("DHCP_IP", _address, required=True),
    Question("NETWORK_CIDR", _network, required=True),
    Question("DHCP_RANGESIZE", required=True),
    Question("DHCP_LEASE", required=True),
    Question("DNS_DOMAIN", _domain, required=True),
    Question("DNS_LOCAL_SERVER"),
    Question("DNS_UPSTREAM_SERVER"),
    Question("NTP_LOCAL_SERVER"),
    Question("SYSLOG_LOCAL_SERVER"),
    Question("SMTP_LOCAL_SERVER"),
    Question("DEFAULT_ROUTE"),
    Question("CONFIGURE_AT", required=True),
    Question("MENU_TIMEOUT", required=True),
    Question("DEFAULT_TYPE"),
    Question("DEFAULT_OS"),
    Question("POLL_INTERVAL", required=True),
    Question("CONSOLE"),
    Question("OPERATOR_SSH_KEYS"),
)
"""In the order in which they are asked: a suggestion is made from the answers before it."""
