"""The handover of a shift: what happened, what is open, what is missing. Pure.

All counts are of what was stored; how much of what was to come did not come stands beside them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.entries import Logged
from alerts.lifecycle import State
from alerts.messages import clock_time, local_time
from alerts.reports import figures, lines, words
from alerts.reports.sections import bridges, extremes
from alerts.reports.sources import DAY_MS, LOCAL_OFFSET_MS, Sources
from alerts.reports.words import Both
from alerts.topology import RANKS
from ingest.reading import Batch
from ingest.rollups import HOUR_MS
from ingest.series import Series

SHIFTS_H: Final = (6, 18)
"""When shifts begin, Vietnam's time: the day's and the night's."""

_SHIFTS: Final[Mapping[str, Both]] = {
    "day": ("Ca ngày", "Day shift"),
    "night": ("Ca đêm", "Night shift"),
    "asked": ("Khoảng", "The time"),
}
EVENTS_MAX: Final = 2_000
ENTERED_MAX: Final = 2_000
SILENT_LOOK_BACK_MS: Final = DAY_MS
"""A device that was lost before the shift is looked for so far back."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the service's book holds of a shift.

    events : told alert events in order, see `alerts.records.told_between`; more than
        `EVENTS_MAX` where some were left out
    active : the open alerts, now
    taken : of those by id, when they were acknowledged and by whom
    entered : what officers entered, in order; more than `ENTERED_MAX` where some were left out
    entered_since_ms : entries before that were not kept
    """

    events: Sequence[Mapping[str, Any]]
    active: Sequence[Mapping[str, Any]]
    taken: Mapping[str, tuple[int, str]]
    entered: Sequence[Logged]
    entered_since_ms: int | None


def shift_start_ms(now_ms: int) -> int:
    """06:00 or 18:00 in Vietnam, whichever was last."""
    today_ms = (now_ms + LOCAL_OFFSET_MS) // DAY_MS * DAY_MS - LOCAL_OFFSET_MS
    starts = [today_ms + hour * HOUR_MS for hour in SHIFTS_H]
    return max((s for s in starts if s <= now_ms), default=starts[-1] - DAY_MS)


def shift_name(from_ms: int, to_ms: int) -> str:
    """Which shift the stretch is, or the beginning of which: "day", "night", else "asked"."""
    hour, rest = divmod((from_ms + LOCAL_OFFSET_MS) % DAY_MS, HOUR_MS)
    if rest or hour not in SHIFTS_H or to_ms - from_ms > DAY_MS // 2:
        return "asked"
    return "day" if hour == SHIFTS_H[0] else "night"


def handover(sources: Sources, told: Told, from_ms: int, to_ms: int, now_ms: int) -> dict[str, Any]:
    """The shift [from, to), as `GET /api/v1/handover` shows it."""
    until_ms = min(to_ms, now_ms)
    devices = heard(sources, from_ms, until_ms)
    events = told.events[:EVENTS_MAX]
    # The daily test is no emergency: it happened, and nothing is open because of it.
    meant = [each for each in told.events if not each["alert"].get("test")]
    active = [alert for alert in told.active if not alert.get("test")]
    document: dict[str, Any] = {
        "from": from_ms,
        "to": to_ms,
        "now": now_ms,
        "shift": shift_name(from_ms, to_ms),
        "open": open_alerts(active, told.taken),
        "counts": _counts(meant, active),
        "events": [_event(each) for each in events],
        "events_left_out": max(0, len(told.events) - EVENTS_MAX),
        "devices": lost_devices(devices, from_ms, until_ms),
        "entered": [each.told() for each in told.entered[:ENTERED_MAX]],
        "entered_left_out": max(0, len(told.entered) - ENTERED_MAX),
        "entered_since": told.entered_since_ms,
        "extremes": _extremes(sources, from_ms, until_ms),
        "lines": _lines(sources, from_ms, until_ms),
        "bridges": bridges(sources, from_ms, until_ms),
        "missing": _missing(devices, from_ms, until_ms),
    }
    document["complete"] = sources.complete and all(each.known for each in devices)
    document["text_vi"], document["text_en"] = _texts(document)
    return document


def open_alerts(
    active: Sequence[Mapping[str, Any]], taken: Mapping[str, tuple[int, str]]
) -> list[dict[str, Any]]:
    """What is open: first what nobody has taken, then by severity, then the oldest."""

    def order(alert: Mapping[str, Any]) -> tuple[bool, bool, int, int, str]:
        return (
            alert["state"] == State.ACKED,
            "suppressed" in alert or "shelved_until" in alert,
            -RANKS[alert["severity"]],
            alert["t_since"],
            alert["id"],
        )

    found = []
    for alert in sorted(active, key=order):
        by = taken.get(alert["id"]) if alert["state"] == State.ACKED else None
        said = None if by is None else {"t": by[0]} | ({"who": by[1]} if by[1] else {})
        found.append({**alert, "taken": said})
    return found


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    alert = event["alert"]
    names = (
        *("rule", "k", "severity", "station", "message_vi", "message_en"),
        *("sim", "test", "state"),
    )
    about = {name: alert[name] for name in names if name in alert}
    said = {name: event[name] for name in ("who", "note") if name in event}
    return {"t": event["t"], "type": event["type"], "alert": alert["id"], **about, **said}


