"""What the tests of the pages have in common: a probe, places on the screen, an officer."""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic

STATION, DEVICE = "xuan-hoa", "xh-01"

TOLD = """() => Object.fromEntries(
  [...document.querySelectorAll(
    "[data-testid^='station-'], [data-testid^='bridge-'], [data-testid^='alert-']")]
  .map((element) => {
    const copy = element.cloneNode(true);
    for (const age of copy.querySelectorAll("[data-testid='age']")) age.remove();
    return [element.dataset.testid,
      `${element.getAttribute("class")}: ${copy.textContent.replace(/\\s+/g, " ")}`];
  }))"""
"""All that is told of stations, bridges and alerts by testid; ages pass and are left out."""


class Probe:
    """A probe that sends in order."""

    def __init__(self, service: Service, station: str = STATION, device: str = DEVICE) -> None:
        self._url = service.settings["MQTT__URL"]
        self._topic = salinity_topic(station, device)
        self._boot = now_ms()
        self._seq = 0

    def says(self, salinity_g_l: float, *, minutes_ago: float = 0) -> None:
        self._seq += 1
        sample = {"t": now_ms() - round(minutes_ago * 60_000), "sal_g_l": salinity_g_l}
        publish(self._url, self._topic, obs(sample, boot=self._boot, seq=self._seq))


def station(page: Page, name: str = STATION) -> Locator:
    return page.get_by_test_id(f"station-{name}")


def value(page: Page, name: str = STATION) -> Locator:
    return station(page, name).get_by_test_id("value")


def row(page: Page, alert: str) -> Locator:
    """The row for which this alert speaks."""
    return page.locator(f"li.row[data-testid='alert-{alert}']")


def sign_in(page: Page, service: Service, role: str = "operator") -> None:
    name, password = service.officer(role)
    page.get_by_test_id("sign-in").click()
    fill_in(page, name, password)
    expect(page.get_by_test_id("officer")).to_be_hidden()
    expect(page.get_by_test_id("who")).to_have_text(name)


def fill_in(page: Page, name: str, password: str) -> None:
    """Into the dialog that is open, and send it."""
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("confirm").click()


def raised(service: Service, rule: str, device: str | None = None) -> str:
    """The id of the active alert of this rule, once it is there."""

    def look() -> str | None:
        items = service.get("/api/v1/alerts", None, state="active").json()["items"]
        return next(
            (i["id"] for i in items if i["rule"] == rule and device in (None, i["device"])), None
        )

    return eventually(look, f"{rule} is raised")


def same_as_a_fresh_load(page: Page, opened: Callable[[str], Page], url: str) -> None:
    """All that this page tells is what one tells that is opened now."""
    fresh = opened(url)
    expect(value(fresh)).to_have_text(value(page).text_content() or "")

    def differing() -> dict[str, tuple[object, object]]:
        page.wait_for_timeout(50)  # the pages' own events are heard while they are waited for
        mine, its = page.evaluate(TOLD), fresh.evaluate(TOLD)
        return {n: (mine.get(n), its.get(n)) for n in mine | its if mine.get(n) != its.get(n)}

    deadline = time.monotonic() + 15
    while (differs := differing()) and time.monotonic() < deadline:
        pass
    assert not differs, differs
