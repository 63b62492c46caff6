"""The farmer's page on a phone of 360 px, with JavaScript and without: service and broker are real."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.conftest import TELL_VIOLATIONS
from tests.browser.farmwater import (
    BEHIND,
    NO,
    PUMP,
    SILENT,
    TAKE,
    WAIT,
    answer,
    flow,
    tells,
)
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

WIDTH, HEIGHT = 360, 740
LIGHT_BYTES = 25_000
"""Of the first view, over the wire. What is asked of it is 60 kB."""

MINE_BYTES = 40_000
"""Of the page of somebody who follows four places and crops, before it is compressed."""

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])

SMALLEST_LETTERS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 1e9;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest("title, noscript, option")) continue;
    least = Math.min(least, parseFloat(getComputedStyle(element).fontSize));
  }
  return least;
}"""
SMALLEST_TARGET = """() => Math.min(...[...document.querySelectorAll(
    "a, button, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), label.pick")]
  .filter((each) => each.offsetParent).map((each) => each.getBoundingClientRect().height))"""
NO_STORAGE = """Object.defineProperty(window, "localStorage",
  { get() { throw new DOMException("denied", "SecurityError"); } });"""


PUSH = """PushManager.prototype.subscribe = function (options) {
  if (options.applicationServerKey.length !== 65) return Promise.reject(new Error("key"));
  return Promise.resolve({ toJSON: () => ({ endpoint: "https://push.example/abc",
    expirationTime: null, keys: { p256dh: "p", auth: "a" } }) });
};"""
"""A push service of its own; the worker, its scope and the form are real."""


class Phones:
    """`phones(path)`: a page on a phone of its own; what its browser complains of is kept."""

    def __init__(self, chromium: Browser, service: Service) -> None:
        self._chromium = chromium
        self._url = service.http_url.rstrip("/")
        self.complaints: list[str] = []
        self._pages: list[Page] = []

    def __call__(self, path: str = "", *, script: bool = True, before: str = "") -> Page:
        context = self._chromium.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, java_script_enabled=script, locale="vi-VN"
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(TELL_VIOLATIONS + before)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self._pages.append(page)
        if path:
            page.goto(self.url(path))
        return page

    def url(self, path: str) -> str:
        return f"{self._url}{path if path.startswith('/') else f'/nong-dan?{path}'}"

    def put_down(self) -> None:
        for page in self._pages:
            page.context.close()


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("messages") / "messages.jsonl"


@pytest.fixture(scope="module")
def service(serving: Serving, messages: Path) -> Service:
    running = serving(
        CHANNEL__SMS__KIND="file",
        CHANNEL__SMS__PATH=str(messages),
        CHANNEL__PUSH__KIND="webpush",
        CHANNEL__PUSH__CONTACT="mailto:truc@vidu.vn",
    )
    eventually(lambda: running.ready, "ready")
    flow(running)
    return running


@pytest.fixture
def phones(chromium: Browser, service: Service) -> Iterator[Phones]:
    found = Phones(chromium, service)
    yield found
    found.put_down()
    assert found.complaints == []


def first_line(page: Page) -> Locator:
    return page.locator("h1:visible").first


@SCRIPT
@pytest.mark.parametrize(
    ("query", "expected", "reason"),
    [
        (TAKE, "CÓ THỂ LẤY NƯỚC", "Đo lại trước khi lấy."),
        (NO, "KHÔNG LẤY NƯỚC", "Nước mặn quá mức 0,5 g/l."),
        (WAIT, "CHƯA LẤY NƯỚC, CHỜ", "Mặn còn lên."),
        (PUMP, "NGỌT, CHỈ BƠM ĐƯỢC", "Đo lại trước khi bơm."),
        (SILENT, "CHƯA RÕ: trạm mất tín hiệu từ", "Không lấy nếu chưa tự đo."),
        (BEHIND, "CHƯA RÕ", "Không có trạm đo nước phía trong cống."),
    ],
)
def test_each_answer(phones: Phones, query: str, expected: str, reason: str, script: bool) -> None:
    page = phones(query, script=script)
    expect(first_line(page)).to_contain_text(expected)
    expect(page.locator("#answer")).to_contain_text(reason)
    assert page.locator("body").evaluate("b => b.scrollWidth") <= WIDTH if script else True
    box = first_line(page).bounding_box()
    assert box is not None
    assert box["y"] < 30  # the very first thing


