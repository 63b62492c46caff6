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