def _counts(
    events: Sequence[Mapping[str, Any]], active: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    raised = Counter(e["alert"]["severity"] for e in events if e["type"] == "raised")
    others = Counter(e["type"] for e in events if e["type"] != "raised")
    return {
        "raised": {severity: raised[severity] for severity in reversed(RANKS)},
        **{kind: others[kind] for kind in ("cleared", "acked", "shelved", "noted")},
        **dict(sorted(others.items())),
        "open": len(active),
        "unacked": sum(alert["state"] != State.ACKED for alert in active),
    }


@dataclass(frozen=True, slots=True)
class Heard:
    """A device, and by what one sees whether it is heard; `rows` reach back before the shift.

    n : how many readings of the shift count, those that are forgotten since among them
    known : whether all those are there
    """

    device: str
    series: Series
    rows: Batch
    n: int
    known: bool


def heard(sources: Sources, from_ms: int, to_ms: int) -> list[Heard]:
    """All devices, with what came of them in the shift and in the day before it."""
    found = []
    for device, series in sources.heartbeats():
        hours, rows = sources.past(series, from_ms - SILENT_LOOK_BACK_MS, to_ms)
        known = len(figures.used(rows)) >= int(hours.n.sum())
        in_hours = int(sources.hours(series, from_ms, to_ms).n.sum()) if not known else 0
        n = max(in_hours, len(figures.used(figures.within(rows, from_ms, to_ms))))
        found.append(Heard(device, series, rows, n, known))
    return found


def lost_devices(devices: Sequence[Heard], from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Devices of which nothing was stored for more than 8 intervals, the longest first.

    By observed time: what a device kept and sent later counts as there. Where readings are
    forgotten nobody knows any more when a device was silent.
    """
    found = [
        {
            "device": one.device,
            "station": one.series.station,
            "key": one.series.key,
            "from": each.from_ms,
            "to": each.to_ms,
            "minutes": figures.silent_minutes(each, from_ms, to_ms),
            "back": each.to_ms is not None,
        }
        for one in devices
        if one.known
        for each in figures.silences(one.rows.t_ms, from_ms, to_ms, one.series.expected_s)
    ]
    return sorted(found, key=lambda each: (-each["minutes"], each["device"]))


def _missing(devices: Sequence[Heard], from_ms: int, to_ms: int) -> dict[str, Any]:
    """By device: what is formed of several, as minutes of a bridge, is not there to be missed."""
    parts = []
    for one in devices:
        cover = figures.coverage(one.n, from_ms, to_ms, one.series.expected_s)
        parts.append({"key": one.series.key, **cover})
    return figures.missing(parts)


def _extremes(sources: Sources, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    found = []
    for station, series in sources.salinities():
        hours, rows = sources.past(series, from_ms, to_ms)
        found.append(extremes(station, series, rows, hours, from_ms, to_ms))
    return found


def _lines(sources: Sources, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """By mouth, basis and level: at the beginning, the furthest, at the end."""
    found = []
    for reach in sources.registry.reaches.values():
        for basis, suffix in (("now", ""), ("max_25h", "_max")):
            for level in lines.LEVELS_G_L:
                key = f"{reach.id}/salt_{level}{suffix}_km"
                series = sources.by_key(key)
                deviation = sources.by_key(f"{reach.id}/salt_{level}{suffix}_sd_km")
                if series is None or deviation is None or series.retired:
                    continue
                km = sources.read(series, from_ms - lines.FRESH_MS, to_ms + 1)
                sd = sources.read(deviation, from_ms - lines.FRESH_MS, to_ms + 1)
                of_shift = figures.within(km, from_ms, to_ms + 1)
                where = sources.registry, reach.id
                found.append(
                    {
                        "mouth": reach.id,
                        "name": reach.name,
                        "level_g_l": level,
                        "basis": basis,
                        "key": key,
                        "begin": lines.last_line(*where, km, sd, from_ms),
                        "max": lines.furthest_line(*where, of_shift, sd),
                        "end": lines.last_line(*where, km, sd, to_ms),
                    }
                )
    return found


def _texts(document: Mapping[str, Any]) -> Both:
    """The shift in a few sentences."""
    counts = document["counts"]
    raised = sum(counts["raised"].values())
    begin, end = local_time(document["from"]), clock_time(document["to"])
    dated = document["to"] - document["from"] >= DAY_MS
    if dated:
        end = local_time(document["to"])
    shift_vi, shift_en = _SHIFTS[document["shift"]]
    vi = f"{shift_vi} từ {begin} đến {end}: {raised} cảnh báo mới, {counts['cleared']} hết."
    en = f"{shift_en} from {begin} to {end}: {raised} new alerts, {counts['cleared']} cleared."
    parts: list[Both | None] = [(vi, en), _open_now(counts)]
    lost = len({each["device"] for each in document["devices"] if not each["back"]})
    back = len({each["device"] for each in document["devices"] if each["back"]})
    if lost or back:
        vi = f"Máy đang mất tín hiệu: {lost}; mất rồi có lại: {back}."
        parts.append((vi, f"Devices lost: {lost}; lost and back: {back}."))
    parts.append(words.highest_salinity(document["extremes"], dated=dated))
    parts.append(words.longest_crossing(document["bridges"], dated=dated))
    parts.append(words.data_share(document["missing"]))
    return words.joined(parts)


def _open_now(counts: Mapping[str, Any]) -> Both:
    if not counts["open"]:
        return "Hiện không còn cảnh báo nào.", "No alert is open now."
    return (
        f"Hiện còn {counts['open']} cảnh báo, {counts['unacked']} chưa tiếp nhận.",
        f"{counts['open']} alerts are open now, {counts['unacked']} of them not acknowledged.",
    )
