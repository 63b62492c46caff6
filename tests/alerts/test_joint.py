"""Rules over several series, against their slow twin, in any split; and rules of the past."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.rulesfile import parse_rules
from alerts.transition import Change, Transition
from ingest.reading import Batch, Flag, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from tests.alerts.script import MINUTE_MS, STATIONS, VK, XH, Script, t
from tests.alerts.test_engine import batch_of, by_pair, shape
from tests.naive import alerts as naive
from tests.naive import joint as twin
from tests.naive.alerts import Sample, Told

REORDER_MS = 120_000

LEVELS = """
[[station]]
id = "my-tho"
name = "Mỹ Tho"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 46.0 }
lat = 10.35
lon = 106.36
side = "river"
source = "test"
[[station.device]]
id = "mt-01"
expected_s = 300
measures = ["sal_g_l"]
levels = [{ id = "surface", depth_m = 0.5 }, { id = "bottom", depth_m = 5.0 }]
"""

REGISTRY = parse_registry(STATIONS + LEVELS, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
TOP, DEEP = "mt-01/surface/salinity_g_l", "mt-01/bottom/salinity_g_l"
NUMBERS = {key: SERIES.by_key[key] for key in (VK, XH, TOP, DEEP)}

HEAD = '[[rule]]\nid = "r"\nquantity = "salinity_g_l"\nseverity = "info"\n'
TIMES = st.sampled_from(["", "for_s = 1800\n", "clear_for_s = 1800\n", "hold_gap_s = 900\n"])

KINDS = {
    'difference_above = 0.5\nclear_difference_below = 0.2\nbetween = ["bottom", "surface"]\n': (
        (DEEP, TOP),
    ),
    'difference_below = -0.5\nbetween = ["vam-kenh", "xuan-hoa"]\n': ((VK, XH),),
    "raise_above = 2.0\nclear_below = 1.5\nat_least = 2\n": ((VK, XH, TOP, DEEP),),
    "raise_below = 1.0\nclear_above = 1.2\nshare_above = 0.5\n": ((VK, XH, TOP, DEEP),),
    'flagged = "suspect"\nshare_above = 0.4\ngroup_by = "station"\n': ((VK,), (XH,), (TOP, DEEP)),
    "raise_above = 2.0\nat_least = 3\ngroup_by = 'branch'\n": ((VK, XH, TOP, DEEP),),
}

Fed = tuple[str, int, float, tuple[int, int]]
KEYS = st.sampled_from([VK, XH, TOP, DEEP, TOP, DEEP])
STEPS = st.sampled_from([0, 1, 30_000, 60_000, 100_000, 100_000, 300_000, 900_000, 5_000_000])
VALUES = st.sampled_from([0.2, 0.9, 1.0, 1.2, 1.5, 1.7, 2.0, 2.3, 4.1])
FLAGS = st.sampled_from([(1, 0)] * 6 + [(2, 0), (3, 0), (4, 8), (9, 0)])
WILD = st.lists(st.tuples(KEYS, STEPS, VALUES, FLAGS), max_size=70)


@st.composite
def usual_feeds(draw: st.DrawFn) -> list[Fed]:
    """Every device at its interval, but for lost samples and, at times, a device away."""
    chance = np.random.default_rng(draw(st.integers(0, 100_000)))
    keep = draw(st.sampled_from([1.0, 0.9, 0.6]))
    last_ms, fed = 0, []
    for minute in range(0, draw(st.sampled_from([30, 120])), 5):
        for key in (VK, XH, TOP, DEEP):
            every = int(SERIES.expected_ms[NUMBERS[key]]) // MINUTE_MS
            away = key in (VK, TOP) and 60 <= minute < draw(st.sampled_from([60, 65, 100]))
            if minute % every or away or chance.random() > keep:
                continue
            at_ms = max(last_ms, minute * MINUTE_MS + int(chance.choice([0, 0, 1_000, 30_000])))
            value = float(chance.choice([0.2, 0.9, 1.0, 1.2, 1.7, 2.0, 2.3, 4.1]))
            flag, why = [(1, 0), (1, 0), (1, 0), (2, 0), (3, 0), (4, 8)][chance.integers(6)]
            fed.append((key, at_ms - last_ms, value, (flag, why)))
            last_ms = at_ms
    return fed


FEEDS = st.one_of(WILD, usual_feeds(), usual_feeds())


def rows_of(feed: list[Fed]) -> list[tuple[int, Sample]]:
    """(series, sample) as they come: in order of time, each series' rising."""
    now_ms, newest, rows = t(0), dict.fromkeys(NUMBERS, -1), []
    for key, step_ms, value, (flag, why) in feed:
        now_ms += step_ms
        if now_ms > newest[key]:
            newest[key] = now_ms
            rows.append((NUMBERS[key], Sample(now_ms, value, flag, why)))
    return rows


