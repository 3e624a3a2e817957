"""The commands as an OpenAPI document (version 3.1.0 of its specification), both forms of each. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hps.commands.kinds import Schema
from hps.commands.model import FORM_TOKEN, Command, Parameter
from hps.errors import KINDS
from hps.flows.model import MEMBERS

VERSION = "3.1.0"
FORMATS = ("json", "text", "html", "ipxe")
FILE: Schema = {"type": "string"}
"""The result of a command that answers with a file: its body is the file itself."""

STATUSES: Mapping[int, str] = {
    400: "a parameter is missing, unknown, given twice or not well formed",
    401: "nobody knows you: show a client certificate of the cluster",
    403: "you may not do this",
    404: "there is no such thing",
    405: "the method is another one: what changes something is POSTed",
    409: "well formed, but unsafe now; the hint says what would allow it",
    413: "the request is larger than 256 KiB",
    415: "the body has another media type",
    429: "too many requests at once",
    500: "hps-api failed; its log says why",
    502: "a program that was needed said no",
    503: "no answer in time: try again",
}
"""Every status that is no success: the classes of hps.errors, and what HTTP itself may answer."""

assert {kind.status for kind in KINDS} <= set(STATUSES)

_CERTIFICATE = "clientCertificate"


def document(commands: Sequence[Command], title: str = "HPS") -> dict[str, Any]:
    """The document: one path for the query-string form of all commands, and one for the JSON form of each."""
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {"/hps-api": _query_form(commands), **{f"/api/{each.name}": _json_form(each) for each in commands}},
        "components": {
            "schemas": {"Error": _ERROR},
            "responses": {str(status): _failure(words) for status, words in STATUSES.items()},
            "securitySchemes": {_CERTIFICATE: {"type": "mutualTLS", "description": "a client certificate of the cluster's authority"}},
        },
    }


def words(schema: Schema) -> str:
    """What a schema allows, in words for people."""
    if "enum" in schema:
        return "one of " + ", ".join(str(word) for word in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(words(inner) for inner in schema["oneOf"])
    limit = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    kind = {"string": "text", "boolean": "true or false", "object": "object", "array": "list"}.get(str(schema.get("type")), "")
    return f"{kind or schema.get('type', 'anything')}{limit}"


def _json_form(command: Command) -> dict[str, Any]:
    schema = _members(
        {each.name: _described(each) for each in command.parameters}, [each.name for each in command.parameters if each.required]
    )
    return {
        "post": {
            "operationId": command.name,
            "summary": command.help,
            "description": _callers(command),
            "parameters": [_FORMAT],
            "requestBody": {"required": bool(schema["required"]), "content": {"application/json": {"schema": schema}}},
            "responses": _responses((command,)),
            "security": _security(command),
        }
    }


def _query_form(commands: Sequence[Command]) -> dict[str, Any]:
    """GET and POST of /hps-api; OpenAPI knows no path by a parameter, so that it names those of all commands."""
    names = {"type": "string", "enum": [each.name for each in commands]}
    cmd = {"name": "cmd", "in": "query", "required": True, "description": "the command", "schema": names}
    shared = _shared(commands)
    public = {name: schema for name, (schema, secret) in shared.items() if not secret}
    fields = {
        "cmd": names,
        "format": _FORMAT["schema"],
        FORM_TOKEN: {"type": "string"},
        **{name: schema for name, (schema, _) in shared.items()},
    }
    get = {
        "operationId": "query",
        "summary": "any command as a query string; what changes something only by machines",
        "parameters": [cmd, _FORMAT, *({"name": name, "in": "query", "schema": schema} for name, schema in public.items())],
        "responses": _responses(commands),
        "security": [{}, {_CERTIFICATE: []}],
    }
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _members(fields, ["cmd"])}}}
    post = {
        "operationId": "form",
        "summary": "any command as a form",
        "requestBody": body,
        "responses": get["responses"],
        "security": get["security"],
    }
    return {"get": get, "post": post}


def _shared(commands: Sequence[Command]) -> dict[str, tuple[dict[str, Any], bool]]:
    """Each parameter name of the query-string form, which carries text only: what it may hold, and whether it is a secret."""
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    for command in commands:
        for each in command.parameters:
            if each.kind.schema.get("type") == "object":
                continue
            schema, secret = found.get(each.name, ({"anyOf": [], "description": ""}, False))
            kinds = schema["anyOf"] + ([] if each.kind.schema in schema["anyOf"] else [each.kind.schema])
            told = "; ".join(part for part in (schema["description"], f"{command.name}: {each.help}") if part)
            found[each.name] = ({"anyOf": kinds, "description": told}, secret or each.secret)
    return found


def _responses(commands: Sequence[Command]) -> dict[str, Any]:
    files = [each for each in commands if each.result == FILE]
    results = [_object(each.result) for each in commands if each.result != FILE]
    unique = [schema for index, schema in enumerate(results) if schema not in results[:index]]
    answer: dict[str, Any] = {} if files else unique[0] if len(unique) == 1 else {"anyOf": unique}
    content = {"application/json": {"schema": answer}, **{media: {"schema": FILE} for media in ("text/plain", "text/html")}}
    told = commands[0].answers if len(commands) == 1 else "what the command answers"
    return {
        "200": {"description": told, "content": content},
        **{str(each): {"$ref": f"#/components/responses/{each}"} for each in STATUSES},
    }


def _object(result: Schema) -> dict[str, Any]:
    return _members({"ok": {"const": True}, "result": result}, ["ok", "result"])


def _members(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


def _described(parameter: Parameter) -> dict[str, Any]:
    secret = {"writeOnly": True} if parameter.secret else {}
    shortest = {"minLength": 1} if parameter.required and not parameter.empty and parameter.kind.schema.get("type") == "string" else {}
    return {**parameter.kind.schema, **shortest, **secret, "description": parameter.help}


def _failure(told: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": told, "content": {**content, **{media: {"schema": FILE} for media in ("text/plain", "text/html")}}}


def _security(command: Command) -> list[dict[str, list[str]]]:
    known = [{_CERTIFICATE: list[str]()}] if set(command.callers) & set(MEMBERS) else []
    return [*([] if set(command.callers) <= set(MEMBERS) else [dict[str, list[str]]()]), *known]


def _callers(command: Command) -> str:
    verb = f" On the command line: hps {' '.join(command.verb)}." if command.verb else ""
    return f"For: {', '.join(command.callers)}. Answers {command.answers}.{verb}"


_FORMAT: dict[str, Any] = {
    "name": "format",
    "in": "query",
    "description": "the form of the answer, where Accept does not say it",
    "schema": {"type": "string", "enum": list(FORMATS)},
}
_ERROR: dict[str, Any] = _members(
    {
        "ok": {"const": False},
        "error": {"type": "string", "description": "what is wrong"},
        "hint": {"type": "string", "description": "what to do about it; may be empty"},
        "status": {"type": "integer", "enum": list(STATUSES)},
    },
    ["ok", "error", "hint", "status"],
)
_DESCRIPTION = (
    "Every command in two forms: a query string or form at /hps-api, and a JSON object at /api/NAME. The answer is JSON, text, "
    "HTML or an iPXE script: by Accept, then by the parameter format, then by the program that asks. Errors are in the same form, "
    "with their real status; only a machine that boots gets its errors as a script with status 200, because firmware shows nothing else."
)


def text(commands: Sequence[Command]) -> str:
    """The document as JSON."""
    return json.dumps(document(commands), indent=1) + "\n"
