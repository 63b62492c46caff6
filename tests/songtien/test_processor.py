from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.notices import HISTORIAN_TROUBLE, SELF_TEST_FAILED
from ingest.journal import Action, Notice
from ingest.reading import Flag, Why
from tests.songtien.feed import BEGIN_MS, ROOT, Message, River, lane, probe

MINUTE = 60_000


def test_first_reading_of_a_boot_is_stored_flagged_and_alerts_at_once() -> None:
    river = River()
    outcome = river.hear(
        BEGIN_MS + 1000, probe("mt-01", BEGIN_MS, seq=8812, ec_ms_cm=12.31, temp_c=28.4)
    )
    assert river.readings()["mt-01/salinity_g_l", BEGIN_MS] == (6.5868, Flag.PASS, 0)
    assert [event.alert["rule"] for event in outcome.events] == ["salinity-4"]
    assert outcome.events[0].told
    assert len(outcome.newest) == 3


def test_reading_without_seq_shows_at_once_and_is_decided_after_the_window() -> None:
    river = River()
    shown = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=5.0))
    assert shown.newest.flag.tolist() == [Flag.NOT_EVALUATED]
    assert not shown.events
    assert river.processor.next_due_ms() == BEGIN_MS + 30_000
    decided = river.tick(BEGIN_MS + 31_000)
    assert decided.newest.flag.tolist() == [Flag.PASS]
    assert decided.events[0].alert["t_detected"] == BEGIN_MS + 30_000


def test_same_sample_twice_is_a_duplicate_and_another_value_a_conflict() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    assert river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0)).duplicate == 1
    assert river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=2, sal_g_l=1.00001)).duplicate == 1
    refused = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=3, sal_g_l=2.0))
    assert refused.rejected == {"conflict": 1}
    assert "1.0 stands" in refused.letters[0].detail
    assert river.readings()["mt-01/salinity_g_l", BEGIN_MS][0] == 1.0


def test_new_quantities_of_a_known_sample_are_stored_and_salinity_follows() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, ec_ms_cm=12.31))
    outcome = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=2, temp_c=28.4))
    assert (outcome.stored, outcome.duplicate) == (1, 0)
    # Its series had no reading of this time: it is in order, and the rule sees it.
    assert river.readings()["mt-01/salinity_g_l", BEGIN_MS] == (6.5868, Flag.PASS, 0)
    assert [event.alert["rule"] for event in outcome.events] == ["salinity-4"]


def test_future_reading_is_kept_but_is_never_the_newest() -> None:
    river = River()
    ahead = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS + 61_000, seq=1, sal_g_l=9.0))
    assert not len(ahead.newest)
    assert not ahead.events
    kept = river.readings()["mt-01/salinity_g_l", BEGIN_MS + 61_000]
    assert kept == (9.0, Flag.SUSPECT, Why.FUTURE)
    now = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=2, sal_g_l=1.0))
    assert now.newest.value.tolist() == [1.0]


def test_late_reading_changes_history_and_decides_nothing() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    late = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS - 1000, seq=2, sal_g_l=9.0))
    assert not late.events
    assert river.readings()["mt-01/salinity_g_l", BEGIN_MS - 1000] == (
        9.0,
        Flag.NOT_EVALUATED,
        Why.LATE,
    )


def test_spike_is_judged_again_when_its_successor_comes() -> None:
    river = River()
    for n, value in enumerate((1.0, 9.0, 1.0)):
        river.hear(
            BEGIN_MS + n * 10 * MINUTE,
            probe("mt-01", BEGIN_MS + n * 10 * MINUTE, seq=n, sal_g_l=value),
        )
    flag = river.readings()["mt-01/salinity_g_l", BEGIN_MS + 10 * MINUTE][1]
    assert flag == Flag.FAIL


def test_salinity_is_no_better_than_its_conductivity() -> None:
    registry = River().processor.config
    assert registry is not None
    river = River(
        registry=registry.registry + "\n[quality.conductivity_ms_cm]\nsuspect_max = 5.0\n"
    )
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, ec_ms_cm=6.0, temp_c=25.0))
    _, flag, why = river.readings()["mt-01/salinity_g_l", BEGIN_MS]
    assert flag == Flag.SUSPECT
    assert why & Why.INPUT


def test_dry_probe_that_reads_as_fresh_water_fails() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, ec_ms_cm=0.02, temp_c=28.0))
    assert river.readings()["mt-01/salinity_g_l", BEGIN_MS][1:] == (Flag.FAIL, Why.DRY | Why.INPUT)


