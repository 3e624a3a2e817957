"""Which form an answer has: by Accept, then by the parameter `format`, then by the address, then by the program that asks."""

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
    accepted = request.accept_mimetypes if "HTTP_ACCEPT" in environment else ()
    offers = [(quality, MEDIA[kind]) for media, quality in accepted if (kind := media.split(";")[0].strip().lower()) in MEDIA]
    best = max(offers, key=lambda offer: offer[0], default=(0.0, ""))
    if best[0] > 0:
        return best[1]
    refused = {form for _, form in offers}
    agent = environment.get("HTTP_USER_AGENT", "").lower()
    typical = next((form for word, form in AGENTS if word in agent), "text")
    placed = "json" if request.path.startswith("/api/") else ""
    named = g.get("format")
    chosen = (_asked() if named is None else named, placed, typical, "text", *FORMS)
    return next((form for form in chosen if form in FORMS and form not in refused), "text")


def _asked() -> str:
    """The parameter `format` of a query string that nobody has read yet, and that may be no text at all."""
    found = _FORMAT.search(request.query_string)
    return found[1].decode() if found else ""
