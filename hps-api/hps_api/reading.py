"""What a request says: its query string, its form, its JSON. Every name once, UTF-8 or nothing; whatever is odd is an answer."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from hps.errors import InvalidInput, Usage

MAXIMUM_FIELDS = 100
"""Names in one query string or form."""

MAXIMUM_DEPTH = 8
"""Objects and arrays within each other in a JSON body."""

FORM_MEDIA, JSON_MEDIA = "application/x-www-form-urlencoded", "application/json"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_UNENCODED = "percent-encode the bytes of UTF-8: a space is + or %20, a plus is %2B, a percent sign is %25"


def form_fields() -> dict[str, str]:
    """The fields of the form that was POSTed, if any; raises UnsupportedMediaType for a body of another type."""
    return pairs(_body(FORM_MEDIA))


def json_fields() -> dict[str, Any]:
    """The members of the JSON object that was POSTed; raises UnsupportedMediaType for a body of another type."""
    return json_object(_body(JSON_MEDIA))


def pairs(encoded: bytes) -> dict[str, str]:
    """The names and values of a query string or of a form (application/x-www-form-urlencoded).

    Raises:
        InvalidInput: it is not well formed, or not UTF-8.
        Usage: a name is given twice, or there are too many.
    """
    found: dict[str, str] = {}
    parts = [part for part in encoded.split(b"&") if part]
    if len(parts) > MAXIMUM_FIELDS:
        raise Usage("too many parameters", hint=f"at most {MAXIMUM_FIELDS}")
    for part in parts:
        name, _, value = part.partition(b"=")
        _add(found, _decoded(name), _decoded(value))
    return found


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the query and of the form together; raises Usage where both give one."""
    both = dict(first)
    for name, value in second.items():
        _add(both, name, value)
    return both


def json_object(body: bytes) -> dict[str, Any]:
    """The object of a JSON body (RFC 8259); an empty body is an empty object.

    Raises InvalidInput: it is no object, no JSON, no UTF-8, too deep, gives a name twice, or holds what is no number or text.
    """
    if not body:
        return {}
    try:
        found = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not UTF-8", hint="JSON is UTF-8 (RFC 8259)") from error
    except UnicodeEncodeError as error:
        raise InvalidInput("the body holds half a character", hint="escape a character beyond U+FFFF as both of its halves") from error
    except RecursionError as error:
        raise InvalidInput("the body is too deep", hint=f"at most {MAXIMUM_DEPTH} levels") from error
    except ValueError as error:
        raise InvalidInput("the body is not JSON", hint=_place(error)) from error
    if not isinstance(found, dict):
        raise InvalidInput("the body is not a JSON object", hint='send an object: {"parameter": "value"}')
    if _depth(found) > MAXIMUM_DEPTH:
        raise InvalidInput("the body is too deep", hint=f"at most {MAXIMUM_DEPTH} levels")
    return found


def _body(media: str) -> bytes:
    body = request.get_data() if request.method == "POST" else b""
    if body and request.mimetype != media:
        raise UnsupportedMediaType(f"send the body as {media}")
    return body


def _add(found: dict[str, Any], name: str, value: object) -> None:
    if name in found:
        raise Usage(f"the parameter {name[:40]!r} is given twice", hint="give each parameter once, in the query or in the body")
    found[name] = value


def _decoded(encoded: bytes) -> str:
    if any(not escape[1] for escape in _ESCAPE.finditer(encoded)):
        raise InvalidInput("a percent sign is not followed by two hexadecimal digits", hint=_UNENCODED)
    content = _ESCAPE.sub(lambda escape: bytes((int(escape[1], 16),)), encoded.replace(b"+", b" "))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("the parameters are not UTF-8", hint=_UNENCODED) from error


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise InvalidInput("the body gives a name twice", hint="give each parameter once")
    return found


def _constant(word: str) -> NoReturn:
    raise InvalidInput(f"{word} is not JSON", hint="JSON has neither NaN nor infinity")


def _float(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise InvalidInput("a number is too large", hint="send it as text")
    return value


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return "a number has too many digits"


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return deepest - 1


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
