"""What the duty officer sees: the page, the service and the broker are real."""

import re
import signal
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from songtien.settings import DEFAULTS
from tests.browser.conftest import Opened
from tests.browser.looking import (
    Probe,
    raised,
    row,
    same_as_a_fresh_load,
    sign_in,
    station,
    value,
)
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

QUICK_STATION, QUICK_DEVICE, QUICK_S = "my-tho", "mt-01", 4
"""A probe that is late after 6 s, stale after 12 and lost after 32."""

VIETNAM = timezone(timedelta(hours=7))
PING_S = 20
LOST_MS = 45_000
"""A link that is merely silent is noticed after one and a half pings."""

WAITING = """() => [
  parseInt(document.querySelector("[data-testid='untaken']").textContent) || 0,
  [...document.querySelectorAll("li.row:not([hidden])")]
    .filter((row) => row.querySelector("[data-testid='ack']:not([hidden])")).length]"""
"""What the header counts, and the rows on the screen that wait for somebody."""


@pytest.fixture(scope="module")
def service(serving: Serving, relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Service:
    stations = tmp_path_factory.mktemp("registry") / "stations.toml"
    stations.write_text(_with_a_quick_probe(DEFAULTS / "stations.toml"), "utf-8")
    relay.target = _free_port()
    running = serving(
        REGISTRY__FILE=str(stations),
        LIVE__PORT=str(relay.target),
        LIVE__PUBLIC_URL=f"ws://127.0.0.1:{relay.port}/live",
    )
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def probe(service: Service) -> Probe:
    return Probe(service)


def test_a_value_changes_while_we_look(opened: Opened, service: Service, probe: Probe) -> None:
    page = opened(service.http_url)
    probe.says(0.31, minutes_ago=150)
    expect(value(page)).to_have_text("0,31")
    probe.says(0.33, minutes_ago=140)
    expect(value(page)).to_have_text("0,33")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    page.get_by_test_id("lang-en").click()
    expect(value(page)).to_have_text("0.33")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_test_id("link")).to_contain_text("receiving live")
    page.reload()
    expect(value(page)).to_have_text("0.33")  # the choice is remembered


