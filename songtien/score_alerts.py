"""Alerts of rules against the truth of their places.

A rule is held against the kind of label that says what it asks: levels of salt at its stations,
congestion and incidents of its directions, silence and lies of its devices.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alerts.bridge.congestion import TABLE, State
from alerts.rules import CONGESTION, Ask, Quality, Rule, watched
from ingest.reading import QUANTITIES, BoolArray, IntArray
from ingest.series import Series
from simulators.label import ABOVE, CONGESTED, INCIDENT, Label
from simulators.labels import LEVELS_G_L
from songtien.score import Run
from songtien.scoring import Delays, Matched, Stands, Windows, match

SILENT = ("gap", "silent-death", "burst")
"""Labels that a no-data alert is to find."""

STATE_HOLD_MS = TABLE[State.CONGESTED].enter_min * 60_000
"""How long a direction has to be slow before it counts as congested (docs/bridges.md)."""

INPUTS = ("conductivity_ms_cm", "conductivity_25_ms_cm", "temperature_c")
"""What salinity is computed from."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One rule against one kind of truth. `raised` alerts in all, of which `false` are false.

    standing : hits by an alert that stood before; they have no delay
    """

    rule: str
    label: str
    level: float | None
    windows: int
    hits: int
    missed: int
    not_asked: int
    standing: int
    raised: int
    false: int
    delay: Delays


def root_of(found: Run, device: str) -> str:
    """The device whose series it writes: that which it has replaced, if there is one."""
    known = device in found.registry.devices
    return found.registry.root_device(device).id if known else device


def windows_about(labels: Iterable[Label]) -> Windows:
    return Windows.of([(label.from_ms, label.to_ms) for label in labels])


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a rule is asked at one place: its truth, and what excuses an alert of it beside."""

    series: tuple[Series, ...]
    truth: Windows
    excuse: Windows
    least_ms: int


def scored(found: Run, rule: Rule, labels: Sequence[Label], *, simulated: bool) -> Scored | None:
    """None where no label says what the rule asks."""
    asks = _truth_of(rule)
    there = any(_says(label, asks, rule) for label in labels)
    if not asks or rule.joint or not (there or simulated):
        return None
    results: list[tuple[Matched, BoolArray]] = []
    for place in _places(found, rule, asks, labels):
        expected_ms = max(round(one.expected_s * 1000) for one in place.series)
        stands = _stands(found, rule, place.series)
        tolerance_ms = round(rule.for_s * 1000) + 2 * expected_ms
        kept = match(stands, place.truth, least_ms=place.least_ms, tolerance_ms=tolerance_ms)
        beside = match(stands, place.excuse, least_ms=0, tolerance_ms=tolerance_ms)
        results.append((kept, beside.false))
    every = [kept for kept, _ in results]
    hits = sum(int(kept.hit.sum()) for kept in every)
    asked = sum(int(kept.asked.sum()) for kept in every)
    windows = sum(len(kept.asked) for kept in every)
    delays = [t for kept in every for t in kept.delay_ms[kept.hit].tolist()]
    return Scored(
        rule.id,
        "/".join(asks),
        rule.raise_level if asks == (ABOVE,) else None,
        windows,
        hits,
        asked - hits,
        windows - asked,
        sum(t < 0 for t in delays),
        sum(len(false) for _, false in results),
        sum(int(false.sum()) for _, false in results),
        Delays.of(delays),
    )


def _truth_of(rule: Rule) -> tuple[str, ...]:
    """Kinds of labels that say whether an alert of this rule is right."""
    if rule.ask is Ask.ABOVE and rule.quantity == "salinity_g_l" and rule.raise_level in LEVELS_G_L:
        return (ABOVE,)
    if rule.ask is Ask.CONGESTION and rule.raise_level == CONGESTION[CONGESTED]:
        return (CONGESTED,)
    return {
        (Ask.INCIDENT, None): (INCIDENT,),
        (Ask.NO_DATA, None): SILENT,
        (Ask.FLAGGED, Quality.STUCK): ("stuck",),
        (Ask.FLAGGED, Quality.DRY): ("out-of-water",),
    }.get((rule.ask, rule.flagged), ())


def _says(label: Label, asks: Sequence[str], rule: Rule) -> bool:
    return label.label in asks and label.level in (None, rule.raise_level)


def _places(
    found: Run, rule: Rule, asks: Sequence[str], labels: Sequence[Label]
) -> Iterator[_Asked]:
    """Each device that a rule about devices watches, or each station and direction."""
    by_device = asks[0] not in (ABOVE, CONGESTED, INCIDENT)
    places: dict[tuple[str, str], list[Series]] = {}
    for one in watched(rule, found.series, found.registry):
        key = (one.device, "") if by_device else (one.station, one.direction or "")
        # The truth is that of the surface.
        if by_device or one.level in (None, "surface"):
            places.setdefault(key, []).append(one)
    for (name, direction), series in places.items():
        if by_device:
            near = [each for each in labels if each.device and root_of(found, each.device) == name]
            if rule.ask is Ask.FLAGGED:
                near = [each for each in near if _is_about(each, series)]
        else:
            near = [e for e in labels if e.station == name and e.direction in ("", direction)]
        truth = [label for label in near if _says(label, asks, rule)]
        excuse = near if by_device else truth
        least_ms = max(_least_ms(found, rule, one) for one in series)
        yield _Asked(tuple(series), windows_about(truth), windows_about(excuse), least_ms)


def _is_about(label: Label, series: Sequence[Series]) -> bool:
    quantities = {one.quantity for one in series}
    inputs = {"salinity_g_l"} if label.quantity in INPUTS else {label.quantity}
    return label.quantity not in QUANTITIES or bool(inputs & quantities)


def _least_ms(found: Run, rule: Rule, one: Series) -> int:
    """The shortest window that can prove anything: what the rule waits for, and two intervals."""
    expected_ms = round(one.expected_s * 1000)
    least = round(rule.for_s * 1000) + 2 * expected_ms
    if rule.ask is Ask.NO_DATA:
        least += rule.no_data_after_ms(expected_ms)
    elif rule.ask is Ask.CONGESTION:
        least += STATE_HOLD_MS
    elif rule.flagged is Quality.STUCK:
        least += round(
            (found.registry.limits(one.station, one.quantity).flat_suspect_s or 0) * 1000
        )
    return least


def _stands(found: Run, rule: Rule, series: Sequence[Series]) -> Stands:
    keys = {one.key for one in series}
    own = [each for each in found.alerts if each.rule == rule.id and each.k in keys]

    def column(values: Iterable[int]) -> IntArray:
        return np.array(list(values), dtype=np.int64)

    return Stands(
        column(each.since_ms for each in own),
        column(each.event_ms for each in own),
        column(each.until_ms for each in own),
    )
