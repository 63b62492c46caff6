"""The board of gates (bảng canh con nước): both sides of each intake, and its fresh water. Pure.

Only samples of flag 1 count as fresh: a suspect one permits nothing. What is likely is told by
the same tide of the day before, and only where that has fitted the last three hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.reports.figures import figure
from alerts.reports.sources import Sources
from alerts.river.decision import near_g_l
from alerts.river.picture import PARTNER_MS, SAME_TIDE_MS
from alerts.river.recent import EARLY_MS, Sample, fits
from ingest.intakes import Intake
from ingest.reading import Batch, Flag, Why
from ingest.series import Series

WINDOW_MS: Final = 25 * 3_600_000
"""A tidal day and its diurnal inequality."""

LOOKED_BACK_MS: Final = 30 * 3_600_000
"""What the same tide of the day before is fitted by reaches so far back."""

GAP_INTERVALS: Final = 3
"""Across a longer hole nobody has seen that the water stayed fresh."""

HEAD_FRESH_MS: Final = 1_800_000

Items = Mapping[str, Mapping[str, Any]]
"""The newest values as on the screens, by key of series: `v`, `t`, `q`, `st`, `device`, `sim`."""

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "not-measured": ("không có máy đo", "nothing measures it"),
    "never": ("máy đo chưa gửi số liệu nào", "its device has sent nothing yet"),
    "no-outer-gauge": ("không có thước nước phía ngoài", "no gauge outside"),
    "no-inner-gauge": ("không có thước nước phía trong", "no gauge inside"),
    "zeros-unknown": (
        "chưa biết chênh mốc cao độ giữa hai thước nước",
        "how the zeros of the two gauges differ is not known",
    ),
    "no-recent-level": (
        "không có mực nước tốt trong 30 phút ở cả hai phía",
        "no good level of the last 30 min on both sides",
    ),
}
BASIS: Final = (
    "tham khảo, theo cùng con nước hôm trước",
    "for reference, by the same tide of the day before",
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A stretch of good samples below a limit; `goes_on`: it reaches to the newest sample."""

    from_ms: int
    to_ms: int
    min_g_l: float
    min_ms: int
    n: int
    goes_on: bool

    def told(self) -> dict[str, Any]:
        return {
            "from": self.from_ms,
            "to": self.to_ms,
            "min_g_l": self.min_g_l,
            "min_t": self.min_ms,
            "n": self.n,
            "goes_on": self.goes_on,
        }


def fresh_windows(rows: Batch, limit_g_l: float, gap_ms: int) -> list[Fresh]:
    """Runs of good samples below a limit, oldest first; a hole of more than `gap_ms` ends one."""
    found: list[Fresh] = []
    run: list[tuple[int, float]] = []
    columns = zip(rows.t_ms.tolist(), rows.value.tolist(), rows.flag.tolist(), strict=True)
    for t_ms, value, flag in columns:
        fresh = flag == Flag.PASS and value < limit_g_l
        if run and (not fresh or t_ms - run[-1][0] > gap_ms):
            found.append(_window(run, goes_on=False))
            run = []
        if fresh:
            run.append((t_ms, value))
    if run:
        found.append(_window(run, goes_on=True))
    return found


def _window(run: Sequence[tuple[int, float]], *, goes_on: bool) -> Fresh:
    low_ms, low = min(run, key=lambda each: each[1])
    return Fresh(run[0][0], run[-1][0], low, low_ms, len(run), goes_on)


def likely_window(
    rows: Batch, limit_g_l: float, now_ms: int
) -> tuple[dict[str, Any] | None, str | None]:
    """The next stretch far enough below the limit, by the same tide of the day before.

    rows : of the last `LOOKED_BACK_MS`, rising

    Returns the window and None, or None and why: "not-fitting" (the day before does not fit the
    last three hours, or nothing is known of them), "not-known" (a hole of the day before hides
    it), "no-fresh-water". It ends half an hour before the day before says, as advice does.
    """
    samples = [
        Sample(t_ms, value, flag, bool(why & Why.SIMULATED), bool(why & Why.DRY))
        for t_ms, value, flag, why in zip(
            *(column.tolist() for column in (rows.t_ms, rows.value, rows.flag, rows.why)),
            strict=True,
        )
    ]
    good = [each for each in samples if each.flag == Flag.PASS and not each.bad]
    times = [each.t_ms for each in good]
    if not good or now_ms - times[-1] > PARTNER_MS or not fits(good, times):
        return None, "not-fitting"
    near = near_g_l(limit_g_l)
    ahead = [
        (each.t_ms + SAME_TIDE_MS, each.value)
        for each in good
        if each.t_ms + SAME_TIDE_MS > times[-1]
    ]
    run: list[tuple[int, float]] = []
    before_ms = times[-1]
    for t_ms, value in ahead:
        if t_ms - before_ms > PARTNER_MS:
            return None, "not-known"
        before_ms = t_ms
        if value <= near:
            run.append((t_ms, value))
        elif run and (window := _likely(run, now_ms)) is not None:
            return window, None
        else:
            run = []
    # What goes on to the end of yesterday's curve has no end that anybody knows.
    return None, "not-known" if run else "no-fresh-water"


