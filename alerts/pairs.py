"""Which rule watches which series, as columns: what the engine's vector code runs over."""

from dataclasses import dataclass

import numpy as np

from alerts.rules import Ask, Rule, RuleSet, watched
from ingest.reading import BoolArray, IntArray
from ingest.registry import Registry
from ingest.series import Series, SeriesTable

PairKey = tuple[str, str, int]
"""(rule id, what it asks, series): state is carried over where all three stay."""


@dataclass(frozen=True, slots=True)
class LevelPairs:
    """P pairs of a rule with levels and a series, ordered by series, then by rule.

    first : int64[S + 1], pairs of series s are `first[s]:first[s + 1]`
    rule, series : int64[P]
    sign : float64[P], -1 where falling is the breach, so that below it breach is always `>`
    raise_level, clear_level : float64[P], times `sign`; clear_level <= raise_level
    for_ms, clear_for_ms, gap_ms : int64[P]
    permit, rise : bool[P]
    window_ms : int64[P], of rises
    """

    keys: tuple[PairKey, ...]
    first: IntArray
    rule: IntArray
    series: IntArray
    sign: np.ndarray[tuple[int], np.dtype[np.float64]]
    raise_level: np.ndarray[tuple[int], np.dtype[np.float64]]
    clear_level: np.ndarray[tuple[int], np.dtype[np.float64]]
    for_ms: IntArray
    clear_for_ms: IntArray
    gap_ms: IntArray
    permit: BoolArray
    rise: BoolArray
    window_ms: IntArray

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


def level_pairs(rules: RuleSet, series: SeriesTable, registry: Registry) -> LevelPairs:
    """All pairs of rules with levels; O(rules x series), at start and on a new configuration."""
    found = [
        (one.id, number, rule, one)
        for number, rule in enumerate(rules.rules)
        if rule.ask is not Ask.NO_DATA
        for one in watched(rule, series, registry)
    ]
    found.sort(key=lambda pair: pair[:2])
    picked = [(rule, one) for _, _, rule, one in found]
    sign = np.array([_sign(rule) for rule, _ in picked], dtype=np.float64)
    ids = _ints([one.id for _, one in picked])
    return LevelPairs(
        keys=tuple(_key(rule, one) for rule, one in picked),
        first=np.searchsorted(ids, np.arange(len(series) + 1)).astype(np.int64),
        rule=_ints([number for _, number, _, _ in found]),
        series=ids,
        sign=sign,
        raise_level=sign * np.array([rule.raise_level for rule, _ in picked], dtype=np.float64),
        clear_level=sign * np.array([rule.clear_level for rule, _ in picked], dtype=np.float64),
        for_ms=_ints([round(rule.for_s * 1000) for rule, _ in picked]),
        clear_for_ms=_ints([round(rule.clear_for_s * 1000) for rule, _ in picked]),
        gap_ms=_ints([rule.hold_gap_ms(_expected_ms(one)) for rule, one in picked]),
        permit=np.array([rule.permit for rule, _ in picked], dtype=np.bool_),
        rise=np.array([rule.ask is Ask.RISE for rule, _ in picked], dtype=np.bool_),
        window_ms=_ints([round(rule.rise_window_s * 1000) for rule, _ in picked]),
    )


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
        silent_ms=_ints([rule.no_data_after_ms(_expected_ms(one)) for _, rule, one in found]),
        never_ms=_ints([rule.never_seen_after_ms(_expected_ms(one)) for _, rule, one in found]),
        announced=np.array([one.announced for _, _, one in found], dtype=np.bool_),
        wake_ms=_ints([min(WAKE_MS, _expected_ms(one)) for _, _, one in found]),
    )


def carried(old: tuple[PairKey, ...], new: tuple[PairKey, ...]) -> tuple[IntArray, IntArray]:
    """Places of the pairs that stay: (in the old columns, in the new ones)."""
    place = {key: at for at, key in enumerate(new)}
    stays = [(at, place[key]) for at, key in enumerate(old) if key in place]
    return _ints([at for at, _ in stays]), _ints([at for _, at in stays])


def _key(rule: Rule, one: Series) -> PairKey:
    return rule.id, rule.ask.value, one.id


def _sign(rule: Rule) -> float:
    return -1.0 if rule.ask is Ask.BELOW else 1.0


def _expected_ms(one: Series) -> int:
    return round(one.expected_s * 1000)


def _ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
