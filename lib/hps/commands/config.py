"""Commands that read and write the keys of records: for operators any record, for machines their own."""

import json
from collections.abc import Mapping
from typing import Any

from hps.commands import kinds, lines
from hps.commands.kinds import Kind
from hps.commands.model import Command, Parameter
from hps.errors import InvalidInput
from hps.flows import overview, records, variables
from hps.flows.model import BOOTING, MEMBERS, NODE, OPERATOR
from hps.registry.keys import STATES


def _checked_revision(value: Any) -> str:
    words = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(words, str) or not words.isascii() or not words.isdigit() or len(words) > 18:
        raise InvalidInput("the value is not a revision", hint="get and list answer one")
    return words


REVISION = Kind(
    _checked_revision,
    {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 10**18 - 1}, {"type": "string", "pattern": "^[0-9]{1,18}$"}]},
)
"""A revision of a record, as a number or as text; a handler gets text."""

AUDIT_LIST = Kind(variables.checked_audit_list, {"type": "string", "maxLength": 65536})
"""name=value pairs joined by `|`, the values percent-encoded; a handler gets a mapping."""

_KEY = Parameter("key", kinds.KEY, "name of the key", positional=True)
_VALUE = Parameter(
    "value", kinds.VALUE, "its value; - takes it from standard input, the only way for a secret", positional=True, secret=True, empty=True
)
_EXPECTED = Parameter("revision", REVISION, "change it only if the record still has this revision", required=False)
_HOST = Parameter("host", kinds.HOST, "its name or MAC address", positional=True)
_CLUSTER = Parameter("cluster", kinds.NAME, "the active one by default", required=False)
_NAME = Parameter("name", kinds.KEY, "name of the key", positional=True)

_KINDS: tuple[tuple[str, str, tuple[Parameter, ...]], ...] = (
    ("host", "a host", (_HOST,)),
    ("cluster", "a cluster", (_CLUSTER,)),
    ("hps", "the program itself", ()),
)

_WRITTEN = {
    "type": "object",
    "required": ["key", "state", "changed", "revision"],
    "properties": {
        "key": {"type": "string"},
        "state": {"enum": ["set", "unset"]},
        "changed": {"type": "boolean"},
        "revision": {"type": "integer"},
        "problem": {"type": "string"},
    },
}


def _show_value(result: Mapping[str, Any]) -> str:
    """The value alone, as it is; as JSON where it holds a character that steers a terminal (S4)."""
    value: str = result.get("value", "")
    plain = all(character.isprintable() or character in "\n\t" for character in value)
    return f"{value if plain else json.dumps(value)}\n" if "value" in result else ""


def _show_values(result: Mapping[str, Any]) -> str:
    return lines.text(result["values"])


def _show_existence(result: Mapping[str, Any]) -> str:
    return f"{result['key']} is set\n"


def _show_write(result: Mapping[str, Any]) -> str:
    words = f"{result['key']} is {result['state'] if result['changed'] else 'already ' + result['state']}\n"
    return words + (f"the cluster is not served: {result['problem']}\n" if "problem" in result else "")


def _show_problems(result: Mapping[str, Any]) -> str:
    rows = [f"{one['record']}: {one['file']}, line {one['line']}: {one['what']}" for one in result["problems"]]
    return "".join(f"{lines.plain(row)}\n" for row in rows) or "every record is good\n"


def _show_state(result: Mapping[str, Any]) -> str:
    return f"{result['state']}\n"


def _config(kind: str, whose: str, target: tuple[Parameter, ...]) -> tuple[Command, ...]:
    """The five commands for one kind of record."""

    def command(verb: str, words: str, parameters: tuple[Parameter, ...], handler: records.Handler, answers: str, **more: Any) -> Command:
        return Command(
            f"{kind}_config_{verb}",
            f"{words} of {whose}",
            (*target, *parameters),
            (OPERATOR,),
            handler,
            answers,
            needs_cluster=kind == "host",
            verb=(f"{kind}_config", verb),
            **more,
        )

    value = {"type": "object", "required": ["key", "value", "revision"], "properties": {"value": {"type": "string"}}}
    values = {"type": "object", "required": ["record", "values", "revision"], "properties": {"values": {"type": "object"}}}
    there = {"type": "object", "required": ["key", "exists"], "properties": {"exists": {"const": True}}}
    read: dict[str, Any] = {"changes": False}
    wrote: dict[str, Any] = {"show": _show_write, "result": _WRITTEN}
    outcome = "whether that changed anything, and the revision of the record"
    return (
        command("get", "one key", (_KEY,), records.get(kind), "its value", show=_show_value, result=value, **read),
        command("set", "set one key", (_KEY, _VALUE, _EXPECTED), records.put(kind), outcome, **wrote),
        command("unset", "unset one key", (_KEY, _EXPECTED), records.unset(kind), outcome, **wrote),
        command("list", "every key", (), records.list_all(kind), "the keys that are set", show=_show_values, result=values, **read),
        command(
            "exists",
            "whether one key is set, a secret one too,",
            (_KEY,),
            records.exists(kind),
            "that it is; not found where it is not",
            show=_show_existence,
            result=there,
            **read,
        ),
    )