def expected_of(
    text: str, groups: tuple[tuple[str, ...], ...], rows: list[tuple[int, Sample]]
) -> dict[tuple[str, int], list[Told]]:
    (rule,) = parse_rules(text, "rules.toml", REGISTRY).rules
    found: dict[tuple[str, int], list[Told]] = {}
    for group in groups:
        expected_ms = {NUMBERS[key]: int(SERIES.expected_ms[NUMBERS[key]]) for key in group}
        mine = [row for row in rows if row[0] in expected_ms]
        questions = twin.asked(rule, mine, expected_ms, REORDER_MS)
        told = naive.told_of(rule, questions, max(expected_ms.values()), len(group))
        if told:
            found["r", next(iter(expected_ms))] = told
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(TIMES, max_size=2, unique=True),
    FEEDS,
    st.lists(st.integers(0, 60), max_size=6),
    st.integers(0, 60),
)
def test_any_split_equals_the_twin(
    kind: str,
    times: list[str],
    feed: list[Fed],
    cuts: list[int],
    restart: int,
) -> None:
    text = HEAD + kind + "".join(times)
    rules = parse_rules(text, "rules.toml", REGISTRY)
    rows = rows_of(feed)
    expected = expected_of(text, KINDS[kind], rows)
    engine = Engine(rules, SERIES, REGISTRY, reorder_ms=REORDER_MS)
    assert by_pair(engine.step(batch_of(rows))) == expected

    engine = Engine(rules, SERIES, REGISTRY, reorder_ms=REORDER_MS)
    told: list[Transition] = []
    bounds = sorted({0, len(rows), *(min(cut, len(rows)) for cut in [*cuts, restart])})
    for number, (low, high) in enumerate(pairwise(bounds)):
        if low == min(restart, len(rows)):
            again = unpack(pack(engine.snapshot()))
            engine = Engine(rules, SERIES, REGISTRY, again, REORDER_MS)
        elif number % 2:
            engine.reconfigure(rules, SERIES, REGISTRY)
        told.extend(engine.step(batch_of(rows[low:high])))
    assert by_pair(told) == expected


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), FEEDS, st.randoms(use_true_random=False))
def test_any_order_within_the_reorder_time_is_the_same(
    kind: str, feed: list[Fed], chance: Random
) -> None:
    rules = parse_rules(HEAD + kind, "rules.toml", REGISTRY)
    rows = rows_of(feed)
    # Moved by less than the reorder time; those of one series keep their order.
    moved = {n: row[1].t_ms + chance.randrange(REORDER_MS) for n, row in enumerate(rows)}
    newest: dict[int, int] = {}
    for n, (series, _) in enumerate(rows):
        moved[n] = newest[series] = max(moved[n], newest.get(series, -1))
    shuffled = [rows[n] for n in sorted(moved, key=lambda n: (moved[n], n))]
    told = []
    for ordered in (rows, shuffled):
        engine = Engine(rules, SERIES, REGISTRY, reorder_ms=REORDER_MS)
        told.append(by_pair([each for row in ordered for each in engine.step(batch_of([row]))]))
    # The last instants may wait for what has not come; what both have told is the same.
    for pair in told[0].keys() | told[1].keys():
        one, other = told[0].get(pair, []), told[1].get(pair, [])
        shorter = min(len(one), len(other))
        assert one[:shorter] == other[:shorter]


def engine_of(body: str) -> Engine:
    rules = parse_rules(HEAD + body, "rules.toml", REGISTRY)
    return Engine(rules, SERIES, REGISTRY, reorder_ms=REORDER_MS)


def at(minute: float, why: int = 0, **values: float) -> Batch:
    names = {"vk": VK, "xh": XH, "top": TOP, "deep": DEEP}
    series = [NUMBERS[names[name]] for name in values]
    return Batch.of(series, [t(minute)] * len(series), list(values.values()), Flag.PASS, why)


def test_a_difference_names_the_other_and_is_told_at_the_instant() -> None:
    engine = engine_of('difference_above = 1.0\nbetween = ["bottom", "surface"]')
    grid = -t(0) % (5 * MINUTE_MS) / MINUTE_MS
    (told,) = engine.step(at(grid, deep=3.5, top=2.0))
    assert (told.series, told.other, told.members) == (NUMBERS[DEEP], NUMBERS[TOP], ())
    assert (told.value, told.limit, told.reading, told.ordinal) == (1.5, 1.0, 3.5, 1)
    assert told.t_event_ms == t(grid)
    assert engine.active_now("r", NUMBERS[DEEP])
    assert engine.evaluations("r", NUMBERS[DEEP]) == 1


def test_a_share_names_the_members() -> None:
    engine = engine_of("raise_above = 2\nat_least = 2")
    grid = -t(0) % (15 * MINUTE_MS) / MINUTE_MS
    (told,) = engine.step(at(grid, vk=3, xh=1, top=4, deep=1))
    assert told.members == (NUMBERS[VK], NUMBERS[TOP])
    assert (told.series, told.value, told.limit, told.reading) == (NUMBERS[VK], 2.0, 2.0, None)
    # One that has not come is not proved calm: three of them are needed to clear.
    assert engine.step(at(grid + 15, vk=1, xh=1, top=3, deep=1)) != []


