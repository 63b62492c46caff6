"""The board of gates, the handover of a shift, the bulletin of a day: with a real service."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opened
from tests.browser.looking import Probe, raised, sign_in
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

PAGES = ("con-nuoc", "ban-giao", "ban-tin")
INTAKE = "xuan-hoa"


@pytest.fixture(scope="module")
def empty(serving: Serving) -> Service:
    """A service that has never heard anything."""
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def service(empty: Service) -> Service:
    """The same one with salt water at Xuân Hòa, and an alert that an officer has seen."""
    probe = Probe(empty)
    for n in range(12):
        probe.says(4.3 + n / 50, minutes_ago=110 - 10 * n)
    raised(empty, "salinity-4")
    return empty


def _gate(page: Page) -> Locator:
    return page.get_by_test_id(f"gate-{INTAKE}")


def _sheets(page: Page, path: Path) -> int:
    page.pdf(path=path, format="A4")
    return len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))


# The first one: the service has heard nothing yet.
def test_without_any_data_each_page_says_so(opened: Opened, empty: Service, tmp_path: Path) -> None:
    page = opened(f"{empty.http_url}con-nuoc")
    gate = _gate(page)
    expect(gate.get_by_test_id("standing")).to_have_text("? Chưa rõ")
    expect(gate.get_by_test_id("outside")).to_contain_text("máy đo chưa gửi số liệu nào")
    expect(gate.get_by_test_id("inside")).to_contain_text("không có máy đo")
    expect(gate.get_by_test_id("entered")).to_have_text("Chưa ai ghi cống đóng hay mở")
    page.goto(f"{empty.http_url}ban-giao")
    for said in ("Không có cảnh báo nào đang mở.", "Không ai ghi gì."):
        expect(page.locator(".report-columns")).to_contain_text(said)
    assert _sheets(page, tmp_path / "handover.pdf") == 1
    page.goto(f"{empty.http_url}ban-tin")
    expect(page.get_by_test_id("text")).to_have_value(re.compile("Không có số liệu mặn"))
    assert _sheets(page, tmp_path / "bulletin.pdf") == 1


def test_a_crew_enters_what_it_does_from_a_phone(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}con-nuoc", width=360, height=740)
    # What needs a decision stands first; then as the registry has it.
    gate = _gate(page)
    expect(gate.get_by_test_id("standing")).to_have_text("✗ Không lấy nước")
    salinity = gate.get_by_test_id("outside").get_by_test_id("value").first
    expect(salinity).to_have_text("4,52")
    Probe(service).says(4.61)
    expect(salinity).to_have_text("4,61")  # by the socket, long before the board is asked again
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    gate.get_by_test_id("enter").click()
    expect(page.get_by_test_id("intake")).to_have_value(INTAKE)
    expect(page.get_by_test_id("taking")).to_have_value("")  # nobody has said anything yet
    page.get_by_test_id("taking").select_option("yes")
    page.get_by_test_id("gate").select_option("open")
    name, password = service.officer("operator")
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(gate.get_by_test_id("entered")).to_contain_text("đang lấy, cửa cống mở")
    expect(gate).to_have_attribute("data-need", "close")
    first = page.locator(".gate").first
    expect(first).to_have_attribute("data-testid", f"gate-{INTAKE}")

    # Another crew sees it, and its form begins with what stands.
    other = opened(f"{service.http_url}con-nuoc")
    expect(_gate(other).get_by_test_id("entered")).to_contain_text("đang lấy, cửa cống mở")
    _gate(other).get_by_test_id("enter").click()
    expect(other.get_by_test_id("taking")).to_have_value("yes")
    expect(other.get_by_test_id("gate")).to_have_value("open")
    other.get_by_test_id("intake").select_option("vam-giong")
    expect(other.get_by_test_id("taking")).to_have_value("")


def test_a_hand_check_is_entered_at_the_board(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}con-nuoc")
    sign_in(page, service)
    _gate(page).get_by_test_id("check").click()
    page.get_by_test_id("check-salinity_g_l").fill("4,4")
    page.get_by_test_id("check-submit").click()
    expect(page.locator("#toast")).to_have_text("Đã ghi 1 lần đo tay.")
    expect(page.get_by_test_id("unsent")).to_be_hidden()


def test_the_handover_tells_what_is_open_and_what_was_done(
    opened: Opened, service: Service, tmp_path: Path
) -> None:
    alert = raised(service, "salinity-4")
    token = service.token("operator")
    shut = {"ver": 0, "taking": False, "gate": "closed"}
    service.post("/api/v1/intakes/vam-giong", token, **shut).raise_for_status()
    check = {"station": "my-tho", "t": now_ms() - 60_000, "depth": "surface", "salinity_g_l": 1.25}
    service.post("/api/v1/checks", token, **check).raise_for_status()
    page = opened(f"{service.http_url}ban-giao")
    expect(page.get_by_test_id("shift-this")).to_have_attribute("aria-pressed", "true")
    row = page.get_by_test_id("table-open").locator("tr", has_text="4,0 g/l")
    expect(row).to_contain_text("CHƯA\u00a0AI")
    expect(row.locator("a")).to_have_attribute("href", f"/canh-bao/{alert}")
    page.get_by_test_id("shift-day").click()
    entered = page.get_by_test_id("table-entered")
    expect(entered).to_contain_text("không lấy, cửa cống đóng")
    expect(entered).to_contain_text("Đo tay: 1,25 g/l")
    assert page.url.endswith("#day")
    assert _sheets(page, tmp_path / "handover.pdf") == 1

    page.get_by_test_id("from").fill("2026-01-02T06:00")
    page.get_by_test_id("to").fill("2026-01-01T06:00")
    page.get_by_test_id("show").click()
    expect(page.get_by_role("alert").filter(has_text="Khoảng này không xem được")).to_be_visible()
    page.get_by_test_id("shift-day").click()
    # A link into a station's day stays within the page, with the link that is up.
    page.evaluate("window.stays = true")
    page.get_by_test_id("table-extremes").get_by_role("link", name="Xuân Hòa").click()
    expect(page.get_by_test_id("place-name")).to_have_text("Cống Xuân Hòa")
    assert page.evaluate("window.stays") is True


def test_a_handover_with_more_than_a_page_holds_is_cut_and_counts_it(
    opened: Opened, service: Service, tmp_path: Path
) -> None:
    many = [
        {
            "t": 1_795_300_000_000 + n * 1000,
            "type": "raised",
            "alert": f"{n:016x}",
            "rule": "salinity-4",
            "k": "xh-01/salinity_g_l",
            "severity": "critical",
            "message_vi": f"Trạm {n}: MẶN 4,05 g/l, vượt 4,0 g/l. KHÔNG LẤY NƯỚC",
        }
        for n in range(300)
    ]
    page = opened("about:blank")
    handover = service.get("/api/v1/handover", None).json()
    page.route(
        "**/api/v1/handover*", lambda route: route.fulfill(json={**handover, "events": many})
    )
    page.goto(f"{service.http_url}ban-giao")
    expect(page.get_by_test_id("table-events").locator("tbody tr")).to_have_count(300)
    left = page.get_by_test_id("sheet").locator(".left-out").first
    expect(left).to_have_text(re.compile(r"^Còn 2\d\d dòng nữa, xem tại http"))
    assert _sheets(page, tmp_path / "handover.pdf") == 1
    page.get_by_test_id("lang-en").click()
    expect(left).to_have_text(re.compile(r"^2\d\d more rows, at http"))
    assert _sheets(page, tmp_path / "handover.pdf") == 1


def test_the_bulletin_of_today_of_before_and_as_a_table(
    opened: Opened, service: Service, tmp_path: Path
) -> None:
    page = opened(f"{service.http_url}ban-tin")
    today = (datetime.now(UTC) + timedelta(hours=7)).date()
    expect(page.get_by_test_id("day")).to_have_value((today - timedelta(days=1)).isoformat())
    page.get_by_test_id("day-after").click()
    expect(page.get_by_test_id("warning")).to_contain_text("CHƯA HẾT NGÀY")
    expect(page.get_by_test_id("day-after")).to_be_disabled()
    row = page.get_by_test_id("table-stations").locator("tr", has_text="Xuân Hòa")
    expect(row).to_contain_text("4,52")
    expect(row.locator("a")).to_have_attribute("href", re.compile(r"^/tram/xuan-hoa#xh-01/"))
    expect(page.get_by_test_id("lunar")).to_contain_text("Âm lịch")
    expect(page.get_by_test_id("sources")).to_contain_text("không phải bản tin dự báo")
    assert _sheets(page, tmp_path / "bulletin.pdf") == 1
    with page.expect_download() as expected:
        page.get_by_test_id("csv").click()
    assert expected.value.suggested_filename == f"ban-tin_{today.isoformat()}.csv"
    expected.value.save_as(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("date,station,name,max_g_l,")
    assert any(line.startswith(f"{today.isoformat()},xuan-hoa,") for line in lines)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("copy").click()
    expect(page.locator("#toast")).to_have_text("Đã chép.")
    assert (
        page.evaluate("navigator.clipboard.readText()") == page.get_by_test_id("text").input_value()
    )
    page.get_by_test_id("lang-en").click()
    expect(page.get_by_test_id("text")).to_have_value(re.compile("Highest salinity"))
    assert _sheets(page, tmp_path / "bulletin.pdf") == 1


def test_what_could_not_be_asked_is_said_and_asked_again(opened: Opened, service: Service) -> None:
    opened.cut_on_purpose = True
    page = opened("about:blank")
    page.route("**/api/v1/gates", lambda route: route.abort())
    page.goto(f"{service.http_url}con-nuoc")
    expect(page.get_by_test_id("trouble")).to_contain_text("Chưa hỏi được máy chủ")
    page.unroute("**/api/v1/gates")
    expect(_gate(page)).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("trouble")).to_be_empty()


def test_an_alert_has_a_page_with_its_story_and_goes_on_with_it(
    opened: Opened, service: Service
) -> None:
    opened.cut_on_purpose = True
    alert = raised(service, "salinity-4")
    page = opened(f"{service.http_url}canh-bao/{alert}", width=360, height=740)
    expect(page.get_by_test_id("alert-title")).to_have_text(
        re.compile(r"^Xuân Hòa · Độ mặn: 4,\d+ > 4 g/l$")
    )
    story = page.get_by_test_id("timeline")
    expect(story.locator("[data-type=raised] dl")).to_contain_text("Quy tắc")
    assert page.evaluate("document.getElementById('page').scrollWidth") <= 360
    expect(page.get_by_test_id("step-note")).to_be_visible()
    ask = re.compile(f"/api/v1/alerts/{alert}$")
    page.route(ask, lambda route: route.abort())
    notes = story.locator("[data-type=noted]")
    before = notes.count()

    def note(text: str) -> None:
        path = f"/api/v1/alerts/{alert}"
        ver = service.get(path, None).json()["ver"]
        token = service.token("operator")
        service.post(f"{path}/note", token, ver=ver, note=text).raise_for_status()

    note("đã gọi")
    # What stands there is of before, and it says so.
    expect(page.locator(".nowhere")).to_contain_text("máy chủ không trả lời")
    page.unroute(ask)
    note("gọi lại")  # of which the socket tells: it is not waited for
    expect(notes).to_have_count(before + 2)
    expect(page.locator(".nowhere")).to_be_hidden()


def test_on_a_phone_an_alert_of_the_handover_has_the_whole_width(
    opened: Opened, service: Service
) -> None:
    page = opened(f"{service.http_url}ban-giao#day", width=360, height=740)
    for table in ("open", "events"):
        about = page.get_by_test_id(f"table-{table}").locator("tbody .long").first
        expect(about).to_be_visible()
        box = about.bounding_box()
        assert box is not None
        assert box["width"] > 270


@pytest.mark.parametrize("path", PAGES)
def test_no_report_is_wider_than_the_screen(opened: Opened, service: Service, path: str) -> None:
    page = opened(service.http_url + path, width=1280, height=720)
    for width, height in ((1280, 720), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for language in ("vi", "en"):
            page.get_by_test_id(f"lang-{language}").click()
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator(".gate, .report-table").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.getElementById('page').scrollWidth") <= width
