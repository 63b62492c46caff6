"""The day of a probe as one small curve: 25 hours, a limit, the same tide of the day before. Pure.

Times int ms UTC, salinity g/L.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from alerts.river.picture import SAME_TIDE_MS
from api.farmpage import say
from api.farmpage.html import Child, Markup, h
from ingest.reading import Flag

SPAN_MS: Final = 25 * say.HOUR_MS
"""25 hours hold two tides of a mixed sea, and so the highest of the day."""

WIDTH: Final = 340
HEIGHT: Final = 168
LEFT: Final = 2
RIGHT: Final = 336
TOP: Final = 24
FOOT: Final = 144
"""Of the drawing, in its own units: about a pixel of a narrow phone."""

TICK_MS: Final = 6 * say.HOUR_MS
LOCAL_MS: Final = 7 * say.HOUR_MS
LABEL: Final = 18
NAMED_TO: Final = 130
ROOM: Final = 1.02
SMALLEST_G_L: Final = 0.2

Point = tuple[int, float, int]
"""(t_ms, value, flag)"""


@dataclass(frozen=True, slots=True)
class Day:
    """What is drawn.

    today, before : usable readings, rising; `before` at the times of the tide that it was
    gap_ms : farther apart than this, nobody knows what was between
    refused : readings of the day that were not sound
    """

    end_ms: int
    today: tuple[Point, ...]
    before: tuple[Point, ...]
    gap_ms: int
    refused: int = 0


def day(points: Sequence[Point], now_ms: int, gap_ms: int) -> Day:
    """Of readings since `now_ms - SPAN_MS - SAME_TIDE_MS`, rising."""
    begin_ms = now_ms - SPAN_MS
    usable = [p for p in points if p[2] in (Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT)]
    shifted = [(t + SAME_TIDE_MS, value, flag) for t, value, flag in usable]
    return Day(
        now_ms,
        tuple(p for p in usable if p[0] >= begin_ms),
        tuple(p for p in shifted if begin_ms <= p[0] <= now_ms),
        gap_ms,
        sum(1 for t, _, flag in points if t >= begin_ms and flag in (Flag.FAIL, Flag.MISSING)),
    )


def drawn(found: Day, limit_g_l: float, lang: str) -> Markup:
    """The curve with its words; without a reading in the day a sentence alone."""
    words = described(found, limit_g_l, lang)
    if not found.today:
        return h("p", words, cls="note")
    scale = _Scale(found, limit_g_l)
    parts: list[Child] = [h("title", words, id="dc"), *_ticks(found, scale, lang)]
    parts += [_line(run, scale, "b") for run in runs(found.before, found.gap_ms)]
    line, name = _limit(found, limit_g_l, scale, lang)
    parts.append(line)
    parts += [_line(run, scale, "d") for run in runs(found.today, found.gap_ms)]
    parts += [_mark(p, scale) for p in _thinned(found.today, scale) if p[2] == Flag.SUSPECT]
    parts += [name, _highest(found, scale, lang)]
    last = found.today[-1]
    parts.append(h("circle", cls="n", cx=scale.x(last[0]), cy=scale.y(last[1]), r=5))
    svg = h("svg", *parts, role="img", viewBox=f"0 0 {WIDTH} {HEIGHT}", aria_labelledby="dc")
    return h("figure", svg, _legend(found, lang))


def runs(points: Sequence[Point], gap_ms: int) -> list[list[Point]]:
    """Stretches without a hole: a line across one would tell what nobody measured."""
    if not points:
        return []
    found = [[points[0]]]
    for before, after in pairwise(points):
        if after[0] - before[0] > gap_ms:
            found.append([])
        found[-1].append(after)
    return found


def described(found: Day, limit_g_l: float, lang: str) -> str:
    """The curve for those who don't see it."""
    if not found.today:
        if lang == "vi":
            return "Không có số đo dùng được trong 25 giờ qua."
        return "No usable reading in the last 25 hours."
    low = min(found.today, key=lambda p: p[1])
    high = _top(found)
    at = [say.moment(p[0], found.end_ms, lang) for p in (low, high)]
    figures = [say.figure(p[1], lang) for p in (low, high)]
    holes = sum(1 for _ in runs(found.today, found.gap_ms)) - 1
    doubtful = sum(1 for p in found.today if p[2] == Flag.SUSPECT)
    limit = say.limit(limit_g_l, lang)
    if lang == "vi":
        said = [
            f"Độ mặn 25 giờ qua: thấp nhất {figures[0]} g/l lúc {at[0]},",
            f"cao nhất {figures[1]} g/l lúc {at[1]}. Mức của tôi {limit} g/l.",
        ]
        said += [f"Mất số đo {holes} lần."] if holes else []
        said += [f"{doubtful} số đo đáng ngờ."] if doubtful else []
        said += [f"Bỏ {found.refused} số đo hỏng."] if found.refused else []
        return " ".join(said)
    said = [
        f"Salinity of the last 25 hours: lowest {figures[0]} g/L at {at[0]},",
        f"highest {figures[1]} g/L at {at[1]}. My limit {limit} g/L.",
    ]
    said += [f"Readings missing {holes} times."] if holes else []
    said += [f"{doubtful} suspect readings."] if doubtful else []
    said += [f"{found.refused} bad readings left out."] if found.refused else []
    return " ".join(said)


