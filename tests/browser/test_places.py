"""The pages of one place: a station with more than a year behind it, and a bridge."""

import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Download, Locator, Page, expect

from ingest.reading import Batch
from ingest.store import Store
from tests.browser.conftest import Opened
from tests.browser.looking import Probe, raised, sign_in, station
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, figures, now_ms, obs, publish, salinity_topic

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

STATION, DEVICE = "xuan-hoa", "xh-01"
UPSTREAM = "my-tho", "mt-01"
SALT, LEVEL = f"{DEVICE}/salinity_g_l", f"{DEVICE}/water_level_m"
EVERY_MS, DAY_MS, HOUR_MS = 600_000, 86_400_000, 3_600_000
DAYS = 398
"""Of the 400 that a store keeps, with room for the test itself."""

GAP = (5.0, 3.0)
"""Hours ago: from then to then nothing was measured."""

YEAR_MS = 300
"""What a year of one station should take on a machine that does nothing else, ms: told, not held,
for others share this one."""

# From the click to the frame in which the new picture is drawn: the sentence is written in the
# same go as the canvas.
UNTIL_DRAWN = """(button) => new Promise((done) => {
  const curve = document.querySelector("[data-testid='curve']");
  const before = curve.getAttribute("aria-label");
  const began = performance.now();
  new MutationObserver((_, watch) => {
    if (curve.getAttribute("aria-label") === before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  }).observe(curve, { attributes: true, attributeFilter: ["aria-label"] });
  document.querySelector(`[data-testid='${button}']`).click();
})"""


# How bright the ink of the curve is, 0 to 255: the commonest colour that is drawn in full.
INK = """() => new Promise((done) => requestAnimationFrame(() => {
  const canvas = document.querySelector("[data-testid='curve'] canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const inks = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, opaque] = data.subarray(at, at + 4);
    if (opaque < 255 || Math.max(red, green, blue) - Math.min(red, green, blue) > 12) continue;
    inks.set(red, (inks.get(red) ?? 0) + 1);
  }
  const strong = [...inks].filter(([, count]) => count > 200).map(([red]) => red);
  const light = document.documentElement.dataset.theme === "light";
  done(light ? Math.min(...strong) : Math.max(...strong));
}))"""


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    running.stop()
    _put_history(running.data / "store.sqlite")
    running.start()
    eventually(lambda: running.ready, "ready again")
    sample = {"t": now_ms() - 2 * 60_000, "sal_g_l": 1.6, "level_m": 0.4}
    publish(running.settings["MQTT__URL"], salinity_topic(STATION, DEVICE), obs(sample))
    return running


def test_a_year_of_a_station_comes_at_once(opened: Opened, service: Service) -> None:
    page = opened("about:blank")
    took: list[float] = []
    for _ in range(3):
        page.goto("about:blank")  # what was asked before is kept by the page alone
        page.goto(f"{service.http_url}tram/{STATION}")
        expect(_curve(page)).to_have_attribute("aria-label", re.compile("thấp nhất"))
        took.append(page.evaluate(UNTIL_DRAWN, "span-year"))
    expect(page.get_by_test_id("span")).to_contain_text("trung bình ngày")
    middle = statistics.median(took)
    figures(
        f"a year of one station, from the click to the picture: median {middle:.0f} ms of "
        f"{[round(ms) for ms in took]}, aim {YEAR_MS}"
    )


def test_the_curve_tells_extremes_newest_and_gaps_and_goes_on_live(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}tram/{STATION}")
    expect(page.get_by_test_id("place-name")).to_have_text("Cống Xuân Hòa")
    expect(_curve(page)).to_have_attribute(
        "aria-label", re.compile("1 khoảng trống, dài nhất 2 giờ")
    )
    expect(page.get_by_test_id("tide-of")).to_have_text("Mực nước tại Xuân Hòa")
    expect(page.get_by_test_id("tide")).to_have_attribute("aria-label", re.compile("mới nhất"))
    # On the curve already, by the history; now it comes live as well, and once more.
    page.get_by_test_id("raw").locator("summary").click()
    rows = page.locator("[data-testid='raw'] tbody tr")
    expect(rows.first).to_be_visible()
    before = rows.count()
    probe = Probe(service)
    probe.says(1.71)
    expect(_curve(page)).to_have_attribute("aria-label", re.compile("mới nhất 1,71 g/l"))
    figure = page.get_by_test_id(f"figure-{SALT}")
    expect(figure.get_by_test_id("value")).to_have_text("1,71")
    expect(figure.get_by_test_id("band")).to_have_text("lợ")
    expect(figure.get_by_test_id("change")).to_have_text(re.compile("^[▲▼] .* so con nước trước"))
    expect(rows).to_have_count(before + 1)
    sentence = _curve(page).get_attribute("aria-label") or ""
    page.reload()
    # What went on live is what a fresh load shows.
    expect(_curve(page)).to_have_attribute("aria-label", _but_for_the_span(sentence))


