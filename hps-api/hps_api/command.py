"""The commands over HTTP: the query-string form, its old address, and the JSON form."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed

from hps.commands import table
from hps.commands.model import FORM_TOKEN, Command, admit
from hps.errors import Usage
from hps.flows import site
from hps.flows.model import IPS, OPERATOR, Caller
from hps_api.forms import choose
from hps_api.origin import is_browser
from hps_api.reading import form_fields, joined, json_fields, pairs
from hps_api.rendering import Response, answer

blueprint = Blueprint("command", __name__)

Read = Callable[[Command], dict[str, Any]]


@blueprint.route("/hps-api", methods=["GET", "POST"])
@blueprint.route("/cgi-bin/boot_manager.sh", methods=["GET", "POST"], endpoint="old_address")
def query() -> Response:
    """`?cmd=NAME&parameter=…`, as a query, as a form, or some of both."""
    asked = pairs(request.query_string)
    given = joined(asked, form_fields())
    name = given.pop("cmd", "")
    if not name:
        raise Usage("the parameter cmd is missing", hint="/hps-api?cmd=NAME")
    choose(given.pop("format", ""))
    given.pop(FORM_TOKEN, None)

    def read(command: Command) -> dict[str, Any]:
        for each in command.parameters:
            if each.secret and each.name in asked:
                raise Usage(f"{each.name} is a secret, which an address may not hold", hint="send it in the body of a POST")
        return given

    return _perform(name, read)


@blueprint.route("/api/<name>", methods=["POST"])
def call(name: str) -> Response:
    """A JSON object with the parameters."""
    asked = pairs(request.query_string)
    choose(asked.pop("format", ""))
    if asked:
        raise Usage("the JSON form takes no parameters in its address but format", hint="send them in the JSON object")
    return _perform(name, lambda _: json_fields())


def _perform(name: str, read: Read) -> Response:
    """Whether the caller may comes first; only then is the rest of the request looked at."""
    command, caller = table.find(name), g.caller
    g.command = command.name
    admit(command, caller)
    _check_method(command, caller)
    given = read(command)
    at = g.get("site") or site.open_ips(current_app.config["PATHS"])
    g.audited = True
    return answer(table.perform(at, caller, name, given), at)


def _check_method(command: Command, caller: Caller) -> None:
    """What changes something is POSTed; only machines may GET it, because loaders can do nothing else."""
    method = request.method
    if not command.changes or method == "POST":
        return
    if method != "GET" or caller.kind in (OPERATOR, IPS) or is_browser():
        raise MethodNotAllowed(valid_methods=["POST"])