def test_direction_waits_for_its_lanes_and_says_what_is_missing() -> None:
    river = River()
    t1 = BEGIN_MS + MINUTE
    first = river.hear(t1, lane(t1, 1, seq=1, count={"car": 6}, speed_km_h=30))
    assert not len(first.newest)
    both = river.hear(t1, lane(t1, 2, seq=2, count={"car": 3}, speed_km_h=60))
    assert len(both.newest)
    assert river.readings()["cam-01/southbound/flow_veh_h", t1][0] == 540.0
    assert river.readings()["cam-01/southbound/speed_km_h", t1][0] == 40.0

    t1 += MINUTE
    river.hear(t1, lane(t1, 1, seq=3, count={"car": 6}))
    river.tick(t1 + 31_000)
    value, flag, why = river.readings()["cam-01/southbound/flow_veh_h", t1]
    assert (value, flag) == (360.0, Flag.SUSPECT)
    assert why & Why.LANE_MISSING
    river.hear(t1 + 40_000, lane(t1, 2, seq=4, count={"car": 3}))
    assert river.readings()["cam-01/southbound/flow_veh_h", t1][0] == 540.0


def test_counters_become_counts_in_whatever_order_they_come() -> None:
    totals = [(1, 10), (2, 16), (3, 25), (4, 2)]  # the last one after a reset
    expected = {2: 6.0, 3: 9.0, 4: 2.0}
    for order in ((0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        river = River()
        for n in order:
            minute, total = totals[n]
            river.hear(
                BEGIN_MS + 10 * MINUTE,
                lane(BEGIN_MS + minute * MINUTE, 1, "northbound", cumulative={"car": total}),
            )
        river.tick(BEGIN_MS + 20 * MINUTE)
        found = {
            minute: river.readings()["cam-01/northbound/count_car", BEGIN_MS + minute * MINUTE][0]
            for minute in expected
        }
        assert found == expected, order


def test_ack_counts_what_is_settled_and_lists_what_is_missing() -> None:
    river = River()
    for seq in (5, 6, 9):
        river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS + seq, seq=seq, sal_g_l=1.0))
    ack = river.processor.sequencer.ack("mt-01")
    assert ack is not None
    assert (ack.seq, ack.missing) == (6, ())
    river.tick(BEGIN_MS + MINUTE)
    ack = river.processor.sequencer.ack("mt-01")
    assert ack is not None
    assert (ack.seq, ack.missing) == (9, (7, 8))


def test_refused_message_settles_its_number() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    topic, _ = probe("mt-01", BEGIN_MS)
    refused = river.hear(BEGIN_MS, (topic, b'{"v":1,"boot":1,"seq":2,"samples":[]}'))
    assert refused.rejected == {"empty": 1}
    ack = river.processor.sequencer.ack("mt-01")
    assert ack is not None
    assert ack.seq == 2


def test_device_never_seen_alerts_and_is_told_when_it_speaks() -> None:
    river = River()
    assert river.processor.next_due_ms() == BEGIN_MS + 60 * MINUTE
    silent = river.tick(BEGIN_MS + 61 * MINUTE)
    # Both probes of the station: it is told once, for the whole station.
    said = [(event.type, event.alert["rule"], event.told) for event in silent.events]
    assert said == [
        ("raised", "silent", False),
        ("raised", "silent", False),
        ("raised", "songtien-station-down", True),
    ]
    assert {event.alert["t_detected"] for event in silent.events} == {BEGIN_MS + 60 * MINUTE}
    at = BEGIN_MS + 62 * MINUTE
    back = river.hear(at, probe("mt-01", at, seq=1, sal_g_l=1.0))
    assert [(event.type, event.alert["station"], event.told) for event in back.events] == [
        ("cleared", "my-tho", False),
        ("cleared", "my-tho", True),
    ]
    # The other is told singly when it has been silent for as long again.
    later = at + 30 * MINUTE
    assert not river.hear(later, probe("mt-01", later, seq=2, sal_g_l=1.0)).events
    assert not river.tick(at + 59 * MINUTE).events
    (alone,) = river.tick(at + 61 * MINUTE).events
    assert (alone.type, alone.alert["device"], alone.told) == ("raised", "mt-02", True)
    assert alone.at_ms == at + 60 * MINUTE


