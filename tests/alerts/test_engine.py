"""The engine against its slow twin, over random feeds; and what it costs."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.rules import RuleSet
from alerts.rulesfile import parse_rules
from alerts.transition import Transition
from ingest.reading import Batch, Flag, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from tests.alerts.script import STATIONS, VK, XH, t
from tests.naive import alerts as naive
from tests.naive.alerts import Sample, Told

REGISTRY = parse_registry(STATIONS, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
KEYS = (VK, XH)

KINDS = {
    "above": ("raise_above", "clear_below", (2.0, 1.5), ()),
    "below": ("raise_below", "clear_above", (1.0, 1.5), ("", "permit = true")),
    "rise": ("rise_above_per_h", "clear_below_per_h", (1.0, 0.0), ("rise_window_s = 2400", "")),
    "fall": ("fall_above_per_h", "clear_below_per_h", (1.0, 0.0), ("rise_window_s = 2400", "")),
    "flagged": ("flagged", "", ("suspect", "fail", "stuck", "dry"), ()),
}


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    """A few rules over both series, with and without hysteresis, holds and gaps."""
    texts = []
    for number in range(draw(st.integers(1, 4))):
        raise_key, clear_key, levels, more = KINDS[draw(st.sampled_from(sorted(KINDS)))]
        texts.append(f'[[rule]]\nid = "r{number}"\nquantity = "salinity_g_l"\nseverity = "info"')
        if raise_key == "flagged":
            texts.append(f'flagged = "{draw(st.sampled_from(levels))}"')
        else:
            texts.append(f"{raise_key} = {levels[0]}")
            texts.append(draw(st.sampled_from(["", f"{clear_key} = {levels[1]}"])))
        texts.append(f"for_s = {draw(st.sampled_from([0, 600, 1800]))}")
        texts.append(f"clear_for_s = {draw(st.sampled_from([0, 600, 1800]))}")
        texts.append(draw(st.sampled_from(["", "hold_gap_s = 700"])))
        texts.append(draw(st.sampled_from(more)) if more else "")
    return "\n".join(texts)


VALUES = st.sampled_from([0.2, 0.9, 1.0, 1.2, 1.5, 1.7, 2.0, 2.3, 4.1])
STEPS_MS = st.sampled_from([600_000] * 6 + [1, 60_000, 600_000, 900_000, 1_200_001, 7_200_000])
FLAGS = st.sampled_from([(1, 0)] * 8 + [(2, 0), (3, 0), (3, 8), (4, 32), (4, 8), (9, 0)])
Fed = tuple[bool, int, float, tuple[int, int]]
FEEDS = st.lists(st.tuples(st.booleans(), STEPS_MS, VALUES, FLAGS), max_size=80)


def samples_of(feed: list[Fed]) -> list[tuple[int, Sample]]:
    """(series, sample) in order; the two series have clocks of their own."""
    clock = {True: t(0), False: t(7)}
    rows = []
    for first, step_ms, value, (flag, why) in feed:
        clock[first] += step_ms
        rows.append((SERIES.by_key[KEYS[not first]], Sample(clock[first], value, flag, why)))
    return rows


def batch_of(rows: list[tuple[int, Sample]]) -> Batch:
    return Batch.of(
        [series for series, _ in rows],
        [sample.t_ms for _, sample in rows],
        [sample.value for _, sample in rows],
        [sample.flag for _, sample in rows],
        [sample.why for _, sample in rows],
    )


def run(engine: Engine, batch: Batch) -> list[Transition]:
    return engine.step(batch)


def shape(change: Transition) -> Told:
    assert change.value is not None
    return Told(
        change.kind.value,
        change.t_since_ms,
        change.t_event_ms,
        change.value,
        change.limit,
        change.worst_flag,
        change.samples,
        change.ordinal,
        change.members,
        change.other,
    )


def by_pair(told: list[Transition]) -> dict[tuple[str, int], list[Told]]:
    found: dict[tuple[str, int], list[Told]] = {}
    for change in told:
        found.setdefault((change.rule, change.series), []).append(shape(change))
    return found


def by_twin(rules: RuleSet, rows: list[tuple[int, Sample]]) -> dict[tuple[str, int], list[Told]]:
    found = {}
    for rule in rules.rules:
        for key in KEYS:
            number = SERIES.by_key[key]
            samples = [sample for series, sample in rows if series == number]
            told = naive.transitions(rule, samples, int(SERIES.expected_ms[number]))
            if told:
                found[rule.id, number] = told
    return found


@settings(max_examples=300, deadline=None)
@given(rule_texts(), FEEDS, st.lists(st.integers(0, 60), max_size=6), st.integers(0, 60))
def test_any_split_equals_the_twin(
    text: str, feed: list[Fed], cuts: list[int], restart: int
) -> None:
    rules = parse_rules(text, "rules.toml", REGISTRY)
    rows = samples_of(feed)
    expected = by_twin(rules, rows)
    assert by_pair(run(Engine(rules, SERIES, REGISTRY), batch_of(rows))) == expected

    engine = Engine(rules, SERIES, REGISTRY)
    told: list[Transition] = []
    bounds = sorted({0, len(rows), *(min(cut, len(rows)) for cut in [*cuts, restart])})
    for low, high in pairwise(bounds):
        if low == min(restart, len(rows)):
            engine = Engine(rules, SERIES, REGISTRY, unpack(pack(engine.snapshot())))
        told.extend(run(engine, batch_of(rows[low:high])))
    assert by_pair(told) == expected


@settings(max_examples=60, deadline=None)
@given(rule_texts(), FEEDS)
def test_any_interleaving_of_the_series_is_the_same(text: str, feed: list[Fed]) -> None:
    rules = parse_rules(text, "rules.toml", REGISTRY)
    rows = samples_of(feed)
    apart = sorted(rows, key=lambda row: row[0])
    one, other = Engine(rules, SERIES, REGISTRY), Engine(rules, SERIES, REGISTRY)
    assert by_pair(run(one, batch_of(rows))) == by_pair(run(other, batch_of(apart)))


@settings(max_examples=60, deadline=None)
@given(rule_texts(), FEEDS, st.integers(0, 60))
def test_the_same_configuration_again_changes_nothing(text: str, feed: list[Fed], cut: int) -> None:
    rules = parse_rules(text, "rules.toml", REGISTRY)
    rows = samples_of(feed)
    engine = Engine(rules, SERIES, REGISTRY)
    told = run(engine, batch_of(rows[:cut]))
    engine.reconfigure(parse_rules(text, "rules.toml", REGISTRY), SERIES, REGISTRY)
    told.extend(run(engine, batch_of(rows[cut:])))
    assert by_pair(told) == by_twin(rules, rows)
    nothing = np.full(len(SERIES), -1)
    assert engine.advance(t(1e6), nothing, nothing, nothing) == []


SIMPLE = """
[[rule]]
id = "a"
quantity = "salinity_g_l"
severity = "info"
raise_above = 4.0
clear_below = 3.6
"""


RISE = """
[[rule]]
id = "rise"
quantity = "salinity_g_l"
severity = "info"
rise_above_per_h = 1.0
"""


def rising_engine() -> Engine:
    """Half an hour into a rise, one sample before it is told."""
    engine = Engine(parse_rules(RISE, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    assert run(engine, Batch.of([vk, vk], [t(0), t(15)], [1.0, 1.1], Flag.PASS)) == []
    return engine


def test_a_rise_outlives_a_restart_and_a_new_configuration() -> None:
    last = Batch.of([SERIES.by_key[VK]], [t(30)], [2.0], Flag.PASS)
    engine = rising_engine()
    assert run(Engine(engine.rules, SERIES, REGISTRY, engine.snapshot()), last)[0].value == 2.0
    engine = rising_engine()
    engine.reconfigure(parse_rules(SIMPLE + RISE, "rules.toml"), SERIES, REGISTRY)
    assert run(engine, last)[0].value == 2.0


def test_a_rise_over_another_window_goes_on_with_what_is_remembered() -> None:
    engine = rising_engine()
    other = parse_rules(RISE + "rise_window_s = 1800", "rules.toml")
    engine.reconfigure(other, SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    assert run(engine, Batch.of([vk], [t(30)], [2.0], Flag.PASS))[0].value == 2.0


def test_the_day_behind_a_tide_outlives_another_gap_and_a_restart() -> None:
    text = RISE.replace("rise_above_per_h = 1.0", "above_same_tide = 0.5") + "hold_gap_s = {}\n"
    vk = SERIES.by_key[VK]
    engine = Engine(parse_rules(text.format(900), "rules.toml"), SERIES, REGISTRY)
    minutes = np.arange(0, 1490, 5)
    feed = Batch.of([vk] * len(minutes), t(0) + minutes * 60_000, 1.0 + minutes * 0.0, Flag.PASS)
    assert run(engine, feed) == []
    for gap_s in (3600, 900, 1800):
        engine.reconfigure(parse_rules(text.format(gap_s), "rules.toml"), SERIES, REGISTRY)
        engine = Engine(engine.rules, SERIES, REGISTRY, unpack(pack(engine.snapshot())))
    (told,) = run(engine, Batch.of([vk], [t(1490)], [2.0], Flag.PASS))
    assert told.value == 1.0


def test_a_slope_from_a_suspect_end_is_suspect_and_clears_nothing() -> None:
    text = RISE + "rise_window_s = 1800"
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    feed = Batch.of([vk] * 2, [t(0), t(15)], [1.0, 2.0], [3, 1])
    (told,) = run(engine, feed)
    assert (told.flag, told.worst_flag) == (1, 3)
    # 15 and 0 are the older ends: the suspect one proves no calm, the next one does.
    assert run(engine, Batch.of([vk], [t(30)], [1.0], [1])) == []
    (told,) = run(engine, Batch.of([vk], [t(45)], [1.0], [1]))
    assert (told.kind, told.worst_flag) == ("cleared", 1)


def test_the_memory_holds_a_whole_window_of_the_densest_feed() -> None:
    text = RISE + "rise_window_s = 3200"
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    step_ms = 100_000  # a thirty-second of the window
    rows = np.arange(199)
    values = np.where(rows == 167, 0.5, 1.0)
    feed = Batch.of([vk] * 199, t(0) + rows * step_ms, values, Flag.PASS)
    assert run(engine, feed) == []
    # The row 167 is the oldest of the window of 199, and the last place of the memory.
    (told,) = run(engine, Batch.of([vk], [t(0) + 199 * step_ms], [3.0], Flag.PASS))
    assert told.value == 2.8125


def test_a_dense_feed_is_thinned_and_still_covers_the_window() -> None:
    engine = Engine(parse_rules(RISE, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    seconds = np.arange(0, 3 * 3600, 10)
    values = np.round(seconds / 3600 * 0.99, 4)  # just too slow to be told
    feed = Batch.of([vk] * len(seconds), t(0) + seconds * 1000, values, Flag.PASS)
    assert run(engine, feed) == []
    jump = Batch.of([vk], [t(180)], [4.5], Flag.PASS)
    (told,) = run(engine, jump)
    assert told.value == pytest.approx(4.5 - 1.98, abs=0.06)  # against an hour ago, not 10 s


def test_transitions_come_by_row_and_then_by_rule() -> None:
    text = SIMPLE + SIMPLE.replace('"a"', '"b"')
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk, xh = SERIES.by_key[VK], SERIES.by_key[XH]
    told = engine.step(Batch.of([xh, vk], [t(0), t(0)], [5.0, 5.0], Flag.PASS))
    assert [(each.series, each.rule) for each in told] == [
        (xh, "a"),
        (xh, "b"),
        (vk, "a"),
        (vk, "b"),
    ]


def test_evidence_of_a_hold() -> None:
    text = SIMPLE + "for_s = 1200"
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    run(engine, Batch.of([vk, vk], [t(0), t(15)], [5.0, 5.5], [1, 3], [0, 2]))
    (told,) = run(engine, Batch.of([vk], [t(30)], [6.0], [1], [16]))
    assert (told.first_value, told.value, told.reading, told.limit) == (5.0, 6.0, 6.0, 4.0)
    assert (told.samples, told.flag, told.worst_flag, told.why) == (3, 1, 3, 18)


def test_a_rule_of_another_kind_under_the_same_id_starts_anew() -> None:
    engine = Engine(parse_rules(SIMPLE, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    assert len(engine.step(Batch.of([vk], [t(0)], [5.0], [1]))) == 1
    below = SIMPLE.replace("raise_above = 4.0\nclear_below = 3.6", "raise_below = 1.0")
    engine.reconfigure(parse_rules(below, "rules.toml"), SERIES, REGISTRY)
    none = np.full(len(SERIES), -1)
    assert engine.next_due_ms(none, none, none) == 0
    (gone,) = engine.advance(t(1), none, none, none)
    assert (gone.kind, gone.cause, gone.at_ms) == ("cleared", "withdrawn", t(1))
    assert engine.next_due_ms(none, none, none) is None
    assert engine.step(Batch.of([vk], [t(15)], [3.0], [1])) == []


def test_a_rule_of_another_kind_ends_before_it_is_raised_anew() -> None:
    engine = Engine(parse_rules(SIMPLE, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    engine.step(Batch.of([vk], [t(0)], [5.0], [1]))
    below = SIMPLE.replace("raise_above = 4.0\nclear_below = 3.6", "raise_below = 1.0")
    engine.reconfigure(parse_rules(below, "rules.toml"), SERIES, REGISTRY)
    assert engine.step(Batch.empty()) == []
    told = engine.step(Batch.of([vk], [t(15)], [0.5], [1]))
    assert [(each.kind, each.cause, each.t_event_ms) for each in told] == [
        ("cleared", "withdrawn", t(15)),
        ("raised", "level", t(15)),
    ]


def test_a_snapshot_of_other_rules_ends_what_is_watched_no_more() -> None:
    engine = Engine(parse_rules(SIMPLE, "rules.toml"), SERIES, REGISTRY)
    engine.step(Batch.of([SERIES.by_key[VK]], [t(0)], [5.0], [1]))
    other = Engine(RuleSet(), SERIES, REGISTRY, engine.snapshot())
    none = np.full(len(SERIES), -1)
    # A second restart before the clock moves must not forget it either.
    again = Engine(RuleSet(), SERIES, REGISTRY, other.snapshot())
    assert [each.rule for each in again.advance(t(1), none, none, none)] == ["a"]
    assert again.advance(t(2), none, none, none) == []


def test_a_snapshot_is_plain_and_stands_by_itself() -> None:
    engine = Engine(parse_rules(SIMPLE, "rules.toml"), SERIES, REGISTRY)
    engine.step(Batch.of([SERIES.by_key[VK]], [t(0)], [5.0], [1]))
    snapshot = engine.snapshot()
    _assert_plain(snapshot)
    engine.step(Batch.of([SERIES.by_key[VK]], [t(15)], [1.0], [1]))
    assert len(Engine(engine.rules, SERIES, REGISTRY, snapshot).snapshot()["keys"]) == 1


def _assert_plain(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            assert type(key) is str
            _assert_plain(inner)
    elif isinstance(value, list):
        for inner in value:
            _assert_plain(inner)
    else:
        assert type(value) in (str, int, float, bool, bytes, type(None), np.ndarray)


def _best_us(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


@pytest.mark.parametrize(("width", "limit_us"), [(1, 200.0), (1000, 2000.0)])
def test_a_step_that_changes_nothing_is_cheap(width: int, limit_us: float) -> None:
    stations = STATIONS.split("[[station]]", maxsplit=1)[0] + "".join(
        f'[[station]]\nid = "s{n}"\nname = "S"\nkind = "salinity"\nreach = "cua-tieu"\n'
        f'km_from_mouth = {{ cua-tieu = 40 }}\nlat = 10.3\nlon = 106.4\nside = "river"\n'
        f'source = "test"\n[[station.device]]\nid = "d{n}"\nexpected_s = 900\n'
        f'measures = ["sal_g_l"]\n'
        for n in range(width)
    )
    registry = parse_registry(stations, "stations.toml")
    series = SeriesTable.of(registry)
    text = "".join(SIMPLE.replace('"a"', f'"a{n}"').replace("4.0", str(4 + n)) for n in range(5))
    engine = Engine(parse_rules(text, "rules.toml"), series, registry)
    rows = [series.by_key[f"d{n}/salinity_g_l"] for n in range(width)]
    batch = Batch.of(rows, [t(0)] * width, [0.3] * width, Flag.PASS)
    assert _best_us(lambda: engine.step(batch), 200) < limit_us


def test_evaluations_are_counted_and_what_holds_is_known() -> None:
    text = SIMPLE + SIMPLE.replace('"a"', '"b"').replace(
        "raise_above = 4.0\nclear_below = 3.6", 'flagged = "fail"'
    )
    text += '[[rule]]\nid = "c"\nquantity = "salinity_g_l"\nseverity = "info"\nno_data_s = 60\n'
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    told = engine.step(Batch.of([vk] * 5, [t(n) for n in range(5)], [5.0] * 5, [1, 2, 4, 9, 3]))
    # Of the five, four have a quality that was tested or a value to compare; three have each.
    assert [(each.rule, each.kind, each.ordinal) for each in told] == [
        ("a", "raised", 1),
        ("b", "raised", 2),
    ]
    assert (told[1].value, told[1].limit, told[1].flag) == (5.0, None, 4)
    for again in (engine, Engine(engine.rules, SERIES, REGISTRY, unpack(pack(engine.snapshot())))):
        assert [again.evaluations(rule, vk) for rule in "abcd"] == [3, 3, 3, 0]
        assert [again.active_now(rule, vk) for rule in "abcd"] == [True, True, False, False]
    now = np.full(len(SERIES), t(0))
    engine.advance(t(10), now, now, np.full(len(SERIES), -1))
    assert engine.active_now("c", vk)


def test_a_snapshot_from_before_tides_and_groups_is_read() -> None:
    more = RISE + RISE.replace('"rise"', '"tide"').replace("rise_above_per_h", "above_same_tide")
    more += SIMPLE.replace('"a"', '"two"') + "at_least = 2\n"
    engine = Engine(parse_rules(SIMPLE + more, "rules.toml"), SERIES, REGISTRY)
    vk = SERIES.by_key[VK]
    assert len(engine.step(Batch.of([vk] * 2, [t(0), t(15)], [5.0, 5.1], [1, 1]))) == 1
    old = engine.snapshot()
    for name in ("evaluated", "tested", "tidal", "tides", "joint"):
        del old[name]
    old["slopes"]["head"] = old["slopes"].pop("count")
    again = Engine(engine.rules, SERIES, REGISTRY, unpack(pack(old)))
    last = Batch.of([vk], [t(30)], [7.0], [1])
    assert [each.rule for each in again.step(last)] == ["rise"]
    assert again.active_now("a", vk)


def test_a_simulated_sample_is_no_end_of_what_was_measured_whatever_the_kind() -> None:
    text = SIMPLE + SIMPLE.replace('"a"', '"b"').replace(
        "raise_above = 4.0\nclear_below = 3.6", 'flagged = "stuck"'
    )
    engine = Engine(parse_rules(text, "rules.toml"), SERIES, REGISTRY)
    vk, sim = SERIES.by_key[VK], int(Why.SIMULATED)
    told = engine.step(Batch.of([vk], [t(0)], [5.0], [3], [Why.FLAT_LINE]))
    assert [each.rule for each in told] == ["a", "b"]
    assert engine.step(Batch.of([vk], [t(15)], [1.0], [1], [sim])) == []
    told = engine.step(Batch.of([vk], [t(30)], [1.0], [1]))
    assert [(each.rule, each.cause) for each in told] == [("a", "level"), ("b", "level")]
    told = engine.step(Batch.of([vk], [t(45)], [5.0], [3], [sim | int(Why.FLAT_LINE)]))
    assert [(each.rule, each.kind) for each in told] == [("a", "raised"), ("b", "raised")]
    told = engine.step(Batch.of([vk], [t(60)], [1.0], [1]))
    assert [(each.rule, each.cause, each.ordinal) for each in told] == [
        ("a", "measured", 5),
        ("b", "measured", 5),
    ]
