"""Which form an answer has: by Accept, then by the parameter `format`, then by the address, then by the program that asks."""

import functools
import re

from flask import g, request

from hps.errors import Usage

FORMS = ("ipxe", "json", "html", "text")
MEDIA = {
    "application/json": "json",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/x-ipxe": "ipxe",
    "application/x-ipxe": "ipxe",
}
"""Media type of Accept (RFC 9110, 12.5.1) -> form; ranges like `*/*` and types that we do not make say nothing."""

AGENTS = (("ipxe", "ipxe"), ("mozilla", "html"), ("curl/", "json"), ("wget/", "json"))
"""Word in User-Agent -> form, for a program that does not say what it accepts."""

_FORMAT = re.compile(rb"(?:^|&)format=([a-z]+)(?:&|$)")


def choose(form: str) -> None:
    """Take the parameter `format` of this request; the empty text chooses nothing. Raises Usage for another word."""
    if form and form not in FORMS:
        raise Usage(f"there is no format {form[:20]!r}", hint="use one of: " + ", ".join(FORMS))
    g.format = form


def wanted() -> str:
    """The form that this caller gets; never fails, because failures are rendered with it too."""
    environment = request.environ
    refused: frozenset[str] = frozenset()
    if "HTTP_ACCEPT" in environment:
        offers = [(quality, MEDIA[kind]) for media, quality in request.accept_mimetypes if (kind := _kind(media)) in MEDIA]
        best = max(offers, key=lambda offer: offer[0], default=(0.0, ""))
        if best[0] > 0:
            return best[1]
        refused = frozenset(form for _, form in offers)
    named = g.get("format")
    chosen = named if named is not None else _asked()
    if chosen not in FORMS or chosen in refused:
        chosen = "json" if environment.get("PATH_INFO", "").startswith("/api/") else _typical(environment.get("HTTP_USER_AGENT", ""))
    return chosen if chosen not in refused else next((form for form in ("text", *FORMS) if form not in refused), "text")


def _kind(media: str) -> str:
    return media.split(";")[0].strip().lower()


@functools.lru_cache(maxsize=1024)
def _typical(agent: str) -> str:
    return next((form for word, form in AGENTS if word in agent.lower()), "text")


def _asked() -> str:
    """The parameter `format` of a query string that nobody has read yet, and that may be no text at all."""
    found = _FORMAT.search(request.query_string)
    return found[1].decode() if found else ""
