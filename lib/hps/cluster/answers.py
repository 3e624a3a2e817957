"""From answers to the record of a cluster: completed, checked, and the same whichever way they came. Pure."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping

from hps.cluster.questions import TABLE, Facts, Question
from hps.errors import InvalidInput, NotFound, Refused, Usage
from hps.registry.addresses import dynamic_pool
from hps.registry.keys import check_values, default
from hps.registry.text import parse_record
from hps.values import checked_host_name

Ask = Callable[[str], str]


def read(text: str) -> dict[str, str]:
    """The answers of a file in the format of a record; raises InvalidInput for a key that no question asks."""
    answers = parse_record(text)
    known = {question.name for question in TABLE}
    for name in answers:
        if name not in known:
            raise InvalidInput(f"{name} answers no question", hint="the questions are: " + ", ".join(sorted(known)))
    return answers


def complete(given: Mapping[str, str], facts: Facts) -> dict[str, str]:
    """Every answer: the given ones, and suggestions for the others. Raises Usage naming one that nobody gave."""
    answers: dict[str, str] = {}
    for question in TABLE:
        value = given.get(question.name)
        answers[question.name] = question.suggestion(answers, facts) if value is None else value
        if question.required and not answers[question.name]:
            raise Usage(
                f"nobody said what {question.name} is ({question.key.help})", hint=f"give {question.flag}{_choice(question, facts)}"
            )
        check(question, answers[question.name], facts)
    return answers


def converse(ask: Ask, tell: Ask, facts_of: Callable[[str], Facts]) -> dict[str, str]:
    """Ask every question until each has a well-formed answer; an empty line takes the suggestion.

    Args:
        ask: shows a prompt and returns one line; may raise EOFError.
        tell: shows why an answer was not taken.
        facts_of: the facts for a cluster of the name that was given.
    """
    answers: dict[str, str] = {}
    facts = Facts()
    for question in TABLE:
        while question.name not in answers:
            suggestion = question.suggestion(answers, facts)
            try:
                line = ask(f"{question.key.help}{_choice(question, facts)}\n{question.name} [{suggestion}]: ").strip() or suggestion
                if question.required and not line:
                    raise InvalidInput("this one needs an answer")
                check(question, line, facts)
            except EOFError as error:
                raise Usage(
                    f"the answers ended before {question.name}", hint="answer each line, or give flags or --answers FILE"
                ) from error
            except (InvalidInput, Refused) as error:
                tell(str(error))
                continue
            answers[question.name] = line
            if question.name == "CLUSTER_NAME":
                facts = facts_of(line)
    return answers


def _choice(question: Question, facts: Facts) -> str:
    if question.name != "DHCP_IFACE":
        return ""
    return ", one of: " + (", ".join(sorted(facts.interfaces)) or "none exists")


def check(question: Question, value: str, facts: Facts) -> None:
    """Check one answer by itself; raises InvalidInput, or Refused for an interface that does not exist."""
    if value or question.required:
        check_values("cluster", {question.name: value})
    if question.name == "DHCP_IFACE" and value not in facts.interfaces:
        raise Refused(f"there is no interface {value} here", hint=f"choose one{_choice(question, facts)[5:]}")


def record(answers: Mapping[str, str]) -> dict[str, str]:
    """The values of the cluster's record: what is empty and means nothing is left out. Raises InvalidInput."""
    values = {name: value for name, value in answers.items() if value or default("cluster", name)}
    check_whole(values)
    return values


def check_whole(values: Mapping[str, str]) -> None:
    """Check a cluster's values, each by itself and together; raises InvalidInput."""
    check_values("cluster", values)
    for name in ("CLUSTER_NAME", "DHCP_IFACE", "DHCP_IP", "NETWORK_CIDR", "DNS_DOMAIN"):
        if not values.get(name):
            raise InvalidInput(f"{name} may not be empty")
    dynamic_pool(values)
    router, network = values.get("DEFAULT_ROUTE", ""), ipaddress.IPv4Network(values["NETWORK_CIDR"])
    if router and ipaddress.IPv4Address(router) not in network:
        raise InvalidInput(f"DEFAULT_ROUTE {router} is not in {network}", hint="a router is reached only in the cluster's own network")


def asked(values: Mapping[str, str]) -> dict[str, str]:
    """Those values of a cluster that a question asks for; the others are set by hand, and no answer speaks of them."""
    return {question.name: values[question.name] for question in TABLE if question.name in values}


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that two records do not agree on, sorted."""
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def next_ips_name(names: Iterable[str]) -> str:
    """The first of ips-01, ips-02, … that is free."""
    taken = set(names)
    return next(name for number in range(1, 1000) if (name := f"ips-{number:02d}") not in taken)


def with_ips(values: Mapping[str, str], name: str = "") -> tuple[str, str]:
    """IPS_NAMES with one name more, and that name: the next free one, or the given one; raises Refused for a duplicate."""
    names = (values.get("IPS_NAMES") or default("cluster", "IPS_NAMES")).split(",")
    chosen = checked_host_name(name) if name else next_ips_name(names)
    if chosen in names:
        raise Refused(f"an IPS of this cluster is named {chosen} already", hint=f"the next free name is {next_ips_name(names)}")
    return ",".join((*names, chosen)), chosen


def without_ips(values: Mapping[str, str], name: str) -> str:
    """IPS_NAMES without this name; raises NotFound where it is not one of them, Refused where it is the last one."""
    names = (values.get("IPS_NAMES") or default("cluster", "IPS_NAMES")).split(",")
    if name not in names:
        raise NotFound(f"no IPS of this cluster is named {name[:80]!r}", hint="they are: " + ", ".join(names))
    if len(names) == 1:
        raise Refused(f"{name} is the last IPS of this cluster", hint="a cluster has at least one: first, hps cluster add-ips")
    return ",".join(each for each in names if each != name)
