"""Flags and alerts of a recording against its labels, each rule of matching by a feed of its own."""

import pytest

from songtien.score import DUPLICATE, LATE, LINK, REFUSED, bad, undone
from songtien.scorecard import ALERT, FLAGS, NO_DATA, NOTHING, score
from songtien.scoring import Delays
from tests.songtien.scored import (
    DAY,
    HOUR_MS,
    LIMITS,
    RISE,
    SALT,
    SILENT,
    STUCK,
    Arrival,
    Scene,
    above,
    at,
    body,
    calm,
    fault,
    feed,
    piece,
    ran,
    topic,
)

BOTH = feed("p-2", lambda n: None if n % 3 else calm(n))


def _spiky(*numbers: int) -> list[Arrival]:
    return feed("p-1", lambda n: calm(n) + (5.0 if n in numbers else 0.0))


# Flags.


def test_a_spike_is_hit_decided_when_its_successor_comes() -> None:
    scene = Scene(_spiky(50) + BOTH, [fault("spike", 49, 52, quantity="salinity_g_l")])
    found = scene.of("spike")
    assert (found.windows, found.hits, found.hits_fail, found.alone) == (1, 1, 1, 1)
    assert found.share == round(1 / 3, 4)
    assert found.delay == Delays(600.0, 600.0)
    assert found.decided.median_s is not None
    assert 600 <= found.decided.median_s <= 1201
    assert found.signs[FLAGS] == 1
    assert found.signs[NOTHING] == 0
    assert scene.score().false_flags == ()


def test_with_the_limits_off_the_same_spike_is_missed() -> None:
    found = Scene(_spiky(50) + BOTH, [fault("spike", 49, 52)], limits="").of("spike")
    assert (found.windows, found.hits, found.share) == (1, 0, 0.0)
    assert found.delay == Delays(None, None)
    assert found.signs[NOTHING] == 1


def test_a_label_of_another_quantity_or_device_is_not_found_by_these_flags() -> None:
    scene = Scene(
        _spiky(50) + BOTH,
        [
            fault("spike", 49, 52, quantity="temperature_c"),
            fault("stuck", 49, 52, quantity="battery_v"),
            fault("noise", 49, 52, device="p-2"),
        ],
    )
    # What is computed from the temperature shows what is wrong with it.
    assert [(kind.label, kind.hits) for kind in scene.score().kinds] == [
        ("noise", 0),
        ("spike", 1),
        ("stuck", 0),
    ]


def test_flags_far_from_every_label_of_their_device_are_false() -> None:
    card = Scene(_spiky(10, 100) + BOTH, [fault("spike", 99, 102)]).score()
    (false,) = card.false_flags
    assert (false.device, false.from_ms, false.to_ms, false.fail) == ("p-1", at(10), at(10), True)
    assert "salinity_g_l" in false.series
    assert card.false_fails == 1
    other = Scene(_spiky(10) + BOTH, [fault("spike", 9, 12, device="p-2")]).score()
    assert [each.device for each in other.false_flags] == ["p-1"]


def test_what_people_rejected_says_nothing_of_devices_that_they_did_not_look_at() -> None:
    labels = [fault("human", 9, 12)]
    card = Scene(
        feed("p-1") + feed("p-2", lambda n: calm(n) + (5.0 if n == 70 else 0.0)),
        labels,
        simulated=False,
    ).score()
    assert card.false_flags == ()
    assert card.rules == ()
    assert set(card.unscored) == {"salt", "silent"}


# Alerts.


def _tides(n: int) -> float:
    """Above 4 from 20 to 40 and from 80 to 90."""
    return 5.0 + 0.001 * n if 20 <= n < 40 or 80 <= n < 90 else calm(n)


def test_an_alert_for_each_window_above_a_level_with_the_delay_of_its_hold() -> None:
    labels = [above(20, 40), above(80, 90), above(20, 40, level=2.0)]
    found = Scene(feed("p-1", _tides) + BOTH, labels).rule("salt")
    assert (found.windows, found.hits, found.missed, found.not_asked) == (2, 2, 0, 0)
    assert (found.raised, found.false, found.level) == (2, 0, 4.0)
    assert found.delay == Delays(600.0, 600.0)


def test_a_window_that_is_too_short_for_the_hold_is_counted_apart() -> None:
    short = feed("p-1", lambda n: 5.0 if n == 30 else calm(n))
    found = Scene(short + BOTH, [above(30, 31)], limits="").rule("salt")
    assert (found.windows, found.hits, found.missed, found.not_asked) == (1, 0, 0, 1)


