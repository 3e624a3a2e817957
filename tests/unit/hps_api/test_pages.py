"""An open page waits for what changes: it is answered at once when it does, and where no place is free."""

import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hps.errors import Refused
from hps.flows import enlist, news, site
from hps.flows.model import Site
from hps_api import create_app, pages
from tests.edge.callers import LOCAL
from tests.sites import mac_of, make_site

pytestmark = pytest.mark.programs
LONG = 25


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    site.timeline(made).record(mac_of(7), "dhcp")
    return made


@pytest.fixture
def client(at: Site) -> FlaskClient:
    return create_app(at.paths).test_client()


def ask(client: FlaskClient, wait: object, revision: str, path: str = "/fragment") -> TestResponse:
    return client.get(path, query_string={"wait": wait, "revision": revision}, headers=LOCAL)


def in_background(at: Site, revision: str, path: str = "/fragment") -> tuple[threading.Thread, list[TestResponse]]:
    """A page that waits, and the list that its answer comes into."""
    found: list[TestResponse] = []
    client = create_app(at.paths).test_client()
    thread = threading.Thread(target=lambda: found.append(ask(client, LONG, revision, path)), daemon=True)
    thread.start()
    return thread, found


@pytest.mark.parametrize("change", ["record", "event"])
def test_a_change_is_told_at_once(at: Site, change: str) -> None:
    enlist.first_contact(at, mac_of(1))
    paths = ("/fragment", f"/hosts/{mac_of(1).digits}/fragment")
    before = news.revision(at)
    waiting = [in_background(at, before, path) for path in paths]
    assert all(thread.is_alive() for thread, _ in waiting), "nothing changed yet"
    if change == "record":
        enlist.set_state(at, mac_of(1), STATE="UNMANAGED")
    else:
        site.timeline(at).record(mac_of(1), "dhcp", "words-of-the-event")
    for thread, found in waiting:
        thread.join(LONG - 5)
        assert not thread.is_alive(), "it was answered because of the change, and not because the time was over"
        assert ("UNMANAGED" if change == "record" else "words-of-the-event") in found[0].text
        assert found[0].headers["X-Hps-Pause"] == "0"
        assert found[0].headers["X-Hps-Revision"] != before


def test_what_changed_before_is_told_at_once(at: Site, client: FlaskClient) -> None:
    before = news.revision(at)
    enlist.first_contact(at, mac_of(1))
    assert str(mac_of(1)) in ask(client, LONG, before).text


def test_a_wait_ends(at: Site, client: FlaskClient) -> None:
    assert ask(client, 1, news.revision(at)).status_code == 200


def test_places_are_counted(at: Site, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_places", threading.BoundedSemaphore(1))
    with pages._places:
        answer = ask(client, LONG, news.revision(at))
        assert (answer.status_code, answer.headers["X-Hps-Pause"]) == (200, str(pages.PAUSE))
    assert ask(client, 1, news.revision(at)).headers["X-Hps-Pause"] == "0"


def test_where_the_kernel_tells_nothing_the_page_asks_again(at: Site, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refused("no watch")

    monkeypatch.setattr("hps.flows.news.wait_any", refuse)
    assert ask(client, LONG, news.revision(at)).headers["X-Hps-Pause"] == str(pages.PAUSE)
    assert pages._places.acquire(blocking=False), "the place is free again"
    pages._places.release()


@pytest.mark.parametrize(
    ("wait", "revision"), [("x", "1.1"), ("-1", "1.1"), ("99999", "1.1"), ("5", ""), ("5", "x"), ("5", "1"), ("5", "1.½")]
)
def test_odd_questions_are_refused(client: FlaskClient, wait: str, revision: str) -> None:
    assert ask(client, wait, revision).status_code == 400


def test_a_page_that_did_not_change_is_not_sent_again(at: Site, client: FlaskClient) -> None:
    first = client.get("/fragment", headers=LOCAL)
    again = client.get("/fragment", headers={**LOCAL, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["X-Hps-Revision"] == first.headers["X-Hps-Revision"]