def _likely(run: Sequence[tuple[int, float]], now_ms: int) -> dict[str, Any] | None:
    begin, end = max(run[0][0], now_ms), run[-1][0] - EARLY_MS
    inside = [value for t_ms, value in run if begin <= t_ms <= end]
    if end <= begin or not inside:
        return None
    vi, en = BASIS
    return {"from": begin, "to": end, "min_g_l": min(inside), "basis_vi": vi, "basis_en": en}


def sides(sources: Sources, intake: Intake) -> tuple[list[str], list[str]]:
    """The stations outside and inside of an intake, the most trusted first.

    Those that the registry names for it, then others that stand at its gate.
    """
    stations = sources.registry.stations
    named = [*intake.stations, *([intake.inside] if intake.inside else [])]
    at_gate = [
        each.id
        for each in stations.values()
        if intake.gate is not None and each.gate == intake.gate and each.kind == "salinity"
    ]
    known = [each for each in dict.fromkeys([*named, *at_gate]) if each in stations]
    inside = [e for e in known if stations[e].side == "field" or e == intake.inside]
    return [each for each in known if each not in inside], inside


def outer_series(sources: Sources, intake: Intake) -> Series | None:
    """The salinity outside, by which windows are told."""
    outside, _ = sides(sources, intake)
    return next((s for each in outside if (s := sources.salinity(each)) is not None), None)


def board(
    sources: Sources,
    items: Items,
    advice: Mapping[str, Mapping[str, Any]],
    states: Mapping[str, Mapping[str, Any]],
    now_ms: int,
) -> list[dict[str, Any]]:
    """Every intake of the registry, in its order, as `GET /api/v1/gates` shows it."""
    return [
        _gate(sources, items, intake, now_ms)
        | {"advice": advice.get(intake.id), "state": states.get(intake.id)}
        for intake in sources.registry.intakes.values()
    ]


def _gate(sources: Sources, items: Items, intake: Intake, now_ms: int) -> dict[str, Any]:
    outside, inside = sides(sources, intake)
    told: dict[str, Any] = {
        "intake": intake.id,
        "name": intake.name,
        "gate": intake.gate,
        "side": intake.side,
        "lift": intake.lift,
        "crop": intake.crop,
        "limit_g_l": intake.limit_g_l,
        "outside": _side(sources, items, outside),
        "inside": _side(sources, items, inside),
        "windows_key": None,
        "windows": [],
        "next": None,
        "next_why": "no-series",
    }
    told["head"] = _head(intake, told["outside"]["level"], told["inside"]["level"], now_ms)
    series = outer_series(sources, intake)
    if series is None:
        return told
    rows = sources.read(series, now_ms - LOOKED_BACK_MS, now_ms + 1)
    gap_ms = int(GAP_INTERVALS * series.expected_s * 1000)
    recent = rows.take(rows.t_ms >= now_ms - WINDOW_MS)
    told["windows_key"] = series.key
    told["windows"] = [w.told() for w in fresh_windows(recent, intake.limit_g_l, gap_ms)]
    told["next"], told["next_why"] = likely_window(rows, intake.limit_g_l, now_ms)
    return told


def _side(sources: Sources, items: Items, stations: Sequence[str]) -> dict[str, Any]:
    return {
        "salinity": _reading(items, [sources.salinity(each) for each in stations]),
        "level": _reading(items, [sources.level(each) for each in stations]),
    }


def _reading(items: Items, candidates: Sequence[Series | None]) -> dict[str, Any]:
    """The newest value of the first series that has one."""
    known = [each for each in candidates if each is not None]
    for series in known:
        item = items.get(series.key, {})
        if item.get("v") is not None:
            return {
                "value": item["v"],
                "t": item["t"],
                "st": item.get("st"),
                "flag": item.get("q"),
                "station": series.station,
                "device": item.get("device", series.device),
                "key": series.key,
                "simulated": bool(item.get("sim")),
            }
    why = "never" if known else "not-measured"
    place = {"station": known[0].station, "device": known[0].device} if known else {}
    return {"value": None, **place, **_why(why)}


def _why(why: str) -> dict[str, str]:
    vi, en = _WORDS[why]
    return {"why": why, "why_vi": vi, "why_en": en}


def _head(
    intake: Intake, outer: Mapping[str, Any], inner: Mapping[str, Any], now_ms: int
) -> dict[str, Any]:
    """Outside minus inside by one zero: two gauges of different zeros make no head."""
    if outer.get("why") == "not-measured":
        return {"m": None, **_why("no-outer-gauge")}
    if inner.get("why") == "not-measured":
        return {"m": None, **_why("no-inner-gauge")}
    if intake.head_offset_m is None:
        return {"m": None, **_why("zeros-unknown")}
    for level in (outer, inner):
        fresh = level["value"] is not None and now_ms - level["t"] <= HEAD_FRESH_MS
        if not fresh or level["flag"] != Flag.PASS:
            return {"m": None, **_why("no-recent-level")}
    m = figure(outer["value"] + intake.head_offset_m - inner["value"])
    return {"m": m, "why": None, "why_vi": None, "why_en": None}
