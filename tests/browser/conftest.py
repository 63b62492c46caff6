"""A real Chromium on the real page of a real service."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import broker, serving

__all__ = ["broker", "serving"]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = Path(__file__).parents[2] / "api" / "pages" / "index.html"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    if not PAGES.exists():
        pytest.skip("the pages are not built: make pages")
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; these pages are our own.
        arguments = ARGUMENTS if os.geteuid() == 0 else ARGUMENTS[1:]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """`opened(url, width=…, height=…)`: a page of its own; complaints of the browser fail."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_page(url: str, *, width: int = 1920, height: int = 1080) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        pages.append(page)
        page.goto(url)
        return page

    open_page.complaints = complaints  # type: ignore[attr-defined]
    yield open_page
    for number, page in enumerate(pages):
        page.screenshot(path=tmp_path / f"{request.node.name}-{number}.png")
        page.context.close()
    # A link that is cut on purpose is told by the browser too; that is no fault of the page.
    ours = [text for text in complaints if "ERR_" not in text and "WebSocket" not in text]
    assert ours == []
