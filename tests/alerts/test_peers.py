"""What users of other systems suffer from, one line of their trackers each, and what holds here.

The lines are from the public issue trackers of ThingsBoard, Grafana, Kapacitor, FROST-Server and
netdata, as named at each test. The parts are the real ones.
"""

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts import outbox, records
from alerts.alert import Act, Action, Outcome
from alerts.flapping import HISTORY
from alerts.webhook import idempotency_key
from ingest.faults import ConfigError
from ingest.journal import Action as Ordered
from ingest.journal import Config, Entry, Messages, Tick
from ingest.reading import Flag
from songtien import datadir
from tests.alerts.script import HELD, SALINITY_4, SILENT, VK, XH, Script, t
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, Message, River, probe
from tests.songtien.life import Clock, life

MINUTE = 60_000
AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")


def newest(river: River, key: str = "mt-01/salinity_g_l") -> tuple[int, float]:
    at = river.processor.series.by_key[key]
    rows = river.processor.newest
    return int(rows.t_ms[at]), float(rows.value[at])


def settled(river: River) -> tuple[int, list[int]]:
    """What the gateway of a probe is told: up to which number, and what never came."""
    ack = river.processor.sequencer.ack("mt-01")
    assert ack is not None
    return ack.seq, list(ack.missing)


# Time, order, duplicates.


def test_b01_latest_is_the_newest_measured_not_the_last_received() -> None:
    """ThingsBoard 1769, 1264, 3119: a batch makes "latest" jump from 1 to 4 and back to 2."""
    minutes = list(range(30))
    random.Random(1).shuffle(minutes)
    river = River()
    shown = []
    for start in range(0, 30, 5):
        together = [
            probe("mt-01", BEGIN_MS + n * MINUTE, sal_g_l=1.0 + n / 100)
            for n in minutes[start : start + 5]
        ]
        outcome = river.hear(BEGIN_MS + 40 * MINUTE + start, *together)
        shown.append(newest(river))
        at = river.processor.series.by_key["mt-01/salinity_g_l"]
        pushed = outcome.newest.take(outcome.newest.series == at)
        assert all(t_ms == shown[-1][0] for t_ms in pushed.t_ms.tolist())
    assert all(late >= early for early, late in pairwise(shown))
    assert shown[-1] == (BEGIN_MS + 29 * MINUTE, 1.29)
    assert len([key for key in river.readings() if key[0] == "mt-01/salinity_g_l"]) == 30


def test_b02_an_alert_has_its_three_times_and_a_backlog_is_no_news() -> None:
    """ThingsBoard 8681, 6773, 10661: old batches become mails in any order, dated now."""
    river = River()
    late_ms = BEGIN_MS + 600 * MINUTE
    events = river.hear(late_ms, probe("mt-01", late_ms - 20 * MINUTE, seq=1, sal_g_l=9.0)).events
    alert = next(e.alert for e in events if e.alert["rule"] == "salinity-4")
    assert alert["t_event"] == late_ms - 20 * MINUTE, "when it was measured"
    assert alert["t_detected"] == alert["t_told"] == late_ms, "when it was found out, and told"
    later = Script().at(300)
    later.backlog([(n, 4.1 if n < 40 else 3.0) for n in range(0, 61, 10)])
    assert [(e.type.value, e.told, e.notify) for e in later.events] == [
        ("raised", False, False),
        ("cleared", False, False),
    ]


def test_b03_holds_run_on_measured_time_and_what_the_clock_does_needs_no_message() -> None:
    """ThingsBoard 10590 (a hold of 2 s fired after 1 s), 11803 (nothing happens without data)."""
    two_s = HELD.replace("for_s = 1800", "for_s = 2", 1)
    script = Script(two_s).at(0).reading(4.1)
    script.at(1 / 60).reading(4.1)
    script.at(600).tick()
    script.expect_nothing()
    script.at(600).reading(4.1, observed=1.999 / 60)
    script.expect_nothing()
    script.at(600).reading(4.1, observed=2 / 60)
    script.expect("raised", since=0.0, event=2 / 60)
    urgent = AT_ONCE + "[escalation.critical]\nremind_s = 0\nescalate_s = [120]"
    quiet = Script(urgent).at(0).reading(4.1)
    assert quiet.book.next_due_ms() == t(2)
    quiet.at(2).tick()
    assert [(e.type.value, e.at_ms) for e in quiet.events] == [
        ("raised", t(0)),
        ("escalated", t(2)),
    ]