def test_one_goes_through_the_past_by_buttons_keys_mouse_and_back(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}tram/{STATION}")
    span = page.get_by_test_id("span")
    expect(span).to_contain_text("số liệu gốc")
    page.get_by_test_id("span-month").click()
    expect(span).to_contain_text("trung bình giờ")
    expect(span).not_to_contain_text("đang tải")
    _curve(page).focus()
    page.keyboard.press("ArrowLeft")  # the address goes along: how much, and up to when
    expect(page).to_have_url(re.compile(r"#.*@2592000000@\d+$"))
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile(r"#.*@2592000000$"))

    box = _curve(page).locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.55, y, steps=4)
    page.mouse.up()
    expect(span).to_contain_text("số liệu gốc")
    dragged = str(page.evaluate("location.href"))
    page.reload()
    expect(page).to_have_url(dragged)
    expect(span).to_contain_text("số liệu gốc")
    page.get_by_test_id("span-week").click()
    expect(page).not_to_have_url(dragged)
    page.get_by_test_id("zoom-back").click()
    expect(page).to_have_url(dragged)
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.wheel(0, 240)
    expect(page).not_to_have_url(dragged)


def test_the_same_tide_the_same_date_and_the_neighbours_are_laid_over(
    opened: Opened, service: Service
) -> None:
    Probe(service, *UPSTREAM).says(0.4)
    page = opened(f"{service.http_url}tram/{STATION}")
    legend = page.get_by_test_id("curves").locator(".legend")
    expect(legend).to_contain_text("cùng con nước hôm trước")
    page.get_by_test_id("lay-up").check()
    expect(legend).to_contain_text("Mỹ Tho")
    # There are data of the same lunar date of one year; it is said which date it is.
    year = page.locator("[data-testid^='lay-year-']")
    expect(year).to_have_count(1)
    year.check()
    expect(legend).to_contain_text("cùng ngày âm lịch")
    expect(page.get_by_test_id("lay-note")).to_contain_text("âm lịch")

    other = opened(f"{service.http_url}tram/{UPSTREAM[0]}")
    expect(other.get_by_test_id("lay-note")).to_contain_text("không có số liệu cùng ngày")
    # No gauge of its own has ever said anything: the nearest is named.
    expect(other.get_by_test_id("tide-of")).to_have_text("Mực nước tại Xuân Hòa")


def test_what_is_shown_is_taken_along(opened: Opened, service: Service, tmp_path: Path) -> None:
    page = opened(f"{service.http_url}tram/{STATION}")
    # Until the first picture has come the buttons may still move away below the pointer.
    expect(page.get_by_test_id("span")).to_contain_text("số liệu gốc")
    page.get_by_test_id("span-month").click()
    expect(page.get_by_test_id("span")).to_contain_text("trung bình giờ")
    expect(page.get_by_test_id("span")).not_to_contain_text("đang tải")
    table = _downloaded(page, "csv")
    name = r"xuan-hoa_salinity_g_l_\d{4}-\d\d-\d\dT\d{4}\+07_\d{4}-\d\d-\d\dT\d{4}\+07_1h\.csv"
    assert re.fullmatch(name, table.suggested_filename) is not None
    table.save_as(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text("utf-8").splitlines()
    assert lines[0] == "time,mean,min,max,n,n_good"
    assert 700 < len(lines) < 730
    picture = _downloaded(page, "png")
    assert picture.suggested_filename == table.suggested_filename.replace(".csv", ".png")
    picture.save_as(tmp_path / "picture.png")
    header = (tmp_path / "picture.png").read_bytes()[:24]
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (16, 20))
    assert width == 2 * 16 * 90
    assert height > 1000


def test_on_paper_the_curve_is_dark_on_light_and_the_screen_is_as_it_was(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}tram/{STATION}")
    expect(_curve(page)).to_have_attribute("aria-label", re.compile("thấp nhất"))
    screen = page.evaluate(INK)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.evaluate(INK)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert paper < 120 < screen == page.evaluate(INK)


def test_alerts_of_the_station_stand_beside_and_lead_on(opened: Opened, service: Service) -> None:
    probe = Probe(service, "dong-tam", "dt-01")
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    alert = raised(service, "salinity-1", "dt-01")
    page = opened(f"{service.http_url}tram/dong-tam")
    link = page.get_by_test_id(f"past-{alert}").locator("a")
    expect(link).to_contain_text("1,30 > 1 g/l")
    assert link.get_attribute("href") == f"/canh-bao/{alert}"
    expect(page.get_by_test_id("curves").locator(".legend")).to_contain_text("cảnh báo")


