"""Pictures of the screens for the documentation: `python -m tests.browser.pictures`.

A real service, a real broker and a real Chromium, on a quiet day and on a bad one of the
simulator. The data are the same each time; the clock and the ages are those of the moment.
"""

import argparse
import io
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from songtien.configuration import registry_of
from tests.browser import farmpictures
from tests.browser.days import Day
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import OUTCOMES, Service, eventually, songtien
from tests.relay import Relay

INTO = Path(__file__).parents[2] / "docs" / "images" / "screens"
SIZES = {"1080p": (1920, 1080), "4k": (3840, 2160), "768p": (1366, 768), "phone": (360, 740)}
TWO = ("1080p", "phone")
DAYS = ("quiet", "bad-day")
BEFORE_H = 28.0
"""Of history: there is a tide before to compare with, 24 h 50 min ago."""

FLAT, SPANNING = 40, 24
LOOK_S = 1.0
LOADING = re.compile("^(Đang tải|Loading)")
SETTLED = """
async () => {
  await document.fonts.ready;
  for (let n = 0; n < 4; n += 1) await new Promise(requestAnimationFrame);
}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be pictured: what it is called, where it is, what stands there once it is whole."""

    name: str
    path: str
    ready: str


class Camera:
    """Takes pictures of pages into a directory."""

    def __init__(self, chromium: Browser, into: Path) -> None:
        self._chromium = chromium
        self._into = into
        self.taken: list[Path] = []

    @contextmanager
    def opened(self, url: str, language: str, theme: str = "dark") -> Iterator[Page]:
        # Fields of dates are written by the browser, in its own language.
        locale = "vi-VN" if language == "vi" else "en-GB"
        context = self._chromium.new_context(
            viewport={"width": 1920, "height": 1080}, locale=locale
        )
        page = context.new_page()
        page.set_default_timeout(40_000)
        chosen = {"songtien.language": language, "songtien.theme": theme}
        for key, value in chosen.items():
            page.add_init_script(f"localStorage.setItem({key!r}, {value!r})")
        page.goto(url)
        expect(page.get_by_test_id("counts")).to_contain_text("/", timeout=40_000)
        yield page
        context.close()

    def take(self, page: Page, name: str, size: str) -> None:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("networkidle")
        page.evaluate(SETTLED)
        expect(page.get_by_text(LOADING)).to_have_count(0)
        path = self._into / f"{name}-{size}.webp"
        with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as picture:
            path.write_bytes(small(picture.convert("RGB")))
        self.taken.append(path)


def small(picture: Image.Image) -> bytes:
    """As WebP in few colours: those of whole areas as they are, and what spans all the others.

    A palette by numbers of pixels alone would make one of two severities, few as they are.
    """
    colours = Counter(zip(*(iter(picture.tobytes()),) * 3, strict=True))
    flat = [part for colour, _ in colours.most_common(FLAT) for part in colour]
    spanning = picture.quantize(SPANNING, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*flat, *spanning[: 3 * SPANNING]])
    few = picture.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    body = io.BytesIO()
    few.save(body, "WEBP", lossless=True, quality=80, method=4)
    return body.getvalue()


@contextmanager
def river(name: str, directory: Path, relay: Relay, before_h: float) -> Iterator[Service]:
    """A service that knows this day up to now; the pages' live socket goes through the relay."""
    directory.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(directory, _free_port(), BROKER)
    broker.start()
    relay.target = _free_port()
    service = Service(
        directory,
        {
            "MQTT__URL": broker.url,
            "DATA__DIR": str(directory / "data"),
            "HTTP__PORT": "0",
            "LIVE__PORT": str(relay.target),
            "LIVE__PUBLIC_URL": f"ws://127.0.0.1:{relay.port}/live",
        },
    )
    try:
        service.start()
        eventually(lambda: service.ready, "ready", 60.0)
        day = Day(name, registry_of(None), directory, before_h)
        with day.playing(broker.url):
            assert day.told.wait(240.0), "the past is at the broker"
            eventually(lambda: settled(service) >= day.past, "the past is in", 240.0)
            yield service
    finally:
        service.reap()
        broker.stop()


def settled(service: Service) -> int:
    """Samples of which the service knows what became of them."""
    time.sleep(LOOK_S)  # to look costs the processor that the river is taken in by
    counted = service.metrics()
    return int(sum(counted[f"songtien_samples_total/{outcome}"] for outcome in OUTCOMES))


def wall(camera: Camera, service: Service, day: str, language: str, sizes: tuple[str, ...]) -> None:
    with camera.opened(service.http_url, language) as page:
        figure = page.get_by_test_id("station-my-tho").get_by_test_id("value")
        expect(figure).to_contain_text("." if language == "en" else ",")
        for size in sizes:
            camera.take(page, f"wall-{day}-{language}", size)