def test_b04_order_is_the_devices_own_and_alerts_do_not_depend_on_arrival() -> None:
    """FROST-Server 836: observations arrive out of order, or not at all."""
    values = [1.0, 4.5, 4.6, 3.0, 5.0, 5.1, 2.0, 2.0, 2.0, 2.0]
    feed = [
        probe("mt-01", BEGIN_MS + n * 2_000, seq=n + 1, sal_g_l=value)
        for n, value in enumerate(values)
    ]
    quick = RULES.replace("clear_for_s = 900", "clear_for_s = 2")
    loose = REGISTRY[: REGISTRY.index("[quality.")]
    straight, shuffled = (River(registry=loose, rules=quick) for _ in range(2))
    end_ms = BEGIN_MS + 20_000
    straight.hear(end_ms, *feed)
    mixed = feed[1:]
    random.Random(2).shuffle(mixed)
    for message in (feed[0], *mixed):
        shuffled.hear(end_ms, message)
    again = shuffled.hear(end_ms, *feed[:3])
    assert again.duplicate == 3
    for river in (straight, shuffled):
        river.tick(end_ms + MINUTE)
    of_salt = [each for each in straight.alerts() if each[2] == "salinity-4"]
    assert [each[0] for each in of_salt].count("cleared") == 1
    assert of_salt == [each for each in shuffled.alerts() if each[2] == "salinity-4"]
    gap = River()
    gap.hear(end_ms, *feed[:3], *feed[5:])
    assert settled(gap) == (3, [])
    gap.tick(end_ms + 2 * MINUTE)
    assert settled(gap) == (10, [4, 5]), "what is missing is known by number"


# What an alert means.


def test_b05_every_rule_has_a_level_to_raise_and_one_to_clear() -> None:
    """ThingsBoard 7943, Grafana 6202: no hysteresis for years."""
    script = Script(AT_ONCE).readings([4.1, 3.9, 4.05, 3.7, 4.2, 3.61], start=0, step=15)
    assert [e.type for e in script.events] == ["raised"]
    script.at(100).reading(3.59)
    assert [e.type for e in script.events] == ["raised", "cleared"]
    pairs = script.engine.pairs
    for column in (pairs.raise_level, pairs.clear_level):
        assert isinstance(column, np.ndarray)
        assert len(column) == len(pairs)
    assert (pairs.clear_level <= pairs.raise_level).all()


def test_b06_what_flaps_is_one_notice_in_and_one_out() -> None:
    """netdata 945, Kibana 49412: floods around a limit."""
    rules = AT_ONCE.replace("clear_below = 3.6", "clear_below = 4.0")
    script = Script(rules)
    restless = [4.01 if n % 2 == 0 else 3.99 for n in range(200)]
    script.readings(restless, start=0, step=1)
    first = [e for e in script.events if e.notify]
    assert len(first) == 9, "until 21 evaluations show what it is"
    assert first[-1].alert["flapping"]
    script.readings([3.9] * HISTORY, start=200, step=1)
    assert [e.type.value for e in script.events if e.notify][9:] == ["cleared"]


def test_b07_missing_data_clear_nothing_and_data_back_is_told() -> None:
    """Grafana 105571 ("Resolved" because data stopped), 36928, 17780 (no word of data back)."""
    script = Script(AT_ONCE + SILENT).at(0).reading(4.1)
    script.at(10_000).tick()
    script.expect("raised", rule="salinity-4")
    script.expect("raised", rule="silent", ask="no_data")
    script.expect_nothing()
    assert {alert["state"] for alert in script.book.alerts()} == {"unacked"}
    script.at(10_001).reading(4.2)
    back = script.expect("cleared", rule="silent")
    assert (back.told, back.notify, back.evidence["cause"]) == (True, True, "data_back")
    script.expect_nothing()


def test_b08_a_device_that_was_never_seen_alerts_from_the_registry() -> None:
    """Kapacitor 1015, 1784: a deadman knows nobody that it has not seen since its restart."""
    script = Script(SILENT).at(10).tick().restart()
    script.at(45).tick()
    script.expect("raised", ask="never_seen", since=0.0)
    script = Script(SILENT).at(0).reading(1.0).restart()
    script.at(45).tick()
    script.expect("raised", ask="no_data", since=0.0)


def test_b09_link_freshness_and_quality_are_three_facts() -> None:
    """ThingsBoard 15614, 12771: "active" for days, because its MQTT connection lives."""
    river = River()
    topic = f"{ROOT}/v1/salinity/my-tho/mt-01/state"
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
    for n in range(13):
        at = BEGIN_MS + n * 10 * MINUTE
        online = (topic, json.dumps({"s": "ready", "boot": 1}).encode())
        wrong = probe("mt-02", at, seq=1 + n, sal_g_l=60.0)
        river.hear(at, online, wrong)
    assert river.processor.links["mt-01"].s == "ready"
    assert newest(river)[0] == BEGIN_MS, "no state message makes a value younger"
    silent = {each[1]: each for each in river.alerts() if each[2] == "silent"}
    (only,) = silent.values()
    assert only[3] == BEGIN_MS, "mt-01 is missed although it is connected"
    at = river.processor.series.by_key["mt-02/salinity_g_l"]
    assert river.processor.newest.flag[at] == Flag.FAIL, "bad data are bad, and not silence"