def test_what_a_place_could_not_ask_is_said_and_not_told_as_nothing(
    opened: Opened, service: Service
) -> None:
    opened.cut_on_purpose = True
    page = opened("about:blank")
    asks = ("**/api/v1/alerts?*station=*", "**/care")
    for ask in asks:
        page.route(ask, lambda route: route.abort())
    page.goto(f"{service.http_url}tram/{STATION}")
    alerts, care = page.get_by_test_id("place-alerts"), page.get_by_test_id("care-told")
    for place in (alerts, care):
        expect(place).to_contain_text("Chưa hỏi được máy chủ: máy chủ không trả lời")
        expect(place).not_to_contain_text(re.compile("Không có cảnh báo|Chưa có"))
    for ask in asks:
        page.unroute(ask)
    page.get_by_test_id("span-week").click()  # another span is asked about at once
    for place in (alerts, care):
        expect(place).not_to_contain_text("máy chủ")
    expect(care).not_to_be_empty()


def test_pictures_that_were_saved_leave_nothing_behind(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}tram/{STATION}")
    expect(_curve(page)).to_have_attribute("aria-label", re.compile("thấp nhất"))
    browser = page.context.new_cdp_session(page)

    def listeners() -> int:
        """Of the whole window, as every plot has some of its own."""
        window = browser.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
        found = browser.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
        return len(found)

    before = listeners()
    for _ in range(2):
        _downloaded(page, "png")
    assert listeners() == before


def test_a_hand_check_is_entered_and_one_without_a_link_waits_on_the_phone(
    opened: Opened, service: Service
) -> None:
    opened.cut_on_purpose = True
    Probe(service).says(1.5)
    page = opened(f"{service.http_url}tram/{STATION}", width=360, height=740)
    expect(page.get_by_test_id("enter-check")).to_be_hidden()  # for officers alone
    sign_in(page, service)
    page.get_by_test_id("enter-check").click()
    page.get_by_test_id("check-submit").click()
    expect(page.get_by_test_id("check-problem")).to_be_visible()
    page.get_by_test_id("check-salinity_g_l").fill("1,62")
    page.get_by_test_id("check-cleaned").check()
    page.get_by_test_id("check-submit").click()
    care = page.get_by_test_id("care")
    beside = re.compile(r"đo tay 1,62 g/l, máy \d,\d\d \([+−]0,\d\d\)")
    expect(care).to_contain_text(beside)
    expect(care).to_contain_text("đã vệ sinh")
    expect(page.get_by_test_id("unsent")).to_be_hidden()

    page.context.set_offline(True)
    page.get_by_test_id("enter-check").click()
    page.get_by_test_id("check-salinity_g_l").fill("1.64")
    page.get_by_test_id("check-submit").click()
    expect(page.get_by_test_id("unsent")).to_contain_text("1 lần đo tay còn giữ")
    page.context.set_offline(False)
    expect(page.get_by_test_id("unsent")).to_be_hidden(timeout=40_000)
    expect(care).to_contain_text("đo tay 1,64 g/l")


def test_a_bridge_shows_both_directions_over_time_and_as_a_diagram(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}cau/rach-mieu-1")
    south = page.get_by_test_id("direction-southbound")
    expect(south.get_by_test_id("minutes")).to_have_text("–")
    expect(page.get_by_test_id("diagram-flow").locator("canvas")).to_have_attribute(
        "aria-label", re.compile("không có số liệu")
    )
    _traffic(service, minutes=40)
    expect(south.get_by_test_id("state")).to_have_text("thông thoáng")
    expect(south.get_by_test_id("rest")).to_contain_text("ô tô 45 km/h")
    expect(page.get_by_test_id("speeds")).to_have_attribute(
        "aria-label", re.compile("mới nhất 45 km/h")
    )
    page.reload()
    expect(page.get_by_test_id("diagram-flow").locator("canvas")).to_have_attribute(
        "aria-label", re.compile(r"\d điểm; lúc \d\d:\d\d: độ chiếm đường, % 10")
    )
    legend = page.get_by_test_id("curves").locator(".legend").nth(1)
    expect(legend).to_contain_text("Xe con")
    page.get_by_test_id("direction-northbound").click()
    expect(page.get_by_test_id("direction-northbound")).to_have_attribute("aria-pressed", "true")
    # Counts, speeds and diagrams are of one direction, and say of which.
    for told in (".curve-name >> nth=1", ".curve-name >> nth=2", ".diagrams h3"):
        expect(page.locator(told)).to_contain_text("Bến Tre → Mỹ Tho")
    expect(page).to_have_url(re.compile("#rach-mieu-1/northbound/"))


