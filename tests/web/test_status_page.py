import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from hps.flows import enlist, progress, site
from hps.flows.model import Site
from hps.timeline.model import INSTALL_ORDER
from tests.sites import mac_of, make_site, node
from tests.web.serving import serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def pages_close(browser: Browser) -> Iterator[None]:
    """A page that stays open goes on asking: each test closes its own."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def port(at: Site) -> Iterator[int]:
    with serving(at.paths.base) as found:
        yield found


@pytest.fixture
def hosts(at: Site) -> Site:
    """Three hosts: one that installs, one that failed, one that nobody has configured."""
    timeline = site.timeline(at)
    for number in (1, 2, 3):
        timeline.forget(mac_of(number))
        if site.host_values(at, mac_of(number)):
            enlist.remove(at, mac_of(number))
    enlist.configure(at, mac_of(1), "SCH")
    enlist.configure(at, mac_of(2), "SCH")
    enlist.first_contact(at, mac_of(3), "x86_64")
    timeline.record(mac_of(3), "dhcp", "10.77.0.210", "dnsmasq")
    timeline.record(mac_of(3), "script", "menu: what shall this machine become")
    for number, upto in ((2, "manifest"), (1, "objects")):
        timeline.record(mac_of(number), "dhcp", f"10.77.0.{number + 1} sch-00{number}", "dnsmasq")
        timeline.record(mac_of(number), "script", f"install: sch-00{number} as SCH with x86_64-debian_12")
        for name in INSTALL_ORDER[INSTALL_ORDER.index("kernel") : INSTALL_ORDER.index(upto) + 1]:
            timeline.record(mac_of(number), name, "", "installer")
    progress.install_failed(at, node(2), {"reason": "the signature of the manifest is wrong"})
    return at


def open_page(
    browser: Browser, port: int, path: str = "/", script: bool = True, host: str = "127.0.0.1", init: str = ""
) -> tuple[Page, list[str]]:
    context = browser.new_context(
        java_script_enabled=script,
        extra_http_headers={"X-Hps-Door": "local"},
        viewport={"width": 1100, "height": 1000},
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(init)
    page.goto(f"http://{host}:{port}{path}")
    return page, complaints


def test_the_page_changes_by_itself(browser: Browser, port: int, hosts: Site, tmp_path: Path) -> None:
    page, complaints = open_page(browser, port)
    card = page.locator(f"#host-{mac_of(1).digits}")
    assert "fetched the image" in card.inner_text()
    page.evaluate("window.witness = 1")
    progress.install_step(hosts, node(1), {"step": "verified", "detail": "14211 objects"})
    card.get_by_text("14211 objects").wait_for(timeout=5000)
    enlist.first_contact(hosts, mac_of(9))
    page.locator(f"#host-{mac_of(9).digits}").wait_for(timeout=5000)
    enlist.remove(hosts, mac_of(9))
    page.locator(f"#host-{mac_of(9).digits}").wait_for(state="detached", timeout=5000)
    assert page.evaluate("window.witness") == 1, "the page was loaded again instead of changing"
    assert page.locator("#pulse").inner_text() == "live"
    assert complaints == []
    page.screenshot(path=str(tmp_path / "status.png"))


def test_a_change_is_shown_within_two_seconds(browser: Browser, port: int, hosts: Site) -> None:
    """Asked of the browser's own clock: from before the change is written until it is drawn."""
    page, _ = open_page(browser, port)
    page.locator("#pulse", has_text="live").wait_for(timeout=5000)
    took = []
    for number, words in enumerate(("state", "event", "another event")):
        with page.expect_request(lambda request: "wait=10" in request.url):
            pass
        start = page.evaluate("performance.now()")
        if words == "state":
            enlist.set_state(hosts, mac_of(3), STATE="UNMANAGED")
            page.locator(f"#host-{mac_of(3).digits}").get_by_text("UNMANAGED").wait_for(timeout=8000)
        else:
            progress.install_step(hosts, node(1), {"step": "verified", "detail": f"{words} {number}"})
            page.get_by_text(f"{words} {number}").wait_for(timeout=8000)
        took.append(page.evaluate("performance.now()") - start)
    assert min(took) < 2000, took