def story() -> list[tuple[int, Entry]]:
    """Raised, acknowledged, shelved, reminded, cleared, silent; with the times of entries."""

    def said(minute: int, *messages: Message) -> tuple[int, Entry]:
        topics, bodies = zip(*messages, strict=True)
        return BEGIN_MS + minute * MINUTE, Messages(list(topics), list(bodies))

    urgent = RULES[: RULES.index("# Nobody is reminded")]
    entries: list[tuple[int, Entry]] = [(BEGIN_MS, Config(REGISTRY, urgent, 30.0))]
    for n in range(13):
        value = 4.6 if 1 <= n < 9 else 1.2
        at = BEGIN_MS + n * 10 * MINUTE
        messages = [probe("mt-01", at, seq=n + 1, sal_g_l=value)]
        messages.append(probe("mt-02", at, seq=n + 1, sal_g_l=value if n < 3 else 4.7))
        entries.append(said(n * 10, *messages))
        entries.append((at + 5 * MINUTE, Tick()))
    return entries


def test_b10_killed_anywhere_no_transition_is_lost_and_none_is_repeated(tmp_path: Path) -> None:
    """Kapacitor 1115, 744, 1898, 2336; Grafana 68162: a restart fires again, or never resolves."""
    entries = story()
    once, often = tmp_path / "once", tmp_path / "often"
    for directory in (once, often):
        directory.mkdir()
        with life(directory) as written:
            for at_ms, entry in entries:
                written.append(entry, at_ms)
    clock = Clock(entries[-1][0])
    with life(once, clock) as undisturbed:
        undisturbed.run()
        expected = undisturbed.dump()
    types = {row[2] for row in expected["alert_event"]}
    assert types >= {"raised", "cleared", "reminded", "escalated"}
    for count in (2, 3, 1, 4):
        for committed in (False, True):
            with life(often, clock) as short:
                short.run_until_killed(count, committed=committed)
    with life(often, clock) as last:
        last.run()
        found = last.dump()
    assert found["alert_event"] == expected["alert_event"]
    assert found["alert"] == expected["alert"]


def test_b11_one_owner_and_a_key_that_is_the_same_after_any_restart(tmp_path: Path) -> None:
    """Grafana 55938, 64805, 53990, 71203: two of a pair both notify."""
    own = tmp_path / "data"
    with (
        datadir.held(own),
        pytest.raises(ConfigError, match="is using this one"),
        datadir.held(own),
    ):
        pytest.fail("two services on one directory")
    keys = []
    for lives in (1, 3):
        directory = tmp_path / str(lives)
        directory.mkdir()
        entries = story()
        with life(directory) as written:
            for at_ms, entry in entries:
                written.append(entry, at_ms)
        clock = Clock(entries[-1][0])
        for count in range(2, lives + 1):
            with life(directory, clock) as short:
                short.run_until_killed(count, committed=False)
        with life(directory, clock) as last:
            last.run()
            going_out = outbox.after(last.store.connection, 0, 1_000)
            keys.append([idempotency_key(event) for event in going_out])
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == len(keys[0]) > 10


def test_b12_reminded_and_escalated_until_somebody_acknowledges(tmp_path: Path) -> None:
    """ThingsBoard 8520, 12501: whoever did not see the first message never hears of it again."""
    script = Script(AT_ONCE + "[escalation.critical]\nremind_s = 600").at(0).reading(4.1)
    script.reading(4.1, XH)
    for minute in range(1, 35):
        script.at(minute).tick()
    said = [(e.type.value, e.at_ms) for e in script.events if e.alert["k"] == VK]
    assert said == [
        ("raised", t(0)),
        ("reminded", t(10)),
        ("escalated", t(15)),
        ("reminded", t(20)),
        ("escalated", t(30)),
    ]
    alert = next(a for a in script.book.alerts() if a["k"] == VK)
    first = Action(Act.ACK, alert["id"], alert["ver"], "Lan", "đã gọi trạm")
    second = Action(Act.ACK, alert["id"], alert["ver"], "Hùng")
    assert script.acted(script.book.act(first, t(35))).outcome is Outcome.DONE
    refused = script.book.act(second, t(35))
    assert refused.outcome is Outcome.STALE, "two officers never overwrite each other"
    script.at(200).tick()
    assert [e.type.value for e in script.events if e.alert["k"] == VK][5:] == ["acked"]
    assert [e.type.value for e in script.events if e.alert["k"] == XH][-1] == "reminded"
    with life(tmp_path) as opened:
        opened.store.prepare(records.create)
        with opened.store.transaction() as connection:
            records.write(connection, script.events)
        found: dict[str, Any] | None = records.one(opened.store.connection, alert["id"])
    assert found is not None
    acked = found["timeline"][-1]
    assert (acked["type"], acked["who"], acked["note"]) == ("acked", "Lan", "đã gọi trạm")


def test_an_acknowledgement_is_an_entry_of_the_journal() -> None:
    """B12, through the service's own parts: who, when and with which version."""
    river = River()
    (raised,) = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0)).events
    order = Ordered("r1", "ack", raised.alert["id"], raised.alert["ver"], "Lan", "")
    outcome = river.step(BEGIN_MS + MINUTE, order)
    (event,) = outcome.events
    assert (event.type.value, event.who, event.at_ms) == ("acked", "Lan", BEGIN_MS + MINUTE)