def test_alerts_come_are_taken_in_one_go_and_everybody_sees_it(
    opened: Opened, service: Service, probe: Probe
) -> None:
    page, colleague = opened(service.http_url), opened(service.http_url)
    # No faster than the river can: what leaps is failed, and raises nothing.
    for salinity_g_l, minutes_ago in ((2.2, 70), (2.4, 60), (3.3, 30)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    major = raised(service, "salinity-2")
    expect(row(page, major)).to_contain_text("> 2 g/l")
    expect(page.get_by_test_id("announce")).not_to_be_empty()

    probe.says(4.21)
    critical = raised(service, "salinity-4")
    for seen in (page, colleague):
        expect(row(seen, critical)).to_have_class(re.compile("state-unacked"))
        expect(row(seen, critical)).to_contain_text("4,21 > 4 g/l")
    lower = [raised(service, rule) for rule in ("salinity-2", "salinity-1", "salinity-0-5")]
    others = row(page, critical).get_by_test_id("others")
    expect(others).to_have_text("+3 mức thấp hơn")
    for alert in lower:
        expect(page.get_by_test_id(f"alert-{alert}")).to_be_hidden()
    others.click()
    for alert in lower:
        expect(page.get_by_test_id(f"alert-{alert}")).to_be_visible()

    sign_in(page, service)
    row(page, critical).get_by_test_id("ack").click()
    page.get_by_test_id("note").fill("đã gọi người trực trạm")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    for seen in (page, colleague):
        expect(row(seen, critical)).to_have_class(re.compile("state-acked"))
        expect(row(seen, critical).get_by_test_id("ack")).to_be_hidden()
    expect(row(page, critical)).to_contain_text("✓ operator")
    expect(row(colleague, critical)).not_to_contain_text("operator")  # names are for officers
    assert {_state(service, alert) for alert in (critical, *lower)} == {"acked"}


def test_a_rung_that_a_colleague_took_first_is_told_and_the_rest_is_taken(
    opened: Opened, service: Service
) -> None:
    probe = Probe(service, "dong-tam", "dt-01")
    page = opened(service.http_url)
    sign_in(page, service)
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    warning, info = (raised(service, rule, "dt-01") for rule in ("salinity-1", "salinity-0-5"))
    expect(row(page, warning).get_by_test_id("others")).to_have_text("+1 mức thấp hơn")
    row(page, warning).get_by_test_id("ack").click()
    expect(page.get_by_test_id("officer")).to_be_visible()
    ver = service.get(f"/api/v1/alerts/{info}").json()["ver"]
    taken = service.post(f"/api/v1/alerts/{info}/ack", service.token("operator"), ver=ver)
    assert taken.status_code == 200
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_contain_text("0,5")
    assert {_state(service, alert) for alert in (warning, info)} == {"acked"}


def test_everyday_salt_of_the_coast_is_one_quiet_line(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    Probe(service, "vam-kenh", "vk-01").says(21.0)
    notice = raised(service, "salinity-4-coast")
    everyday = page.get_by_test_id("everyday")
    expect(everyday).to_have_text("1 tin thường ngày")
    expect(row(page, notice)).to_be_hidden()
    counted, waiting = page.evaluate(WAITING)
    assert counted == waiting
    everyday.click()
    expect(row(page, notice)).to_be_visible()


def test_a_figure_greys_with_age_and_no_word_from_anyone(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    quick = Probe(service, QUICK_STATION, QUICK_DEVICE)
    Probe(service, "xoai-hot", "xo-01").says(0.21, minutes_ago=40)
    Probe(service, "kim-son", "ks-01").says(0.22, minutes_ago=200)
    quick.says(0.2)
    fresh = _ink(page, QUICK_STATION, "look-good")
    expect(station(page, QUICK_STATION)).to_have_class(re.compile("look-late"))
    assert _ink(page, QUICK_STATION, "look-stale") != fresh
    expect(station(page, QUICK_STATION).locator(".hatch")).to_be_visible()

    expect(station(page, "xoai-hot")).to_have_class(re.compile("look-stale"))
    expect(station(page, "xoai-hot")).to_contain_text("40 phút")
    expect(station(page, "kim-son")).to_have_class(re.compile("look-lost"))
    expect(station(page, "kim-son")).to_contain_text("mất tín hiệu")
    expect(value(page, "kim-son")).to_have_text("0,22")  # the last figure stays, with its age

    quick.says(0.2)
    assert _ink(page, QUICK_STATION, "look-good") == fresh


def test_a_killed_service_covers_the_screen_which_comes_back_as_a_fresh_load(
    opened: Opened, service: Service, probe: Probe
) -> None:
    opened.cut_on_purpose = True
    page = opened(service.http_url)
    probe.says(4.3)
    expect(value(page)).to_have_text("4,30")
    expect(page.get_by_test_id("link-lost")).to_be_hidden()
    service.kill()
    killed = datetime.now(VIETNAM)
    cover = page.get_by_test_id("link-lost")
    expect(cover).to_be_visible()
    _covers(page, cover)
    assert abs(_last_word(page) - killed) < timedelta(seconds=PING_S + 5)

    probe.says(4.5)  # what happens meanwhile must not be missed
    service.settings["HTTP__PORT"] = service.http_url.rstrip("/").rpartition(":")[2]
    service.start()
    expect(cover).to_be_hidden(timeout=60_000)
    expect(value(page)).to_have_text("4,50")
    same_as_a_fresh_load(page, opened, service.http_url)


def test_a_cut_cable_covers_the_screen_which_comes_back_as_a_fresh_load(
    opened: Opened, service: Service, relay: Relay, probe: Probe
) -> None:
    opened.cut_on_purpose = True
    page = opened(service.http_url)
    probe.says(4.6)
    expect(value(page)).to_have_text("4,60")
    relay.cut()
    try:
        cover = page.get_by_test_id("link-lost")
        expect(cover).to_be_visible()
        page.evaluate("document.getElementById('lang-en').click()")
        expect(cover).to_contain_text("LINK TO THE SERVICE LOST")
        page.evaluate("document.getElementById('lang-vi').click()")
        probe.says(4.7)
        Probe(service, "quoi-son", "qs-01").says(4.6)
        missed = raised(service, "salinity-4", "qs-01")
        assert page.get_by_test_id(f"alert-{missed}").count() == 0
        expect(value(page)).not_to_have_text("4,70")
    finally:
        relay.mend()
    _retry(page)
    expect(cover).to_be_hidden()
    expect(value(page)).to_have_text("4,70")
    expect(row(page, missed)).to_be_visible()
    same_as_a_fresh_load(page, opened, service.http_url)


def test_a_link_that_only_falls_silent_is_noticed(
    opened: Opened, service: Service, probe: Probe
) -> None:
    opened.cut_on_purpose = True
    page = opened(service.http_url)
    probe.says(4.8)
    expect(value(page)).to_have_text("4,80")
    expect(page.get_by_test_id("link-lost")).to_be_hidden()
    assert service.process is not None
    service.process.send_signal(signal.SIGSTOP)
    stopped = datetime.now(VIETNAM)
    try:
        expect(page.get_by_test_id("link-lost")).to_be_visible(timeout=LOST_MS)
        assert abs(_last_word(page) - stopped) < timedelta(seconds=5)
    finally:
        service.process.send_signal(signal.SIGCONT)
    _retry(page)
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (360, 740)])
def test_nothing_is_wider_than_the_screen(
    opened: Opened, service: Service, probe: Probe, width: int, height: int
) -> None:
    page = opened(service.http_url, width=width, height=height)
    probe.says(4.9)
    for language in ("vi", "en"):
        page.get_by_test_id(f"lang-{language}").click()
        expect(value(page)).to_have_text(re.compile(r"\d"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width > height:  # a wall and a desk do not scroll at all
            assert page.evaluate("document.documentElement.scrollHeight") <= height
        else:  # in the list no axis tells the unit
            unit = "g/l" if language == "vi" else "g/L"
            expect(station(page).locator(".unit")).to_have_text(unit)


def test_the_curve_of_the_day_is_drawn(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    upstream = Probe(service, "thoi-loc", "tl-01")
    upstream.says(0.13, minutes_ago=20)
    upstream.says(0.17)
    expect(value(page, "thoi-loc")).to_have_text("0,17")
    station(page, "thoi-loc").click()
    chart = page.get_by_test_id("chart")
    expect(chart.locator("canvas").first).to_be_visible()
    expect(chart.locator("h2")).to_have_text("Thới Lộc")
    told = re.compile("thấp nhất 0,13, cao nhất 0,17, mới nhất 0,17")
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", told)


def _with_a_quick_probe(path: Path) -> str:
    text, count = re.subn(
        rf'(id = "{QUICK_DEVICE}"\nexpected_s = )\d+', rf"\g<1>{QUICK_S}", path.read_text("utf-8")
    )
    assert count == 1
    return text


def _state(service: Service, alert: str) -> str:
    return str(service.get(f"/api/v1/alerts/{alert}").json()["state"])


INK = """([station, look]) => {
  const marker = document.querySelector(`[data-testid="station-${station}"]`);
  return marker?.classList.contains(look)
    && getComputedStyle(marker.querySelector("[data-testid='value']")).fill;
}"""


def _ink(page: Page, name: str, look: str) -> str:
    """The colour of its figure once it looks so, in one look: it may have aged by the next."""
    return str(page.wait_for_function(INK, arg=[name, look]).json_value())


def _last_word(page: Page) -> datetime:
    """The time that the notice names, in Vietnam's clock."""
    text = page.get_by_test_id("last-word").text_content() or ""
    found = re.search(r"(\d\d:\d\d:\d\d) ngày (\d\d/\d\d/\d{4})", text)
    assert found is not None, text
    day, month, year = found[2].split("/")
    return datetime.fromisoformat(f"{year}-{month}-{day}T{found[1]}+07:00")


def _retry(page: Page) -> None:
    """Now, if the page has not come back by itself between two looks."""
    page.get_by_test_id("retry").evaluate("(button) => button.click()")


def _covers(page: Page, cover: Locator) -> None:
    box = cover.bounding_box()
    assert box is not None
    assert page.viewport_size is not None
    assert (box["x"], box["y"]) == (0, 0)
    assert (box["width"], box["height"]) == tuple(page.viewport_size.values())
