"""Why a rule held, and why not: the engine's own story, told sample by sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.explain import anchor, explained, lookback_ms, members, rule_of
from alerts.explain_words import SAW, UNMET, Said, Saw, Unmet, duration
from alerts.pairs import level_pairs
from alerts.retold import replayed, replayed_group
from alerts.rulesfile import parse_rules
from alerts.transition import Cause, Change
from ingest.reading import Batch, Flag, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts import test_joint
from tests.alerts.script import STATIONS, VK, XH, t
from tests.alerts.test_engine import batch_of

REGISTRY = parse_registry(STATIONS, "stations.toml")
TABLE = SeriesTable.of(REGISTRY)
ONE = TABLE.entries[TABLE.by_key[VK]]
BASE = '[[rule]]\nid = "r"\nquantity = "salinity_g_l"\nseverity = "warning"\n'
ABOVE = BASE + "raise_above = 4.0\nclear_below = 3.6\nfor_s = 1800\nclear_for_s = 1800\n"
AT_ONCE = BASE + "raise_above = 4.0\nclear_below = 3.6\nfor_s = 0\nclear_for_s = 0\n"
BELOW = BASE + "raise_below = 0.4\nclear_above = 0.5\npermit = true\nfor_s = 900\n"
KINDS = {
    "above": ABOVE,
    "at once": AT_ONCE,
    "permit": BELOW,
    "rise": BASE
    + "rise_above_per_h = 1.0\nclear_below_per_h = 0.4\nfor_s = 0\nclear_for_s = 900\n",
    "fall": BASE
    + "fall_above_per_h = 1.0\nclear_below_per_h = 0.4\nfor_s = 0\nclear_for_s = 900\n",
    "tide": BASE
    + "above_same_tide = 1.0\nclear_below_same_tide = 0.5\nfor_s = 0\nclear_for_s = 0\n",
    "fail": BASE + 'flagged = "fail"\nfor_s = 900\nclear_for_s = 900\n',
    "stuck": BASE + 'flagged = "stuck"\nfor_s = 0\nclear_for_s = 0\n',
    "silent": BASE + "no_data_s = 2700\n",
}

samples = st.lists(
    st.tuples(
        st.sampled_from([1, 5, 15, 15, 15, 40, 1475]),  # minutes since the sample before
        st.sampled_from([0.1, 0.45, 1.0, 3.5, 3.7, 4.0, 4.1, 5.0]),
        st.sampled_from([1, 1, 1, 1, 2, 3, 4]),
        st.sampled_from([0, 0, 0, Why.FLAT_LINE, Why.SIMULATED]),
    ),
    max_size=40,
)


def _rows(found: Sequence[tuple[int, float, int, int]]) -> Batch:
    minutes = np.cumsum([minute for minute, _, _, _ in found])
    return Batch.of(
        [ONE.id] * len(found),
        [t(float(minute)) for minute in minutes],
        [value for _, value, _, _ in found],
        [flag for _, _, flag, _ in found],
        [why for _, _, _, why in found],
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "silent"])
@given(found=samples)
def test_raises_and_clears_where_the_engine_does(
    kind: str, found: list[tuple[int, float, int, int]]
) -> None:
    rules = parse_rules(KINDS[kind], "rules.toml", REGISTRY)
    rows = _rows(found)
    engine = Engine(rules, TABLE, REGISTRY)
    expected = [
        (each.kind, each.t_event_ms, each.t_since_ms, each.value)
        for n in range(len(rows))
        for each in engine.step(rows.take(np.array([n])))
        if each.cause is Cause.LEVEL
    ]
    pairs = level_pairs(rules, TABLE, REGISTRY)
    pair = next(n for n in range(len(pairs)) if int(pairs.series[n]) == ONE.id)
    told = [
        (
            Change.RAISED if step.saw is Saw.RAISED else Change.CLEARED,
            step.t_ms,
            step.t_ms - step.held_ms,
            step.compared,
        )
        for step in replayed(pairs, pair, rows, active=False)
        if step.saw in (Saw.RAISED, Saw.CLEARED)
    ]
    assert told == expected


def _why(
    rules: str,
    story: Sequence[tuple[float, ...]],
    at: float,
    alerts: Sequence[dict[str, Any]] = (),
    why: int = 0,
) -> dict[str, Any]:
    rule = parse_rules(rules, "rules.toml", REGISTRY).rules[0]
    rows = Batch.of(
        [ONE.id] * len(story),
        [t(each[0]) for each in story],
        [each[1] for each in story],
        [each[2] if len(each) > 2 else Flag.PASS for each in story],
        why,
    )
    return explained(rule, ONE, TABLE, REGISTRY, t(at), {ONE.id: rows}, alerts)


@pytest.mark.parametrize(
    ("rules", "story", "at", "unmet", "words"),
    [
        (ABOVE, [(0, 3.0)], 5, Unmet.NOT_BEYOND, "3 g/L is not beyond 4 g/L"),
        (ABOVE, [(0, 4.0)], 5, Unmet.BETWEEN, "between the levels 3.6 and 4"),
        (ABOVE, [(0, 4.5), (15, 4.6)], 16, Unmet.NOT_HELD, "held 15 min of 30 min only"),
        (ABOVE, [(0, 4.5), (15, 3.8)], 16, Unmet.BROKEN, "it broke the hold"),
        (ABOVE, [(0, 4.5), (40, 4.5)], 41, Unmet.GAP, "longer than 30 min"),
        (ABOVE, [(0, 4.5, 4)], 5, Unmet.FLAG, "flag 4: it is not evaluated"),
        (ABOVE, [(0, 4.5)], 45, Unmet.OLD_SAMPLE, "45 min old"),
        (ABOVE, [], 5, Unmet.NO_SAMPLE, "no sample"),
        (BELOW, [(0, 0.2, 3)], 5, Unmet.CANNOT_PERMIT, "needs flag 1"),
        (KINDS["rise"], [(0, 1.0)], 5, Unmet.UNKNOWN, "not enough samples"),
        (KINDS["silent"], [(0, 1.0)], 30, Unmet.HEARD, "data 30 min before, 45 min"),
        (KINDS["silent"], [], 30, Unmet.NEVER_SEEN, "no data"),
        (KINDS["silent"], [(0, 1.0)], 60, Unmet.SILENT_UNRAISED, "silent for 1 h"),
    ],
    ids=lambda value: str(value.value) if isinstance(value, Unmet) else "",
)
def test_the_condition_that_was_not_met(
    rules: str, story: list[tuple[float, ...]], at: float, unmet: Unmet, words: str
) -> None:
    found = _why(rules, story, at)
    assert (found["holds"], found["unmet"]) == (False, unmet)
    assert words in found["text_en"]
    assert found["text_vi"]
    if found.get("conditions") and unmet is not Unmet.SILENT_UNRAISED:
        assert [each["name"] for each in found["conditions"] if each["met"] is False]


def test_late_and_future_samples_decide_nothing() -> None:
    assert _why(ABOVE, [(0, 9.0)], 5, why=Why.LATE)["unmet"] == Unmet.LATE
    assert _why(ABOVE, [(0, 9.0)], 5, why=Why.FUTURE)["unmet"] == Unmet.FUTURE


def test_a_suspect_value_can_clear_nothing_and_each_step_is_told() -> None:
    story = [(0, 4.5), (15, 3.0, 3), (30, 3.0), (45, 3.0)]
    found = _why(AT_ONCE, story, 60)
    assert [step["saw"] for step in found["steps"]] == [
        Saw.RAISED,
        Saw.CANNOT_CLEAR,
        Saw.CLEARED,
        Saw.NOT_BEYOND,
    ]
    assert "suspect, it can't clear anything" in found["steps"][1]["text_en"]
    assert "nghi ngờ" in found["steps"][1]["text_vi"]


def _alert(**more: Any) -> dict[str, Any]:
    return {"id": "x", "t_since": t(0), "t_event": t(0), "state": "unacked", **more}


def test_what_the_records_know_counts_over_the_samples() -> None:
    held = _why(AT_ONCE, [(0, 4.5), (15, 4.6)], 20, [_alert(t_detected=t(1), suppressed={})])
    assert (held["holds"], held["unmet"]) == (True, None)
    assert held["alert"]["id"] == "x"
    assert "suppressed" in held["alert"]
    over = _why(AT_ONCE, [(0, 4.5), (15, 3.0)], 20, [_alert(t_cleared=t(15))])
    assert (over["holds"], over["unmet"]) == (False, Unmet.CLEARED)


def test_raised_before_the_first_sample_that_is_kept() -> None:
    found = _why(AT_ONCE, [(60, 4.5)], 61, [_alert()])
    assert [step["saw"] for step in found["steps"]] == [Saw.ALREADY]
    assert found["holds"]


def test_a_rule_that_does_not_watch_the_series() -> None:
    found = _why(ABOVE + 'stations = ["xuan-hoa"]\n', [(0, 9.0)], 5)
    assert found["unmet"] == Unmet.NOT_WATCHED


def test_a_group_is_told_member_by_member() -> None:
    rules = BASE + "raise_above = 4.0\nclear_below = 3.6\nat_least = 2\n"
    rule = parse_rules(rules, "rules.toml", REGISTRY).rules[0]
    group = members(rule, ONE, TABLE, REGISTRY)
    assert len(group) == 2
    first = {
        number: Batch.of([number], [t(0)], [value], Flag.PASS)
        for number, value in zip(group, (4.5, 3.0), strict=True)
    }
    found = explained(rule, ONE, TABLE, REGISTRY, t(5), first, [])
    assert [each["beyond"] for each in found["members"]] == [True, False]
    assert found["unmet"] == Unmet.WAITING
    rows = {
        number: Batch.concat([row, Batch.of([number], [t(10)], row.value, Flag.PASS)])
        for number, row in first.items()
    }
    found = explained(rule, ONE, TABLE, REGISTRY, t(11), rows, [])
    assert [each["beyond"] for each in found["members"]] == [True, False]
    assert found["unmet"] == Unmet.NOT_BEYOND
    assert "1 is not beyond 2" in " ".join(found["text_en"].split())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(test_joint.KINDS)), test_joint.TIMES, test_joint.FEEDS)
def test_a_group_raises_and_clears_where_the_engine_does(
    kind: str, times: str, feed: list[test_joint.Fed]
) -> None:
    table, registry = test_joint.SERIES, test_joint.REGISTRY
    rules = parse_rules(test_joint.HEAD + kind + times, "rules.toml", registry)
    rows = batch_of(test_joint.rows_of(feed))
    told: dict[int, list[tuple[Any, ...]]] = {}
    for each in Engine(rules, table, registry).step(rows):
        told.setdefault(each.series, []).append(
            (each.kind, each.t_event_ms, each.t_since_ms, each.value, each.members)
        )
    pairs = level_pairs(rules, table, registry)
    for pair, group in enumerate(pairs.groups):
        mine = rows.take(np.isin(rows.series, [one.id for one in group]))
        steps = replayed_group(pairs, pair, mine, table.expected_ms, active=False)
        found = [
            (Change(step.saw.value), step.t_ms, step.t_ms - step.held_ms, step.compared)
            for step in steps
            if step.saw in (Saw.RAISED, Saw.CLEARED)
        ]
        assert found == [each[:4] for each in told.get(group[0].id, [])]
        for change, t_event_ms, _, _, named in told.get(group[0].id, []):
            if change is not Change.RAISED or not rules.rules[0].shared:
                continue
            samples = {one.id: rows.take(rows.series == one.id) for one in group}
            at_that = explained(rules.rules[0], group[-1], table, registry, t_event_ms, samples, [])
            beyond = [each["series"] for each in at_that["members"] if each["beyond"]]
            assert sorted(beyond) == sorted(table.entries[one].key for one in named)


def _group_why(body: str, rows: dict[str, tuple[Any, float, int]], at: float) -> dict[str, Any]:
    """rows : of each series (minutes, value, flag)"""
    rule = parse_rules(BASE + body, "rules.toml", REGISTRY).rules[0]
    samples = {
        TABLE.by_key[key]: Batch.of(
            [TABLE.by_key[key]] * len(minutes),
            [t(each) for each in minutes],
            [value] * len(minutes),
            flag,
        )
        for key, (minutes, value, flag) in rows.items()
    }
    return explained(rule, ONE, TABLE, REGISTRY, t(at), samples, [])


def test_of_a_group_asked_for_quality_it_is_the_flag_that_counts() -> None:
    body = 'flagged = "suspect"\nat_least = 2\n'
    found = _group_why(body, {VK: ([10], 0.1, Flag.FAIL), XH: ([10], 9.0, Flag.PASS)}, 15)
    assert [each["beyond"] for each in found["members"]] == [True, False]
    assert found["unmet"] == Unmet.NOT_BEYOND
    assert found["limits"]["raise_level"] == 2


def test_what_a_member_said_long_ago_is_not_its_present_value() -> None:
    body = "raise_above = 4.0\nat_least = 2\n"
    found = _group_why(body, {VK: ([70, 85], 4.5, Flag.PASS), XH: ([0], 4.5, Flag.PASS)}, 95)
    assert [each["beyond"] for each in found["members"]] == [True, False]
    assert "value" not in found["members"][1]


def test_the_alert_of_a_group_stands_under_its_first_series() -> None:
    rule = parse_rules(BASE + "raise_above = 4.0\nat_least = 2\n", "r", REGISTRY).rules[0]
    assert anchor(rule, TABLE.entries[TABLE.by_key[XH]], TABLE, REGISTRY) is ONE
    alone = parse_rules(BASE + "raise_above = 4.0\n", "r", REGISTRY).rules[0]
    assert anchor(alone, TABLE.entries[TABLE.by_key[XH]], TABLE, REGISTRY).key == XH


def test_samples_reach_back_as_far_as_a_rule_remembers() -> None:
    rule = parse_rules(ABOVE.replace("1800", "90000"), "rules.toml", REGISTRY).rules[0]
    assert lookback_ms(rule, 900_000) >= 90_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_comes_back_out_of_an_alerts_evidence(kind: str) -> None:
    rule = parse_rules(KINDS[kind] + "km = [0, 35]\n", "rules.toml", REGISTRY).rules[0]
    again = rule_of(rule.described())
    assert again == rule
    assert again.version == rule.version


def test_every_verdict_has_words_in_both_languages() -> None:
    assert set(SAW) == set(Saw)
    for said in (*SAW.values(), *(Said.of(each) for each in Unmet), Said.of(None)):
        assert said.vi
        assert said.en
    assert set(UNMET.values()) <= set(Unmet)


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (900, "15 phút", "15 min"),
        (7200, "2 giờ", "2 h"),
        (86400, "1 ngày", "1 d"),
        (90, "90 giây", "90 s"),
    ],
)
def test_durations(seconds: float, vi: str, en: str) -> None:
    assert (duration(seconds, "vi"), duration(seconds, "en")) == (vi, en)


def test_units_are_written_as_the_language_writes_them() -> None:
    found = _why(ABOVE, [(0, 3.0)], 5)
    assert "3 g/l" in found["text_vi"]
    assert "3 g/L" in found["text_en"]