class _Scale:
    """From times and salinities to the drawing."""

    def __init__(self, found: Day, limit_g_l: float) -> None:
        values = [p[1] for p in (*found.today, *found.before)]
        self.top_g_l = ROOM * max(SMALLEST_G_L, limit_g_l, *values)
        self.begin_ms = found.end_ms - SPAN_MS

    def x(self, t_ms: int) -> int:
        return LEFT + round((RIGHT - LEFT) * min(1.0, (t_ms - self.begin_ms) / SPAN_MS))

    def y(self, value: float) -> int:
        return FOOT - round((FOOT - TOP) * value / self.top_g_l)


def _thinned(points: Sequence[Point], scale: _Scale) -> list[Point]:
    """Of all that fall into one column the highest: what is dangerous is not smoothed away."""
    found: dict[int, Point] = {}
    for point in points:
        column = scale.x(point[0])
        if column not in found or point[1] >= found[column][1]:
            found[column] = point
    return list(found.values())


def _line(run: Sequence[Point], scale: _Scale, cls: str) -> Markup:
    points = [f"{scale.x(t)},{scale.y(value)}" for t, value, _ in _thinned(run, scale)]
    if len(points) == 1:  # nothing to join it to, and still measured
        x, y = points[0].split(",")
        return h("circle", cls=f"{cls} dot", cx=x, cy=y, r=2)
    return h("polyline", cls=cls, points=" ".join(points))


def _mark(point: Point, scale: _Scale) -> Markup:
    x, y = scale.x(point[0]), scale.y(point[1])
    return h("path", cls="s", d=f"M{x} {y - 6}l6 6-6 6-6-6z")


def _limit(found: Day, limit_g_l: float, scale: _Scale, lang: str) -> tuple[Markup, Markup]:
    """The line of the limit and its name, on that side on which the curve is farther from it."""
    y = scale.y(limit_g_l)
    word = "mức của tôi" if lang == "vi" else "my limit"
    left_room, right_room = (
        min((abs(scale.y(p[1]) - y + LABEL // 2) for p in side), default=HEIGHT)
        for side in (
            [p for p in found.today if scale.x(p[0]) < NAMED_TO],
            [p for p in found.today if scale.x(p[0]) > WIDTH - NAMED_TO],
        )
    )
    right = right_room > left_room
    return (
        h("line", cls="l", x1=LEFT, x2=RIGHT, y1=y, y2=y),
        h(
            "text",
            f"{word} {say.limit(limit_g_l, lang)}",
            cls="lt r" if right else "lt",
            x=RIGHT if right else LEFT,
            y=y - 6,
        ),
    )


def _highest(found: Day, scale: _Scale, lang: str) -> Markup:
    t_ms, value, _ = _top(found)
    x = min(max(scale.x(t_ms), LEFT + LABEL), RIGHT - LABEL)
    return h("text", say.figure(value, lang), cls="t hi", x=x, y=scale.y(value) - 6)


def _top(found: Day) -> Point:
    return max(found.today, key=lambda p: (p[1], p[0]))


def _ticks(found: Day, scale: _Scale, lang: str) -> list[Child]:
    parts: list[Child] = [h("line", cls="a", x1=LEFT, x2=RIGHT, y1=FOOT, y2=FOOT)]
    first = -(-(scale.begin_ms + LOCAL_MS) // TICK_MS) * TICK_MS - LOCAL_MS
    for t_ms in range(first, found.end_ms + 1, TICK_MS):
        x = scale.x(t_ms)
        parts.append(h("line", cls="a", x1=x, x2=x, y1=FOOT, y2=FOOT + 4))
        if LEFT + 20 < x < RIGHT - 20:
            text = f"{say.hour(t_ms)} giờ" if lang == "vi" else f"{say.hour(t_ms):02}:00"
            parts.append(h("text", text, cls="t", x=x, y=HEIGHT - 4))
    return parts


def _legend(found: Day, lang: str) -> Markup:
    vi = lang == "vi"
    items = [h("span", "hôm nay" if vi else "today", cls="k kd")]
    if found.before:
        word = "con nước hôm trước" if vi else "the tide of the day before"
        items.append(h("span", word, cls="k kb"))
    if any(p[2] == Flag.SUSPECT for p in found.today):
        items.append(h("span", "đáng ngờ" if vi else "suspect", cls="k ks"))
    return h("figcaption", *(Markup(f"{item} ") for item in items))
