"""The bulletin of one of Vietnam's days: maxima, change, the same period, lines, gates, bridges.

Pure. It says what was measured, with the series and times that each figure came from; nothing in
it is a forecast.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from alerts.entries import Logged
from alerts.reports import figures, gates, lines, lunar, words
from alerts.reports.sections import bridges, extremes
from alerts.reports.sources import DAY_MS, LOCAL_OFFSET_MS, Sources
from alerts.reports.words import Both
from ingest.reading import Batch
from ingest.registry import Station
from ingest.rollups import Windows
from ingest.series import Series

SAME_YEARS: Final = 10
EPOCH: Final = date(1970, 1, 1)
ATTRIBUTION: Final[Both] = (
    (
        "Số liệu tham khảo từ các trạm đo tự động, không phải bản tin dự báo; bản tin chính thức do "
        "cơ quan khí tượng thủy văn phát hành."
    ),
    (
        "For reference, from automatic stations; this is no forecast. Official bulletins are issued "
        "by the hydro-meteorological service."
    ),
)

Highest = tuple[float, int]
"""The highest value of a day, and of how many."""

DayOf = Callable[[Series, date], Highest | None]
"""The highest of a series on a day long ago; None where there are no data."""


@dataclass(frozen=True, slots=True)
class Day:
    """One of Vietnam's days, as far as it has come.

    until_ms : its end, or now
    """

    on: date
    from_ms: int
    until_ms: int
    now_ms: int

    @classmethod
    def of(cls, on: date, now_ms: int) -> "Day":
        from_ms = start_ms(on)
        return cls(on, from_ms, min(from_ms + DAY_MS, now_ms), now_ms)

    @property
    def to_ms(self) -> int:
        return self.from_ms + DAY_MS

    @property
    def over(self) -> bool:
        return self.now_ms >= self.to_ms


@dataclass(frozen=True, slots=True)
class Gatebook:
    """What was entered of intakes: the last before the day of each, and during the day."""

    before: Sequence[Logged]
    during: Sequence[Logged]
    advice: Mapping[str, Mapping[str, Any]]


def start_ms(on: date) -> int:
    """When a day begins in Vietnam."""
    return (on - EPOCH).days * DAY_MS - LOCAL_OFFSET_MS


def local_date(t_ms: int) -> date:
    """The day that it is in Vietnam."""
    return EPOCH + timedelta(days=(t_ms + LOCAL_OFFSET_MS) // DAY_MS)


def bulletin(sources: Sources, day: Day, book: Gatebook, long_ago: DayOf) -> dict[str, Any]:
    """The day as `GET /api/v1/bulletin` shows it."""
    same = lunar.same_dates(day.on, SAME_YEARS)
    stations = [
        _station(sources, station, series, day, same, long_ago)
        for station, series in sources.salinities()
    ]
    roads = [_road(sources, each, day) for each in bridges(sources, day.from_ms, day.until_ms)]
    document: dict[str, Any] = {
        "date": day.on.isoformat(),
        "from": day.from_ms,
        "to": day.to_ms,
        "now": day.now_ms,
        "lunar": lunar.lunar_of(day.on).told(),
        "same_dates": [each.told() for each in same],
        "stations": stations,
        "lines": _lines(sources, day),
        "gates": [_gate(sources, name, day, book) for name in sources.registry.intakes],
        "bridges": roads,
        "missing": _missing(sources, day),
        "attribution_vi": ATTRIBUTION[0],
        "attribution_en": ATTRIBUTION[1],
    }
    marks = {each["simulated"] for each in (*stations, *roads)}
    document["simulated"] = True if True in marks else None if None in marks else False
    document["complete"] = day.over and sources.complete
    document["text_vi"], document["text_en"] = _texts(document)
    return document


def _station(
    sources: Sources,
    station: Station,
    series: Series,
    day: Day,
    same: Sequence[lunar.Same],
    long_ago: DayOf,
) -> dict[str, Any]:
    before_ms = day.from_ms - DAY_MS
    hours, rows = sources.past(series, before_ms, day.until_ms)
    today = figures.within(rows, day.from_ms, day.until_ms)
    kept = figures.of_hours(hours, day.from_ms, day.to_ms)
    told = extremes(station, series, today, kept, day.from_ms, day.until_ms)
    of_good = figures.highest(figures.good(today))
    other = told["max"] is not None and told["max"]["flag"] not in (1, None)
    return {
        **told,
        "n_good": max(len(figures.good(today)), int(kept.n_good.sum())),
        "km_from_mouth": dict(station.km_from_mouth),
        "from": day.from_ms,
        "to": day.until_ms,
        "good_max": of_good.told() if other and of_good is not None else None,
        # A day that goes on has not had its maximum yet: against a whole one it would look low.
        "change": _change(rows, hours, series, day, told["max"]) if day.over else None,
        "same_period": [_same(series, each, long_ago) for each in same],
    }


def _change(
    rows: Batch, hours: Windows, series: Series, day: Day, top: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The maximum against that of the whole day before; None where either is missing."""
    before_ms = day.from_ms - DAY_MS
    before = figures.used(figures.within(rows, before_ms, day.from_ms))
    kept = figures.of_hours(hours, before_ms, day.from_ms)
    n = max(len(before), int(kept.n.sum()))
    high = figures.highest(before) if n == len(before) else figures.highest_hour(kept)
    if high is None or top is None:
        return None
    return {
        "g_l": figures.figure(top["value"] - high.value),
        "before_g_l": high.value,
        "before_t": high.t_ms,
        "before_share": figures.coverage(n, before_ms, day.from_ms, series.expected_s)["share"],
    }


