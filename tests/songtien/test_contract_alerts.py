"""The contract's sentences on rules and alerts that need more than engine and book to hold."""

from pathlib import Path

from alerts import outbox, records
from alerts.alert import alert_id
from ingest.journal import Action, Config
from ingest.reading import Flag, Why
from songtien.mailbox import Post
from songtien.screens import Screens
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, Message, River, probe
from tests.songtien.life import life
from tests.songtien.test_announce import Paper, announcer

MINUTE = 60_000
YEAR = 365 * 24 * 60 * MINUTE
LOOSE = REGISTRY[: REGISTRY.index("[quality.")]
KEY = "mt-01/salinity_g_l"
SALT = RULES[: RULES.index('[[rule]]\nid = "silent"')]
OF_VALUES = ("salinity-4",)


def night(begin_ms: int, *, numbered: bool = True) -> list[tuple[int, Message]]:
    """Salt from the second sample to the fifth, one in ten minutes, with their times."""
    values = [1.0, 4.5, 4.6, 4.4, 5.0, 3.0, 3.0, 3.0]
    times = [begin_ms + n * 10 * MINUTE for n in range(len(values))]
    return [
        (t_ms, probe("mt-01", t_ms, seq=n + 1 if numbered else None, sal_g_l=value))
        for n, (t_ms, value) in enumerate(zip(times, values, strict=True))
    ]


def of_values(river: River, begin_ms: int) -> list[tuple[str, int, int]]:
    """What was raised and cleared by values, told or not, with times since the beginning."""
    found = {
        (kind, since_ms - begin_ms, event_ms - begin_ms)
        for kind, _, rule, since_ms, event_ms in river.alerts()
        if rule in OF_VALUES
    }
    return sorted(found)


def test_a_replay_of_last_year_behaves_like_today() -> None:
    found = []
    for back_ms in (0, YEAR):
        river = River(registry=LOOSE)
        for n, (_, message) in enumerate(night(BEGIN_MS - back_ms)):
            river.hear(BEGIN_MS + 80 * MINUTE + n, message)
        found.append(of_values(river, BEGIN_MS - back_ms))
    assert found[0] == found[1]
    assert [kind for kind, *_ in found[0]] == ["cleared", "raised"]


def test_a_sample_is_released_when_its_series_is_reorder_s_ahead_of_it() -> None:
    river = River(registry=LOOSE)
    assert not river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=5.0)).events
    near = river.hear(BEGIN_MS + 1, probe("mt-01", BEGIN_MS + 29_999, sal_g_l=5.0))
    assert not near.events
    ahead = river.hear(BEGIN_MS + 2, probe("mt-01", BEGIN_MS + 30_000, sal_g_l=5.0))
    assert [e.alert["t_event"] for e in ahead.events] == [BEGIN_MS]


def test_a_sample_is_released_reorder_s_after_its_arrival_by_the_services_clock() -> None:
    river = River(registry=LOOSE)
    late_ms = BEGIN_MS + 5 * MINUTE
    river.hear(late_ms, probe("mt-01", BEGIN_MS, sal_g_l=5.0))
    assert not river.tick(late_ms + 29_999).events
    (event,) = river.tick(late_ms + 30_000).events
    assert (event.alert["t_event"], event.at_ms) == (BEGIN_MS, late_ms + 30_000)


def test_a_contiguous_sample_is_released_at_once_and_one_behind_a_gap_is_not() -> None:
    river = River(registry=LOOSE)
    assert river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=40, sal_g_l=5.0)).events
    river = River(registry=LOOSE)
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    at_ms = BEGIN_MS + 1_000
    assert not river.hear(at_ms, probe("mt-01", at_ms, seq=3, sal_g_l=5.0)).events
    closed = river.hear(at_ms, probe("mt-01", at_ms - 500, seq=2, sal_g_l=1.0))
    assert [e.alert["t_event"] for e in closed.events] == [at_ms]


def test_a_backlog_sent_after_newer_readings_is_history() -> None:
    river = River(registry=LOOSE)
    end_ms = BEGIN_MS + 90 * MINUTE
    river.hear(end_ms, probe("mt-01", end_ms, seq=9, sal_g_l=1.0))
    for t_ms, message in night(BEGIN_MS, numbered=False):
        assert not river.hear(end_ms + MINUTE, message).events
        assert river.readings()[KEY, t_ms][1:] == (Flag.NOT_EVALUATED, Why.LATE)
    assert not river.tick(end_ms + 5 * MINUTE).events


def test_a_value_that_was_decided_is_not_decided_again_when_its_flag_is_revised() -> None:
    river = River(rules=RULES.replace("clear_for_s = 900", "clear_for_s = 0"))
    for n, value in enumerate((3.0, 4.6, 3.0)):
        at_ms = BEGIN_MS + n * 60 * MINUTE
        river.hear(at_ms, probe("mt-01", at_ms, seq=n + 1, sal_g_l=value))
    flag = river.readings()[KEY, BEGIN_MS + 60 * MINUTE][1]
    kinds = sorted(kind for kind, *_ in of_values(river, BEGIN_MS))
    assert flag in (Flag.PASS, Flag.SUSPECT)
    assert kinds == ["cleared", "raised"]


