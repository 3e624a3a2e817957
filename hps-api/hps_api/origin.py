"""Whether a request comes from where it says: no web site that a browser shows may speak with the browser's rights (S20).

A browser adds its operator's certificate, its address and its way to a local port to whatever any page makes it ask. So
a request that another site made is refused, whoever sent it; the Host must be a name of ours, because a name of somebody
else's may be pointed at our address; and what changes something needs a token that only our own pages hold.
"""

import functools
import hashlib
import hmac
import ipaddress
import secrets
from urllib.parse import urlsplit

from flask import request

from hps.commands.model import FORM_TOKEN
from hps.errors import Denied, Refused
from hps.flows import site
from hps.flows.model import OPERATOR, Caller
from hps.paths import Paths
from hps.system import files, lock
from hps_api.reading import form_fields

TOKEN_HEADER = "X-Hps-Token"  # noqa: S105
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
KEY_BYTES = 32
_NAMES = ("localhost", "hps", "ips")
_FROM_BROWSERS = frozenset(("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_DEST"))
"""Headers that only browsers send, by their names in the environment of WSGI (PEP 3333)."""


def check(caller: Caller, paths: Paths) -> None:
    """Raise Denied where another web site may have made this request, or where a browser does not show the token of our pages."""
    if not _is_ours(request.host, paths):
        raise Denied(f"{request.host[:80]!r} is not a name of this IPS", hint="use its address, or its name in the cluster's domain")
    if _FROM_BROWSERS.isdisjoint(request.environ):
        return
    made_by = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") or made_by not in (None, _own_origin()):
        raise Denied("the request came from another web site", hint="open the page of the IPS itself")
    if caller.kind == OPERATOR and request.method not in SAFE_METHODS:
        shown = request.headers.get(TOKEN_HEADER, "") or _field()
        if not hmac.compare_digest(shown.encode(), token(caller, paths).encode()):
            raise Denied("the request does not show the token of our pages", hint=f"load the page again; it sends {TOKEN_HEADER} by itself")


def is_browser() -> bool:
    """Whether a browser asks, or what calls itself one: no machine that boots does."""
    environment = request.environ
    return "mozilla" in environment.get("HTTP_USER_AGENT", "").lower() or not _FROM_BROWSERS.isdisjoint(environment)


def token(caller: Caller, paths: Paths) -> str:
    """The token of our pages for this caller."""
    return hmac.new(_key(paths), f"{caller.kind} {caller.name}".encode(), hashlib.sha256).hexdigest()


def _key(paths: Paths) -> bytes:
    """The key of the tokens, made at its first use; raises Refused where its file is damaged."""
    place = paths.config / "page.key"
    try:
        key = place.read_bytes()
    except FileNotFoundError:
        with lock.exclusive(paths.config / ".page.key.lock"):
            if not place.exists():
                files.write(place, secrets.token_bytes(KEY_BYTES), mode=0o600)
            key = place.read_bytes()
    if len(key) != KEY_BYTES:
        raise Refused(f"{place} is damaged", hint="remove it: a new one is made, and open pages have to be loaded again")
    return key


def _own_origin() -> str:
    """The origin of our own pages (RFC 6454); which scheme the client speaks, its door says."""
    return f"{'https' if request.headers.get('X-Hps-Door') == 'tls' else 'http'}://{request.host}"


def _is_ours(host: str, paths: Paths) -> bool:
    """Whether a Host is an address, or a name that nobody else can point here."""
    name = _name(host)
    if _is_address(name) or name in _NAMES or "Host" not in request.headers:
        return True
    at = site.open_ips(paths)
    names = {*_NAMES, *at.setting("IPS_NAMES").split(",")}
    return name in names | {f"{each}.{at.values.get('DNS_DOMAIN', '')}" for each in names}


@functools.lru_cache(maxsize=256)
def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


@functools.lru_cache(maxsize=256)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _field() -> str:
    return form_fields().get(FORM_TOKEN, "") if request.path == "/hps-api" else ""
