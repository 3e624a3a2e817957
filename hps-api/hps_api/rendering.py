"""One rendering for each kind of caller: iPXE script, JSON, HTML, text; failures in the same form as answers."""

import dataclasses
import json
from collections.abc import Mapping

from flask import Flask, Response, current_app, g, render_template
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from hps.boot import ipxe
from hps.boot.model import KINDS, Decision, Explain
from hps.commands import lines
from hps.errors import HpsError, NotFound, Usage
from hps.flows import site
from hps.flows.model import BOOTING, OPERATOR, Site, Text
from hps_api.forms import wanted
from hps_api.origin import token

__all__ = ["Response", "answer", "page", "register_errors"]

_TYPES = {
    "ipxe": "text/plain; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}


def answer(result: object, at: Site) -> Response:
    """What a command returned, for this caller."""
    if isinstance(result, Text):
        return Response(result.body, content_type=result.media)
    shape = wanted()
    if isinstance(result, KINDS):
        if shape == "ipxe":
            return _respond(ipxe.render(result, at.values.get("DHCP_IP", ""), at.setting("CONSOLE")), shape)
        result = _plain(result)
    assert isinstance(result, Mapping)
    match shape:
        case "json":
            return _respond(json.dumps({"ok": True, "result": result}) + "\n", shape)
        case "html":
            return _respond(render_template("answer.html", rows=lines.rows(result)), shape)
        case "ipxe":
            words = "".join(f"echo HPS: {ipxe.shown(f'{key} {value}')}\n" for key, value in lines.rows(result))
            return _respond(f"#!ipxe\n{words}", shape)
        case _:
            return _respond(lines.text(result), shape)


def page(template: str, **values: object) -> Response:
    """A page for people; an operator's holds the token with which it may change something."""
    shown = token(g.caller, current_app.config["PATHS"]) if g.caller.kind == OPERATOR else ""
    return Response(render_template(template, page_token=shown, **values), content_type=_TYPES["html"])


def failure(error: HpsError) -> Response:
    """A failure, for this caller; a booting machine gets a script that says it, waits and asks again, with status 200."""
    shape = wanted()
    status = error.status
    match shape:
        case "json":
            body = json.dumps({"ok": False, "error": error.message, "hint": error.hint, "status": status}) + "\n"
        case "html":
            body = render_template("error.html", error=error)
        case "ipxe":
            body = ipxe.render(Explain(error.message, error.hint), _address())
            status = 200 if g.caller.kind == BOOTING else status
        case _:
            body = f"error: {lines.plain(error.message)}\n" + (f"hint: {lines.plain(error.hint)}\n" if error.hint else "")
    g.failed = error
    return _respond(body, shape, status)


def register_errors(app: Flask) -> None:
    """Answer every failure in the caller's form; a bug is logged with its traceback, which is never in the answer."""

    @app.errorhandler(HpsError)
    def _known(error: HpsError) -> Response:
        return failure(error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        code = error.code or 500
        message, hint = _WORDS.get(code, (error.name, ""))
        plain: HpsError = {404: NotFound, 405: Usage, 413: Usage, 415: Usage}.get(code, HpsError)(message, hint)
        plain.status = code
        response = failure(plain)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response


_WORDS = {
    400: ("the request is not well formed", "ask as the documents of the commands say"),
    404: ("there is no such thing here", "commands are at /hps-api?cmd=NAME and /api/NAME"),
    405: ("this address does not take that method", "what changes something is POSTed: a form to /hps-api, a JSON object to /api/NAME"),
    413: ("the request is too large", "at most 256 KiB"),
    415: ("the body has another media type", "POST application/json to /api/NAME, application/x-www-form-urlencoded to /hps-api"),
    500: ("hps-api failed", "its log on the IPS says why"),
}


def _address() -> str:
    try:
        return site.open_site(current_app.config["PATHS"]).values.get("DHCP_IP", "")
    except HpsError:
        return ""


def _respond(body: str, shape: str, status: int = 200) -> Response:
    return Response(body, status, {"Vary": "Accept, User-Agent"}, content_type=_TYPES[shape])


def _plain(decision: Decision) -> dict[str, object]:
    """A decision as plain data; its token goes to nobody but the machine's own boot script."""
    fields = {key: value for key, value in dataclasses.asdict(decision).items() if key != "token"}
    if "mac" in fields:
        fields["mac"] = fields["mac"]["digits"]
    return {"decision": type(decision).__name__.lower(), **fields}
