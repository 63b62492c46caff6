"""A stretch at once: the transitions of one turn at a time, and the same engine behind it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.longrun import LongRun, possible
from alerts.rulesfile import parse_rules
from ingest.reading import Batch, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import START_MS, STATIONS, VK, XH

REGISTRY = parse_registry(STATIONS, "stations.toml")
TABLE = SeriesTable.of(REGISTRY)
SERIES = (TABLE.by_key[VK], TABLE.by_key[XH])


def _rule(name: str, text: str) -> str:
    return f'[[rule]]\nid = "{name}"\nquantity = "salinity_g_l"\nseverity = "info"\n{text}\n'


RULES = parse_rules(
    _rule("four", "raise_above = 4.0\nclear_below = 3.6\nfor_s = 0\nclear_for_s = 0")
    + _rule("two", "raise_above = 2.0\nclear_below = 1.5\nfor_s = 1800\nclear_for_s = 2700")
    + _rule("fresh", "raise_below = 0.4\nclear_above = 0.5\npermit = true\nfor_s = 900")
    + _rule("rise", "rise_above_per_h = 2.0\nclear_below_per_h = 0.5\nfor_s = 0")
    + _rule("fall", "fall_above_per_h = 2.0\nclear_below_per_h = 0.5\nrise_window_s = 7200")
    + _rule("tide", "above_same_tide = 1.0\nclear_below_same_tide = 0.5\nfor_s = 0")
    + _rule("bad", 'flagged = "suspect"\nfor_s = 900\nclear_for_s = 900')
    + _rule("dry", 'flagged = "dry"\nfor_s = 0\nclear_for_s = 0')
    + _rule("silent", "no_data_s = 2700"),
    "rules.toml",
    REGISTRY,
)

samples = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([400, 900, 900, 900, 900, 1900, 4000, 40_000]),
        st.sampled_from([0.1, 0.3, 0.45, 1.0, 1.6, 2.2, 3.0, 3.7, 4.0, 4.5, 6.0]),
        st.sampled_from([1, 1, 1, 1, 1, 2, 3, 4]),
        st.sampled_from([0, 0, 0, int(Why.DRY), int(Why.SPIKE)]),
    ),
    max_size=90,
)
Story = Sequence[tuple[int, int, float, int, int]]


def _rows(story: Story) -> Batch:
    """In order of arrival."""
    clock, times = [START_MS, START_MS], []
    for which, step_s, _, _, _ in story:
        clock[which] += step_s * 1000
        times.append(clock[which])
    return Batch.of(
        [SERIES[each[0]] for each in story],
        times,
        [each[2] for each in story],
        [each[3] for each in story],
        [each[4] for each in story],
    )


def _one_by_one(engine: Engine, rows: Batch, low: int, high: int) -> list[Any]:
    return [(n, told) for n in range(low, high) for told in engine.step(rows.take(np.array([n])))]


def _at_once(engine: Engine, rows: Batch, low: int, high: int) -> list[Any]:
    part = rows.take(np.arange(low, high))
    order = np.argsort(part.series, kind="stable")
    batch = part.take(order)
    if not possible(engine, batch):
        return _one_by_one(engine, rows, low, high)
    run = LongRun(engine, batch, order)
    place = {(rule, pair): n for n, (rule, _, pair) in enumerate(engine.pairs.keys)}
    found = [(low + int(order[row]), told) for row, told in run.transitions]
    return sorted(found, key=lambda each: (each[0], place_of(engine, each[1], place)))


def place_of(engine: Engine, told: Any, place: dict[tuple[str, int], int]) -> int:
    return int(engine.pairs.rule[place[told.rule, told.series]])


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(story=samples, cuts=st.lists(st.integers(0, 90), max_size=4))
def test_the_transitions_of_one_at_a_time(story: Story, cuts: list[int]) -> None:
    rows = _rows(story)
    slow, fast = Engine(RULES, TABLE, REGISTRY), Engine(RULES, TABLE, REGISTRY)
    bounds = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for number, (low, high) in enumerate(pairwise(bounds)):
        expected = _one_by_one(slow, rows, low, high)
        take = _one_by_one if number % 3 == 2 else _at_once
        assert take(fast, rows, low, high) == expected
        for rule in RULES.rules:
            for series in SERIES:
                assert fast.clearing(rule.id, series) == slow.clearing(rule.id, series)
                assert fast.active_now(rule.id, series) == slow.active_now(rule.id, series)
                assert fast.evaluations(rule.id, series) == slow.evaluations(rule.id, series)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(story=samples, split=st.integers(0, 40))
def test_how_it_stood_within(story: Story, split: int) -> None:
    rows = _rows(story)
    split = min(split, len(rows))
    slow, fast = Engine(RULES, TABLE, REGISTRY), Engine(RULES, TABLE, REGISTRY)
    _one_by_one(slow, rows, 0, split)
    _one_by_one(fast, rows, 0, split)
    part = rows.take(np.arange(split, len(rows)))
    order = np.argsort(part.series, kind="stable")
    if not possible(fast, part.take(order)):
        return
    run = LongRun(fast, part.take(order), order)
    for n in range(len(part) + 1):
        for rule in RULES.rules:
            for series in SERIES:
                assert run.clearing(rule.id, series, n) == slow.clearing(rule.id, series)
                assert run.evaluations(rule.id, series, n) == slow.evaluations(rule.id, series)
        if n < len(part):
            slow.step(part.take(np.array([n])))


def test_a_memory_that_is_thinned_is_left_to_turns() -> None:
    engine = Engine(RULES, TABLE, REGISTRY)
    quick = Batch.of([SERIES[0]] * 3, [START_MS + n * 60_000 for n in range(3)], [1.0] * 3, 1)
    assert not possible(engine, quick)
    slow = Batch.of([SERIES[0]] * 3, [START_MS + n * 900_000 for n in range(3)], [1.0] * 3, 1)
    assert possible(engine, slow)


def test_nothing_in_nothing_out() -> None:
    engine = Engine(RULES, TABLE, REGISTRY)
    assert LongRun(engine, Batch.empty(), np.empty(0, dtype=np.int64)).transitions == []
