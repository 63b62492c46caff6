"""What officers do on the screen, and what is formed for them; service and broker are real."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opened
from tests.browser.looking import Probe, raised, row, sign_in
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

REASON = "đang sửa đầu đo"


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


def test_an_alert_is_put_aside_with_end_and_reason_and_brought_back(
    opened: Opened, service: Service
) -> None:
    page, colleague = opened(service.http_url), opened(service.http_url)
    alert = _salty(service, "dong-tam", "dt-01")
    sign_in(page, service)
    _shelving(page, alert)
    page.get_by_test_id("until").select_option("4h")
    page.get_by_test_id("confirm").click()  # without a reason the form does not go
    expect(page.get_by_test_id("officer")).to_be_visible()
    page.get_by_test_id("reason").fill(REASON)
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()

    for seen in (page, colleague):
        expect(_anywhere(seen, alert)).to_be_hidden()
        expect(seen.get_by_test_id("aside")).to_contain_text("tạm gác")
        seen.get_by_test_id("aside").click()
        expect(row(seen, alert)).to_contain_text(re.compile(rf"tạm gác đến .*\d\d:\d\d: {REASON}"))
        expect(row(seen, alert).get_by_test_id("ack")).to_be_hidden()
    assert service.get(f"/api/v1/alerts/{alert}").json()["shelved_why"] == REASON

    row(page, alert).get_by_test_id("actions").click()
    page.get_by_test_id("do-unshelve").click()
    page.get_by_test_id("confirm").click()
    for seen in (page, colleague):
        expect(row(seen, alert)).not_to_have_class(re.compile("state-aside"))
        expect(row(seen, alert).get_by_test_id("ack")).to_be_visible()
        expect(seen.get_by_test_id("aside")).to_be_hidden()


def test_who_comes_second_sees_what_changed_and_is_asked_again(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    alert = _salty(service, "my-tho", "mt-01")
    sign_in(page, service)
    _shelving(page, alert)
    page.get_by_test_id("reason").fill(REASON)
    ver = service.get(f"/api/v1/alerts/{alert}").json()["ver"]
    taken = service.post(f"/api/v1/alerts/{alert}/ack", service.token("operator"), ver=ver)
    assert taken.status_code == 200
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_contain_text("Vừa thay đổi")
    expect(page.get_by_test_id("facts")).to_contain_text("đã tiếp nhận")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    now = service.get(f"/api/v1/alerts/{alert}").json()
    assert (now["state"], now["shelved_why"]) == ("acked", REASON)


def test_the_lines_of_salt_stand_on_the_river_with_km_and_what_is_beyond_as_a_bound(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    text = page.get_by_test_id("salt-co-chien")
    lower, upper = Probe(service, "hung-my", "hg-01"), Probe(service, "huong-my", "hm-01")
    for minutes_ago in (50, 35, 20, 5):
        lower.says(6.0, minutes_ago=minutes_ago)
        upper.says(2.0, minutes_ago=minutes_ago)
    # From 20 km with 6 g/l to 26 km with 2: 20 + 6 ln(6/4) / ln(6/2) = 22,2.
    expect(text).to_contain_text(re.compile(r"Ranh mặn 4 g/l: bây giờ 22,2 km ± \d,\d"))
    expect(text).to_contain_text("Ranh mặn 1 g/l: bây giờ > 26 km")
    expect(page.locator(".mark.salt-4.now")).to_have_count(1)
    page.get_by_test_id("lang-en").click()
    expect(text).to_contain_text("The 4 g/L line: now 22.2 km")


def test_a_station_goes_into_maintenance_from_the_duty_book(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    expect(page.get_by_test_id("desk")).to_be_hidden()  # for officers alone
    Probe(service, "vam-giong", "vg-01").says(0.3)
    sign_in(page, service)
    page.get_by_test_id("desk").click()
    page.get_by_test_id("station").select_option("vam-giong")
    page.get_by_test_id("reason").fill("thay đầu đo")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(page.get_by_test_id("station-vam-giong")).to_have_class(re.compile("look-maintenance"))
    page.get_by_test_id("desk").click()
    expect(page.get_by_test_id("facts")).to_contain_text("thay đầu đo")
    page.get_by_test_id("do-maintenance-end").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("station-vam-giong")).to_have_class(re.compile("look-good"))


def test_a_direction_that_is_closed_shows_no_figures_but_until_when_and_why(
    opened: Opened, service: Service
) -> None:
    page = opened(service.http_url)
    south = page.get_by_test_id("bridge-rach-mieu-1-southbound")
    north = page.get_by_test_id("bridge-rach-mieu-1-northbound")
    sign_in(page, service)
    # Why there is no figure is said, in the service's words.
    expect(north.get_by_test_id("notes")).to_contain_text("chưa có số liệu từ camera")
    page.get_by_test_id("desk").click()
    page.get_by_test_id("do-mode").click()
    page.get_by_test_id("bridge").select_option("rach-mieu-1/southbound")
    page.get_by_test_id("mode").select_option("closed")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_contain_text("lý do")
    page.get_by_test_id("reason").fill("va chạm giữa cầu")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(south).to_contain_text("đóng chiều này")
    expect(south.get_by_test_id("value")).to_have_text("–")
    # In the hours in which lorries may not cross, that is said beside the bridge's name.
    expect(south.get_by_test_id("notes")).to_have_text(
        re.compile(r"^đến (\d\d/\d\d )?\d\d:\d\d: va chạm giữa cầu$")
    )
    expect(north).not_to_contain_text("đóng chiều này")


def _salty(service: Service, station: str, device: str) -> str:
    """The alert of a probe at which the water has turned brackish, slowly."""
    probe = Probe(service, station, device)
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    return raised(service, "salinity-1", device)


def _shelving(page: Page, alert: str) -> None:
    row(page, alert).get_by_test_id("actions").click()
    page.get_by_test_id("do-shelve").click()
    expect(page.get_by_test_id("facts")).not_to_be_empty()


def _anywhere(page: Page, alert: str) -> Locator:
    return page.get_by_test_id(f"alert-{alert}")
