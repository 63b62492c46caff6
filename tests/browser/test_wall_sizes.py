"""The wall of the demonstration: what is read from afar, at every size, with the widest figures."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser import first_view
from tests.browser.conftest import Opened
from tests.e2e.running import Service, figures

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

WALLS = [(1280, 720), (1366, 768), (1920, 1080), (1920, 1200), (3840, 2160)]

MAIN_PX, BODY_PX = 36.0, 28.0
"""Of a wall of 1080 lines and 55 inches, 1.58 px to the millimetre: 25 mm at 5 m are 40 px of a
line, figures of which stand 28 px high; text that is read at all has 28 px (expert judgement,
unverified, after the rule of 1/200 of the distance)."""

ROUND_PX = 0.01

FIRST_VIEW_BYTES = 300_000
FIRST_FIGURE_MS = 1000

LETTERS = """() => {
  const of = (selector) => [...document.querySelectorAll(selector)]
    .filter((e) => e.textContent.trim() !== "" && e.checkVisibility())
    .map((e) => parseFloat(getComputedStyle(e).fontSize));
  return {
    alerts: of(".alerts .row .value"), minutes: of(".bridge .speed"), lines: of(".salt-text .km"),
    large: of(".station.large .value"),
    small: of(".station.small .value"), counts: of(".alerts .count, #counts"),
    places: of(".alerts .place:not(.long)"), states: of(".bridge .level"),
    changes: of(".salt-text .change"), clock: of("#clock-time"),
  };
}"""
"""px of the letters of what is read from afar; an empty text has none."""

CUT = """() => {
  const cut = [...document.querySelectorAll(
      ".alerts .place, .alerts .drawn, .bridge .main, .bridge .direction, .bridge .more-of-it,"
      + ".advice li, .top, .chart > header")]
    .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
    .map((e) => `${e.className}: ${(e.closest("li, button") ?? e).textContent}`);
  const end = document.querySelector(".alerts .rows").getBoundingClientRect().bottom;
  for (const row of document.querySelectorAll(".alerts .row")) {
    const { top, bottom } = row.getBoundingClientRect();
    if (top < end && bottom > end + 4 && getComputedStyle(row).opacity !== "0")
      cut.push(`half a row: ${row.textContent}`);
  }
  const boxes = [...document.querySelectorAll(".station, .salt-text, .mouth")]
    .map((e) => [e, e.querySelectorAll("text").length ? [...e.querySelectorAll("text")] : [e]])
    .flatMap(([e, texts]) => texts.filter((t) => t.textContent.trim() !== "")
      .map((t) => [e, t, t.getBoundingClientRect()]));
  const river = document.querySelector(".schematic").getBoundingClientRect();
  boxes.forEach(([e, t, a], i) => {
    if (a.left < river.left - 1 || a.right > river.right + 1 || a.top < river.top - 3)
      cut.push(`out of the river: ${t.textContent}`);
    for (const [other, u, b] of boxes.slice(i + 1)) {
      if (e === other) continue;
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      // Letters have room above and below them: a third of a line may be shared.
      const h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 2 && h > 0.34 * Math.min(a.height, b.height))
        cut.push(`${t.textContent} × ${u.textContent}`);
    }
  });
  return cut;
}"""
"""What is cut off, or written over something else."""

WORDED = (
    """(words) => {
  for (const figures of document.querySelectorAll(".alerts .row .figures")) {
    figures.className = "figures words";
    figures.textContent = words;
  }
  return ("""
    + CUT
    + """)().filter((one) => /^(place|drawn)/.test(one));
}"""
)
"""Every alert is one that its rule tells in words."""

Figures = Mapping[str, Mapping[str, object]]

GOOD = {"q": 1, "st": "live"}
FREE: Figures = {
    # The widest digits that the speed of a good reading may have, and the widest letter.
    **{f"speed_{kind}_km_h": {**GOOD, "v": 104.0} for kind in ("car", "motorbike")},
    "level_of_service": {**GOOD, "v": 3},
    "crossing_time_min": {**GOOD, "v": 44.0},
    "traffic_state": {**GOOD, "v": 0},
    "queue_length_km": {**GOOD, "v": 0.0},
    "queue_m": {**GOOD, "v": 0.0},
    "incident": {**GOOD, "v": 0},
}
QUEUE: Figures = {
    **FREE,
    "traffic_state": {**GOOD, "v": 2},
    "crossing_time_min": {**GOOD, "v": 204.0, "bound": "above"},
    "queue_length_km": {**GOOD, "v": 24.44, "bound": "above"},
}
INCIDENT: Figures = {**QUEUE, "incident": {**GOOD, "v": 1}}
DOUBTED: Figures = {
    **QUEUE,
    **{name: {"q": 3, "st": "late"} for name in ("speed_km_h", "flow_veh_h", "occupancy")},
}
BESIDE = {"speed_car_km_h": "speed_motorbike_km_h", "traffic_state": "crossing_time_min"}
"""Where there is the one, there is to be the other."""

WIDEST: list[tuple[Figures, dict[str, str]]] = [
    (
        FREE,
        {
            "vi": r"ô tô 104 · xe máy 104 km/h\|mức C",
            "en": r"cars 104 · motorbikes 104 km/h\|LOS C",
        },
    ),
    (QUEUE, {"vi": "ùn dài > 24,4 km", "en": "queue > 24.4 km"}),
    (
        INCIDENT,
        {
            "vi": r"▲ có dấu hiệu sự cố\|ùn dài > 24,4 km",
            "en": r"▲ signs of an incident\|queue > 24.4 km",
        },
    ),
    (
        DOUBTED,
        {
            "vi": r"ùn dài > 24,4 km\|◇ nghi ngờ · chậm · .+",
            "en": r"queue > 24.4 km\|◇ suspect · late · .+",
        },
    ),
]
"""What bridges are made to have, and what then stands beside each, with the rest left out."""

SHOWN = """() => [...document.querySelectorAll(".bridge button")].map((row) => {
  const box = (e) => e.getBoundingClientRect();
  const told = [...row.querySelectorAll(".more-of-it > :not(.flow), .flow > *")]
    .filter((e) => e.textContent !== "" && e.checkVisibility())
    .map((e) => [e, box(e), box(e.parentElement)]);
  const outside = ([, a, b]) => a.top >= b.bottom - 0.6;
  const whole = ([, a, b]) => a.left >= b.left - 0.6 && a.right <= b.right + 0.6
    && a.top >= b.top - 0.6 && a.bottom <= b.bottom + 0.6;
  return told.filter((one) => !outside(one))
    .map((one) => one[0].textContent + (whole(one) ? "" : " (cut)")).join("|");
})"""
"""What stands on the second line of each direction, but for what is left out as a whole."""

SETTLED = """async () => {
  await document.fonts.ready;
  for (let n = 0; n < 4; n += 1) await new Promise(requestAnimationFrame);
}"""
"""It is drawn for the size that it has now."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with first_view.demonstration(tmp_path_factory.mktemp("demo")) as running:
        yield running


