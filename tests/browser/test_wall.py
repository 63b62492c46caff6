"""The wall as it is seen from across the room, by keyboard, by ear, and by nobody: all is real."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Opened
from tests.browser.looking import Probe, raised, row, sign_in, station, value
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

COUNT_TONES = """
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones.push(this.frequency.value);
  return start.apply(this, when);
};
const Native = AudioContext;
window.AudioContext = class extends Native {
  constructor() {
    super();
    console.info("loudspeakers");
  }
};
"""
"""A page tells what it sounds: pitches, Hz, in their order."""


@pytest.fixture(scope="module")
def service(serving: Serving, relay: Relay) -> Service:
    relay.target = _free_port()
    running = serving(
        LIVE__PORT=str(relay.target), LIVE__PUBLIC_URL=f"ws://127.0.0.1:{relay.port}/live"
    )
    eventually(lambda: running.ready, "ready")
    return running


def test_figures_stand_against_the_same_tide_of_yesterday(opened: Opened, service: Service) -> None:
    lower, upper = Probe(service, "hung-my", "hg-01"), Probe(service, "huong-my", "hm-01")
    for salinities, minutes in (
        ((5.0, 1.9), (1545, 1530, 1515, 1500, 1485, 1470)),
        ((6.0, 2.0), (50, 35, 20, 5)),
    ):
        for minutes_ago in minutes:
            for probe, salinity_g_l in zip((lower, upper), salinities, strict=True):
                probe.says(salinity_g_l, minutes_ago=minutes_ago)

    def formed() -> bool:
        lines = service.get("/api/v1/river").json()["mouths"]["co-chien"]["lines"]
        return any(line.get("km") for line in lines if line["basis"] == "now")

    eventually(formed, "the line of salt")
    page = opened(service.http_url)
    block = page.get_by_test_id("salt-co-chien")
    # 20 + 6 ln(6/4) / ln(6/2) = 22,2 km; the day before 20 + 6 ln(5/4) / ln(5/1,9) = 21,4.
    expect(block.locator(".salt-text.salt-4")).to_have_text("4 g/l 22,2 km (+0,8)")
    expect(block.locator("title")).to_contain_text("lên cao hơn cùng con nước hôm trước 0,8 km")
    large = station(page, "hung-my")
    expect(large).to_have_class(re.compile("large"))  # beside the line
    expect(large.locator(".change")).to_have_text("▲1,00")
    expect(large.locator("title")).to_contain_text("cao hơn cùng con nước hôm trước 1,00 g/l")


def test_each_severity_sounds_and_an_untaken_critical_alert_goes_on(
    chromium: Browser, service: Service
) -> None:
    page = _listening(chromium, service)
    try:
        sound = page.get_by_test_id("sound")
        expect(sound).to_have_text("Chưa có tiếng báo: bấm để bật")
        sound.click()
        expect(sound).to_have_text("Tắt tiếng")
        page.evaluate("window.tones.length = 0")
        probe = Probe(service)
        for salinity_g_l, minutes_ago in ((2.2, 70), (2.4, 60), (3.3, 30)):
            probe.says(salinity_g_l, minutes_ago=minutes_ago)
        raised(service, "salinity-2")
        page.wait_for_function("() => window.tones.includes(659)")  # major: down from E to C
        assert 784 not in page.evaluate("window.tones")
        probe.says(4.21)
        critical = raised(service, "salinity-4")
        page.wait_for_function("() => window.tones.filter((hz) => hz === 784).length >= 3")

        # Half a minute on it is heard again, since nobody has taken it.
        page.evaluate("window.tones.length = 0")
        page.wait_for_function("() => window.tones.includes(784)", timeout=40_000)

        sound.click()
        expect(sound).to_have_text(re.compile(r"^Tắt tiếng, còn (10:00|9:5\d)$"))
        kept = page.evaluate("JSON.stringify([Object.entries(localStorage), location.href])")
        assert "sound" not in kept
        assert "mute" not in kept
        page.keyboard.press("m")
        expect(sound).to_have_text("Tắt tiếng")
        page.keyboard.press("m")
        page.reload()  # and no silence outlives the page
        expect(page.get_by_test_id("sound")).not_to_contain_text("còn")
        expect(row(page, critical)).to_be_visible()
    finally:
        page.context.close()


def test_alerts_are_worked_by_keyboard_alone(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    for name, device in (("dong-tam", "dt-01"), ("quoi-son", "qs-01")):
        probe = Probe(service, name, device)
        for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
            probe.says(salinity_g_l, minutes_ago=minutes_ago)
        raised(service, "salinity-1", device)
    sign_in(page, service)
    page.evaluate("document.activeElement?.blur()")
    order = page.locator("li.row:visible")
    expect(order.nth(1)).to_be_visible()
    page.keyboard.press("j")
    expect(order.nth(0).locator(".what")).to_be_focused()
    page.keyboard.press("j")
    expect(order.nth(1).locator(".what")).to_be_focused()
    outline = order.nth(1).locator(".what").evaluate("(e) => getComputedStyle(e).outlineStyle")
    assert outline != "none"
    page.keyboard.press("k")
    expect(order.nth(0).locator(".what")).to_be_focused()
    target = order.nth(0).get_attribute("data-testid") or ""
    page.keyboard.press("n")
    note = page.get_by_test_id("note")
    expect(note).to_be_visible()
    note.focus()
    page.keyboard.type("jam agms?")  # letters are letters while somebody types
    expect(note).to_have_value("jam agms?")
    expect(page.get_by_test_id("keys")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("officer")).to_be_hidden()
    page.locator(f"li.row[data-testid='{target}'] .what").focus()
    page.keyboard.press("a")
    expect(page.get_by_test_id("officer")).to_be_visible()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(page.locator(f"li.row[data-testid='{target}']")).to_have_class(re.compile("state-acked"))

    page.keyboard.press("?")
    keys = page.get_by_test_id("keys")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("tiếp nhận cảnh báo đang chọn")
    page.get_by_test_id("keys-on").uncheck()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("j")
    expect(page.locator("li.row .what:focus")).to_have_count(0)
    page.evaluate("localStorage.removeItem('songtien.keys')")


def test_new_alerts_are_told_to_a_screen_reader_and_figures_are_not(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    probe = Probe(service, "my-hoa", "mh-01")
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    raised(service, "salinity-1", "mh-01")
    expect(page.get_by_test_id("announce")).to_contain_text("Mỹ Hóa")
    inside = "[aria-live]:not([aria-live='off']), [role='alert'], [role='status']"
    live = page.evaluate(
        f"[...document.querySelectorAll('.station, .bridge button, li.row')]"
        f'.filter((e) => e.closest("{inside}") || e.querySelector("{inside}")).length'
    )
    assert live == 0


def test_the_worst_and_the_untaken_stand_first_and_devices_that_are_lost_are_named(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    Probe(service, "kim-son", "ks-01").says(0.22, minutes_ago=200)
    quiet = page.get_by_test_id("quiet-ks-01")
    expect(quiet).to_have_text(re.compile(r"^Kim Sơn mất tín hiệu từ \d\d:\d\d$"))
    expect(quiet).to_be_visible()
    rows = page.locator("li.row:visible")
    expect(rows.nth(1)).to_be_visible()
    ranks = []
    for kind in rows.evaluate_all("(all) => all.map((e) => e.className)"):
        severity = re.search(r"severity-(\w+)", kind)
        assert severity is not None
        rank = ["critical", "major", "warning", "info"].index(severity[1])
        ranks.append((rank, "state-acked" in kind))
    assert ranks == sorted(ranks)


def test_what_nobody_took_breathes_slowly_and_not_for_who_wants_no_motion(
    chromium: Browser, service: Service
) -> None:
    for wish, breathes in (("no-preference", True), ("reduce", False)):
        context = chromium.new_context(reduced_motion=wish)  # type: ignore[arg-type]
        page = context.new_page()
        try:
            page.goto(service.http_url)
            waiting = page.locator("li.row.state-unacked:not(.severity-info)").first
            expect(waiting).to_be_visible()
            name, length = waiting.evaluate(
                "(e) => { const s = getComputedStyle(e, '::after');"
                " return [s.animationName, parseFloat(s.animationDuration)]; }"
            )
            assert (name == "breathe") is breathes
            assert not breathes or length > 1  # under 1 Hz
        finally:
            context.close()


def test_a_kiosk_has_no_buttons_hides_its_pointer_and_turns_its_pages(
    opened: Opened, service: Service
) -> None:
    probe = Probe(service, "an-dinh", "ad-01")
    for salinity_g_l, minutes_ago in ((2.2, 70), (2.4, 60), (3.3, 30), (4.2, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    critical = raised(service, "salinity-4", "ad-01")
    page = opened(service.http_url + "?kiosk=5&pages=/,/tram/xuan-hoa")
    expect(row(page, critical)).to_be_visible()
    for gone in ("sign-in", "lang-vi", "theme", "keys-help"):
        expect(page.get_by_test_id(gone)).to_be_hidden()
    expect(page.locator(".alerts .ack:visible")).to_have_count(0)
    page.mouse.move(300, 300)
    page.wait_for_function("() => getComputedStyle(document.body).cursor === 'none'")
    # While nobody has taken what is critical the wall stays; then the pages turn.
    page.wait_for_timeout(5500)
    assert page.evaluate("location.pathname") == "/"
    for item in service.get("/api/v1/alerts", None, state="active").json()["items"]:
        if item["severity"] == "critical" and item["state"] == "unacked":
            path = f"/api/v1/alerts/{item['id']}/ack"
            assert service.post(path, service.token("operator"), ver=item["ver"]).is_success
    page.wait_for_url(re.compile(r"/tram/xuan-hoa\?kiosk=5"))
    page.wait_for_url(re.compile(r"/\?kiosk=5"))


def test_a_link_that_comes_back_while_the_curve_is_on_its_way_brings_no_second_one(
    opened: Opened, service: Service, relay: Relay
) -> None:
    opened.cut_on_purpose = True
    Probe(service, "xuan-hoa", "xh-01").says(1.2)
    late: list[Route] = []

    def hold(page: Page) -> None:
        page.route("**/assets/chart-*.js", keep)

    def keep(route: Route) -> None:
        late.append(route)

    page = opened(service.http_url, before=hold)
    expect(value(page)).to_have_text(re.compile(r"\d"))
    relay.cut()
    expect(page.get_by_test_id("link-lost")).to_be_visible()
    relay.mend()
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    assert page.get_by_test_id("chart").count() == 0
    for route in late:
        route.continue_()
    expect(page.get_by_test_id("chart").locator("h2").first).to_be_visible()
    # Each that asked for it has it by then.
    expect(page.get_by_test_id("chart").locator("h2")).to_have_count(1)


def test_a_press_on_a_station_shows_its_curve_and_the_chosen_one_is_marked(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    expect(value(page)).to_have_text(re.compile(r"\d"))
    station(page).press("Enter")
    expect(station(page)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("chart").locator("h2")).to_contain_text("Xuân Hòa")


def _listening(chromium: Browser, service: Service) -> Page:
    """A page that tells its tones, where no touch has let it be heard."""
    page = chromium.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.set_default_timeout(20_000)
    page.add_init_script(COUNT_TONES)
    # What a test asks of a page counts as a touch of it: nothing is asked before it looks for
    # loudspeakers, or it would be heard from the beginning.
    with page.expect_console_message(lambda said: said.text == "loudspeakers"):
        page.goto(service.http_url)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    assert page.evaluate("window.tones") == []
    return page