def _same(series: Series, same: lunar.Same, long_ago: DayOf) -> dict[str, Any]:
    found = long_ago(series, same.on)
    begin_ms = start_ms(same.on)
    return {
        **same.told(),
        "max_g_l": None if found is None else found[0],
        "n": 0 if found is None else found[1],
        "from": begin_ms,
        "to": begin_ms + DAY_MS,
    }


def _lines(sources: Sources, day: Day) -> list[dict[str, Any]]:
    """The lines of 25 h as they stood at the end of the day, against the end of that before."""
    found = []
    for reach in sources.registry.reaches.values():
        for level in lines.LEVELS_G_L:
            key, sd_key = (f"{reach.id}/salt_{level}_max{each}_km" for each in ("", "_sd"))
            series, deviation = sources.by_key(key), sources.by_key(sd_key)
            if series is None or deviation is None or series.retired:
                continue
            begin_ms = day.from_ms - lines.FRESH_MS
            km = sources.read(series, begin_ms, day.until_ms + 1)
            sd = sources.read(deviation, begin_ms, day.until_ms + 1)
            where = sources.registry, reach.id
            line = lines.last_line(*where, km, sd, day.until_ms)
            before = lines.last_line(*where, km, sd, day.from_ms)
            change = None
            if line and before and line["bound"] is None and before["bound"] is None:
                change = figures.figure(line["km"] - before["km"])
            found.append(
                {
                    "mouth": reach.id,
                    "name": reach.name,
                    "level_g_l": level,
                    "basis": "max_25h",
                    "key": key,
                    "sd_key": sd_key,
                    "line": line,
                    "change_km": change,
                }
            )
    return found


