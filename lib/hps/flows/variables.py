"""What machines read and write of records: a node its own one, and what it may know of its cluster and its operating system."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from hps.errors import Denied, InvalidInput, NotFound, Refused, Usage
from hps.flows import progress, records, site
from hps.flows.model import OPERATOR, Caller, Site, Text
from hps.registry import keys
from hps.registry.model import Values, os_name, setting
from hps.registry.text import render_record
from hps.values import Mac

Parameters = Mapping[str, Any]
Answer = Mapping[str, Any]

MAXIMUM_FACTS = 200
"""How many `HOST_` keys a record may hold: nothing that a machine says makes it grow without an end."""
LONGEST_FACT = 4096
"""Characters of one value that a machine writes."""
MAXIMUM_AUDIT = 60
"""Keys of one audit that a machine sends."""
_FACT = re.compile(r"[A-Za-z0-9_]{1,40}")
_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of what steers a terminal or breaks a line."""

_STAYS = ("INSTALLED", "INSTALL_FAILED")
_WHO_SETS = {
    "UNCONFIGURED": "an operator: hps host unconfigure",
    "CONFIGURED": "an operator: hps host configure",
    "NETWORK_BOOT": "an operator: hps host configure",
    "INSTALLING": "an operator: hps host configure, hps host arm or hps host reinstall --erase",
    "INSTALLED": "the command register, when the node runs from its disk",
    "INSTALL_FAILED": "only a host that is being installed can fail at it",
    "DISK_BOOT": "the last install_step of an installation",
    "UNMANAGED": "an operator: the menu of the machine, or host_config set",
    "REINSTALL": "an operator: hps host reinstall",
}


def host_variable(at: Site, caller: Caller, parameters: Parameters) -> Answer:
    """Read, set or unset one key of the caller's own record.

    Raises:
        Denied: the key is secret, or not one that a node writes.
        NotFound: the key is not set.
    """
    mac, key = caller.machine, keys.canonical("host", parameters["name"])
    match _action(parameters):
        case "get":
            return {"name": key, "value": _value("host", site.host_values(at, mac), key)}
        case "set":
            return _write(at, mac, key, parameters["value"])
    return _write(at, mac, key, None)


def cluster_variable(at: Site, caller: Caller, parameters: Parameters) -> Answer:
    """Read one key of the cluster, or its default; an operator may set it too."""
    key = keys.canonical("cluster", parameters["name"])
    if "value" not in parameters:
        return {"name": key, "value": _value("cluster", at.values, key)}
    if caller.kind != OPERATOR:
        raise Denied(f"{key} is not yours to write", hint="an operator sets it: cluster_config set")
    done = records.put("cluster")(at, caller, {"key": key, "value": parameters["value"]})
    return {"name": key, "changed": done["changed"]}


def os_variable(at: Site, _caller: Caller, parameters: Parameters) -> Answer:
    """Read one key of an operating system."""
    name = os_name(parameters["os_id"])
    if not at.registry.exists(name):
        raise NotFound(f"there is no operating system {parameters['os_id'][:60]!r}", hint="hps image list shows what is published")
    key = keys.canonical("os", parameters["name"])
    return {"name": key, "value": _value("os", at.registry.read(name).values, key)}


def host_get_config(at: Site, caller: Caller, _parameters: Parameters) -> Text:
    """The caller's own record as text, one `KEY=value` a line, without secrets: data to read, never to evaluate."""
    return Text(render_record(keys.public("host", site.host_values(at, caller.machine))))


def determine_state(at: Site, caller: Caller, _parameters: Parameters) -> Answer:
    """The state of the caller's host."""
    return {"state": site.host_values(at, caller.machine).get("STATE", "")}


def set_status(at: Site, caller: Caller, parameters: Parameters) -> Answer:
    """A node says that its installation failed; every other state is another command's to set, and is denied."""
    state, wanted = site.host_values(at, caller.machine).get("STATE", ""), parameters["status"]
    if wanted == state and wanted in _STAYS:
        return {"state": state}
    if (state, wanted) == ("INSTALLING", "INSTALL_FAILED"):
        return progress.install_failed(at, caller, {"reason": "the node said so with set_status"})
    raise Denied(f"a node does not set the state {wanted} on a host that is {state or 'in no state'}", hint=f"set by {_WHO_SETS[wanted]}")


def host_audit(at: Site, caller: Caller, parameters: Parameters) -> Answer:
    """Keep what a machine found out about itself, as `HOST_` keys; no other key changes."""
    found = {f"HOST_{name.upper()}": value for name, value in parameters["data"].items()}
    for key in found:
        keys.check_writer("host", key, keys.NODE)
    _change(at, caller.machine, found)
    return {"keys": sorted(found)}


def checked_audit_list(value: object) -> dict[str, str]:
    """An audit as `name=value|name=value`, each value percent-encoded, or all of it once more; raises InvalidInput."""
    if not isinstance(value, str) or len(value) > 65536:
        raise InvalidInput("the audit is no text of at most 65536 characters")
    found: dict[str, str] = {}
    for pair in (value if "=" in value else unquote(value, errors="replace")).split("|"):
        name, separator, coded = pair.partition("=")
        said = unquote(coded, errors="replace")
        if not separator or not _FACT.fullmatch(name):
            raise InvalidInput(f"{pair[:40]!r} is not name=value", hint="a name has letters, digits and _, at most 40")
        if name.upper() in found:
            raise InvalidInput(f"{name} is given twice")
        found[name.upper()] = checked_fact(said)
    if len(found) > MAXIMUM_AUDIT:
        raise InvalidInput("the audit names too many things", hint=f"at most {MAXIMUM_AUDIT}")
    return found


def checked_fact(value: str) -> str:
    """A value that a machine may leave in its record: no control character, and not without an end; raises InvalidInput."""
    if len(value) > LONGEST_FACT:
        raise InvalidInput("the value is too long", hint=f"at most {LONGEST_FACT} characters")
    if any(unicodedata.category(character) in _CONTROL for character in value):
        raise InvalidInput("the value holds a control character", hint="send text of one line")
    return value


def _action(parameters: Parameters) -> str:
    given = "value" in parameters
    action: str = parameters.get("action") or ("set" if given else "get")
    if given != (action == "set"):
        raise Usage(f"the action {action} takes {'a' if action == 'set' else 'no'} value")
    return action


def _value(kind: str, values: Values, key: str) -> str:
    declared = keys.KEYS.get((kind, records.readable(kind, key)))
    found = values.get(key, declared.default if declared is not None else "")
    if key not in values and not found:
        raise NotFound(f"{key} is not set")
    return found


def _write(at: Site, mac: Mac, key: str, value: str | None) -> Answer:
    keys.check_writer("host", key, keys.NODE)
    return {"name": key, "changed": _change(at, mac, {key: value if value is None else checked_fact(value)})}


def _change(at: Site, mac: Mac, found: Mapping[str, str | None]) -> bool:
    before: list[Values] = []

    def edit(old: Values) -> Values:
        new = setting(**found)(old)
        if len(new) > len(old) and sum(key.startswith("HOST_") for key in new) > MAXIMUM_FACTS:
            raise Refused("the record holds too many facts about this host", hint=f"at most {MAXIMUM_FACTS}")
        before[:] = [old]
        return new

    return dict(at.registry.change(site.record_name(at, mac), edit).values) != dict(before[0])
