"""The HTTP face of HPS: who asks, may it, one command, one rendering in the caller's form. It decides nothing."""

import time

from flask import Flask, current_app, g, request

from hps.errors import Denied
from hps.paths import Paths
from hps_api import caller, command, pages, rendering

MAXIMUM_BODY = 256 * 1024
"""Bytes of the largest request body."""


def create_app(paths: Paths | None = None) -> Flask:
    """The application for the IPS below these paths, by default those of the environment."""
    app = Flask(__name__)
    app.config["PATHS"] = paths or Paths.from_environment()
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAXIMUM_BODY
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_admit)
    app.after_request(_protect)
    rendering.register_errors(app)
    app.register_blueprint(command.blueprint)
    app.register_blueprint(pages.blueprint)
    return app


def _admit() -> None:
    """Find out who asks; whatever is no command (its own check follows) is for the operator alone."""
    g.caller = caller.Caller(caller.STRANGER)
    g.caller = caller.identify(request.headers, current_app.config["PATHS"], time.time())
    if g.caller.kind == caller.OPERATOR:
        _same_origin()
    if request.blueprint != command.blueprint.name and request.endpoint is not None and g.caller.kind != caller.OPERATOR:
        raise Denied("this page is for the operator", hint="open it through the operator's socket on the IPS")


def _same_origin() -> None:
    """A web site that the operator's browser shows may not use the operator's door."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") or origin not in (
        None,
        f"{request.scheme}://{request.host}",
    ):
        raise Denied("the request came from another web site")


def _protect(response: rendering.Response) -> rendering.Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