def test_device_that_begins_with_yesterday_is_not_silent_at_once() -> None:
    river = River()
    old = probe("mt-01", BEGIN_MS - 1440 * MINUTE, seq=1, sal_g_l=1.0)
    assert not river.hear(BEGIN_MS, old).events
    silent = river.tick(BEGIN_MS + 61 * MINUTE).events
    assert [e.alert["t_since"] for e in silent if e.alert.get("device") == "mt-01"] == [
        BEGIN_MS - 1440 * MINUTE
    ]


def test_after_a_start_what_has_waited_comes_before_anybody_is_called_silent() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    config = river.processor.config
    assert config is not None
    again = BEGIN_MS + 180 * MINUTE  # the service was down for three hours
    assert not [e for e in river.step(again, config).events if e.alert["device"] == "mt-01"]
    waited = probe("mt-01", again - MINUTE, seq=2, sal_g_l=1.0)
    assert not [e for e in river.hear(again + 1000, waited).events if e.alert["device"] == "mt-01"]
    assert not river.tick(again + 2 * MINUTE).events[1:]


def test_last_will_of_an_older_boot_is_ignored() -> None:
    river = River()
    topic = "tiengiang/v1/salinity/my-tho/mt-01/state"
    river.hear(BEGIN_MS, (topic, b'{"s":"ready","boot":17,"t":1767000000000}'))
    river.hear(BEGIN_MS, (topic, b'{"s":"lost","boot":16}'))
    assert str(river.processor.links["mt-01"].s) == "ready"
    river.hear(BEGIN_MS, (topic, b'{"s":"lost","boot":17}'))
    assert str(river.processor.links["mt-01"].s) == "lost"


def test_sleeping_device_is_not_silent_until_its_time() -> None:
    river = River()
    until = BEGIN_MS + 600 * MINUTE
    topic = "tiengiang/v1/salinity/my-tho/mt-01/state"
    river.hear(BEGIN_MS, (topic, f'{{"s":"sleeping","boot":1,"until":{until}}}'.encode()))
    raised = river.tick(BEGIN_MS + 300 * MINUTE).events
    assert {event.alert["device"] for event in raised} == {"mt-02"}


def test_acknowledging_twice_is_refused_by_version() -> None:
    river = River()
    raised = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0)).events[0]
    order = Action("r1", "ack", raised.alert["id"], raised.alert["ver"], "an", "đã gọi")
    acked = river.step(BEGIN_MS, order)
    assert acked.reply is not None
    assert acked.reply[1].outcome == "done"
    again = river.step(BEGIN_MS, order)
    assert again.reply is not None
    assert again.reply[1].outcome == "stale"


def test_a_notice_is_an_entry_and_changes_nothing_else() -> None:
    river, plain = River(), River()
    for one in (river, plain):
        one.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=9.0))
    trouble = Notice(HISTORIAN_TROUBLE.id, True, None, None, BEGIN_MS, "store.token_file")
    raised = river.step(BEGIN_MS + 1, trouble)
    assert [(e.type, e.alert["rule"], e.told) for e in raised.events] == [
        ("raised", HISTORIAN_TROUBLE.id, True)
    ]
    assert river.step(BEGIN_MS + 2, trouble).events == []
    key = raised.events[0].alert["id"]
    acked = river.step(BEGIN_MS + 3, Action("r1", "ack", key, 1, "an", ""))
    assert [event.alert["state"] for event in acked.events] == ["acked"]
    for one in (river, plain):
        one.tick(BEGIN_MS + 61 * MINUTE)
    assert river.readings() == plain.readings()
    assert [row for row in river.alerts() if row[1] != key] == plain.alerts()


def test_what_a_daily_test_says_comes_back_as_it_was_said() -> None:
    alert = f"{ROOT}/v1/alerts/songtien-self-test/songtien/self-test"
    said = [(f"{ROOT}/v1/server/here/test", b"1"), (alert, b'{"id":"x"}'), (alert, b"")]
    others = [(f"{ROOT}/v1/alerts/salinity-4/mt-01/salinity_g_l", b"{}")]
    outcome = River().hear(BEGIN_MS, *said, *others)
    assert outcome.echoes == said
    assert (outcome.received, outcome.letters) == (0, [])


