"""How soon the wall's first figures stand: `python -m tests.browser.first_view --loads 10`.

The demonstration as it is run, and a Chromium that has kept nothing of an earlier load.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import launched
from tests.conftest import _free_port
from tests.e2e.running import SONGTIEN, Service, eventually

LOADS = 10
ROADS = 4
"""Directions of both bridges: they are of now once all that the cameras have sent is in."""

STANDING = """
const look = () => {
  const values = [...document.querySelectorAll(".station .value")];
  const stands = values.some((value) => /\\d/.test(value.textContent));
  requestAnimationFrame(stands ? () => (window.firstFigure_ms = performance.now()) : look);
};
requestAnimationFrame(look);
"""
"""The frame after the one in which a figure is first found: that one has been drawn."""


@dataclass(frozen=True, slots=True)
class FirstView:
    """One load of the wall with an empty cache.

    Attributes
    ----------
    figure_ms : from the start of the navigation until a station's figure had been drawn
    answers : of the service until nothing more was asked for
    transferred_bytes : of these answers as they came, with their headers
    socket_bytes : of the texts on the live socket in that time, before any compression
    """

    figure_ms: float
    answers: int
    transferred_bytes: int
    socket_bytes: int


def loaded(chromium: Browser, url: str) -> FirstView:
    """Load it in a context of its own, which has an empty cache."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    try:
        page = context.new_page()
        page.add_init_script(STANDING)
        transferred: list[int] = []
        heard: list[int] = []
        link = context.new_cdp_session(page)
        link.send("Network.enable")
        link.on("Network.loadingFinished", lambda e: transferred.append(e["encodedDataLength"]))
        link.on(
            "Network.webSocketFrameReceived",
            lambda e: heard.append(len(e["response"]["payloadData"].encode())),
        )
        page.goto(url)
        figure_ms = page.wait_for_function("() => window.firstFigure_ms").json_value()
        page.wait_for_load_state("networkidle")
        return FirstView(
            figure_ms=figure_ms,
            answers=len(transferred),
            transferred_bytes=int(sum(transferred)),
            socket_bytes=sum(heard),
        )
    finally:
        context.close()


@contextmanager
def demonstration(directory: Path) -> Iterator[Service]:
    """`songtien demo` with all that it tells of its last 25 hours: 30 stations, two bridges."""
    ports = {name: str(_free_port()) for name in ("http", "live", "broker")}
    command = [*SONGTIEN, "demo", "--dir", str(directory / "data")]
    command += [word for name, port in ports.items() for word in (f"--{name}-port", port)]
    running = Service(directory, {}, command)
    running.launch()
    running.http_url = f"http://127.0.0.1:{ports['http']}/"

    def filled() -> bool:
        try:
            lines = running.get("/api/v1/river").json()["mouths"]["cua-tieu"]["lines"]
            items = running.get("/api/v1/state").json()["items"]
        except (httpx.HTTPError, LookupError, ValueError):
            return False
        roads = [item["st"] for item in items if item["quantity"] == "traffic_state"]
        return any(line.get("km") for line in lines) and roads == ["live"] * ROADS

    try:
        eventually(filled, "the last 25 hours are in", 120.0)
        yield running
    finally:
        running.reap()


def measured(loads: int) -> list[FirstView]:
    """Of so many loads, one after the other, and one before them that warms the service up."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        demonstration(Path(scratch)) as service,
        sync_playwright() as playwright,
        closing(launched(playwright)) as chromium,
    ):
        return [loaded(chromium, service.http_url) for _ in range(loads + 1)][1:]


def summary(views: list[FirstView]) -> dict[str, object]:
    """The median of all loads with their range; of sizes the largest."""
    took_ms = sorted(round(view.figure_ms) for view in views)
    return {
        "loads": len(views),
        "first_figure_ms": {
            "median": round(statistics.median(took_ms)),
            "least": took_ms[0],
            "most": took_ms[-1],
        },
        "compressed_kb": max(view.transferred_bytes for view in views) / 1000,
        "answers": max(view.answers for view in views),
        "socket_kb": max(view.socket_bytes for view in views) / 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=LOADS, help="with an empty cache each")
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(summary(measured(asked.loads))) + "\n")


if __name__ == "__main__":
    main()
