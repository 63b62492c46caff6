"""What the duty officer sees: the page, the service and the broker are real."""

import re
import signal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

STATION, DEVICE = "xuan-hoa", "xh-01"
LOST_MS = 45_000
"""A link that is merely silent is noticed after one and a half pings of 20 s."""


class Probe:
    """The probe at the intake, sending in order."""

    def __init__(self, service: Service) -> None:
        self._url = service.settings["MQTT__URL"]
        self._boot = now_ms()
        self._seq = 0

    def says(self, salinity_g_l: float, *, minutes_ago: float = 0) -> None:
        self._seq += 1
        sample = {"t": now_ms() - round(minutes_ago * 60_000), "sal_g_l": salinity_g_l}
        message = obs(sample, boot=self._boot, seq=self._seq)
        publish(self._url, salinity_topic(STATION, DEVICE), message)


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def probe(service: Service) -> Probe:
    return Probe(service)


def value(page: Page, station: str = STATION) -> Locator:
    return page.get_by_test_id(f"station-{station}").get_by_test_id("value")


def alert_rows(page: Page) -> Locator:
    return page.locator("[data-testid^='alert-']")


def shown(page: Page) -> list[str]:
    """All that is told of stations, bridges and alerts; ages pass and are left out."""
    marked = page.locator(
        "[data-testid^='station-'] [data-testid='value'],"
        "[data-testid^='bridge-'] [data-testid='value'], [data-testid^='alert-']"
    )
    return [re.sub(r"\s+", " ", text) for text in marked.all_text_contents()]


def test_a_value_changes_while_we_look(opened: Open, service: Service, probe: Probe) -> None:
    page = opened(service.http_url)
    probe.says(0.31, minutes_ago=150)
    expect(value(page)).to_have_text("0,31")
    probe.says(0.33, minutes_ago=140)
    expect(value(page)).to_have_text("0,33")
    page.get_by_test_id("lang-en").click()
    expect(value(page)).to_have_text("0.33")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_an_alert_comes_is_taken_and_everybody_sees_it(
    opened: Open, service: Service, probe: Probe
) -> None:
    page, colleague = opened(service.http_url), opened(service.http_url)
    before = alert_rows(page).count()
    # No faster than the river can: what leaps is failed, and raises nothing.
    probe.says(2.2, minutes_ago=70)
    probe.says(4.21)
    critical = eventually(lambda: _active(service, "salinity-4"), "the alert is raised")
    row = page.get_by_test_id(f"alert-{critical}")
    expect(row).to_be_attached()
    assert alert_rows(page).count() > before

    page.get_by_test_id("sign-in").click()
    page.get_by_test_id("token").fill("st_wrong")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_be_visible()
    page.get_by_test_id("token").fill(service.token("operator"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()

    _row_of(page, critical).get_by_test_id("ack").first.click()
    note = page.get_by_test_id("note")
    if note.is_visible():
        note.fill("đã gọi người trực trạm")
        page.get_by_test_id("confirm").click()
    eventually(lambda: not _active(service, "salinity-4", "unacked"), "acknowledged")
    for seen in (page, colleague):
        expect(_row_of(seen, critical).get_by_test_id("ack").first).to_be_hidden()


def test_a_lost_link_covers_the_screen_and_comes_back_whole(
    opened: Open, service: Service, probe: Probe
) -> None:
    page = opened(service.http_url)
    probe.says(4.3)
    expect(value(page)).to_have_text("4,30")
    expect(page.get_by_test_id("link-lost")).to_be_hidden()
    ports = {
        "HTTP__PORT": service.http_url.rstrip("/").rpartition(":")[2],
        "LIVE__PORT": service.live_url.removesuffix("/live").rpartition(":")[2],
    }
    service.kill()
    expect(page.get_by_test_id("link-lost")).to_be_visible()
    expect(page.get_by_test_id("last-word")).to_contain_text(re.compile(r"\d\d:\d\d"))

    # What happens meanwhile must not be missed.
    probe.says(4.5)
    service.settings |= ports
    service.start()
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    expect(value(page)).to_have_text("4,50")
    fresh = opened(service.http_url)
    expect(value(fresh)).to_have_text("4,50")
    eventually(lambda: shown(page) == shown(fresh), "as a fresh load shows it")


def test_a_link_that_only_falls_silent_is_noticed(opened: Open, service: Service) -> None:
    page = opened(service.http_url)
    expect(value(page)).to_have_text(re.compile(r"\d"))
    expect(page.get_by_test_id("link-lost")).to_be_hidden()
    assert service.process is not None
    service.process.send_signal(signal.SIGSTOP)
    try:
        expect(page.get_by_test_id("link-lost")).to_be_visible(timeout=LOST_MS)
    finally:
        service.process.send_signal(signal.SIGCONT)
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=90_000)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (360, 740)])
def test_nothing_is_wider_than_the_screen(
    opened: Open, service: Service, width: int, height: int
) -> None:
    page = opened(service.http_url, width=width, height=height)
    expect(value(page)).to_have_text(re.compile(r"\d"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1920:  # the wall does not scroll at all
        assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_the_curve_of_the_day_is_drawn(opened: Open, service: Service) -> None:
    page = opened(service.http_url)
    page.get_by_test_id(f"station-{STATION}").click()
    chart = page.get_by_test_id("chart")
    expect(chart.locator("canvas").first).to_be_visible()


def _active(service: Service, rule: str, state: str = "active") -> str | None:
    items = service.get("/api/v1/alerts", None, state=state).json()["items"]
    return next((item["id"] for item in items if item["rule"] == rule), None)


def _row_of(page: Page, alert: str) -> Locator:
    """The row that stands for an alert: its own, or the one that it is folded into."""
    return (
        page.locator("li", has=page.get_by_test_id(f"alert-{alert}"))
        .or_(page.get_by_test_id(f"alert-{alert}"))
        .first
    )