def test_notices_are_in_a_checkpoint() -> None:
    river = River()
    river.step(BEGIN_MS, Notice(SELF_TEST_FAILED.id, True, None, None, BEGIN_MS, ""))
    snapshot = river.snapshot()
    river.restart(snapshot, river.position)
    assert river.snapshot() == snapshot
    assert river.processor.book.notices() == {SELF_TEST_FAILED.id: (True, BEGIN_MS)}


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("tiengiang/v1/salinity/my-tho/mt-01/obs", b"{", "not_json"),
        ("tiengiang/v1/salinity/my-tho/mt-01/obs", b'{"v":1,"samples":[{"t":"x"}]}', "schema"),
        ("tiengiang/v1/salinity/my-tho/nobody/obs", b"{}", "unknown_device"),
        ("tiengiang/v1/salinity/bridge/mt-01/obs", b"{}", "unknown_device"),
        ("tiengiang/v1/weather/my-tho/mt-01/obs", b"{}", "topic"),
        (
            "tiengiang/v1/salinity/my-tho/mt-01/obs",
            b'{"v":1,"samples":[{"t":1767000000000,"sal_g_l":1e9}]}',
            "range",
        ),
        (
            "tiengiang/v1/salinity/my-tho/mt-01/obs",
            b'{"v":1,"samples":[{"t":1,"sal_g_l":1}]}',
            "clock",
        ),
        ("tiengiang/v1/salinity/my-tho/mt-01/obs", b"[" * 70_000, "size"),
        ("tiengiang/v1/salinity/my-tho/mt-01/obs", b"", "empty"),
        (
            "tiengiang/v1/traffic/bridge/cam-01/obs",
            lane(BEGIN_MS, 7, count={"car": 1})[1],
            "unknown_device",
        ),
    ],
)
def test_bad_input_is_counted_and_kept_and_the_good_beside_it_taken(
    topic: str, payload: bytes, reason: str
) -> None:
    river = River()
    good = probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0)
    outcome = river.hear(BEGIN_MS, (topic, payload), good)
    assert outcome.rejected == {reason: 1}
    assert (outcome.received, outcome.stored) == (2, 1)
    assert (outcome.letters[0].reason, outcome.letters[0].topic) == (reason, topic)


def test_accounting_is_exact_and_a_lost_batch_breaks_it() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0), ("x", b""))
    counts = river.ledger.read()
    settled = counts.stored + counts.duplicate + sum(counts.rejected.values())
    assert counts.received == settled + counts.in_flight == 2
    lost = river.processor.step(99, BEGIN_MS, river.log[-1][2])
    river.ledger.take(lost)
    assert river.ledger.read().in_flight == 2
    river.ledger._in_hand.clear()  # what a fault would do
    counts = river.ledger.read()
    settled = counts.stored + counts.duplicate + sum(counts.rejected.values())
    assert counts.received != settled + counts.in_flight


def feeds() -> st.SearchStrategy[list[Message]]:
    """Messages of two probes and a camera: any order, duplicates, conflicts, with and without seq."""
    times = st.integers(0, 12).map(lambda n: BEGIN_MS - n * 7_000)
    seqs = st.one_of(st.none(), st.integers(1, 12))
    values = st.sampled_from([0.0, 1.0, 3.7, 5.0, 9.0, 60.0])
    probes = st.builds(
        lambda d, t, s, v: probe(d, t, seq=s, sal_g_l=v),
        st.sampled_from(["mt-01", "mt-02"]),
        times,
        seqs,
        values,
    )
    lanes = st.builds(
        lambda t, n, s, c, kind: lane(t, n, "southbound", seq=s, **{kind: {"car": c}}),
        st.integers(0, 3).map(lambda n: BEGIN_MS - n * MINUTE),
        st.sampled_from([1, 2]),
        st.one_of(st.none(), st.integers(1, 12)),
        st.integers(0, 5),
        st.sampled_from(["count", "cumulative"]),
    )
    return st.lists(st.one_of(probes, lanes), max_size=30)


def run(chunks: Sequence[Sequence[Message]]) -> River:
    river = River()
    for chunk in chunks:
        river.hear(BEGIN_MS, *chunk)
    river.tick(BEGIN_MS + 30 * MINUTE)
    return river


def test_simulated_samples_clear_nothing_that_was_measured() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
    for n in range(1, 6):
        at = BEGIN_MS + n * 10 * MINUTE
        calm = probe("mt-01", at, seq=1 + n, sal_g_l=0.5, sim=True)
        assert not [e for e in river.hear(at, calm).events if e.alert["rule"] == "salinity-4"]