def test_a_closed_gate(phones: Phones, service: Service) -> None:
    token = service.token("operator")
    ver = service.get("/api/v1/desk").json()["intakes"].get("nguyen-tan-thanh", {}).get("ver", 0)
    entry: dict[str, Any] = {"taking": False, "gate": "closed", "ver": ver, "note": ""}
    said = service.post("/api/v1/intakes/nguyen-tan-thanh", token, **entry)
    assert said.status_code == 200, said.text
    page = phones(PUMP)
    expect(first_line(page)).to_have_text("CHƯA LẤY ĐƯỢC: CỐNG ĐÓNG")
    expect(page.locator("#answer")).to_contain_text("Ngoài sông ngọt, nhưng nước không vào được.")


def test_above_the_fold_are_answer_figure_curve_and_the_river(phones: Phones) -> None:
    page = phones(NO)
    for part in (".figure .value", ".trend", "time.age", "figure svg", ".around li"):
        box = page.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] <= HEIGHT, part
    expect(page.locator("figure title")).to_contain_text("Mất số đo 1 lần")
    expect(page.locator("figure")).to_contain_text("mức của tôi 0,5")
    assert page.locator("polyline.d").count() == 2  # a gap stays a gap
    assert page.locator("polyline.b").count() >= 1
    assert page.evaluate(SMALLEST_LETTERS) >= 18
    assert page.evaluate(SMALLEST_TARGET) >= 48
    assert grave(page) == []


def test_the_first_view_is_light(phones: Phones) -> None:
    page = phones()
    sizes: list[tuple[str, int]] = []

    def finished(request: Any) -> None:
        found = request.sizes()
        sizes.append((request.url, found["responseBodySize"] + found["responseHeadersSize"]))

    page.on("requestfinished", finished)
    page.goto(phones.url(NO))
    page.wait_for_load_state("networkidle")
    # In whatever order they came to their end.
    names = sorted(url.partition("?")[0].rpartition("/")[2].partition("-")[0] for url, _ in sizes)
    assert names == ["farm", "farmstyle", "nong"], sizes
    assert sum(size for _, size in sizes) < LIGHT_BYTES, sizes


@SCRIPT
def test_choosing_by_a_plain_form(phones: Phones, script: bool) -> None:
    page = phones("/nong-dan", script=script)
    expect(first_line(page)).to_have_text("Lấy nước được không?")
    page.get_by_label("Lấy nước ở đâu").select_option("Cống Xuân Hòa: ngoài sông")
    page.get_by_label("Trồng gì, nuôi gì").select_option("Sầu riêng (0,5 g/l)")
    page.get_by_role("button", name="Xem").click()
    expect(first_line(page)).to_have_text("KHÔNG LẤY NƯỚC")
    page.get_by_label("Mức mặn của riêng tôi").fill("3")
    page.get_by_role("button", name="Xem").click()
    expect(page.locator(".mine")).to_contain_text("mức của tôi 3 g/l")


def test_the_phone_remembers_and_nobody_else(phones: Phones) -> None:
    page = phones(NO)
    expect(first_line(page)).to_have_text("KHÔNG LẤY NƯỚC")
    page.goto(phones.url("/nong-dan"))
    expect(first_line(page)).to_have_text("KHÔNG LẤY NƯỚC")
    assert page.context.cookies() == []
    private = phones(NO, before=NO_STORAGE)
    expect(first_line(private)).to_have_text("KHÔNG LẤY NƯỚC")
    private.goto(phones.url("/nong-dan"))
    expect(first_line(private)).to_have_text("Lấy nước được không?")


def test_a_page_left_open_takes_its_answer_back(phones: Phones) -> None:
    """Without a line it may say nothing else once what it knows has run out."""
    page = phones()
    page.clock.install()
    page.goto(phones.url(TAKE))
    expect(first_line(page)).to_have_text("CÓ THỂ LẤY NƯỚC")
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_contain_text("Mất mạng từ")
    page.clock.fast_forward("31:00")
    expect(first_line(page)).to_contain_text("CHƯA RÕ: chưa có tin mới từ")
    expect(page.get_by_text("CÓ THỂ LẤY NƯỚC")).to_be_hidden()
    expect(page.locator("time.age").first).to_contain_text(re.compile("[34][0-9] phút"))
    expect(page.locator(".trend")).to_be_hidden()
    phones.complaints.clear()  # of requests that failed, which they were meant to