def test_a_place_that_is_not_known_or_never_heard_says_so(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}tram/xuan-hoaa")
    nowhere = page.get_by_test_id("nowhere")
    expect(nowhere).to_contain_text("Không có trạm hay cầu nào tên “xuan-hoaa”")
    nowhere.get_by_role("link", name="Cống Xuân Hòa").click()
    expect(page.get_by_test_id("place-name")).to_have_text("Cống Xuân Hòa")
    page.get_by_test_id("lang-en").click()
    expect(page.get_by_test_id("span-year")).to_have_text("1 year")

    never = opened(f"{service.http_url}tram/ben-trai")
    expect(never.get_by_test_id("place-name")).to_have_text("Bến Trại")
    expect(never.get_by_test_id("figures")).to_contain_text("chưa có số liệu")
    expect(_curve(never)).to_have_attribute("aria-label", re.compile("không có số liệu"))

    bridge = opened(f"{service.http_url}tram/rach-mieu-1")
    bridge.get_by_test_id("nowhere").get_by_role("link", name="Cầu Rạch Miễu").click()
    expect(bridge.get_by_test_id("directions")).to_be_visible()


def test_a_second_click_on_the_wall_opens_the_page_and_the_name_leads_there_too(
    opened: Opened, service: Service
) -> None:
    Probe(service).says(1.5)
    page = opened(service.http_url)
    station(page).click()
    name = page.get_by_test_id("open-place")
    expect(name).to_have_attribute("href", f"/tram/{STATION}")
    station(page).click()
    expect(page.get_by_test_id("place-name")).to_have_text("Cống Xuân Hòa")
    page.locator("#back").click()
    name.click()
    expect(page.get_by_test_id("place-name")).to_be_visible()


@pytest.mark.parametrize("path", [f"tram/{STATION}", "cau/rach-mieu-1"])
def test_no_page_of_a_place_is_wider_than_the_screen(
    opened: Opened, service: Service, path: str
) -> None:
    page = opened(service.http_url + path, width=360, height=740)
    expect(page.get_by_test_id("place-name")).to_be_visible()
    for width, language in ((360, "vi"), (360, "en"), (1366, "vi"), (1366, "en")):
        page.set_viewport_size({"width": width, "height": 740})
        page.get_by_test_id(f"lang-{language}").click()
        year = "1 năm" if language == "vi" else "1 year"
        expect(page.get_by_test_id("span-year")).to_have_text(year)
        assert page.evaluate("document.getElementById('page').scrollWidth") <= width


def _curve(page: Page) -> Locator:
    return page.get_by_test_id("curve")


def _but_for_the_span(sentence: str) -> "re.Pattern[str]":
    """The sentence about a curve, whose span goes on meanwhile."""
    tail = sentence[sentence.index("thấp nhất") :]
    return re.compile(re.escape(tail))


def _downloaded(page: Page, button: str) -> Download:
    with page.expect_download() as expected:
        page.get_by_test_id(button).click()
    return expected.value


def _put_history(file: Path) -> None:
    """Through the store itself: a probe with a tide, every ten minutes, and a gap of this morning."""
    newest_ms = now_ms() - 4 * 60_000
    t_ms = np.arange(newest_ms - DAYS * DAY_MS, newest_ms + 1, EVERY_MS)
    age_h = (newest_ms - t_ms) / HOUR_MS
    t_ms = t_ms[(age_h > GAP[0]) | (age_h < GAP[1])]
    tide = np.sin(2 * np.pi * t_ms / (12.42 * HOUR_MS))
    season = 1 + 0.8 * np.sin(2 * np.pi * t_ms / (365.25 * DAY_MS))
    store = Store(file)
    try:
        ids = dict(store.connection.execute("SELECT key, id FROM series").fetchall())
        for key, value in ((SALT, 1.6 + 0.7 * season * tide), (LEVEL, 0.3 + 1.1 * tide)):
            with store.transaction():
                rows = Batch.of([ids[key]] * len(t_ms), t_ms, np.round(value, 4), 1)
                store.put_readings(rows, store.position)
                store.put_change(rows, newest_ms)
        while store.roll_up(20_000):
            continue
    finally:
        store.close()


def _traffic(service: Service, *, minutes: int) -> None:
    """Free traffic at both ends of the old bridge, southbound, minute by minute up to now."""
    end_ms = now_ms() // 60_000 * 60_000
    for camera in ("cam-01", "cam-02"):
        samples = [
            {
                "t0": end_ms - (n + 1) * 60_000,
                "t1": end_ms - n * 60_000,
                "lane": 1,
                "dir": "southbound",
                "count": {"motorbike": 12, "car": 6, "truck": 1},
                "speed_km_h": 45.0,
                "occupancy": 0.1,
            }
            for n in reversed(range(minutes))
        ]
        topic = f"tiengiang/v1/traffic/rach-mieu-1/{camera}/obs"
        publish(service.settings["MQTT__URL"], topic, obs(*samples, boot=1, seq=1))