def test_the_first_real_sample_ends_a_simulated_alert_and_is_judged_by_itself() -> None:
    river = River()
    simulated = probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0, sim=True)
    (raised,) = river.hear(BEGIN_MS, simulated).events
    assert raised.alert["sim"]
    at = BEGIN_MS + 10 * MINUTE
    events = river.hear(at, probe("mt-01", at, seq=2, sal_g_l=9.0)).events
    assert [(e.type, e.alert.get("sim")) for e in events] == [("cleared", True), ("raised", None)]
    assert events[1].alert["t_since"] == at


def test_simulated_samples_are_no_sign_of_life() -> None:
    river = River()
    river.tick(BEGIN_MS + 61 * MINUTE)
    at = BEGIN_MS + 62 * MINUTE
    assert not river.hear(at, probe("mt-01", at, seq=1, sal_g_l=1.0, sim=True)).events
    real = river.hear(at, probe("mt-01", at + 1000, seq=2, sal_g_l=1.0)).events
    assert {e.type for e in real} == {"cleared"}


def test_a_spell_of_long_ago_is_no_news_when_the_newest_sample_is_calm() -> None:
    river = River()
    long_ago = BEGIN_MS - 40 * 24 * 60 * MINUTE
    assert not river.hear(BEGIN_MS, probe("mt-01", long_ago, seq=1, sal_g_l=9.0)).events[0].told
    calm = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=2, sal_g_l=0.5)).events
    assert not [e for e in calm if e.told]
    at = BEGIN_MS + 10 * MINUTE
    salty = river.hear(at, probe("mt-01", at, seq=3, sal_g_l=3.7)).events
    assert [(e.type, e.told) for e in salty] == [("raised", True)]


def test_a_closed_gap_within_an_entry_hides_nothing_that_came_before_it() -> None:
    first = probe("mt-02", BEGIN_MS, seq=1, sal_g_l=1.0)
    gap = [
        lane(BEGIN_MS - n * MINUTE, 2, seq=seq, count={"car": 1})
        for n, seq in ((3, 2), (2, 4), (1, 3))
    ]
    river = River()
    outcome = river.hear(BEGIN_MS, first, *gap, probe("mt-02", BEGIN_MS, sal_g_l=2.0))
    assert outcome.rejected == {"conflict": 1}


@settings(max_examples=300)
@given(feeds(), st.lists(st.integers(1, 6), min_size=30, max_size=30))
def test_any_split_into_entries_gives_the_same_readings_and_alerts(
    feed: list[Message], sizes: list[int]
) -> None:
    split, at = [], 0
    for size in sizes:
        split.append(feed[at : at + size])
        at += size
    whole, one_by_one, some = run([feed]), run([[m] for m in feed]), run([c for c in split if c])
    assert whole.readings() == one_by_one.readings()
    assert some.readings() == one_by_one.readings()
    assert whole.alerts() == one_by_one.alerts()
    assert some.alerts() == one_by_one.alerts()


@settings(max_examples=200)
@given(feeds(), st.integers(0, 30), st.integers(0, 30))
def test_stepped_again_from_a_checkpoint_the_state_is_the_same(
    feed: list[Message], checkpoint: int, crash: int
) -> None:
    river = River()
    snapshot, position = river.snapshot(), river.position
    for n, message in enumerate(feed):
        river.hear(BEGIN_MS + n * 5_000, message)
        if n == checkpoint:
            snapshot, position = river.snapshot(), river.position
        if n == crash:
            before = river.snapshot()
            river.restart(snapshot, position)
            assert river.snapshot() == before
    before = river.snapshot()
    river.restart(snapshot, position)
    assert river.snapshot() == before


@settings(max_examples=200)
@given(feeds(), st.randoms(use_true_random=False))
def test_sent_again_in_another_order_nothing_changes(feed: list[Message], random: object) -> None:
    river = run([feed])
    readings, alerts = river.readings(), river.alerts()
    again = list(feed)
    random.shuffle(again)  # type: ignore[attr-defined]
    outcome = river.hear(BEGIN_MS + 30 * MINUTE, *again)
    assert outcome.stored == 0
    assert {key: row[0] for key, row in river.readings().items()} == {
        key: row[0] for key, row in readings.items()
    }
    assert [alert for alert in river.alerts() if alert[2] != "silent"] == [
        alert for alert in alerts if alert[2] != "silent"
    ]


def test_state_of_nobody_we_know_is_kept_and_is_no_sample() -> None:
    river = River()
    outcome = river.hear(BEGIN_MS, ("tiengiang/v1/salinity/my-tho/nobody/state", b'{"s":"ready"}'))
    assert (outcome.received, len(outcome.rejected), len(outcome.letters)) == (0, 0, 1)
