"""The HTTP face of HPS: who asks, may it, one command, one rendering in the caller's form. It decides nothing."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, request

from hps.commands import table
from hps.errors import Denied
from hps.flows import site
from hps.flows.model import MEMBERS, OPERATOR, STRANGER, Site
from hps.paths import Paths
from hps_api import caller, command, openapi, origin, pages, rendering, terminal

MAXIMUM_BODY = 256 * 1024
"""Bytes of the largest request body."""

CHALLENGE = 'TLS-Client-Certificate realm="HPS"'
"""What a 401 asks for (RFC 9110, 11.6.1): a client certificate of the cluster, which TLS carries and no header can."""

NOBODY = caller.Caller(STRANGER)
"""Who asks as long as that is not known."""

PROTECTION = (("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"))
"""Headers of every answer, which nothing else sets."""

OF_PAGES = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
)
"""Headers of what a browser renders; it renders nothing else, because of `nosniff`."""

OF_COMMANDS = ("command.query", "command.old_address", "command.call")
"""Endpoints that run the command which the request names: `hps.commands.table` says who may."""

FOR_MEMBERS = ("openapi.document", "openapi.page", "static", "terminal.command")
"""Endpoints for every member of the cluster; whatever stands in neither list is for operators alone."""


class Application(Flask):
    """The application; every function of it is an ordinary one, which need not be asked for each request whether it is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def create_app(paths: Paths | None = None) -> Flask:
    """The application for the IPS below these paths, by default those of the environment."""
    app = Application(__name__)
    app.config["PATHS"] = paths or Paths.from_environment()
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAXIMUM_BODY
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_admit)
    app.after_request(_finish)
    rendering.register_errors(app)
    app.register_blueprint(command.blueprint)
    app.register_blueprint(openapi.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(terminal.blueprint)
    return app


def _admit() -> None:
    """Find out who asks, and whether a browser means it; whatever names no command, which has its own check, is checked here."""
    paths, endpoint = current_app.config["PATHS"], request.endpoint
    g.caller = NOBODY
    g.caller = found = caller.identify(request.headers, paths, time.time(), _opened)
    if endpoint is not None and endpoint not in OF_COMMANDS:
        kinds = MEMBERS if endpoint in FOR_MEMBERS else (OPERATOR,)
        if found.kind not in kinds:
            raise _denied()
    origin.check(found, paths)


def _opened(paths: Paths) -> Site:
    """The site of this request, for whoever needs it after us."""
    g.site = at = site.open_site(paths)
    return at


def _denied() -> Denied:
    denied = Denied("this page is for the operator", hint="show an operator's certificate, or use the operator's socket on the IPS")
    if g.caller.kind == STRANGER:
        denied.status = 401
    return denied


def _finish(response: rendering.Response) -> rendering.Response:
    """The headers of every answer, and a line in the audit log for what was refused before any command ran, which leaves its own."""
    headers = response.headers
    headers.extend(PROTECTION)
    if headers.get("Content-Type", "").startswith(("text/html", "image/")):
        headers.extend(OF_PAGES)
    headers.setdefault("Cache-Control", "no-store")
    if response.status_code == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    failed = g.get("failed")
    if failed is not None and not g.get("audited"):
        what = {"command": g.get("command", ""), "page": f"{request.method} {request.path}"}
        table.note(current_app.config["PATHS"], g.caller, what, failed.word)
    return response