def test_members_that_fell_silent_clear_nothing() -> None:
    engine = engine_of("raise_above = 2\nat_least = 2")
    grid = -t(0) % (15 * MINUTE_MS) / MINUTE_MS
    engine.step(at(grid, vk=3, xh=3, top=1, deep=1))
    told = [each for n in range(1, 20) for each in engine.step(at(grid + 15 * n, top=1, deep=1))]
    assert told == []
    (told_back,) = engine.step(at(grid + 300, vk=1, xh=3, top=1, deep=1))
    assert (told_back.kind, told_back.members) == (Change.CLEARED, (NUMBERS[XH],))


def test_what_simulated_samples_raise_of_a_group_ends_with_a_real_instant() -> None:
    engine = engine_of("raise_above = 2\nat_least = 2")
    grid = -t(0) % (15 * MINUTE_MS) / MINUTE_MS
    (told,) = engine.step(at(grid, Why.SIMULATED, vk=3, xh=3, top=1, deep=1))
    assert told.why & Why.SIMULATED
    ended, again = engine.step(at(grid + 15, vk=3, xh=3, top=1, deep=1))
    assert (ended.kind, ended.cause, ended.ordinal) == (Change.CLEARED, "measured", 2)
    assert (again.kind, again.why & Why.SIMULATED) == (Change.RAISED, 0)
    assert engine.step(at(grid + 30, Why.SIMULATED, vk=1, xh=1, top=1, deep=1)) == []


def test_the_memory_of_a_group_is_bounded() -> None:
    engine = engine_of("raise_above = 2\nat_least = 2")
    for second in range(0, 6 * 3600, 10):
        engine.step(at(second / 60, vk=1))
    assert len(engine.snapshot()["joint"]["pair"]) < 10
    assert len(pack(engine.snapshot()["joint"])) < 10_000


@pytest.mark.parametrize("body", ["raise_above = 2\nat_least = 2", "raise_above = 2"])
def test_one_call_or_many_for_what_was_released_together(body: str) -> None:
    chance = np.random.default_rng(7)
    rows = []
    for n in range(300):
        for key in (VK, XH, TOP, DEEP):
            if chance.random() < 0.8:
                value = float(np.round(chance.uniform(0.5, 3.5), 2))
                rows.append((NUMBERS[key], Sample(t(n * 5 + int(chance.integers(0, 3))), value, 1)))
    rows.sort(key=lambda row: row[1].t_ms)
    at_once = [shape(each) for each in engine_of(body).step(batch_of(rows))]
    engine = engine_of(body)
    singly = [shape(each) for row in rows for each in engine.step(batch_of([row]))]
    assert len(at_once) > 20
    assert sorted(at_once, key=repr) == sorted(singly, key=repr)


def test_a_group_whose_first_member_is_silent_is_told_and_one_of_the_past_is_not() -> None:
    rule = "raise_above = 2\nclear_below = 1\nat_least = 1\n"
    script = Script(HEAD + rule)
    for n in range(0, 40, 10):
        script.at(n).reading(3.0, XH)
    script.expect("raised", k=VK, told=True, historic=False)
    late = Script(HEAD + rule).at(600).backlog([(0, 3.0), (10, 3.0), (20, 3.0)], XH)
    late.expect("raised", k=VK, told=False, historic=True)


HOA_BINH = """
[[station]]
id = "hoa-binh"
name = "Hòa Bình"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 18.0 }
lat = 10.29
lon = 106.58
side = "river"
source = "test"
[[station.device]]
id = "hb-01"
expected_s = 900
measures = ["sal_g_l"]
"""


def test_a_difference_from_another_series_is_another() -> None:
    script = Script(
        HEAD + 'difference_above = 1\nbetween = ["vam-kenh", "xuan-hoa"]\n', STATIONS + HOA_BINH
    )
    for minute in (0, 10):
        script.at(minute).reading(9.0, VK).reading(1.0, XH)
    script.expect("raised", k=VK, other=XH)
    script.configure(HEAD + 'difference_above = 1\nbetween = ["vam-kenh", "hoa-binh"]\n')
    assert script.expect("cleared", k=VK).evidence["cause"] == "withdrawn"
    for minute in (25, 40):
        script.at(minute).reading(9.0, VK).reading(1.0, "hb-01/salinity_g_l")
    script.expect("raised", k=VK, other="hb-01/salinity_g_l")


def test_a_group_is_in_maintenance_where_all_that_is_beyond_is() -> None:
    rule = HEAD + "raise_above = 2\nclear_below = 1\nat_least = 1\n"
    script = Script(rule)
    script.maintenance = {"vam-kenh": "w1"}
    for minute in (0, 10):
        script.at(minute).reading(1.5, VK).reading(3.0, XH)
    script.expect("raised", k=VK, members=[XH], told=True)
    script.maintenance = {"vam-kenh": "w1", "xuan-hoa": "w2"}
    script.at(11).tick()
    script.expect("suppressed", k=VK, suppressed={"why": "maintenance", "by": "w2"})
    alone = Script(rule)
    alone.maintenance = {"xuan-hoa": "w2"}
    for minute in (0, 10):
        alone.at(minute).reading(1.5, VK).reading(3.0, XH)
    alone.expect("raised", k=VK, told=False)
