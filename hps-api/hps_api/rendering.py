"""One rendering for each kind of caller: iPXE script, JSON, HTML, text; failures in the same form as answers."""

import dataclasses
import json
from collections.abc import Mapping

from flask import Flask, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from hps.boot import ipxe
from hps.boot.model import KINDS, Decision, Explain
from hps.errors import HpsError
from hps.flows import site
from hps.flows.model import BOOTING, Site, Text

__all__ = ["Response", "answer", "form", "register_errors"]

FORMS = ("ipxe", "json", "html", "text")
_MEDIA = {
    "application/json": "json",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/x-ipxe": "ipxe",
    "application/x-ipxe": "ipxe",
}
_AGENTS = (("ipxe", "ipxe"), ("mozilla", "html"), ("curl/", "json"), ("wget/", "json"))
_TYPES = {
    "ipxe": "text/plain; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}


def form() -> str:
    """The form that this caller gets: by Accept, then by the parameter `format`, then by User-Agent."""
    for media, quality in request.accept_mimetypes:
        if quality > 0 and media in _MEDIA:
            return _MEDIA[media]
    if request.args.get("format") in FORMS:
        return str(request.args["format"])
    if request.path.startswith("/api/"):
        return "json"
    agent = request.headers.get("User-Agent", "").lower()
    return next((shape for word, shape in _AGENTS if word in agent), "text")


def answer(result: object, at: Site) -> Response:
    """What a command returned, for this caller."""
    if isinstance(result, Text):
        return Response(result.body, content_type=result.media)
    shape = form()
    if isinstance(result, KINDS):
        if shape == "ipxe":
            return _respond(ipxe.render(result, at.values.get("DHCP_IP", ""), at.setting("CONSOLE")), shape)
        result = _plain(result)
    assert isinstance(result, Mapping)
    match shape:
        case "json":
            return _respond(json.dumps({"ok": True, "result": result}) + "\n", shape)
        case "html":
            return _respond(render_template("answer.html", rows=_rows(result)), shape)
        case "ipxe":
            return _respond("#!ipxe\n" + "".join(f"echo HPS: {ipxe.shown(f'{key} {value}')}\n" for key, value in _rows(result)), shape)
        case _:
            return _respond("".join(f"{key}={value}\n" for key, value in _rows(result)), shape)


def failure(error: HpsError) -> Response:
    """A failure, for this caller; a booting machine gets a script that says it, waits and asks again, with status 200."""
    shape = form()
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
            body = f"error: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else "")
    return _respond(body, shape, status)


def register_errors(app: Flask) -> None:
    """Answer every failure in the caller's form; a bug is logged with its traceback, which is never in the answer."""

    @app.errorhandler(HpsError)
    def _known(error: HpsError) -> Response:
        return failure(error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        plain = HpsError(_WORDS.get(error.code or 500, (error.name, ""))[0], _WORDS.get(error.code or 500, ("", ""))[1])
        plain.status = error.code or 500
        return failure(plain)


_WORDS = {
    404: ("there is no such thing here", "commands are at /hps-api?cmd=NAME and /api/NAME"),
    405: ("this address does not take that method", "POST a JSON object to /api/NAME"),
    413: ("the request is too large", "at most 256 KiB"),
    500: ("hps-api failed", "its log on the IPS says why"),
}


def _address() -> str:
    try:
        return site.open_site(current_app.config["PATHS"]).values.get("DHCP_IP", "")
    except HpsError:
        return ""


def _respond(body: str, shape: str, status: int = 200) -> Response:
    response = Response(body, status=status, content_type=_TYPES[shape])
    response.headers["Vary"] = "Accept, User-Agent"
    return response


def _plain(decision: Decision) -> dict[str, object]:
    """A decision as plain data; its token goes to nobody but the machine's own boot script."""
    fields = {key: value for key, value in dataclasses.asdict(decision).items() if key != "token"}
    if "mac" in fields:
        fields["mac"] = fields["mac"]["digits"]
    return {"decision": type(decision).__name__.lower(), **fields}


def _rows(result: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in result.items()]
