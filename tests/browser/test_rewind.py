"""The past on the screen: the page, the service and the broker are real."""

from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.looking import DEVICE, Probe, raised, row, value
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms

pytestmark = [
    pytest.mark.broker,
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("probe"),
]

VIETNAM = timezone(timedelta(hours=7))


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving(HTTP__PORT=str(_free_port()), LIVE__PORT=str(_free_port()))
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def probe(service: Service) -> Probe:
    """With a history of two hours, a reading each ten minutes."""
    probe = Probe(service)
    for n in range(12):
        probe.says(3.2 + n / 20, minutes_ago=120 - 10 * n)
    return probe


def written(minutes_ago: float) -> str:
    """As an officer writes it into the address."""
    then = datetime.now(VIETNAM) - timedelta(minutes=minutes_ago)
    return then.strftime("%Y-%m-%dT%H:%M+07")


def recorded_until(service: Service, t_ms: int) -> bool:
    stretches = service.get("/api/v1/rewind", None).json()["recorded"]
    return bool(stretches) and stretches[-1]["to"] >= t_ms


def test_readings_of_before_are_shown_and_play_on_into_the_present(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}?at={written(65)}&speed=0")
    expect(page.get_by_test_id("rewind")).to_be_visible()
    expect(page.get_by_test_id("rewind-source")).to_have_text("dựng lại từ số liệu đã lưu")
    expect(value(page)).to_have_text("3,45")  # said 70 minutes ago
    expect(page.get_by_test_id("link")).to_contain_text("đang xem lại · dừng hình")
    assert page.title().startswith("XEM LẠI")
    page.get_by_role("button", name="+10 phút").click()
    expect(value(page)).to_have_text("3,50")
    assert "at=" in page.url
    page.get_by_test_id("rewind-600").click()
    expect(page.get_by_test_id("rewind")).to_be_hidden()  # the present is met
    expect(page.get_by_test_id("link")).to_contain_text("đang nhận trực tiếp")
    expect(value(page)).to_have_text("3,75")
    assert "at=" not in page.url


def test_what_the_wall_showed_is_shown_again(
    opened: Opened, service: Service, probe: Probe
) -> None:
    wall = opened(service.http_url)
    probe.says(4.1)
    alert = raised(service, "salinity-4", DEVICE)
    expect(value(wall)).to_have_text("4,10")
    expect(row(wall, alert)).to_be_visible()
    then_ms = now_ms()
    eventually(lambda: now_ms() > then_ms + 1500, "another second")  # the record keeps one a second
    probe.says(4.2)
    expect(value(wall)).to_have_text("4,20")
    eventually(lambda: recorded_until(service, then_ms), "written down")
    past = opened(f"{service.http_url}?at={then_ms}&speed=0")
    expect(value(past)).to_have_text("4,10")
    expect(past.get_by_test_id("rewind-source")).to_have_text("đúng như màn hình đã hiện")
    expect(row(past, alert)).to_be_visible()
    # Nothing can be done about what is over.
    expect(row(past, alert).get_by_test_id("ack")).to_be_hidden()
    expect(past.get_by_test_id("sign-in")).to_be_hidden()
    before_ms = then_ms - 60 * 60_000
    _seek(past, before_ms)
    expect(row(past, alert)).to_be_hidden()
    expect(value(wall)).to_have_text("4,20")  # the wall beside it goes on as it was


def test_a_page_of_a_place_shows_the_past_too_and_the_moment_goes_along(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}tram/xuan-hoa?at={written(65)}&speed=0")
    expect(page.get_by_test_id("rewind")).to_be_visible()
    expect(page.get_by_test_id("place-name")).to_contain_text("Xuân Hòa")
    page.locator("#back").click()
    expect(value(page)).to_have_text("3,45")
    assert "at=" in page.url


def test_what_is_only_known_as_of_now_is_not_shown_as_of_then(
    opened: Opened, service: Service, probe: Probe
) -> None:
    probe.says(4.3)
    alert = raised(service, "salinity-4")
    page = opened(f"{service.http_url}canh-bao/{alert}?at={written(65)}&speed=0")
    expect(page.locator(".nowhere")).to_contain_text("của hiện tại")
    expect(page.get_by_test_id("alert-title")).to_be_visible()
    expect(page.locator(".doings button")).to_have_count(0)
    page.goto(f"{service.http_url}tram/xuan-hoa?at={written(65)}&speed=0")
    expect(page.get_by_test_id("place-alerts")).not_to_contain_text("4,30")
    expect(page.get_by_test_id("care-told")).to_be_empty()
    page.goto(f"{service.http_url}ban-tin?at={written(65)}&speed=0")
    expect(page.get_by_test_id("day-after")).to_be_disabled()
    day = datetime.now(VIETNAM) - timedelta(days=1, minutes=65)
    expect(page.get_by_test_id("day")).to_have_value(day.date().isoformat())


def test_a_past_that_goes_fast_is_not_asked_for_as_fast(opened: Opened, service: Service) -> None:
    page = opened("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{service.http_url}tram/xuan-hoa?at={written(110)}&speed=600")
    shown = page.get_by_test_id("rewind-shown")
    expect(page.get_by_test_id("place-alerts")).to_be_visible()
    before, began = len(asked), shown.inner_text()
    page.wait_for_timeout(3_000)  # half an hour of the past
    assert shown.inner_text() != began
    beside = [url for url in asked[before:] if "/care" in url or "station=xuan-hoa" in url]
    assert len(beside) <= 6  # each of three at once, and once more


@pytest.mark.parametrize(
    ("asked", "told"),
    [("hom-qua", "Không đọc được thời điểm"), ("2096-01-01T00:00+07", "chưa tới")],
)
def test_a_moment_that_can_not_be_shown_is_told_and_the_present_stands(
    opened: Opened, service: Service, asked: str, told: str
) -> None:
    page = opened(f"{service.http_url}?at={asked}")
    expect(page.locator("#toast")).to_contain_text(told)
    expect(page.get_by_test_id("link")).to_contain_text("đang nhận trực tiếp")
    expect(page.get_by_test_id("rewind")).to_be_hidden()


def test_a_lost_link_goes_on_from_where_the_past_was(opened: Opened, service: Service) -> None:
    opened.cut_on_purpose = True
    page = opened(f"{service.http_url}?at={written(65)}&speed=60")
    expect(value(page)).to_have_text("3,50")  # said 60 minutes ago, 5 s on
    shown = page.get_by_test_id("rewind-shown").inner_text()
    service.stop()
    expect(page.get_by_test_id("link-lost")).to_be_visible()
    service.start()
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    again = page.get_by_test_id("rewind-shown").inner_text()
    read = "%d/%m/%Y %H:%M"
    gone = datetime.strptime(again, read) - datetime.strptime(shown, read)  # noqa: DTZ007 - of one zone
    assert timedelta() <= gone < timedelta(minutes=20)


def _seek(page: Page, t_ms: int) -> None:
    local = datetime.fromtimestamp(t_ms / 1000, VIETNAM).strftime("%Y-%m-%dT%H:%M")
    page.get_by_test_id("rewind-field").fill(local)
    page.get_by_test_id("rewind-go").click()
