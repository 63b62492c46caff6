"""Which rule watches which series, as columns: what the engine's vector code runs over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.rules import DIFFERENCES, RATES, Ask, GroupBy, Quality, Rule, RuleSet, watched
from ingest.reading import BoolArray, Flag, FloatArray, IntArray, Why
from ingest.registry import Registry
from ingest.series import Series, SeriesTable

PairKey = tuple[str, str, int]
"""(rule id, what it asks, series): state is carried over where all three stay."""

PLAIN: Final = (Ask.ABOVE, Ask.BELOW, Ask.CONGESTION, Ask.INCIDENT)
"""What a sample's own value answers: compared in bulk, before anything else is looked at."""

WORST: Final = {Quality.SUSPECT: Flag.SUSPECT, Quality.FAIL: Flag.FAIL}
EVIDENCE: Final = {Quality.STUCK: Why.FLAT_LINE, Quality.DRY: Why.DRY}


@dataclass(frozen=True, slots=True)
class LevelPairs:
    """P pairs of a rule and a series, or a group of series, which `series` then anchors.

    First come the `n_plain` whose value is the sample's own, ordered by series, then by rule;
    then those that look further (`kind`), in the same order; then the joint ones.

    first, later : int64[S + 1]; plain pairs of series s are `first[s]:first[s + 1]`, those
        that look further are `later[s]:later[s + 1]`
    rule, series : int64[P]
    sign : float64[P], -1 where falling is the breach, so that below it breach is always `>`
    raise_level, clear_level : float64[P], times `sign`; clear_level <= raise_level
    raise_told, clear_told : float64[P], the levels in words; NaN where there is none
    for_ms, clear_for_ms, gap_ms : int64[P]
    permit : bool[P]
    falls : float64[P], -1 where the slope is turned round
    window_ms : int64[P], of slopes
    worst_from, evidence : int64[P], of flagged pairs: the least flag, the bits of `why`
    rules : the rule of each pair, P of them
    groups : the members of each joint pair, in the order of its rule's `between`, or rising
    """

    keys: tuple[PairKey, ...]
    rules: tuple[Rule, ...]
    n_plain: int
    n_alone: int
    first: IntArray
    later: IntArray
    rule: IntArray
    series: IntArray
    sign: FloatArray
    raise_level: FloatArray
    clear_level: FloatArray
    raise_told: FloatArray
    clear_told: FloatArray
    for_ms: IntArray
    clear_for_ms: IntArray
    gap_ms: IntArray
    permit: BoolArray
    falls: FloatArray
    window_ms: IntArray
    worst_from: IntArray
    evidence: IntArray
    groups: tuple[tuple[Series, ...], ...]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class SilencePairs:
    """Q pairs of a no-data rule and a series, ordered by rule, then by series.

    silent_ms, never_ms : int64[Q], how long without data, and without the first value
    announced : bool[Q], whether the series is expected at all before its first value
    wake_ms : int64[Q], how long after its sleep a device may take until its first sample
    """

    keys: tuple[PairKey, ...]
    rule: IntArray
    series: IntArray
    silent_ms: IntArray
    never_ms: IntArray
    announced: BoolArray
    wake_ms: IntArray

    def __len__(self) -> int:
        return len(self.keys)


WAKE_MS = 60_000
"""A device that wakes needs a moment to reach its broker, but no more than its interval."""

_Picked = tuple[int, Rule, Series, tuple[Series, ...]]
"""(place of the rule, the rule, its series or the anchor, the group)."""


def level_pairs(rules: RuleSet, series: SeriesTable, registry: Registry) -> LevelPairs:
    """All pairs of rules with levels; O(rules x series), at start and on a new configuration."""
    plain: list[_Picked] = []
    later: list[_Picked] = []
    joint: list[_Picked] = []
    for number, rule in enumerate(rules.rules):
        if rule.ask is Ask.NO_DATA:
            continue
        if rule.joint:
            joint.extend((number, rule, g[0], g) for g in groups_of(rule, series, registry))
        else:
            found = plain if rule.ask in PLAIN else later
            found.extend((number, rule, one, ()) for one in watched(rule, series, registry))
    for part in (plain, later, joint):
        part.sort(key=lambda pair: (pair[2].id, pair[0]))
    return _columns(len(series), plain, later, joint)


def _columns(
    size: int, plain: list[_Picked], later: list[_Picked], joint: list[_Picked]
) -> LevelPairs:
    picked = [*plain, *later, *joint]
    rules = [rule for _, rule, _, _ in picked]
    ids = _ints([one.id for _, _, one, _ in picked])
    n_plain, n_alone = len(plain), len(plain) + len(later)
    sign = _floats([_sign(rule) for rule in rules])
    levels = [_levels(rule, len(group)) for _, rule, _, group in picked]
    bounds = np.arange(size + 1)
    return LevelPairs(
        keys=tuple(_key(rule, one, group) for _, rule, one, group in picked),
        rules=tuple(rules),
        n_plain=n_plain,
        n_alone=n_alone,
        first=np.searchsorted(ids[:n_plain], bounds).astype(np.int64),
        later=n_plain + np.searchsorted(ids[n_plain:n_alone], bounds).astype(np.int64),
        rule=_ints([number for number, _, _, _ in picked]),
        series=ids,
        sign=sign,
        raise_level=sign * _floats([each[0] for each in levels]),
        clear_level=sign * _floats([each[1] for each in levels]),
        raise_told=_floats([each[2] for each in levels]),
        clear_told=_floats([each[3] for each in levels]),
        for_ms=_ints([round(rule.for_s * 1000) for rule in rules]),
        clear_for_ms=_ints([round(rule.clear_for_s * 1000) for rule in rules]),
        gap_ms=_ints([rule.hold_gap_ms(_step_ms(one, group)) for _, rule, one, group in picked]),
        permit=np.array([rule.permit for rule in rules], dtype=np.bool_),
        falls=_floats([-1.0 if rule.ask is Ask.FALL else 1.0 for rule in rules]),
        window_ms=_ints(
            [round(rule.rise_window_s * 1000) if rule.ask in RATES else 0 for rule in rules]
        ),
        worst_from=_ints([worst_from(rule) for rule in rules]),
        evidence=_ints([evidence(rule) for rule in rules]),
        groups=tuple(group for _, _, _, group in joint),
    )