def cut(
    camera: Camera, service: Service, relay: Relay, language: str, sizes: tuple[str, ...]
) -> None:
    with camera.opened(service.http_url, language) as page:
        expect(page.get_by_test_id("link")).to_have_class("link link-live")
        relay.cut()
        expect(page.get_by_test_id("link-lost")).to_be_visible()
        for size in sizes:
            camera.take(page, f"wall-cut-{language}", size)
        relay.mend()


def rewound(camera: Camera, service: Service, language: str, sizes: tuple[str, ...]) -> None:
    """Ten hours ago, as it can be told of what is stored."""
    then = datetime.now(UTC) - timedelta(hours=10)
    at = then.strftime("%Y-%m-%dT%H:%MZ")
    with camera.opened(f"{service.http_url}?at={at}&speed=0", language) as page:
        expect(page.get_by_test_id("rewind-source")).not_to_be_empty()
        for size in sizes:
            camera.take(page, f"wall-rewind-{language}", size)


def taken(service: Service) -> str:
    """An officer has taken one alert, and written to another; the worst one's id."""
    ranks = ("critical", "major", "warning", "info")
    path = "/api/v1/alerts"
    items = eventually(lambda: service.get(path, None, state="active").json()["items"], "alerts")
    salt = [one for one in items if one["quantity"] == "salinity_g_l"] or items
    salt.sort(key=lambda one: (ranks.index(one["severity"]), one["t_since"]))
    made = songtien(
        "token", "create", "--role", "operator", "--name", "an", settings=service.settings
    )
    token = made.stdout.strip()
    for one in salt[:2]:
        said = service.post(f"/api/v1/alerts/{one['id']}/ack", token, ver=one["ver"])
        assert said.status_code == 200, said.text
    return str(salt[0]["id"])


def pages(alert: str) -> tuple[Shown, ...]:
    return (
        Shown("station", "tram/my-tho", ".curves canvas"),
        Shown("bridge", "cau/rach-mieu-1", ".curves canvas"),
        Shown("alert", f"canh-bao/{alert}", ".alert-page h2"),
        Shown("gates", "con-nuoc", "main#page h2"),
        Shown("handover", "ban-giao", "main#page h2"),
        Shown("bulletin", "ban-tin", "main#page h2"),
        Shown("map", "ban-do", "[data-testid='map-tag']"),
    )


def place(
    camera: Camera,
    service: Service,
    shown: Shown,
    language: str,
    sizes: tuple[str, ...],
    theme: str = "dark",
) -> None:
    with camera.opened(f"{service.http_url}{shown.path}", language, theme) as page:
        page.locator(shown.ready).first.wait_for()
        for size in sizes:
            light = "-light" if theme == "light" else ""
            camera.take(page, f"{shown.name}-{language}{light}", size)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # as root it has none; these pages are our own
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def draw(into: Path, days: tuple[str, ...]) -> list[Path]:
    """The pictures of these days."""
    into.mkdir(parents=True, exist_ok=True)
    relay = Relay()
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        camera = Camera(browser, into)
        for day in days:
            with river(day, Path(scratch) / day, relay, BEFORE_H) as service:
                quiet(camera, service) if day == "quiet" else bad(camera, service, relay)
        with farmpictures.farm(Path(scratch) / "farm") as service:
            camera.taken.extend(farmpictures.taken(browser, service, into))
    relay.close()
    return camera.taken


def quiet(camera: Camera, service: Service) -> None:
    for language in ("vi", "en"):
        wall(camera, service, "quiet", language, tuple(SIZES))


def bad(camera: Camera, service: Service, relay: Relay) -> None:
    alert = taken(service)
    for shown in pages(alert):
        place(camera, service, shown, "vi", TWO)
        if shown.name in ("station", "map"):
            place(camera, service, shown, "en", TWO[:1])
        if shown.name == "map":
            place(camera, service, shown, "vi", TWO[:1], "light")
    for language in ("vi", "en"):
        # Of the largest ones there is one of each kind: they are most of the bytes.
        some = tuple(SIZES) if language == "vi" else tuple(size for size in SIZES if size != "4k")
        wall(camera, service, "bad", language, tuple(SIZES))
        rewound(camera, service, language, some)
        cut(camera, service, relay, language, some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=INTO, help="a directory for the pictures")
    parser.add_argument("--day", choices=DAYS, action="append", help="only of this day")
    asked = parser.parse_args()
    drawn = draw(asked.into, tuple(asked.day or DAYS))
    size = sum(path.stat().st_size for path in drawn)
    sys.stdout.write(f"{len(drawn)} pictures, {size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
