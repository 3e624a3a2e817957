"""The commands over HTTP: the query-string form, its old address, and the JSON form."""

from typing import Any

from flask import Blueprint, current_app, g, request

from hps.commands import table
from hps.errors import InvalidInput, Usage
from hps.flows import site
from hps_api.rendering import Response, answer

blueprint = Blueprint("command", __name__)


@blueprint.route("/hps-api", methods=["GET", "POST"])
@blueprint.route("/cgi-bin/boot_manager.sh", methods=["GET", "POST"], endpoint="old_address")
def query() -> Response:
    """`?cmd=NAME&parameter=…`, as a query or as a form."""
    given: dict[str, Any] = {}
    for name, value in (*request.args.items(multi=True), *request.form.items(multi=True)):
        if name in given:
            raise Usage(f"the parameter {name[:40]!r} is given twice")
        given[name] = value
    command = given.pop("cmd", "")
    given.pop("format", None)
    if not command:
        raise Usage("the parameter cmd is missing", hint="/hps-api?cmd=NAME")
    return _perform(command, given)


@blueprint.route("/api/<name>", methods=["POST"])
def call(name: str) -> Response:
    """A JSON object with the parameters."""
    given: Any = request.get_json(force=True, silent=True) if request.content_length else {}
    if not isinstance(given, dict):
        raise InvalidInput("the body is not a JSON object")
    return _perform(name, given)


def _perform(name: str, given: dict[str, Any]) -> Response:
    at = site.open_ips(current_app.config["PATHS"])
    return answer(table.perform(at, g.caller, name, given), at)
