"""The status page: every host with its state and its current boot, newest first; the same with and without JavaScript.

A page that is open asks for what changed and is answered as soon as something did. Each such answer takes a thread of
hps-api while it is held back, so that they are counted; where none is left the page asks again after a pause.
"""

import hashlib
import threading
import time

from flask import Blueprint, current_app, render_template, request

from hps.errors import InvalidInput, Refused
from hps.flows import news, overview, site
from hps.timeline.model import MEANING
from hps.timeline.sessions import Session, order_of, sessions
from hps_api.reading import pairs
from hps_api.rendering import Response, page

blueprint = Blueprint("pages", __name__)

RECENT = 6
"""Events that the overview shows of each host."""

WAIT = 10
"""Seconds for which an open page lets its question be held back: how old the times on it can be."""

WAITERS = 8
"""Answers that one process holds back at once for pages; machines that wait have their own places (hps.flows.hold)."""

PAUSE = 2
"""Seconds after which a page asks again where its answer could not be held back."""

_places = threading.BoundedSemaphore(WAITERS)


@blueprint.route("/")
def index() -> Response:
    """Every host."""
    return page("index.html", revision=_revision(), wait=WAIT, **_overview())


@blueprint.route("/fragment")
def fragment() -> Response:
    """What changes of the overview."""
    pause, known = _held(), _revision()
    return _fragment(render_template("hosts.html", **_overview()), known, pause)


@blueprint.route("/hosts/<mac>")
def host(mac: str) -> Response:
    """One host with its boots."""
    return page("host.html", revision=_revision(), wait=WAIT, **_details(mac))


@blueprint.route("/hosts/<mac>/fragment")
def host_fragment(mac: str) -> Response:
    """What changes of the page of one host."""
    pause, known = _held(), _revision()
    return _fragment(render_template("boots.html", **_details(mac)), known, pause)


@blueprint.app_template_filter("clock")
def clock(moment: float) -> str:
    """A time of day."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


@blueprint.app_template_filter("day")
def day(moment: float) -> str:
    """A date and time of day."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


@blueprint.app_template_filter("span")
def span(seconds: float) -> str:
    """A duration, short: `8 s`, `3 min 05 s`, `2 h 10 min`, `4 days`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 172800:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} days"


@blueprint.app_template_filter("meaning")
def meaning(event: str) -> str:
    """What an event says about a machine."""
    return MEANING.get(event, event)


@blueprint.app_template_filter("reached")
def reached(session: Session) -> tuple[int, int]:
    """How far a boot is: steps reached, and steps in all."""
    order = order_of(session)
    return max((order.index(one.event) + 1 for one in session.events if one.event in order), default=0), len(order)


def _overview() -> dict[str, object]:
    try:
        at = site.open_site(current_app.config["PATHS"])
    except Refused as error:
        return {"views": (), "cluster": "", "problem": error, "recent": RECENT, "counts": {}}
    views = overview.views(at)
    counts: dict[str, int] = {}
    for one in views:
        counts[one.host.state or "unknown"] = counts.get(one.host.state or "unknown", 0) + 1
    return {"views": views, "cluster": at.cluster, "problem": None, "recent": RECENT, "counts": counts}


def _details(name: str) -> dict[str, object]:
    at = site.open_site(current_app.config["PATHS"])
    one = overview.view(at, site.find(at, name))
    boots = sessions(site.timeline(at).events(one.host.mac))
    return {"view": one, "boots": tuple(reversed(boots))[:10], "cluster": at.cluster}


def _held() -> int:
    """Hold the answer back until something changes, as long as `wait` says; the seconds after which to ask again where that cannot be."""
    asked = pairs(request.query_string)
    seconds, known = asked.get("wait", ""), asked.get("revision", "")
    if not seconds or seconds == "0":
        return 0
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 4:
        raise InvalidInput(f"{seconds[:20]!r} is no number of seconds")
    if not _places.acquire(blocking=False):
        return PAUSE
    try:
        news.wait(site.open_ips(current_app.config["PATHS"]), known, int(seconds))
    except Refused:
        return PAUSE
    finally:
        _places.release()
    return 0


def _revision() -> str:
    return news.revision(site.open_ips(current_app.config["PATHS"]))


def _fragment(body: str, known: str, pause: int) -> Response:
    response = Response(body, content_type="text/html; charset=utf-8")
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:24])
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Hps-Revision"] = known
    response.headers["X-Hps-Pause"] = str(pause)
    conditional = response.make_conditional(request)
    assert isinstance(conditional, Response)
    return conditional