def _gate(sources: Sources, name: str, day: Day, book: Gatebook) -> dict[str, Any]:
    intake = sources.registry.intakes[name]
    spent = gate_minutes(
        [each for each in (*book.before, *book.during) if each.subject == name], day
    )
    told: dict[str, Any] = {
        "intake": name,
        "name": intake.name,
        "limit_g_l": intake.limit_g_l,
        "key": None,
        **spent,
        "fresh_min": None,
        "max_g_l": None,
        "advice": None if day.over else book.advice.get(name),
    }
    series = gates.outer_series(sources, intake)
    if series is not None:
        hours, rows = sources.past(series, day.from_ms, day.until_ms)
        used = figures.used(rows)
        forgotten = int(hours.n.sum()) > len(used)
        high = figures.highest_hour(hours) if forgotten else figures.highest(used)
        told["key"] = series.key
        told["max_g_l"] = None if high is None else high.value
        if len(used) and not forgotten:
            gap_ms = int(gates.GAP_INTERVALS * series.expected_s * 1000)
            fresh = gates.fresh_windows(rows, intake.limit_g_l, gap_ms)
            lasted_ms = sum(each.to_ms - each.from_ms for each in fresh)
            told["fresh_min"] = figures.figure(lasted_ms / 60_000)
    return told


def gate_minutes(entries: Sequence[Logged], day: Day) -> dict[str, float]:
    """For how long of a day water was taken, and its gate open or closed, as entered.

    entries : of one intake in order, the last before the day among them
    """
    spent = dict.fromkeys(("taking_min", "open_min", "closed_min", "unknown_min"), 0.0)
    at_ms, state = day.from_ms, {"taking": False, "gate": None}
    for t_ms, item in [*((e.at_ms, e.item) for e in entries), (day.until_ms, {})]:
        until_ms = min(max(t_ms, at_ms), day.until_ms)
        minutes = (until_ms - at_ms) / 60_000
        spent["taking_min"] += minutes if state["taking"] else 0.0
        spent[f"{state['gate'] or 'unknown'}_min"] += minutes
        at_ms, state = until_ms, item or state
    return {name: figures.figure(minutes) for name, minutes in spent.items()}


def _road(sources: Sources, told: dict[str, Any], day: Day) -> dict[str, Any]:
    """With the vehicles that passed the camera at the entry, by class."""
    station = sources.registry.stations[told["station"]]
    counted = sources.counts(station, told["direction"])
    vehicles: dict[str, int] = {}
    shares, keys = [], []
    for name, series in counted.items():
        hours = sources.hours(series, day.from_ms, day.until_ms)
        n = int(hours.n.sum())
        if n:
            vehicles[name] = round(figures.total(hours))
            keys.append(series.key)
            cover = figures.coverage(n, day.from_ms, day.until_ms, series.expected_s)
            shares.append(cover["share"])
    return told | {
        "vehicles": vehicles or None,
        "vehicles_keys": keys,
        "vehicles_share": figures.figure(float(np.min(shares))) if shares else None,
    }


def _missing(sources: Sources, day: Day) -> dict[str, Any]:
    """By device, of each by one series: what is formed of several is not there to be missed."""
    parts = []
    for _, series in sources.heartbeats():
        n = int(sources.hours(series, day.from_ms, day.until_ms).n.sum())
        cover = figures.coverage(n, day.from_ms, day.until_ms, series.expected_s)
        parts.append({"key": series.key, **cover})
    return figures.missing(parts)


def _texts(document: Mapping[str, Any]) -> Both:
    on = date.fromisoformat(document["date"])
    vi = f"Ngày {on:%d/%m/%Y} ({document['lunar']['text_vi']})."
    en = f"{on:%d/%m/%Y} ({document['lunar']['text_en']})."
    parts: list[Both | None] = [(vi, en)]
    if document["simulated"]:
        parts.append(("SỐ LIỆU MÔ PHỎNG, không phải đo thật.", "SIMULATED DATA, not measured."))
    if not document["complete"]:
        parts.append(("Số liệu chưa đủ ngày.", "The day's data are not complete."))
    parts.append(words.maxima(document["stations"]))
    parts.extend(words.line(each) for each in document["lines"])
    parts.append(words.gates(document["gates"]))
    parts.extend(words.road(each) for each in document["bridges"])
    parts.append(words.data_share(document["missing"]))
    parts.append(ATTRIBUTION)
    return words.joined(parts)
