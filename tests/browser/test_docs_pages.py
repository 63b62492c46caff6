"""The reference pages of both doors draw themselves, with nothing from elsewhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(120)]

FITS = "document.documentElement.scrollWidth <= innerWidth"
CONTRASTS = """
() => {
  const light = (color) => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return color === "rgba(0, 0, 0, 0)" && node.parentElement ? ground(node.parentElement) : color;
  };
  const found = {};
  for (const node of document.querySelectorAll("h2, p, .muted, .mark, .needed, .type, a, pre, .anchor")) {
    const pair = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
    const name = node.className || node.tagName;
    found[name] = Math.min(found[name] ?? 21, (pair[0] + 0.05) / (pair[1] + 0.05));
  }
  return found;
}
"""
"""Contrast by what it is of (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


def _drawn(page: Page) -> None:
    expect(page.locator("#schemas")).to_be_attached()
    assert page.locator("main .failed").count() == 0


def _id(part: str, name: str) -> str:
    return f"{part}-{re.sub('[^a-zA-Z0-9]+', '-', name)}"


def test_every_message_and_operation_is_drawn_and_can_be_linked_to(
    opened: Opened, service: Service
) -> None:
    document = service.get("/asyncapi.json").json()
    page = opened(f"{service.http_url}docs/async#message-event")
    _drawn(page)
    expect(page.locator("#message-event h3")).to_be_in_viewport()
    ids = page.evaluate("[...document.querySelectorAll('main [id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    named = {
        "message": document["components"]["messages"],
        "schema": document["components"]["schemas"],
        "operation": document["operations"],
        "channel": document["channels"],
    }
    for part, names in named.items():
        assert {_id(part, name) for name in names} <= set(ids)
    assert {"limits", "close-codes", "error-codes"} <= set(ids)
    links = page.evaluate(
        "[...document.querySelectorAll('a')].map((one) => one.getAttribute('href'))"
    )
    assert {link[1:] for link in links if link.startswith("#")} <= {*ids, "reference"}
    expect(page.locator("#message-ack pre")).to_contain_text('"seq":8812')
    expect(page.locator("#close-codes")).to_contain_text("4408")
    expect(page.locator("#operation-signIn")).to_contain_text("Answered by: Welcome, Refused")
    expect(page.locator("#channel-advice")).to_contain_text("tiengiang/v1/advice/{intake}")


def test_every_route_is_drawn_with_its_body_and_links_lead_over(
    opened: Opened, service: Service
) -> None:
    document = service.get("/openapi.json").json()
    page = opened(f"{service.http_url}docs/http")
    _drawn(page)
    drawn = page.locator("main article h3").all_text_contents()
    for path, methods in document["paths"].items():
        for method in methods:
            assert any(each.startswith(f"{method.upper()}{path}") for each in drawn), path
    acked = page.locator("#post-api-v1-alerts-id-ack")
    expect(acked).to_contain_text("ver needed")
    expect(acked).to_contain_text("at most 2000 characters")
    for name in document["x-problems"]:
        expect(page.locator(f"#problem-{name}")).to_be_attached()
    page.get_by_role("link", name="Live socket and devices").click()
    _drawn(page)
    expect(page).to_have_title(re.compile("Live socket"))
    page.get_by_role("navigation", name="Documents").get_by_role("link", name="HTTP API").click()
    _drawn(page)


def test_the_filter_by_keyboard(opened: Opened, service: Service) -> None:
    page = opened(f"{service.http_url}docs/async")
    _drawn(page)
    everything = page.locator("main article:visible").count()
    page.keyboard.press("/")
    expect(page.get_by_label("Filter")).to_be_focused()
    page.keyboard.type("shelve until")
    expect(page.locator("#message-call-alert-shelve")).to_be_visible()
    expect(page.locator("#message-pong")).to_be_hidden()
    expect(page.get_by_role("link", name="Pong")).to_be_hidden()
    expect(page.locator("#found")).to_have_text(re.compile(rf"^\d+ of {everything}$"))
    page.keyboard.press("Escape")
    expect(page.locator("#message-pong")).to_be_visible()
    # A link to what is filtered out shows it.
    page.get_by_label("Filter").fill("shelve until")
    page.evaluate("location.hash = 'message-pong'")
    expect(page.locator("#message-pong h3")).to_be_in_viewport()


@pytest.mark.parametrize("name", ["http", "async"])
def test_both_fit_a_phone_and_can_be_read_in_light_and_dark(
    opened: Opened, service: Service, name: str
) -> None:
    page = opened(f"{service.http_url}docs/{name}", width=360, height=740)
    _drawn(page)
    assert page.evaluate(FITS)
    expect(page.locator("#contents ul").first).to_be_hidden()
    page.get_by_text("Contents", exact=True).click()
    expect(page.locator("#contents ul").first).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 5
        assert min(contrasts.values()) >= 4.5, (scheme, contrasts)
