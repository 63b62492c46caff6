"""The same tide of the day before, against its slow twin; memories that outlive a restart."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.rise import SAME_TIDE_MS, Slopes, Tides
from alerts.rulesfile import parse_rules
from alerts.transition import Transition
from ingest.reading import Batch, Flag
from ingest.snapshot import pack, unpack
from tests.alerts.script import VK, t
from tests.alerts.test_engine import REGISTRY, SERIES, batch_of, by_pair, by_twin
from tests.naive.alerts import Sample

NUMBER = SERIES.by_key[VK]
TIDE = """
[[rule]]
id = "tide"
quantity = "salinity_g_l"
severity = "info"
above_same_tide = 0.8
clear_below_same_tide = 0.5
"""


def feed(seed: int, minutes: float, keep: float) -> list[tuple[int, Sample]]:
    """Two and a half days of a tide with noise, with gaps, jitter and bad flags."""
    chance = np.random.default_rng(seed)
    rows = []
    for n in range(int(60 * 60 / minutes)):
        if chance.random() > keep:
            continue
        jitter_ms = int(chance.choice([0, 0, 0, 1, 20_000]))
        tide = 2 + np.sin(2 * np.pi * n * minutes / 745)
        value = float(np.round(tide + chance.normal(0, 0.4), 2))
        flag = int(chance.choice([1, 1, 1, 1, 1, 2, 3, 4]))
        rows.append((NUMBER, Sample(t(n * minutes) + jitter_ms, value, flag)))
    return rows


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([3, 10, 15, 24.5]),
    st.sampled_from([1.0, 0.9, 0.5]),
    st.sampled_from(["", "hold_gap_s = 3600\n", "for_s = 1200\nclear_for_s = 1200\n"]),
    st.lists(st.integers(0, 300), max_size=4),
)
def test_the_same_tide_equals_the_twin_in_any_split(
    seed: int, minutes: float, keep: float, times: str, cuts: list[int]
) -> None:
    rules = parse_rules(TIDE + times, "rules.toml", REGISTRY)
    rows = feed(seed, minutes, keep)
    expected = by_twin(rules, rows)
    assert by_pair(Engine(rules, SERIES, REGISTRY).step(batch_of(rows))) == expected
    engine = Engine(rules, SERIES, REGISTRY)
    told: list[Transition] = []
    bounds = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    for low, high in pairwise(bounds):
        engine = Engine(rules, SERIES, REGISTRY, unpack(pack(engine.snapshot())))
        engine.reconfigure(rules, SERIES, REGISTRY)
        told.extend(engine.step(batch_of(rows[low:high])))
    assert by_pair(told) == expected


def test_a_day_before_is_24_h_50_min() -> None:
    assert SAME_TIDE_MS == (24 * 60 + 50) * 60_000
    engine = Engine(parse_rules(TIDE, "rules.toml", REGISTRY), SERIES, REGISTRY)
    before = Batch.of([NUMBER] * 2, [t(0), t(15)], [1.0, 2.0], [1, 3])
    assert engine.step(before) == []
    # Seven minutes and a half after the first of them the tide then stood at 1.5 g/L.
    now = Batch.of([NUMBER], [t(7.5) + SAME_TIDE_MS], [2.5], Flag.PASS)
    (told,) = engine.step(now)
    assert (told.value, told.limit, told.reading) == (1.0, 0.8, 2.5)
    assert (told.flag, told.worst_flag) == (1, 3)


@pytest.mark.parametrize(("early", "late", "known"), [(0, 60, True), (0, 61, False)])
def test_both_samples_of_then_must_be_near(early: float, late: float, *, known: bool) -> None:
    tides = Tides(np.array([1_800_000]))
    slot, flag = np.array([0]), np.array([1], dtype=np.uint8)
    for minute in (early, late):
        tides.push(slot, np.array([t(minute)]), np.array([1.0]), flag)
    above, _ = tides.push(slot, np.array([t(30) + SAME_TIDE_MS]), np.array([3.0]), flag)
    assert bool(np.isnan(above[0])) != known


def test_a_memory_of_slopes_of_an_older_version_is_read() -> None:
    """It kept where the next sample goes, instead of how many there were."""
    for pushed in (0, 5, 32, 40):
        slopes = Slopes(np.array([3_200_000]))
        slot, flag = np.array([0]), np.array([1], dtype=np.uint8)
        for n in range(pushed):
            slopes.push(slot, np.array([t(0) + n * 100_000]), np.array([n / 10]), flag)
        old = slopes.snapshot()
        old["head"] = old.pop("count") % 32
        again = Slopes.restored(old)
        now = slot, np.array([t(0) + pushed * 100_000]), np.array([99.0]), flag
        np.testing.assert_equal(again.push(*now), slopes.push(*now))
