"""A page that plays the past, looked at from outside: its memory, its clock, what it shows."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from playwright.sync_api import Page, WebSocket, expect

VIETNAM = timezone(timedelta(hours=7))
SPEED = 600

NOTE_LOSSES = """
window.losses = [];
addEventListener("DOMContentLoaded", () => {
  const link = document.getElementById("link");
  const look = () => {
    if (/link-(lost|stopped)/.test(link.className)) window.losses.push(link.textContent);
  };
  new MutationObserver(look).observe(link, { attributes: true, attributeFilter: ["class"] });
  const clock = document.getElementById("clock-time");
  new MutationObserver(() => (window.drawn_ms = performance.now()))
    .observe(clock, { childList: true, characterData: true, subtree: true });
});"""

CLOCK = """() => [document.getElementById("clock-date").textContent,
  document.getElementById("clock-time").textContent, window.drawn_ms]"""

SHOWN = """() => Object.fromEntries(
  [...document.querySelectorAll("[data-testid^='station-']")].map((label) =>
    [label.dataset.testid.slice(8), [label.getAttribute("class"),
      label.querySelector("[data-testid='value']").textContent]]))"""

ALERTS = """() => [...document.querySelectorAll("[data-testid^='alert-']")]
  .map((row) => row.dataset.testid.slice(6))"""

FRESHEST = ("live", "late", "stale", "lost", "maintenance", "never")
DOUBTED = (4, 9)
"""Flags of figures that must not be taken for measurements."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a page holds once its garbage is collected."""

    heap_mib: float
    nodes: int
    listeners: int


class Looked:
    """Opened by `page`, a page that goes to the past next."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked_ms: list[int] = []
        page.add_init_script(NOTE_LOSSES)
        page.on("websocket", self._listen)
        self._cdp = page.context.new_cdp_session(page)
        for domain in ("HeapProfiler", "Performance"):
            self._cdp.send(f"{domain}.enable")

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._note)

    def _note(self, frame: str | bytes) -> None:
        said = json.loads(frame)
        if said["op"] == "auth" and "at" in said:
            self.asked_ms.append(said["at"])

    def memory(self) -> Memory:
        self._cdp.send("HeapProfiler.collectGarbage")
        used = self._cdp.send("Runtime.getHeapUsage")["usedSize"]
        told = self._cdp.send("Performance.getMetrics")["metrics"]
        metrics = {one["name"]: one["value"] for one in told}
        return Memory(used / 2**20, int(metrics["Nodes"]), int(metrics["JSEventListeners"]))

    def clock(self) -> tuple[float, float] | None:
        """(what it says, ms UTC; when that was drawn by the page's own monotonic clock, ms)

        None where it knows no time: it has just come into the present, and loads anew.
        """
        day, time_of_day, drawn_ms = self.page.evaluate(CLOCK)
        if not day:
            return None
        said = datetime.strptime(f"{day} {time_of_day}", "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - next
        return said.replace(tzinfo=VIETNAM).timestamp() * 1000, drawn_ms

    @property
    def losses(self) -> list[str]:
        """What it said whenever it had lost the link."""
        found: list[str] = self.page.evaluate("window.losses")
        return found

    @property
    def in_the_past(self) -> bool:
        return "at=" in self.page.url

    def pause(self) -> int:
        """Stand still; the moment that is shown, ms UTC."""
        asked = len(self.asked_ms)
        self.page.get_by_test_id("rewind-play").click()
        expect(self.page.get_by_test_id("link")).to_have_class(re.compile("link-live"))
        expect(self.page.get_by_test_id("link")).to_contain_text("dừng hình")
        assert len(self.asked_ms) > asked, "the page asked for no other moment"
        return self.asked_ms[-1]

    def play(self) -> None:
        self.page.get_by_test_id(f"rewind-{SPEED}").click()
        expect(self.page.get_by_test_id("link")).to_contain_text(f"{SPEED}×")

    def stations(self) -> dict[str, tuple[str, str]]:
        """Look and figure of each station on the wall."""
        found: dict[str, Sequence[str]] = self.page.evaluate(SHOWN)
        return {name: (_look(classes), figure) for name, (classes, figure) in found.items()}

    def alerts(self) -> set[str]:
        return set(self.page.evaluate(ALERTS))


def expected_stations(items: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Look and figure of each station with a probe, of the service's own items."""
    best: dict[str, Mapping[str, Any]] = {}
    for item in items:
        if not item["k"].endswith("/salinity_g_l"):
            continue
        before = best.get(item["station"])
        if before is None or _rank(item) < _rank(before):
            best[item["station"]] = item
    return {station: _told(item) for station, item in best.items()}


def _rank(item: Mapping[str, Any]) -> tuple[int, float]:
    """Of several probes the freshest stands for the station, of those the saltiest."""
    value = -1.0 if item["v"] is None else item["v"]
    return FRESHEST.index(item["st"]) * 2 + (item["q"] in DOUBTED), -value


def _told(item: Mapping[str, Any]) -> tuple[str, str]:
    if item["v"] is None:
        return ("maintenance" if item["st"] == "maintenance" else "never"), "–"
    st = item["st"]
    if st in ("stale", "lost", "maintenance"):
        look = st
    elif item["q"] in DOUBTED:
        look = "bad"
    else:
        look = "late" if st == "late" else "good"
    return look, figure(item["v"])


def figure(salinity_g_l: float) -> str:
    """As people here write it."""
    unit = Decimal("0.01") if abs(salinity_g_l) < 9.995 else Decimal("0.1")
    return str(Decimal(salinity_g_l).quantize(unit, ROUND_HALF_UP)).replace(".", ",")


def _look(classes: str) -> str:
    return next(name[5:] for name in classes.split() if name.startswith("look-"))
