"""Signing in and out on the page, with the real service; who may do what, and who may look."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.looking import Probe, fill_in, raised, row, sign_in, value
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, set_up

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture
def refusals(opened: Opened) -> Opened:
    """The browser's console names each answer of 401; here they are meant to come."""
    opened.meant = ("status of 401",)
    return opened


def who(page: Page) -> str:
    return page.get_by_test_id("who").text_content() or ""


def test_sign_in_reload_a_second_tab_and_sign_out(refusals: Opened, service: Service) -> None:
    page = refusals(service.http_url)
    name, password = service.officer("operator")
    page.get_by_test_id("sign-in").click()
    fill_in(page, name, "not the password")
    expect(page.get_by_test_id("problem")).to_have_text("Tên hoặc mật khẩu không đúng.")
    expect(page.get_by_test_id("password")).to_have_value("")
    fill_in(page, "nobody", password)
    expect(page.get_by_test_id("problem")).to_have_text("Tên hoặc mật khẩu không đúng.")
    page.keyboard.press("Escape")
    assert who(page) == ""

    sign_in(page, service)
    expect(page.get_by_test_id("desk")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("who")).to_have_text("operator")
    second = page.context.new_page()
    second.goto(service.http_url)
    expect(second.get_by_test_id("who")).to_have_text("operator")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "songtien"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    stored = "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"
    assert cookie["value"] not in str(page.evaluate(stored))

    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("who")).to_have_text("")
    expect(page.get_by_test_id("desk")).to_be_hidden()
    # The other tab is told within a few seconds, and goes on looking.
    expect(second.get_by_test_id("who")).to_have_text("")
    expect(second.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    assert all(one["name"] != "songtien" for one in page.context.cookies())
    second.close()


def test_an_officer_stays_signed_in_through_an_outage(opened: Opened, service: Service) -> None:
    opened.cut_on_purpose = True
    page = opened(service.http_url)
    sign_in(page, service)
    service.kill()
    expect(page.get_by_test_id("link-lost")).to_be_visible()
    service.settings["HTTP__PORT"] = service.http_url.rstrip("/").rpartition(":")[2]
    service.settings["LIVE__PORT"] = service.live_url.rpartition(":")[2].partition("/")[0]
    service.start()
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    expect(page.get_by_test_id("who")).to_have_text("operator")
    expect(page.get_by_test_id("desk")).to_be_visible()


def test_a_viewer_looks_and_finds_nothing_to_press(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    sign_in(page, service, "viewer")
    probe = Probe(service)
    for salinity_g_l, minutes_ago in ((3.4, 70), (3.6, 40), (4.2, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    alert = raised(service, "salinity-4")
    expect(row(page, alert)).to_be_visible()
    expect(page.get_by_test_id("desk")).to_be_hidden()
    cookie = {"Cookie": _cookie(page), "X-Songtien": "1", "Origin": service.http_url.rstrip("/")}
    url = f"{service.http_url}api/v1/alerts/{alert}/ack"
    assert httpx.post(url, headers=cookie, json={"ver": 1}).status_code == 403


def test_a_page_of_elsewhere_does_nothing_with_the_cookie(opened: Opened, service: Service) -> None:
    page = opened(service.http_url)
    sign_in(page, service)
    url = f"{service.http_url}api/v1/live-ticket"
    cookie = {"Cookie": _cookie(page)}
    own = {"X-Songtien": "1", "Origin": service.http_url.rstrip("/")}
    assert httpx.post(url, headers=cookie).status_code == 403
    assert httpx.post(url, headers={**cookie, "Origin": own["Origin"]}).status_code == 403
    forged = {**cookie, **own, "Origin": "https://evil.example"}
    assert httpx.post(url, headers=forged).status_code == 403
    assert httpx.post(url, headers={**cookie, **own}).status_code == 200
    # A stranger's word on who he is and how he comes counts for nothing.
    stranger = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    answer = _signed_in(service, *service.officer("operator"), stranger)
    assert "Secure" not in answer.headers["set-cookie"]
    assert "203.0.113.9" not in set_up("audit", settings=service.settings)
    with_header = "fetch('/api/v1/live-ticket', {method: 'POST', headers: {'X-Songtien': '1'}})"
    assert page.evaluate(f"{with_header}.then(answer => answer.status)") == 200


def test_another_role_ends_the_session_and_says_so(refusals: Opened, service: Service) -> None:
    page = refusals(service.http_url)
    name, _ = service.officer("admin")
    sign_in(page, service, "admin")
    expect(page.get_by_test_id("desk")).to_be_visible()
    set_up("user", "role", name, "viewer", settings=service.settings)
    expect(page.get_by_test_id("who")).to_have_text("")
    expect(page.get_by_test_id("desk")).to_be_hidden()
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    audit = " ".join(set_up("audit", settings=service.settings).split())
    assert "user.role admin viewer done" in audit
    assert "admin (admin) session.begin from 127.0.0.1 done" in audit


def test_an_officer_changes_the_password_and_stays_signed_in(
    refusals: Opened, service: Service
) -> None:
    name, password = "dũng", "con nước kém"
    words = ("user", "add", name, "--role", "viewer")
    set_up(*words, settings=service.settings, stdin=f"{password}\n")
    page = refusals(service.http_url)
    expect(page.get_by_test_id("who")).to_be_hidden()
    page.get_by_test_id("sign-in").click()
    fill_in(page, name, password)
    expect(page.get_by_test_id("officer")).to_be_hidden()
    _signed_in(service, name, password, {})

    page.get_by_test_id("who").click()
    expect(page.get_by_test_id("old")).to_be_focused()
    for field, text in {"old": "not this one", "new": " mới tinh tươm ", "again": ""}.items():
        page.get_by_test_id(field).fill(text or " mới tinh tươm ")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_have_text("Mật khẩu đang dùng không đúng.")
    page.get_by_test_id("old").fill(password)
    page.get_by_test_id("confirm").click()
    expect(page.locator("#toast")).to_have_text("Đã đổi mật khẩu.")
    expect(page.get_by_test_id("officer")).to_be_hidden()
    # Its socket was of the session before; it comes back by itself.
    expect(page.get_by_test_id("who")).to_have_text(name)
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
    _signed_in(service, name, " mới tinh tươm ", {})
    listed = set_up("user", "list", settings=service.settings).splitlines()
    of_his = next(line for line in listed if line.startswith(name))
    assert of_his.endswith("signed in 2 times")


def test_where_nobody_may_look_one_signs_in_and_sees_nothing_before(
    refusals: Opened, serving: Serving
) -> None:
    """The last of this module: it starts another service."""
    shut = serving(AUTH__ANONYMOUS="none", HTTP__PROXIES="127.0.0.1")
    eventually(lambda: shut.get("/readyz").status_code == 200, "ready")
    Probe(shut).says(3.27)
    page = refusals(shut.http_url)
    expect(page.get_by_test_id("officer")).to_be_visible()
    expect(page.get_by_test_id("name")).to_be_focused()
    expect(page.get_by_test_id("officer")).to_contain_text("Muốn xem phải đăng nhập.")
    assert page.locator("[data-testid^='station-'], li.row").count() == 0
    assert shut.get("/api/v1/state").status_code == 401

    name, password = shut.officer("viewer")
    fill_in(page, name, password)
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(value(page)).to_have_text("3,27")
    expect(page.get_by_test_id("who")).to_have_text("viewer")
    page.reload()
    expect(value(page)).to_have_text("3,27")

    # Over while something is being written: what was typed is kept, and nobody else reads on.
    operator, its_password = shut.officer("operator")
    page.get_by_test_id("sign-in").click()
    fill_in(page, operator, its_password)
    page.get_by_test_id("desk").click()
    page.get_by_test_id("reason").fill("đang thay đầu dò")
    set_up("user", "sign-out", operator, settings=shut.settings)
    expect(page.get_by_test_id("problem")).to_have_text("Muốn xem phải đăng nhập.")
    expect(page.locator("#wall")).to_have_css("opacity", "0")
    fill_in(page, operator, its_password)
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(page.locator("#wall")).to_have_css("opacity", "1")
    windows = shut.get("/api/v1/desk", shut.token("operator")).json()
    assert "đang thay đầu dò" in str(windows)

    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("officer")).to_be_visible()
    assert page.locator("[data-testid^='station-'], li.row").count() == 0
    forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
    answer = _signed_in(shut, name, password, forwarded)
    assert "Secure" in answer.headers["set-cookie"]
    assert "from 203.0.113.9" in set_up("audit", settings=shut.settings)
    said = shut.said()
    assert password not in said
    assert "songtien=" not in said


def _cookie(page: Page) -> str:
    (found,) = [one for one in page.context.cookies() if one["name"] == "songtien"]
    return f"songtien={found['value']}"


def _signed_in(
    service: Service, name: str, password: str, headers: dict[str, str]
) -> httpx.Response:
    answer = httpx.post(
        f"{service.http_url}api/v1/session",
        headers={"X-Songtien": "1", **headers},
        json={"name": name, "password": password},
        timeout=20,
    )
    assert answer.status_code == 200
    return answer
