"""A real Chromium on the real page of a real service."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.e2e.conftest import broker, serving
from tests.relay import Relay

__all__ = ["broker", "serving"]

expect.set_options(timeout=20_000)  # a busy machine is slow, and none of it is waited out

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = Path(__file__).parents[2] / "api" / "pages" / "index.html"

# Beside the console's own line, so that no wording of a browser's version hides one.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`violates ${event.violatedDirective}: ${event.blockedURI}`));
"""


class Opened:
    """`opened(url, width=…, height=…)`: a page of its own; what the browser complains of is kept.

    `before` is done with the page before it goes anywhere.
    `cut_on_purpose`: the browser reports connections that fail, and they are meant to.
    `meant`: of these, as said with the address, there are to be some, for as long as the page is.
    """

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self.pages: list[Page] = []
        self.complaints: list[str] = []
        self.cut_on_purpose = False
        self.meant: tuple[str, ...] = ()

    def __call__(
        self,
        url: str,
        *,
        width: int = 1920,
        height: int = 1080,
        before: Callable[[Page], None] | None = None,
    ) -> Page:
        context = self._chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(TELL_VIOLATIONS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(f"{said.text} {said.location['url']}")
                if said.type == "error"
                else None
            ),
        )
        self.pages.append(page)
        if before is not None:
            before(page)
        page.goto(url)
        return page

    def faults(self) -> list[str]:
        """Complaints of which the page itself is the cause."""
        cut = ("ERR_", "WebSocket connection to") if self.cut_on_purpose else ()
        marks = (*cut, *self.meant)
        return [said for said in self.complaints if not any(mark in said for mark in marks)]


def launched(playwright: Playwright) -> Browser:
    """A browser; skips where it, or the pages, are missing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    if not PAGES.exists():
        pytest.skip("the pages are not built: make pages")
    # As root Chromium has no sandbox; these pages are our own.
    arguments = ARGUMENTS if os.geteuid() == 0 else ARGUMENTS[1:]
    return playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    """The cable between the pages and the live socket."""
    cable = Relay()
    yield cable
    cable.close()


@pytest.fixture
def opened(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens pages; how each looked at the end is left in the test's directory."""
    pages = Opened(chromium)
    yield pages
    for number, page in enumerate(pages.pages):
        page.screenshot(path=tmp_path / f"{request.node.name}-{number}.png")
        page.context.close()
    assert pages.faults() == []
