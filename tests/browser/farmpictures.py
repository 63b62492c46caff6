"""Pictures of the farmer's page on a phone, with a real service and broker."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import farmwater
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import Service, eventually


@contextmanager
def farm(directory: Path) -> Iterator[Service]:
    """A service that knows the water of each intake, and writes messages into a file."""
    directory.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(directory, _free_port(), BROKER)
    broker.start()
    settings = {
        "MQTT__URL": broker.url,
        "DATA__DIR": str(directory / "data"),
        "HTTP__PORT": "0",
        "LIVE__PORT": "0",
        "CHANNEL__SMS__KIND": "file",
        "CHANNEL__SMS__PATH": str(directory / "messages.jsonl"),
    }
    service = Service(directory, settings)
    try:
        service.start()
        eventually(lambda: service.ready, "ready", 60.0)
        farmwater.flow(service)
        yield service
    finally:
        service.reap()
        broker.stop()


def taken(browser: Browser, service: Service, into: Path) -> list[Path]:
    """A take, a no, an unknown, and signing up."""
    shown = {
        "take": f"nong-dan?{farmwater.TAKE}",
        "no": f"nong-dan?{farmwater.NO}",
        "unknown": f"nong-dan?{farmwater.SILENT}",
        "sign-up": f"nong-dan/dang-ky?{farmwater.NO}",
    }
    found = []
    for name, path in shown.items():
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.goto(service.http_url + path)
        expect(page.locator("h1").first).to_be_visible()
        found.append(_picture(page, into / f"farm-{name}-vi-phone.webp"))
        page.close()
    return found


def _picture(page: Page, path: Path) -> Path:
    # Few colours and large ones: without loss it is smaller than any photograph.
    with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as picture:
        few = picture.convert("RGB").quantize(48, dither=Image.Dither.NONE)
        few.convert("RGB").save(path, "WEBP", lossless=True, quality=90, method=6)
    return path