def test_it_is_renewed_in_place(phones: Phones, service: Service) -> None:
    page = phones()
    page.clock.install()
    page.goto(phones.url("noi=ngu-hiep&phia=song&cay=household&gioihan=4"))
    page.evaluate("document.body.dataset.same = 'page'")
    tells(service, "thoi-loc", "tl-01", [(20, 5.0), (10, 5.0), (0, 5.0)])
    eventually(lambda: answer(service, "ngu-hiep/river", "mango") == "no", "it is salt")
    page.clock.fast_forward("01:05")
    expect(first_line(page)).to_contain_text("KHÔNG LẤY NƯỚC")
    expect(page.locator("#offline")).to_be_hidden()
    assert page.evaluate("document.body.dataset.same") == "page"


def test_brought_back_by_the_browser_after_hours_it_does_not_permit(phones: Phones) -> None:
    """A sleeping tab comes back with the page as it was; the phone's clock tells."""
    page = phones()
    page.route("**/luc-nay*", lambda route: route.abort())
    page.clock.install(time=(now_ms() + 6 * 3_600_000) / 1000)
    page.goto(phones.url(TAKE))
    expect(first_line(page)).to_contain_text("CHƯA RÕ")
    phones.complaints.clear()


def test_a_wrong_address_is_answered_in_words(phones: Phones) -> None:
    page = phones("noi=xuan-hoa&cay=durian&gioihan=nhieu", script=False)
    expect(first_line(page)).to_have_text("Chưa hiểu điều bạn hỏi")
    expect(page.locator("li").first).to_contain_text("0,3 - 40 g/l")
    phones.complaints.clear()  # the browser tells of the status


@SCRIPT
def test_signing_up_seeing_all_and_stopping(phones: Phones, messages: Path, script: bool) -> None:
    page = phones(NO, script=script)
    page.get_by_role("link", name="Nhận tin nhắn").click()
    page.get_by_label("Số điện thoại").fill("0912 345 001" if script else "0912 345 002")
    expect(page.get_by_label("Lấy nước ở đâu")).to_have_value("xuan-hoa/song")
    _confirm(page, messages)
    expect(first_line(page)).to_have_text("Những gì lưu về bạn")
    if script:
        assert grave(page) == []
        assert page.evaluate(SMALLEST_LETTERS) >= 18
    page.get_by_label("Mức mặn, g/l").fill("0,4")
    page.get_by_role("button", name="Lưu thay đổi").click()
    expect(page.get_by_text("Đã lưu.")).to_be_visible()
    expect(page.get_by_label("Mức mặn, g/l")).to_have_value("0,4")
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải về").click()
    exported = json.loads(download.value.path().read_text("utf-8"))
    assert exported["follows"][0]["limit_g_l"] == 0.4
    mine = page.url
    page.get_by_role("button", name="Ngưng nhắn tin" if script else "Xóa tất cả").click()
    done = "Đã ngưng nhắn tin" if script else "Đã xóa tất cả"
    expect(first_line(page)).to_have_text(done)
    page.goto(mine)
    expect(first_line(page)).to_have_text("Đường dẫn này không còn dùng được")
    phones.complaints.clear()  # the browser tells of the status


