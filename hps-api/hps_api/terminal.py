"""The terminal over HTTP: words, or a command of a node with its parameters; back comes what a terminal shows.

The body is what goes to standard output, and after it what goes to standard error; X-Hps-Out says how many bytes the first
has, X-Hps-Exit is the exit code. The caller is who hps-api found out, and what it may is asked where every command asks it.
"""

from flask import Blueprint, Response, current_app, g

from hps.commands import table, terminal
from hps.errors import InvalidInput
from hps.flows import site
from hps.flows.model import Site
from hps_api.reading import json_fields

blueprint = Blueprint("terminal", __name__)


@blueprint.route("/terminal", methods=["POST"])
def words() -> Response:
    """`{"words": […], "input": "…"}`: a command line of an operator, and what is on its standard input."""
    given = json_fields()
    asked, text = given.get("words"), given.get("input")
    if not isinstance(asked, list) or not all(isinstance(word, str) for word in asked) or not isinstance(text, str | None):
        raise InvalidInput("the body is no command line", hint='{"words": ["host", "list"], "input": "…"}')
    g.audited = True
    return _shown(terminal.run(_site(), g.caller, asked, text))


@blueprint.route("/terminal/<name>", methods=["POST"])
def command(name: str) -> Response:
    """An object with the parameters of one command: what a function of a node asks."""
    given = json_fields()
    g.audited = name in table.BY_NAME
    return _shown(terminal.call(_site(), g.caller, name, given))


def _site() -> Site:
    return site.open_ips(current_app.config["PATHS"])


def _shown(output: terminal.Output) -> Response:
    out, g.failed = output.out.encode(), output.problem
    status = output.problem.status if output.problem is not None else 200
    response = Response(out + output.error.encode(), status=status, content_type="text/plain; charset=utf-8")
    response.headers["X-Hps-Out"] = str(len(out))
    response.headers["X-Hps-Exit"] = str(output.code)
    return response
