"""The page of messages to farmers: two officers send a bulletin; service, broker and file are real."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave
from tests.browser.conftest import Opened
from tests.browser.looking import sign_in
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

PEOPLE = 12
PAGE = "thong-bao"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("told") / "told.jsonl"


@pytest.fixture(scope="module")
def service(serving: Serving, told: Path) -> Service:
    running = serving(
        CHANNEL__THU__KIND="file",
        CHANNEL__THU__PATH=str(told),
        CHANNEL__THU__FORM="sms",
        CHANNEL__THU__RATE_PER_S="50",
        CHANNEL__THU__COST_PER_PART="400",
    )
    eventually(lambda: running.ready, "ready")
    lines = ["so_dien_thoai,noi,phia,cay,dong_y,gio_yen"]
    lines += [f"0912{n:06d},xuan-hoa,song,durian,2026-01-02," for n in range(PEOPLE)]
    answer = httpx.post(
        f"{running.http_url}api/v1/subscriptions/import?channel=thu",
        headers={
            "Authorization": f"Bearer {running.token('operator')}",
            "Content-Type": "text/csv",
        },
        content="\n".join(lines).encode(),
        timeout=30,
    )
    assert answer.json()["counts"]["done"] == PEOPLE, answer.text
    return running


def _active(service: Service) -> int:
    """How many people are told."""
    answer = httpx.get(
        f"{service.http_url}api/v1/subscriptions/counts",
        headers={"Authorization": f"Bearer {service.token('operator')}"},
        timeout=30,
    )
    return int(answer.json()["active"])


def _texts(told: Path) -> list[str]:
    """What has been sent so far; the file is made with the first."""
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    return [json.loads(line)["text"] for line in lines]


def _outbox(service: Service) -> int:
    with service.store() as connection:
        (messages,) = connection.execute("SELECT count(*) FROM message").fetchone()
    return int(messages)


def _write(page: Page, text: str) -> None:
    page.get_by_test_id("cast-title").fill("Tin cảnh báo xâm nhập mặn")
    page.get_by_test_id("cast-text").fill(text)
    page.get_by_test_id("cast-issuer").fill("Đài KTTV Nam Bộ")


def test_one_officer_writes_another_confirms_and_both_see_how_far_it_is(
    opened: Opened, service: Service
) -> None:
    page, colleague = opened(service.http_url), opened(service.http_url)
    menu = page.get_by_role("link", name="Tin bà con")
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    expect(menu).to_have_count(0)  # for officers alone
    sign_in(page, service)
    menu.click()
    expect(page.get_by_test_id("telling-title")).to_have_text("Thông báo cho bà con")
    expect(page.get_by_test_id("needs")).to_have_text("Không có việc nào chờ.")
    expect(page.get_by_test_id("table-channels")).to_contain_text("thu")
    expect(page.get_by_test_id("table-subscribers")).to_contain_text(f"Sầu riêng {PEOPLE}")

    _write(page, "Mặn vào sâu 55 km. Bà con đừng lấy nước.")
    page.get_by_test_id("cast-place-all").check()
    expect(page.get_by_test_id("cast-sms")).to_contain_text("Ba con dung lay nuoc.")
    expect(page.get_by_test_id("cast-second")).to_contain_text("dừng")
    expect(page.get_by_test_id("cast-reach")).to_contain_text(f"{PEOPLE} người")
    _write(page, "Mặn vào sâu 55 km. Bà con trữ nước ngọt.")
    expect(page.get_by_test_id("cast-second")).to_be_empty()
    expect(page.get_by_test_id("cast-reach")).to_contain_text("4.800 đ")
    page.get_by_test_id("cast-propose").click()
    expect(page.get_by_test_id("waits-b1")).to_contain_text("người khác phải xác nhận")
    expect(page.get_by_test_id("confirm-b1")).to_be_disabled()
    assert grave(page) == []

    sign_in(colleague, service, "admin")
    colleague.goto(service.http_url + PAGE)
    colleague.get_by_test_id("confirm-b1").click()
    expect(colleague.get_by_test_id("facts")).to_contain_text("Ba con tru nuoc ngot.")
    expect(colleague.get_by_test_id("facts")).to_contain_text(f"{PEOPLE} người, khoảng 4.800 đ")
    assert _outbox(service) == 0
    colleague.get_by_test_id("confirm").click()
    expect(colleague.get_by_test_id("officer")).to_be_hidden()
    expect(colleague.get_by_test_id("cast-b1")).to_contain_text("đã gửi")
    assert _outbox(service) == PEOPLE
    # They go after a minute, in which more may come to be said with it.
    for seen in (page, colleague):
        expect(seen.get_by_test_id("waits-b1")).to_have_count(0)
        expect(seen.get_by_test_id("events")).to_contain_text(f"để sau {PEOPLE}")
    page.get_by_test_id("lang-en").click()
    expect(page.get_by_test_id("events")).to_contain_text(f"{PEOPLE} people · sent 0")
    expect(page.get_by_test_id("cast-b1")).to_contain_text("admin at")


def test_a_trial_goes_to_oneself_and_a_wrong_number_is_told(
    opened: Opened, service: Service, told: Path
) -> None:
    page = opened(service.http_url, width=390, height=844)
    opened.meant = ("/api/v1/telling/trial",)  # the browser tells of the status
    sign_in(page, service)
    page.goto(service.http_url + PAGE)
    page.get_by_test_id("trial-address").fill("12")
    page.get_by_test_id("trial-send").click()
    expect(page.get_by_test_id("trial-told")).to_contain_text("Chưa gửi được")
    before = len(_texts(told))
    page.get_by_test_id("trial-address").fill("0987 654 321")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("trial-told")).to_have_text("Tin thử đang đi.")
    expect(page.get_by_test_id("trial-address")).to_have_value("")
    eventually(lambda: len(_texts(told)) > before, "it is there")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "nothing hangs over the edge of a phone"


LIST = [
    "0912 999 001;xuan-hoa;ngoài sông;Sầu riêng;;;;;04/01/2026",
    "912999002;xuan-hoa;ngoài sông;Sầu riêng;5;;;;04/01/2026",
    "0912000000;xuan-hoa;ngoài sông;Sầu riêng;;;;;04/01/2026",
    "0912 999 003;xuan-hoa;ngoài sông;Sầu riêng;;;;;",
    "0912 999 004;xuan-hoa;ngoài sông;Trà;;;;;04/01/2026",
]
"""After the heading in line 1: new, new with a zero lost and a limit too high, known, two wrong."""


def _lines(page: Page) -> list[str]:
    """Numbers of the lines of the report, as they stand."""
    return page.locator("[data-testid=table-list] tbody th").all_text_contents()


def test_an_officer_tries_a_list_reads_what_is_wrong_and_takes_in_what_is_right(
    opened: Opened, service: Service, tmp_path: Path
) -> None:
    page = opened(service.http_url)
    sign_in(page, service)
    page.goto(service.http_url + PAGE)
    before = _active(service)
    # A key goes nowhere while there is nothing to be focused.
    expect(page.get_by_test_id("list-example")).to_be_visible()
    with page.expect_download() as empty:
        page.get_by_test_id("list-example").press("Enter")
    written = tmp_path / "danh-sach.csv"
    heading = empty.value.path().read_text("utf-8")
    written.write_text(heading + "\n".join(LIST), "utf-8")

    expect(page.get_by_test_id("list-channel")).to_have_value("thu")
    with page.expect_file_chooser() as chooser:  # by keyboard alone from here
        page.get_by_test_id("list-file").press("Enter")
    chooser.value.set_files(written)
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("list-try")).to_be_focused()
    page.keyboard.press("Enter")
    told = page.get_by_test_id("list-told")
    expect(told).to_have_text("Chạy thử, chưa lưu gì: 2 mới · 0 sửa lại · 1 đã có · 2 bị từ chối.")
    assert _lines(page) == ["5", "6", "3", "2", "4"], "what is wrong stands first"
    report = page.get_by_test_id("list-report")
    expect(report).to_contain_text("2 người mới sẽ nhận một tin chào qua kênh thu")
    table = page.get_by_test_id("table-list")
    expect(table.get_by_role("row").nth(1)).to_contain_text("ghi ngày người này đồng ý")
    expect(table).to_contain_text("cao hơn mức 0,5 g/l của cây (Sầu riêng)")
    expect(table).to_contain_text("09xx xxx 003")
    assert _active(service) == before, "nothing is stored by a trial"
    assert grave(page) == []

    page.get_by_test_id("lang-en").click()
    expect(told).to_contain_text("2 new · 0 changed · 1 already there · 2 refused")
    expect(table.get_by_role("row").nth(1)).to_contain_text("the day on which this person agreed")
    page.get_by_test_id("lang-vi").click()
    page.get_by_test_id("list-only").press("Space")
    assert _lines(page) == ["5", "6", "3"]

    page.get_by_test_id("list-take").press("Enter")
    expect(told).to_have_text("Đã nhập: 2 mới · 0 sửa lại · 1 đã có · 2 bị từ chối.")
    expect(page.get_by_test_id("list-take")).to_be_hidden()
    expect(page.get_by_test_id("list-save")).to_be_focused()
    assert _active(service) == before + 2
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    kept = saved.value.path().read_text("utf-8-sig").splitlines()
    assert kept[0] == "Dòng;Kết quả;Số điện thoại;Cột;Lý do"
    assert [line.split(";")[:2] for line in kept[1:3]] == [["2", "mới"], ["3", "mới"]]
    assert "999" not in "".join(kept), "no number is written in full"


def test_a_file_that_is_no_list_is_refused_in_plain_words(
    opened: Opened, service: Service, tmp_path: Path
) -> None:
    page = opened(service.http_url, width=390, height=844)
    opened.meant = ("/api/v1/subscriptions/import",)  # the browser tells of the status
    sign_in(page, service)
    page.goto(service.http_url + PAGE)
    problem = page.get_by_test_id("list-problem")
    page.get_by_test_id("list-try").click()
    expect(problem).to_have_text("Hãy chọn tệp CSV trước.")
    listed = "phone;place;crop;consent\n0912999009;xuan-hoa/river;durian;04/01/2026\n"
    for raw, why in (
        (b"x" * 1_000_001, "Tệp quá lớn: nhiều nhất 1.000.000 byte"),
        (listed.encode("utf-16"), "tệp ghi theo mã UTF-16; phải là UTF-8"),
        (b"phone;place;crop\n", "thiếu cột; dòng đầu phải có: dong_y (hoặc consent)"),
    ):
        (tmp_path / "tep.csv").write_bytes(raw)
        page.get_by_test_id("list-file").set_input_files(tmp_path / "tep.csv")
        page.get_by_test_id("list-try").click()
        expect(problem).to_contain_text(why)
        expect(page.get_by_test_id("list-report")).to_be_hidden()
    (tmp_path / "tep.csv").write_text(listed, "utf-8")
    page.get_by_test_id("list-file").set_input_files(tmp_path / "tep.csv")
    page.get_by_test_id("list-try").click()
    expect(page.get_by_test_id("list-told")).to_contain_text("1 mới")
    expect(problem).to_be_hidden()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "nothing hangs over the edge of a phone"
    report = page.get_by_test_id("list-report")
    expect(report).to_be_visible()
    page.get_by_test_id("list-file").set_input_files([])
    expect(report).to_be_hidden()  # another file has not been tried
    page.get_by_test_id("list-file").set_input_files(tmp_path / "tep.csv")
    page.get_by_test_id("list-try").click()
    expect(report).to_be_visible()
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("trouble")).to_contain_text("Hãy đăng nhập")
    sign_in(page, service)
    expect(page.get_by_test_id("list-try")).to_be_visible()
    expect(report).to_be_hidden()  # who signs in next sees nothing of it
    expect(page.get_by_test_id("list-file")).to_have_value("")