def test_an_alert_where_the_water_never_was_above_is_false() -> None:
    found = Scene(feed("p-1", _tides) + BOTH, [above(20, 40)]).rule("salt")
    assert (found.windows, found.hits, found.raised, found.false) == (1, 1, 2, 1)
    nowhere = Scene(feed("p-1", _tides) + BOTH, [fault("spike", 1, 2)]).rule("salt")
    assert (nowhere.windows, nowhere.raised, nowhere.false) == (0, 2, 2)


def test_a_probe_that_does_not_see_the_salt_makes_a_rule_miss_it() -> None:
    found = Scene(feed("p-1") + BOTH, [above(20, 40)]).rule("salt")
    assert (found.windows, found.hits, found.missed, found.not_asked) == (1, 0, 1, 0)
    assert found.delay == Delays(None, None)


def test_without_rules_nothing_is_asked() -> None:
    card = Scene(feed("p-1", _tides) + BOTH, [above(20, 40)], rules="").score()
    assert (card.rules, card.unscored) == ((), ())


def test_one_that_stands_over_several_tides_hits_them_all_and_has_one_delay() -> None:
    lasting = SALT.replace("clear_for_s = 600", "clear_for_s = 90000\nhold_gap_s = 3600")
    found = Scene(feed("p-1", _tides) + BOTH, [above(20, 40), above(80, 90)], lasting).rule("salt")
    assert (found.hits, found.standing, found.raised, found.false) == (2, 1, 1, 0)
    assert found.delay == Delays(600.0, 600.0)


def test_rules_that_no_label_speaks_of_are_said_to_be_unscored() -> None:
    card = Scene(feed("p-1") + BOTH, [fault("spike", 1, 2)], SALT + RISE).score()
    assert card.unscored == ("rise",)
    assert [each.rule for each in card.rules] == ["salt"]


def _but(low: int, high: int) -> list[Arrival]:
    return feed("p-1", lambda n: None if low <= n < high else calm(n))


def test_silence_is_found_by_the_rule_of_no_data() -> None:
    scene = Scene(_but(30, 60) + BOTH, [fault("gap", 30, 60)])
    found = scene.rule("silent")
    assert (found.windows, found.hits, found.missed, found.false) == (1, 1, 0, 0)
    # The last sample came an interval before the gap, and the rule waits an hour.
    assert found.delay == Delays(3000.0, 3000.0)
    assert scene.of("gap").signs[NO_DATA] == 1
    assert scene.of("gap").signs[FLAGS] == 0


def test_silence_too_short_is_not_asked_and_silence_of_no_label_is_false() -> None:
    short = Scene(_but(30, 34) + BOTH, [fault("gap", 30, 34)]).rule("silent")
    assert (short.windows, short.not_asked, short.hits) == (1, 1, 0)
    false = Scene(_but(30, 60) + BOTH, [fault("gap", 90, 120)]).rule("silent")
    assert (false.missed, false.raised, false.false) == (1, 1, 1)
    excused = Scene(_but(30, 60) + BOTH, [fault("truncated", 29, 60)]).rule("silent")
    assert (excused.windows, excused.raised, excused.false) == (0, 1, 0)


def test_a_stuck_probe_is_found_by_flags_and_by_the_rule_that_asks_for_them() -> None:
    stuck = feed("p-1", lambda n: 3.0 if 30 <= n < 90 else calm(n))
    scene = Scene(stuck + BOTH, [fault("stuck", 30, 90, quantity="salinity_g_l")], SALT + STUCK)
    found = scene.of("stuck")
    assert (found.hits, found.hits_fail, found.signs[ALERT]) == (1, 1, 1)
    assert found.delay.worst_s is not None
    assert 7200 <= found.delay.worst_s <= 7800
    rule = scene.rule("stuck")
    assert (rule.windows, rule.hits, rule.false) == (1, 1, 0)


# What happens on the way.


def _twice(arrivals: list[Arrival], low: int, high: int) -> list[Arrival]:
    again = [(t + 5_000, where, what) for t, where, what in arrivals[low:high]]
    return arrivals + again


def test_repetitions_are_counted_and_leave_no_trace() -> None:
    scene = Scene(_twice(feed("p-1"), 40, 50) + BOTH, [fault("duplicate", 40, 50)])
    found = scene.of("duplicate")
    assert found.signs[DUPLICATE] == 1
    assert (found.hits, found.traces) == (0, 0)