@SCRIPT
def test_several_crops_by_one_code_and_a_second_place_without_one(
    phones: Phones, messages: Path, script: bool
) -> None:
    page = phones(NO, script=script)
    page.get_by_role("link", name="Nhận tin nhắn").click()
    page.get_by_label("Số điện thoại").fill("0912 345 011" if script else "0912 345 012")
    page.get_by_text("Cây, con khác cũng ở nơi này").click()
    page.get_by_label("Bưởi (1,5 g/l)").check()
    page.get_by_label("Dừa (3 g/l)").check()
    expect(page.get_by_label("Tin nhắn bằng")).to_have_value("vi")
    page.get_by_label("Tin nhắn bằng").select_option("English")
    if script:
        assert grave(page) == []
        assert page.evaluate(SMALLEST_TARGET) >= 48
        assert page.locator("body").evaluate("b => b.scrollWidth") <= WIDTH
    _confirm(page, messages)
    expect(page.get_by_text("Xong. Tin nhắn sẽ tới.")).to_be_visible()
    here = "Cống Xuân Hòa, ngoài sông: "
    expect(page.locator("fieldset legend", has_text=here)).to_have_text(
        [f"{here}Dừa", f"{here}Sầu riêng", f"{here}Bưởi"]
    )

    page.get_by_text("Thêm nơi hoặc cây trồng").click()
    page.get_by_label("Lấy nước ở đâu").select_option("Cống Vàm Giồng: ngoài sông")
    page.get_by_label("Trồng gì, nuôi gì").select_option("Lúa, lúc khác (2 g/l)")
    page.get_by_label("Mức mặn của riêng tôi").fill("1,5")
    if script:
        assert grave(page) == []
        assert page.evaluate(SMALLEST_LETTERS) >= 18
        assert page.evaluate(SMALLEST_TARGET) >= 48
        assert page.locator("body").evaluate("b => b.scrollWidth") <= WIDTH
    page.get_by_role("button", name="Thêm", exact=True).click()
    expect(page.get_by_text("Đã thêm.")).to_be_visible()
    added = page.locator("fieldset", has_text="Cống Vàm Giồng, ngoài sông: Lúa, lúc khác")
    expect(added.get_by_label("Mức mặn, g/l")).to_have_value("1,5")
    expect(page.locator("#them")).not_to_have_attribute("open", "")
    assert len(page.content().encode()) < MINE_BYTES

    added.get_by_label("Bỏ nơi và cây này").check()
    page.get_by_role("button", name="Lưu thay đổi").click()
    expect(page.get_by_text("Đã lưu.")).to_be_visible()
    expect(added).to_have_count(0)


def test_a_browser_asks_to_be_told_itself(phones: Phones) -> None:
    page = phones(before=PUSH)
    page.context.grant_permissions(["notifications"])
    sent: list[str] = []

    def keep(route: Any) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(route.request.post_data)
        route.fulfill(status=200, content_type="text/html", body="<title>sent</title>")

    page.route("**/nong-dan/dang-ky*", keep)
    page.goto(phones.url("/nong-dan/dang-ky?noi=xuan-hoa&phia=song&cay=durian"))
    page.get_by_role("button", name="Báo trên trình duyệt này").click()
    expect(page).to_have_title("sent")
    form = parse_qs(sent[0])
    assert form["kenh"] == ["push"]
    assert json.loads(form["diachi"][0])["endpoint"] == "https://push.example/abc"
    assert form["noi"] == ["xuan-hoa/song"]


@SCRIPT
def test_how_long_my_pond_lasts(phones: Phones, script: bool) -> None:
    page = phones(NO, script=script)
    page.get_by_role("link", name="Ao của tôi").click()
    page.get_by_label("Ao chứa bao nhiêu m³").fill("600")
    page.get_by_label("Tưới bao nhiêu công").fill("5")
    page.get_by_role("button", name="Tính").click()
    expect(page.locator(".result")).to_contain_text("Ao 600 m³ đủ khoảng 24 ngày")
    expect(page.get_by_text("tham khảo")).to_be_visible()
    if script:
        assert grave(page) == []
        assert page.evaluate(SMALLEST_LETTERS) >= 18


def test_the_form_is_for_everybody(phones: Phones) -> None:
    page = phones("/nong-dan/dang-ky?noi=xuan-hoa&phia=song&cay=durian")
    assert grave(page) == []
    assert page.evaluate(SMALLEST_LETTERS) >= 18
    assert page.evaluate(SMALLEST_TARGET) >= 48
    assert page.locator("body").evaluate("b => b.scrollWidth") <= WIDTH
    start = phones("/nong-dan")
    assert grave(start) == []


def _confirm(page: Page, messages: Path) -> None:
    """Send the form that is filled in, and type the code that comes for it."""
    known = len(_lines(messages))
    page.get_by_role("button", name="Gửi mã cho tôi").click()
    said = eventually(lambda: _lines(messages)[known:], "the code is sent")[0]["text"]
    code = re.search(r"\b\d{6}\b", said)
    assert code is not None, said
    page.get_by_label("Mã 6 số").fill(code[0])
    page.get_by_role("button", name="Xong").click()


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
