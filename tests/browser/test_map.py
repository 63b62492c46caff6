"""The geographic map, with a real service and a real broker."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.conftest import Opened
from tests.browser.looking import DEVICE, STATION, Probe, raised
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(180)]

OTHER, OTHER_DEVICE = "vam-kenh", "vk-01"
FITS = "document.documentElement.scrollWidth <= innerWidth"
TOUCHING = """
() => {
  const seen = (one) => one.getBoundingClientRect().width > 0;
  const boxes = [...document.querySelectorAll("[data-testid='map'] .geo-tag")].filter(seen)
    .map((one) => [one.textContent, one.getBoundingClientRect()]);
  const map = document.querySelector("[data-testid='map']").getBoundingClientRect();
  const found = boxes.flatMap(([text, a], i) => boxes.slice(i + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1
      && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => [text, other]));
  const cut = boxes.filter(([, a]) => a.left < map.left - 1 || a.right > map.right + 1);
  return { labels: boxes.length, found, cut: cut.map(([text]) => text) };
}
"""
"""Labels that cover each other, or are cut off by the map's edge."""


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving(HTTP__PORT=str(_free_port()), LIVE__PORT=str(_free_port()))
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def alert(service: Service) -> str:
    """Xuân Hòa is over 4 g/l; Vàm Kênh has not been heard for hours."""
    Probe(service, OTHER, OTHER_DEVICE).says(12.0, minutes_ago=200)
    probe = Probe(service)
    for n in range(4):
        probe.says(4.4, minutes_ago=30 - 10 * n)
    return raised(service, "salinity-4", DEVICE)


def mark(page: Page, station: str) -> Locator:
    """What stands on the map for a station, as a button."""
    return page.locator(f".geo-icon:has([data-testid='map-{station}'])")


@pytest.mark.usefixtures("alert")
def test_places_stand_on_the_map_with_figure_age_band_and_alert(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}ban-do")
    here = mark(page, STATION)
    expect(here.get_by_test_id("value")).to_have_text("4,40")
    expect(here.get_by_test_id("age")).to_have_text(re.compile("phút"))
    expect(here).to_have_attribute("data-degree", "4")
    expect(here).to_have_attribute("data-severity", re.compile("major|critical"))
    expect(here).to_have_attribute(
        "aria-label",
        re.compile(r"^Xuân Hòa 4,40 .*Xuân Hòa: Độ mặn 4,40 g/l, rất mặn.* phút.*nghiêm trọng"),
    )
    old = mark(page, OTHER)
    expect(old).to_have_attribute("data-look", re.compile("stale|lost"))
    expect(old.locator(".geo-dot")).to_have_css("background-image", re.compile("gradient"))
    expect(mark(page, "rach-mieu-1")).to_have_attribute("data-kind", "bridge")
    expect(page.get_by_test_id("map")).to_contain_text("vẽ gần đúng, chỉ để xem")
    expect(page.get_by_test_id("map-legend")).to_contain_text("> 4 rất mặn")
    expect(page.locator(".leaflet-control-scale-line")).to_contain_text("km")
    expect(page.get_by_role("img", name="Bắc")).to_be_visible()
    told = page.evaluate(TOUCHING)
    assert told["labels"] > 5
    assert (told["found"], told["cut"]) == ([], [])

    here.click()
    popup = page.get_by_test_id("map-popup")
    expect(popup).to_contain_text("4,40 g/l · rất mặn")
    assert _grave(page) == []
    expect(popup.locator("a[href^='/canh-bao/']")).to_have_count(1)
    assert page.url.endswith(f"/ban-do#{STATION}")
    popup.get_by_test_id("map-open").click()
    expect(page.get_by_test_id("place-name")).to_contain_text("Xuân Hòa")
    assert page.url.endswith(f"/tram/{STATION}")


@pytest.mark.usefixtures("alert")
def test_the_list_says_the_same_by_keyboard(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}ban-do#{OTHER}")
    # The address says whose words are open.
    expect(page.get_by_test_id("map-popup")).to_contain_text("Vàm Kênh")
    pick = page.get_by_test_id(f"map-pick-{OTHER}")
    expect(pick).to_have_attribute("aria-pressed", "true")
    expect(pick).to_contain_text(re.compile("mất tín hiệu|số liệu cũ"))
    every = len(service.get("/api/v1/stations", None).json()["stations"])
    expect(page.locator("[data-testid^='map-pick-']")).to_have_count(every)
    page.get_by_test_id(f"map-pick-{STATION}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("map-popup")).to_contain_text("Cống Xuân Hòa")
    # Arrows and the plus move the map, and mean nothing to the rest of the screen then.
    scale = page.locator(".leaflet-control-scale-line")
    before = scale.inner_text()
    page.get_by_test_id("map").focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(scale).not_to_have_text(before)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("map-popup")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#wall")).to_be_visible()


@pytest.mark.usefixtures("alert")
def test_a_phone_english_light_and_a_new_figure(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}ban-do", width=360, height=740)
    page.get_by_test_id("lang-en").click()
    page.get_by_test_id("theme").click()
    expect(page.get_by_role("region", name=re.compile("Map of the branches"))).to_be_visible()
    assert page.evaluate(FITS)
    expect(page.get_by_test_id("map-legend")).not_to_have_attribute("open", "")
    told = page.evaluate(TOUCHING)
    assert (told["found"], told["cut"]) == ([], [])
    Probe(service, "hoa-binh", "hb-01").says(7.25)
    expect(mark(page, "hoa-binh").get_by_test_id("value")).to_have_text("7.25")
    page.get_by_test_id("map-pick-hoa-binh").click()
    expect(page.get_by_test_id("map-popup")).to_be_in_viewport()
    assert page.evaluate(FITS)
    assert _grave(page) == []


def test_the_past_on_the_map(opened: Opened, service: Service) -> None:
    """Nothing was known of that station then."""
    page = opened(f"{service.http_url}ban-do?at=2026-01-01T04:10%2B07&speed=0")
    expect(page.get_by_test_id("rewind")).to_be_visible()
    expect(mark(page, STATION)).to_have_attribute("data-look", "never")


def test_tiles_that_do_not_come_take_nothing_away(opened: Opened, serving: Serving) -> None:
    running = serving(MAP__TILES_URL="/tiles/{z}/{x}/{y}.png", MAP__TILES_SOURCE="<i>© ai đó</i>")
    eventually(lambda: running.ready, "ready")
    Probe(running).says(3.3)
    # More are asked for as long as the map is there, and each is told when its answer comes.
    opened.meant = (f"status of 404 (Not Found) {running.http_url}tiles/",)
    page = opened(f"{running.http_url}ban-do")
    expect(page.locator("#toast")).to_contain_text("Không tải được nền bản đồ")
    expect(mark(page, STATION).get_by_test_id("value")).to_have_text("3,30")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("<i>© ai đó</i>")
    assert any(opened.meant[0] in said for said in opened.complaints)


def _grave(page: Page) -> list[object]:
    """What axe finds grave. Marks on a map stand as near as their places do: the list beside it
    does the same with rows of full size (WCAG 2.2, 2.5.8, the exception of an equivalent)."""
    return [
        (one["id"], where)
        for one in grave(page)
        for where in one["where"]
        if one["id"] != "target-size" or not _is_mark(page, where.partition(":   ")[0])
    ]


def _is_mark(page: Page, selector: str) -> bool:
    """axe names an element by whatever tells it from the others of that moment."""
    return bool(page.locator(selector).evaluate("(found) => found.matches('.geo-icon')"))
