"""The documents of the API: OpenAPI for programs, and the same as a page for people."""

from flask import Blueprint

from hps.commands import openapi, table
from hps_api.rendering import Response, page

blueprint = Blueprint("openapi", __name__)


@blueprint.route("/openapi.json")
def document() -> Response:
    """The OpenAPI document."""
    return Response(openapi.text(table.COMMANDS), content_type="application/json")


@blueprint.route("/api", endpoint="page")
def commands() -> Response:
    """Every command: its parameters, who may call it, what it answers, and its forms."""
    return page("api.html", commands=table.COMMANDS, statuses=openapi.STATUSES, words=openapi.words, cluster="")