def test_a_burst_is_silence_and_leaves_no_trace_in_values() -> None:
    held = [
        (at(60) + 500 + n if 30 <= n < 60 else t, where, what)
        for n, (t, where, what) in enumerate(feed("p-1", _tides))
    ]
    scene = Scene(held + BOTH, [fault("burst", 30, 60)], rules=SALT + SILENT)
    found = scene.of("burst")
    assert found.signs[NO_DATA] == 1
    assert found.traces == 0
    assert scene.rule("silent").hits == 1


def test_undone_is_the_feed_as_it_was() -> None:
    clean = feed("p-1")
    mixed = _twice(clean, 100, 110)
    mixed[20], mixed[21] = (clean[21][0] + 3_000, *clean[20][1:]), clean[21]
    mixed[50:60] = [(at(60) + n, where, what) for n, (_, where, what) in enumerate(clean[50:60])]
    labels = [fault("duplicate", 100, 110), fault("reorder", 19, 22), fault("burst", 50, 60)]
    found = undone([piece(mixed)], labels)
    assert found is not None
    assert found.payloads == [what for _, _, what in clean]
    assert abs(found.at_ms - piece(clean).at_ms).max() <= 2_000
    assert undone([piece(mixed)], [fault("gap", 1, 2)]) is None


def test_undone_leaves_unreadable_messages_where_they_are_and_other_devices_out() -> None:
    broken = [(at(55) + 9_000, topic("p-1"), b'{"v":1,"samples":[{"t"')]
    found = undone([piece(feed("p-1") + BOTH + broken)], [fault("burst", 50, 60)])
    assert found is not None
    kept = list(zip(found.at_ms.tolist(), found.topics, found.payloads, strict=True))
    assert set(broken) <= set(kept)
    assert set(found.topics) == {topic("p-1")}


def test_a_trace_is_what_the_feed_without_it_would_not_show() -> None:
    """A service that takes a repetition for a new value would show it: here by another value."""
    clean = feed("p-1")
    wrong = [(at(45) + 60_000, topic("p-1"), body(1_000, 20.0))]
    wrong = [
        (t, where, what.replace(str(at(1_000)).encode(), str(at(45) + 1).encode()))
        for t, where, what in wrong
    ]
    scene = Scene(clean + wrong + BOTH, [fault("duplicate", 40, 50)])
    card = score(ran(scene.arrivals), scene.labels, simulated=True, without=ran(clean + BOTH))
    assert card.kinds[0].traces is not None
    assert card.kinds[0].traces > 0


def test_what_is_refused_late_or_lost_is_seen_as_such() -> None:
    spoilt = [
        (t, where, what[:20]) if 30 <= n < 40 else (t, where, what)
        for n, (t, where, what) in enumerate(feed("p-1"))
    ]
    will = [(at(70), topic("p-1", "state"), b'{"s":"lost","boot":1}')]
    slow = [
        (t + HOUR_MS, where, what) if n == 33 else (t, where, what)
        for n, (t, where, what) in enumerate(BOTH)
    ]
    labels = [
        fault("truncated", 30, 40),
        fault("flapping", 69, 72),
        fault("late", 99, 100, device="p-2"),
    ]
    kinds = {each.label: each.signs for each in Scene(spoilt + will + slow, labels).score().kinds}
    assert kinds["truncated"][REFUSED] == 1
    assert kinds["flapping"][LINK] == 1
    assert kinds["late"][LATE] == 1


# The run itself.


def test_the_last_word_on_a_sample_is_kept_with_the_time_of_its_decision() -> None:
    found = ran(_spiky(50) + BOTH)
    number = found.series.by_key["p-1/salinity_g_l"]
    rows, decided = found.of([number])
    assert len(rows) == DAY
    assert (rows.t_ms[1:] > rows.t_ms[:-1]).all()
    flagged = bad(rows.flag)
    assert rows.t_ms[flagged].tolist() == [at(50)]
    # Fifty is judged at its release; its neighbours are cleared when their successors come.
    assert at(50) <= decided[flagged][0] <= at(51) + 1_000


@pytest.mark.parametrize("rules", [SALT + SILENT, SALT + STUCK])
def test_the_same_recording_gives_the_same_score(rules: str) -> None:
    scene = Scene(_spiky(30, 90) + BOTH, [fault("spike", 29, 32), above(10, 20)], rules, LIMITS)
    assert scene.score() == Scene(scene.arrivals, scene.labels, rules).score()