def test_an_idle_page_asks_one_question_and_waits_for_its_answer(browser: Browser, port: int, hosts: Site) -> None:
    shorter = "document.addEventListener('DOMContentLoaded', () => { document.getElementById('live').dataset.wait = '1'; })"
    page, complaints = open_page(browser, port, init=shorter)
    seen: list[tuple[str, float]] = []
    page.on("request", lambda request: seen.append(("asked", time.monotonic())))
    page.on("response", lambda response: seen.append(("answered", time.monotonic())))
    for _ in range(4):
        page.wait_for_event("response", lambda response: "wait=1&" in response.url, timeout=20000)
    following = list(itertools.pairwise(seen))
    assert ("asked", "asked") not in [(first[0], second[0]) for first, second in following], "never two questions at once"
    held = [second[1] - first[1] for first, second in following if first[0] == "asked"]
    assert sorted(held)[-2] >= 0.9, "the IPS held its answers back"
    assert complaints == []


def test_our_page_may_change_something_and_another_site_may_not(browser: Browser, port: int, hosts: Site) -> None:
    """A page of ours shows its token; one of another origin in the same browser gets nothing, not even with an operator's rights."""
    post = """async (address) => {
      const token = document.querySelector('meta[name=hps-token]')?.content || '';
      const send = (headers) => fetch(address + '/api/host_rescue', {
        method: 'POST', body: '{"host": "sch-001"}', headers: {'Content-Type': 'application/json', ...headers}
      }).then((answer) => answer.status, () => 0);
      return [await send({}), await send({'X-Hps-Token': token})];
    }"""
    page, _ = open_page(browser, port)
    assert page.evaluate(post, f"http://127.0.0.1:{port}") == [403, 200]
    assert site.host_values(hosts, mac_of(1))["RESCUE"] == "true"
    enlist.set_state(hosts, mac_of(1), RESCUE=None)
    foreign, _ = open_page(browser, port, host="localhost")
    assert foreign.evaluate(post, f"http://127.0.0.1:{port}") == [0, 0]
    assert "RESCUE" not in site.host_values(hosts, mac_of(1))


def test_the_page_of_the_commands(browser: Browser, port: int, hosts: Site) -> None:
    page, complaints = open_page(browser, port)
    page.get_by_role("link", name="commands").click()
    assert "host_configure" in page.locator("main").inner_text()
    assert complaints == []


def test_the_host_that_something_happened_to_comes_first_and_its_latest_event_too(browser: Browser, port: int, hosts: Site) -> None:
    page, _ = open_page(browser, port)
    identifiers = [card.get_attribute("id") for card in page.locator("article.card").all()]
    assert identifiers == [f"host-{mac_of(number).digits}" for number in (2, 1, 3)]
    progress.install_step(hosts, node(1), {"step": "verified"})
    page.locator(f"#live > section + #host-{mac_of(1).digits}").wait_for(timeout=5000)
    assert "verified every object" in page.locator("article.card").first.locator("ol li").first.inner_text()


def test_without_scripts_it_shows_the_same(browser: Browser, port: int, hosts: Site) -> None:
    def words(page: Page) -> list[str]:
        return [line.split(", for ")[0].split(" ago:")[0].rstrip("0123456789 s") for line in page.locator("main").inner_text().splitlines()]

    plain, _ = open_page(browser, port, script=False)
    live, _ = open_page(browser, port)
    assert words(plain) == words(live)
    assert plain.locator("noscript meta, meta[http-equiv=refresh]").count() == 1
    progress.install_step(hosts, node(1), {"step": "verified", "detail": "without scripts"})
    plain.get_by_text("without scripts").wait_for(timeout=12000)


def test_the_page_of_a_host_names_the_missing_step_and_its_record(browser: Browser, port: int, hosts: Site) -> None:
    page, complaints = open_page(browser, port)
    page.get_by_role("link", name="sch-002").click()
    assert "the signature of the manifest is wrong" in page.locator("main").inner_text()
    assert "INSTALL_FAILED" in page.locator("#record").inner_text()
    enlist.arm(hosts, mac_of(2))
    page.locator("#record").get_by_text("INSTALLING").wait_for(timeout=5000)
    assert complaints == []


def test_a_lost_ips_is_said(browser: Browser, tmp_path: Path) -> None:
    make_site(tmp_path)
    with serving(tmp_path) as port:
        page, _ = open_page(browser, port)
        page.get_by_text("No host yet").wait_for()
        page.get_by_text("live", exact=True).wait_for(timeout=5000)
    page.get_by_text("the IPS does not answer").wait_for(timeout=8000)


def test_two_hundred_hosts_are_read_in_time(at: Site) -> None:
    from hps.flows import overview

    for number in range(100, 300):
        enlist.first_contact(at, mac_of(number))
        site.timeline(at).record(mac_of(number), "dhcp", "x", "dnsmasq")
    start = time.monotonic()
    assert len(overview.views(at)) >= 200
    assert time.monotonic() - start < 2
    for number in range(100, 300):
        enlist.remove(at, mac_of(number))