_SEARCH = Command(
    "registry_search",
    "the hosts whose key has exactly this value",
    (
        Parameter("field", kinds.KEY, "name of the key", positional=True),
        Parameter("value", kinds.VALUE, "its value", positional=True, empty=True),
    ),
    (OPERATOR,),
    records.search,
    "the records of the hosts",
    changes=False,
    verb=("host", "search"),
    show=overview.show_list,
)

_MACHINES: tuple[Command, ...] = (
    Command(
        "host_variable",
        "read, set or unset a key of the node's own record",
        (
            _NAME,
            Parameter("value", kinds.VALUE, "set it to this; may be empty", required=False, positional=True, empty=True),
            Parameter("action", kinds.word("get", "set", "unset"), "set where a value is given, else get", required=False),
        ),
        (NODE,),
        variables.host_variable,
        "its value, or whether that changed anything",
        function="n_remote_host_variable",
        show=_show_value,
    ),
    Command(
        "cluster_variable",
        "read a key of the cluster",
        (_NAME, Parameter("value", kinds.VALUE, "an operator sets it to this", required=False, positional=True, secret=True, empty=True)),
        MEMBERS,
        variables.cluster_variable,
        "its value, or whether that changed anything",
        function="n_remote_cluster_variable",
        show=_show_value,
    ),
    Command(
        "os_variable",
        "read a key of an operating system",
        (Parameter("os_id", kinds.text(limit=48), "as x86_64:debian:12", positional=True), _NAME),
        (NODE,),
        variables.os_variable,
        "its value",
        changes=False,
        function="n_os_variable",
        show=_show_value,
    ),
    Command(
        "host_get_config",
        "the node's own record, as text",
        (),
        (NODE,),
        variables.host_get_config,
        "one KEY=value a line, without secrets: data, never to be evaluated",
        result={"type": "string"},
        changes=False,
        function="n_host_get_config",
    ),
    Command(
        "determine_state",
        "the state of the node's host",
        (),
        (NODE,),
        variables.determine_state,
        "the state",
        changes=False,
        function="n_determine_state",
        show=_show_state,
    ),
    Command(
        "set_status",
        "say that the installation failed; any other state is set by the command whose result it is",
        (Parameter("status", kinds.word(*STATES), "the state", positional=True),),
        (NODE,),
        variables.set_status,
        "the state of the host",
        function="n_set_status",
        show=_show_state,
    ),
    Command(
        "host_audit",
        "what a machine found out about itself",
        (
            Parameter("data", AUDIT_LIST, "name=value pairs joined by |, percent-encoded", positional=True),
            Parameter("prefix", kinds.word("host", "net", "smbios", "audit"), "what they are about", required=False, positional=True),
        ),
        (BOOTING, NODE),
        variables.host_audit,
        "the keys that were kept",
        function="n_host_audit",
    ),
)

_STORE: tuple[Command, ...] = (
    Command(
        "records_check",
        "say which records are damaged, and in which line",
        (),
        (OPERATOR,),
        records.check,
        "what is wrong with which record; nothing where all are good",
        changes=False,
        needs_cluster=False,
        verb=("records", "check"),
        show=_show_problems,
    ),
    Command(
        "records_restore",
        "put the last good version of a damaged record back",
        (Parameter("record", kinds.text(limit=160), "its words, as `host prod 525400770001`", positional=True),),
        (OPERATOR,),
        records.restore,
        "the record and its revision",
        needs_cluster=False,
        verb=("records", "restore"),
    ),
)

COMMANDS: tuple[Command, ...] = (*_STORE, *(command for row in _KINDS for command in _config(*row)), _SEARCH, *_MACHINES)
