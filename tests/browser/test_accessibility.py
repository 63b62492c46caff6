"""What axe-core finds on the screens, in both themes, from wall to phone, at their worst."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave
from tests.browser.conftest import Opened
from tests.browser.looking import Probe, raised, row, sign_in
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

WIDTHS = [(1920, 1080), (360, 740)]
REPORTS = ["/con-nuoc", "/ban-giao", "/ban-tin"]
PLACES = ["/tram/xuan-hoa", "/cau/rach-mieu-1"]
ALERT, MAP, PAST = "/canh-bao/", "/ban-do", "/?at="
PATHS = ["/", *REPORTS, *PLACES, ALERT, MAP, PAST]
"""Further pages are added here; each is tested at every width, in both themes."""


@pytest.fixture(scope="module")
def service(serving: Serving, relay: Relay) -> Service:
    """A bad day: an alert of each severity, a figure that is old, one that is lost."""
    relay.target = _free_port()
    running = serving(
        LIVE__PORT=str(relay.target), LIVE__PUBLIC_URL=f"ws://127.0.0.1:{relay.port}/live"
    )
    eventually(lambda: running.ready, "ready")
    probe = Probe(running)
    for salinity_g_l, minutes_ago in ((2.2, 70), (2.4, 60), (3.3, 30), (4.2, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    warned = Probe(running, "dong-tam", "dt-01")
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        warned.says(salinity_g_l, minutes_ago=minutes_ago)
    Probe(running, "xoai-hot", "xo-01").says(0.21, minutes_ago=40)
    Probe(running, "kim-son", "ks-01").says(0.22, minutes_ago=200)
    raised(running, "salinity-4")
    raised(running, "salinity-1", "dt-01")
    return running


@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_with_alerts_is_for_everybody(
    opened: Opened, service: Service, path: str, width: int, height: int
) -> None:
    page = _page(opened, service, path, width, height)
    _is_for_everybody(page)


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_dialogs_are_for_everybody(
    opened: Opened, service: Service, width: int, height: int
) -> None:
    page = _page(opened, service, "/", width, height)
    page.get_by_test_id("sign-in").click()
    _is_for_everybody(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("keys-help").click()
    expect(page.get_by_test_id("keys")).to_be_visible()
    _is_for_everybody(page)
    page.keyboard.press("Escape")
    sign_in(page, service)
    row(page, raised(service, "salinity-4")).get_by_test_id("actions").click()
    expect(page.get_by_test_id("officer")).to_be_visible()
    _is_for_everybody(page)


def test_a_screen_without_its_link_is_for_everybody(
    opened: Opened, service: Service, relay: Relay
) -> None:
    opened.cut_on_purpose = True
    pages = [_page(opened, service, "/", width, height) for width, height in WIDTHS]
    relay.cut()
    try:
        for page in pages:
            expect(page.get_by_test_id("link-lost")).to_be_visible()
            _is_for_everybody(page)
    finally:
        relay.mend()


def _is_for_everybody(page: Page) -> None:
    """In the dark and in the light."""
    # Marks of places that lie side by side are small; the list beside them leads there as well.
    small = page.locator(".leaflet-container").count() > 0
    for theme in ("dark", "light"):
        # By script, since a dialog or the cover may stand before the button.
        page.evaluate("(name) => { document.documentElement.dataset.theme = name; }", theme)
        found = [one for one in grave(page) if not (small and one["id"] == "target-size")]
        assert found == [], theme


def _page(opened: Opened, service: Service, path: str, width: int, height: int) -> Page:
    if path == ALERT:
        path += raised(service, "salinity-4")
    elif path == PAST:
        path += f"{now_ms() - 60_000}&speed=0"
    page = opened(service.http_url.rstrip("/") + path, width=width, height=height)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    if path == "/":
        expect(row(page, raised(service, "salinity-4"))).to_be_visible()
    if path in REPORTS:
        expect(page.locator(".gate, .report-table").first).to_be_visible()
    if path in PLACES:
        expect(page.get_by_test_id("place-name")).to_be_visible()
    if path == MAP:
        expect(page.locator(".leaflet-marker-icon").first).to_be_visible()
    if path.startswith(ALERT):
        expect(page.get_by_test_id("alert-title")).to_be_visible()
    if path.startswith(PAST):
        expect(page.get_by_test_id("rewind")).to_be_visible()
    return page
