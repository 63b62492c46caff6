"""No data and never seen: due times, ticks, sleep and backlogs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Engine
from alerts.rulesfile import parse_rules
from alerts.transition import Transition
from ingest.reading import IntArray
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import MINUTE_MS, STATIONS, VK, XH, Script, t

REGISTRY = parse_registry(STATIONS, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
NUMBER = SERIES.by_key[VK]

RULE = """
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
stations = ["vam-kenh"]
no_data_s = 2700
never_seen_vi = "{station}: chưa có số liệu từ {since}"
"""


def columns(newest_ms: int = -1, asleep_ms: int = -1) -> tuple[IntArray, IntArray, IntArray]:
    newest = np.full(len(SERIES), -1, dtype=np.int64)
    registered = np.full(len(SERIES), t(0), dtype=np.int64)
    asleep = np.full(len(SERIES), -1, dtype=np.int64)
    newest[NUMBER], asleep[NUMBER] = newest_ms, asleep_ms
    return newest, registered, asleep


def engine() -> Engine:
    return Engine(parse_rules(RULE, "rules.toml", REGISTRY), SERIES, REGISTRY)


def test_it_is_due_at_the_millisecond() -> None:
    silent = engine()
    due = t(10) + 2_700_000
    assert silent.next_due_ms(*columns(t(10))) == due
    assert silent.advance(due - 1, *columns(t(10))) == []
    (told,) = silent.advance(due, *columns(t(10)))
    assert (told.t_since_ms, told.t_event_ms, told.at_ms) == (t(10), due, due)
    assert (told.value, told.limit, told.flag) == (None, 2700.0, 9)
    assert silent.next_due_ms(*columns(t(10))) is None
    assert silent.advance(due + 1, *columns(t(10))) == []


def test_a_late_tick_tells_the_due_time() -> None:
    (told,) = engine().advance(t(5000), *columns(t(10)))
    assert told.at_ms == told.t_event_ms == t(55)


def test_a_backlog_that_is_still_too_old_is_not_data_coming_back() -> None:
    silent = engine()
    silent.advance(t(100), *columns(t(0)))
    assert silent.advance(t(101), *columns(t(50))) == []
    (told,) = silent.advance(t(102), *columns(t(60)))
    assert (told.kind, told.cause, told.t_event_ms) == ("cleared", "data_back", t(60))


def test_a_longer_limit_alone_does_not_bring_data_back() -> None:
    script = Script(RULE)
    script.at(0).reading(1.0)
    script.at(45).tick()
    script.expect("raised")
    script.configure(RULE.replace("2700", "99999"))
    script.expect_nothing()
    script.at(60).reading(1.0)
    script.expect("cleared")


def test_a_device_that_sleeps_is_not_due_before_it_wakes() -> None:
    script = Script(RULE)
    script.at(0).reading(1.0)
    script.asleep_ms[NUMBER] = t(120)
    script.at(120.9).tick()
    script.expect_nothing()
    script.at(200).tick()
    script.expect("raised", event=121.0, since=0.0)


def test_a_device_of_short_intervals_has_one_to_wake_up() -> None:
    script = Script(RULE, STATIONS.replace("expected_s = 900", "expected_s = 20"))
    script.at(0).reading(1.0)
    script.asleep_ms[NUMBER] = t(120)
    script.at(200).tick()
    script.expect("raised", event=120 + 20 / 60)


def test_falling_asleep_does_not_end_a_silence() -> None:
    script = Script(RULE)
    script.at(0).reading(1.0)
    script.at(45).tick()
    script.expect("raised")
    script.asleep_ms[NUMBER] = t(500)
    script.at(50).tick()
    script.expect_nothing()


def test_a_sleep_that_ends_early_does_not_shorten_the_wait() -> None:
    assert engine().next_due_ms(*columns(t(10), asleep_ms=t(12))) == t(55)


def test_never_seen_has_words_and_a_time_of_its_own() -> None:
    script = Script(RULE + "never_seen_s = 60")
    script.at(1).tick()
    script.expect(
        "raised",
        ask="never_seen",
        limit=60.0,
        unit="s",
        message_vi="Vàm Kênh: chưa có số liệu từ 29/12/2025 16:20",
    )


def test_what_was_not_announced_is_not_missed_before_it_is_seen() -> None:
    rule = RULE.replace("salinity_g_l", "water_level_m")
    silent = Engine(parse_rules(rule, "rules.toml", REGISTRY), SERIES, REGISTRY)
    newest, registered, asleep = columns()
    assert silent.next_due_ms(newest, registered, asleep) is None
    assert silent.advance(t(1e6), newest, registered, asleep) == []
    newest[SERIES.by_key["vk-01/water_level_m"]] = t(0)
    (told,) = silent.advance(t(1e6), newest, registered, asleep)
    assert told.cause == "no_data"


def test_two_silences_are_told_in_the_order_of_their_due_times() -> None:
    rule = RULE.replace('stations = ["vam-kenh"]', "")
    script = Script(rule)
    script.at(0).reading(1.0, XH)
    script.at(1).reading(1.0, VK)
    script.at(1000).tick()
    script.expect("raised", station="xuan-hoa", event=45.0)
    script.expect("raised", station="vam-kenh", event=46.0)


def test_nothing_is_due_where_no_rule_asks() -> None:
    none = Engine(parse_rules("", "rules.toml"), SERIES, REGISTRY)
    assert none.next_due_ms(*columns()) is None
    assert none.advance(t(1e6), *columns()) == []


def test_a_series_that_leaves_the_rules_is_withdrawn() -> None:
    silent = engine()
    silent.advance(t(100), *columns(t(0)))
    elsewhere = RULE.replace("vam-kenh", "xuan-hoa")
    silent.reconfigure(parse_rules(elsewhere, "rules.toml", REGISTRY), SERIES, REGISTRY)
    newest, registered, asleep = columns(t(0))
    registered[:] = t(100)
    (told,) = silent.advance(t(101), newest, registered, asleep)
    assert (told.series, told.cause) == (NUMBER, "withdrawn")


def test_a_snapshot_of_a_series_no_longer_watched_is_withdrawn() -> None:
    silent = engine()
    silent.advance(t(100), *columns(t(0)))
    rules = parse_rules("", "rules.toml")
    (told,) = Engine(rules, SERIES, REGISTRY, silent.snapshot()).advance(t(101), *columns(t(0)))
    assert told.cause == "withdrawn"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 400), max_size=12, unique=True),
    st.lists(st.integers(0, 500), max_size=12),
    st.integers(0, 500),
)
def test_how_often_the_clock_ticks_makes_no_difference(
    arrivals: list[int], ticks: list[int], restart: int
) -> None:
    """With `advance` before and after each arrival, as the processor calls it."""

    def told(extra: list[int]) -> list[Transition]:
        silent, newest = engine(), -1
        found: list[Transition] = []
        for minute in sorted({*arrivals, *extra, 500}):
            now_ms = t(minute)
            found.extend(silent.advance(now_ms, *columns(newest)))
            if minute in arrivals:
                newest = now_ms
                found.extend(silent.advance(now_ms, *columns(newest)))
            if minute >= restart:
                silent = Engine(silent.rules, SERIES, REGISTRY, silent.snapshot())
        return found

    expected = []
    last = t(0)
    for now_ms in [*(t(minute) for minute in sorted(arrivals)), t(500)]:
        if now_ms - last >= 45 * MINUTE_MS:
            expected.append(("raised", last + 45 * MINUTE_MS))
            if now_ms != t(500) or 500 in arrivals:
                expected.append(("cleared", now_ms))
        last = now_ms
    assert [(each.kind.value, each.at_ms) for each in told([])] == expected
    assert told(ticks) == told([])