def groups_of(rule: Rule, series: SeriesTable, registry: Registry) -> list[tuple[Series, ...]]:
    """The groups of a rule over several series, by the number of their first one.

    Of a difference they have two members, in the order of `between`.
    """
    if rule.ask in DIFFERENCES:
        return _couples(rule, list(watched(rule, series, registry)), registry)
    found: dict[tuple[str | None, ...], list[Series]] = {}
    for one in watched(rule, series, registry):
        found.setdefault(_common(rule.group_by, one), []).append(one)
    return [tuple(group) for group in found.values()]


def _common(group_by: GroupBy, one: Series) -> tuple[str | None, ...]:
    if group_by is GroupBy.STATION:
        return (one.station or one.device,)
    if group_by is GroupBy.DIRECTION:
        return (one.station or one.device, one.direction)
    return one.branches[:1] if group_by is GroupBy.BRANCH else ()


def _couples(rule: Rule, found: Sequence[Series], registry: Registry) -> list[tuple[Series, ...]]:
    first, second = rule.between
    stations = first in registry.stations and second in registry.stations
    sides: tuple[dict[tuple[str | None, ...], Series], ...] = ({}, {})
    for one in found:
        name = one.station if stations else one.level
        like = (one.direction, one.level) if stations else (one.device, one.direction)
        if name in rule.between:
            # Of several probes at a station, the one with the lowest number stands for it.
            sides[name == second].setdefault(like, one)
    return [(one, sides[1][like]) for like, one in sides[0].items() if like in sides[1]]


def silence_pairs(rules: RuleSet, series: SeriesTable, registry: Registry) -> SilencePairs:
    """All pairs of no-data rules."""
    found = [
        (number, rule, one)
        for number, rule in enumerate(rules.rules)
        if rule.ask is Ask.NO_DATA
        for one in watched(rule, series, registry)
    ]
    return SilencePairs(
        keys=tuple(_key(rule, one) for _, rule, one in found),
        rule=_ints([number for number, _, _ in found]),
        series=_ints([one.id for _, _, one in found]),
        silent_ms=_ints([rule.no_data_after_ms(expected_ms(one)) for _, rule, one in found]),
        never_ms=_ints([rule.never_seen_after_ms(expected_ms(one)) for _, rule, one in found]),
        announced=np.array([one.announced for _, _, one in found], dtype=np.bool_),
        wake_ms=_ints([min(WAKE_MS, expected_ms(one)) for _, _, one in found]),
    )


def carried(old: tuple[PairKey, ...], new: tuple[PairKey, ...]) -> tuple[IntArray, IntArray]:
    """Places of the pairs that stay: (in the old columns, in the new ones)."""
    place = {key: at for at, key in enumerate(new)}
    stays = [(at, place[key]) for at, key in enumerate(old) if key in place]
    return _ints([at for at, _ in stays]), _ints([at for _, at in stays])


def expected_ms(one: Series) -> int:
    return round(one.expected_s * 1000)


def _key(rule: Rule, one: Series, group: Sequence[Series] = ()) -> PairKey:
    asks = f"{rule.ask.value} share" if rule.shared else rule.ask.value
    if rule.flagged is not None:
        asks = f"{asks} {rule.flagged.value}"
    if rule.ask in DIFFERENCES:
        asks = f"{asks} {group[1].id}"  # from another series it is another difference
    return rule.id, asks, one.id


def _sign(rule: Rule) -> float:
    falling = rule.ask is Ask.DIFFERENCE_BELOW or (rule.ask is Ask.BELOW and not rule.shared)
    return -1.0 if falling else 1.0


def _levels(rule: Rule, members: int) -> tuple[float, float, float, float]:
    """Levels to compare with, and to tell: to raise, to clear; then the same in words."""
    if rule.shared:
        needed = rule.needed(members)
        return needed - 0.5, needed - 0.5, float(needed), float(needed)
    raised, clear = own_levels(rule)
    if rule.ask in (Ask.FLAGGED, Ask.INCIDENT):
        return raised, clear, np.nan, np.nan
    assert rule.raise_level is not None
    assert rule.clear_level is not None
    return raised, clear, rule.raise_level, rule.clear_level


def own_levels(rule: Rule) -> tuple[float, float]:
    """The levels that one value is compared with: of states and of yes and no, half below."""
    if rule.ask in (Ask.FLAGGED, Ask.INCIDENT):
        return 0.5, 0.5
    assert rule.raise_level is not None
    assert rule.clear_level is not None
    if rule.ask is Ask.CONGESTION:
        return rule.raise_level - 0.5, rule.clear_level - 0.5
    return rule.raise_level, rule.clear_level


def worst_from(rule: Rule) -> int:
    return 0 if rule.flagged is None else int(WORST.get(rule.flagged, 0))


def evidence(rule: Rule) -> int:
    return 0 if rule.flagged is None else int(EVIDENCE.get(rule.flagged, 0))


def _step_ms(one: Series, group: tuple[Series, ...]) -> int:
    """The time between two evaluations: that of the slowest, where several are compared."""
    return max((expected_ms(each) for each in group), default=expected_ms(one))


def _ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _floats(values: list[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)