def test_no_data_goes_by_the_expected_interval_of_the_registry() -> None:
    rules = RULES.replace("no_data_s = 3600", "no_data_intervals = 3")
    river = River(
        registry=REGISTRY.replace("expected_s = 600", "expected_s = 1200", 1), rules=rules
    )
    for device in ("mt-01", "mt-02"):
        river.hear(BEGIN_MS, probe(device, BEGIN_MS, seq=1, sal_g_l=1.0))
    events = river.tick(BEGIN_MS + 200 * MINUTE).events
    due = {
        e.alert["device"]: e.alert["t_event"] - BEGIN_MS
        for e in events
        if e.alert["k"].endswith("salinity_g_l") and e.type == "raised"
    }
    assert due == {"mt-01": 60 * MINUTE, "mt-02": 30 * MINUTE}


def test_what_is_historic_is_in_http_and_nowhere_else(tmp_path: Path) -> None:
    """Never on the socket, on MQTT, in CAP and webhooks (whose source is the outbox)."""
    with life(tmp_path) as one:
        one.append(Config(LOOSE, SALT, 30.0), BEGIN_MS)
        one.pipeline.commit(one.journal.after(0, 9))
        screens = Screens.of_store(one.store, one.pipeline.parts(), one.pipeline.pictures())
        before = screens.hub.alerts.last
        paper = Paper()
        said = announcer(paper)
        late_ms = BEGIN_MS + 300 * MINUTE
        for _, message in night(BEGIN_MS):
            one.hear(late_ms, message)
        news = []
        while one.pipeline.busy:
            news += one.pipeline.commit(one.journal.after(one.pipeline.position, 1))
        for each in news:
            screens.take(Post(each.outcome.newest, [each], None))
            said.tell(each.outcome.events)
        key = alert_id("salinity-4", KEY, BEGIN_MS + 10 * MINUTE)
        with one.store.transaction() as connection:
            (historic,) = (
                a for a in records.page(connection, "historic").items if a["rule"] == "salinity-4"
            )
            assert outbox.of_alert(connection, key) == []
            assert key not in {a["id"] for a in records.active(connection)}
        assert historic["id"] == key
        assert historic["historic"]
        assert [e["type"] for e in historic["timeline"]] == ["raised", "cleared"]
        assert key not in {a["id"] for a in one.pipeline.processor.book.alerts()}
        assert screens.hub.alerts.last == before
        assert paper.retained == {}


def test_every_transition_is_stored_with_who_when_and_why() -> None:
    river = River(registry=LOOSE)
    feed = night(BEGIN_MS)
    for t_ms, message in feed[:3]:
        river.hear(t_ms, message)
    (alert,) = (a for a in river.processor.book.alerts() if a["rule"] == "salinity-4")
    acked_ms = feed[2][0] + MINUTE
    river.step(acked_ms, Action("r", "ack", alert["id"], alert["ver"], "Lan", "đã gọi"))
    for t_ms, message in feed[3:]:
        river.hear(t_ms, message)
    with river.store.transaction() as connection:
        whole = records.one(connection, alert["id"])
    assert whole is not None
    raised, acked, cleared = whole["timeline"]
    assert (raised["type"], raised["at"], raised["state"]) == ("raised", feed[1][0], "unacked")
    assert raised["evidence"]["value"] == 4.5
    assert raised["evidence"]["rule"]["raise_level"] == 4.0
    assert (acked["type"], acked["at"], acked["state"]) == ("acked", acked_ms, "acked")
    assert (acked["who"], acked["note"]) == ("Lan", "đã gọi")
    assert (cleared["type"], cleared["at"], cleared["state"]) == ("cleared", feed[7][0], "normal")
    assert cleared["evidence"]["cause"] == "level"


def test_a_silence_that_comes_to_light_late_is_detected_now() -> None:
    """A device that had announced its sleep wakes early, and sends nothing."""
    river = River()
    state = "tiengiang/v1/salinity/my-tho/mt-01/state"
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    until = str(BEGIN_MS + 200 * MINUTE).encode()
    river.hear(BEGIN_MS, (state, b'{"s":"sleeping","boot":1,"until":' + until + b"}"))
    river.tick(BEGIN_MS + 100 * MINUTE)
    now_ms = BEGIN_MS + 101 * MINUTE
    events = river.hear(now_ms, (state, b'{"s":"ready","boot":1}')).events
    (alert,) = (e.alert for e in events if e.alert["k"] == KEY)
    assert alert["t_event"] == BEGIN_MS + 60 * MINUTE, "when it was due"
    assert alert["t_detected"] == alert["t_told"] == now_ms


def test_samples_that_failed_do_not_make_an_old_breach_young() -> None:
    """They count as absent: what was found five hours late, and nothing since, is historic."""
    hour = 60 * MINUTE
    fails = REGISTRY.replace("fail_max = 40.0", "fail_max = 30.0")
    river = River(registry=fails)
    begin_ms = BEGIN_MS - 5 * hour
    first = river.hear(BEGIN_MS, probe("mt-01", begin_ms, seq=1, sal_g_l=5.0))
    assert [(e.type.value, e.told) for e in first.events] == [("raised", False)]
    for n, minutes in enumerate(range(280, 300, 10)):
        late = probe("mt-01", begin_ms + minutes * MINUTE, seq=n + 2, sal_g_l=35.0)
        assert not river.hear(BEGIN_MS + n + 1, late).events
    good = river.hear(BEGIN_MS + 10, probe("mt-01", BEGIN_MS, seq=4, sal_g_l=5.0))
    assert [(e.type.value, e.told) for e in good.events] == [("raised", True)]