def test_what_matters_is_read_from_five_metres(opened: Opened, demo: Service) -> None:
    page = opened(demo.http_url)
    expect(page.locator(".salt-text .km").first).to_have_text(re.compile(r"\d"))
    expect(page.locator(".bridge .speed").first).to_have_text(re.compile(r"\d"))
    expect(page.locator(".station.large").first).to_be_visible()
    letters = page.evaluate(LETTERS)
    figures(f"letters at 1080p, px: { ({k: (min(v), len(v)) for k, v in letters.items() if v}) }")
    for name in ("alerts", "minutes", "lines", "large"):
        assert letters[name], name
        assert min(letters[name]) >= MAIN_PX - ROUND_PX, (name, letters[name])
    # Whether there is a line of yesterday to compare with depends on the demonstration's hour.
    for name in ("small", "counts", "places", "states", "clock", "changes"):
        assert letters[name] or name == "changes", name
        assert min(letters[name], default=BODY_PX) >= BODY_PX - ROUND_PX, (name, letters[name])
    assert 3 <= len(letters["large"]) <= 12  # not everything can be large


@pytest.mark.parametrize(("width", "height"), WALLS)
def test_a_wall_of_any_size_shows_all_without_scrolling_or_cutting(
    opened: Opened, demo: Service, width: int, height: int
) -> None:
    page = opened(demo.http_url, width=width, height=height)
    for language in ("vi", "en"):
        page.get_by_test_id(f"lang-{language}").click()
        expect(page.locator(".salt-text .km").first).to_have_text(re.compile(r"\d"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        assert page.evaluate(CUT) == []


@pytest.mark.parametrize(("heard", "told"), WIDEST, ids=["free", "queue", "incident", "doubted"])
def test_the_widest_figures_of_a_bridge_stand_there_whole(
    opened: Opened, demo: Service, heard: Figures, told: Mapping[str, str]
) -> None:
    page = opened(demo.http_url, before=lambda new: _hears(new, heard))
    for language, words in told.items():
        page.get_by_test_id(f"lang-{language}").click()
        expect(page.locator(".bridge .time")).to_have_text([re.compile(r"^(44|> 204) ")] * 4)
        expect(page.locator(".salt-text .km").first).to_have_text(re.compile(r"\d"))
        for width, height in WALLS:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(SETTLED)
            for line in page.evaluate(SHOWN):
                assert re.fullmatch(words, line), (width, height, line)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.documentElement.scrollHeight") <= height
            assert page.evaluate(CUT) == [], (width, height)


def test_a_rule_s_words_take_a_second_line_before_the_place_is_cut(
    opened: Opened, demo: Service
) -> None:
    page = opened(demo.http_url)
    expect(page.locator(".alerts .row:visible .place").first).to_have_text(re.compile(r"\w"))
    for words in ("tăng 0,55 g/l trong 2 giờ, nhanh hơn thường lệ", "up 0.55 g/L within 2 hours"):
        for width, height in WALLS:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(SETTLED)
            # At once, so that nothing new is written in between.
            assert page.evaluate(WORDED, words) == [], (width, height)


def test_minutes_of_a_bridge_stand_first_and_against_their_limits(
    opened: Opened, demo: Service
) -> None:
    page = opened(demo.http_url)
    # The first minutes of a bridge come once cars have been counted while it was free.
    known = page.locator(".gauge:not(.unknown):visible")
    line = page.locator(".bridge button").filter(has=known).first
    expect(line.locator(".time")).to_have_text(re.compile(r"^\d+ phút$"))
    expect(line.locator(".level-word")).not_to_be_empty()
    gauge = line.locator(".gauge")
    minutes = int(re.sub(r"\D", "", line.locator(".speed").text_content() or ""))
    share = gauge.evaluate("(g) => g.querySelector('.fill').offsetWidth / g.offsetWidth")
    assert abs(share - min(1, minutes / 75)) < 0.02
    assert gauge.locator(".tick").all_text_contents() == ["15", "30", "60"]


def test_the_first_view_is_light_and_quick(chromium: Browser, demo: Service) -> None:
    view = first_view.loaded(chromium, demo.http_url)
    figures(f"first view: {view}")
    assert 20_000 < view.transferred_bytes < FIRST_VIEW_BYTES
    # A machine that is shared with others may be many times slower; the figure is in the log.
    assert view.figure_ms < 15 * FIRST_FIGURE_MS


def test_no_figure_waits_for_more_than_one_script(demo: Service) -> None:
    named = re.findall(r'<script [^>]*src="/([^"]+)"', demo.get("/", None).text)
    assert len(named) == 1
    # What it loads when it is needed is in import(…); this is what it would need at once.
    text = demo.get(f"/{named[0]}", None).text
    assert "import(" in text
    assert not re.search(r"""\b(?:import|from)\s*["']\.?/""", text)


def _hears(page: Page, instead: Figures) -> None:
    """What the real service sends, with these figures in the place of what was measured."""

    def wired(wire: WebSocketRoute) -> None:
        def heard(said: str | bytes) -> None:
            frame = json.loads(said)
            for name in ("items", "set"):
                frame[name] = _with(frame[name], instead) if name in frame else None
            wire.send(json.dumps({name: part for name, part in frame.items() if part is not None}))

        wire.connect_to_server().on_message(heard)

    page.route_web_socket(re.compile("/live"), wired)


def _with(items: list[dict[str, Any]], instead: Figures) -> list[dict[str, Any]]:
    """Each figure that is given instead, and those that the demonstration may not have yet."""
    found = {item["k"]: item for item in items if "k" in item}
    for key, item in list(found.items()):
        stem, _, quantity = key.rpartition("/")
        if quantity in BESIDE:
            other = BESIDE[quantity]
            beside = f"{stem}/{other}"
            named = {"quantity": other} if "quantity" in item else {}
            found.setdefault(beside, item | {"k": beside, **named})
    for key, item in found.items():
        item.update(instead.get(key.rpartition("/")[2], {}))
    return [*found.values(), *(item for item in items if "k" not in item)]
