"""What changes around open alerts: registry, rules, a time of not running, simulated samples."""

from collections.abc import Sequence

import numpy as np

from alerts.alert import Act
from alerts.book import AlertBook
from alerts.engine import Engine
from alerts.rulesfile import parse_rules
from ingest.reading import Batch, Flag, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import VK, Script, paced, t
from tests.alerts.test_book_beside import AT_ONCE, LADDER, URGENT, act, alert_of, due
from tests.alerts.test_topology import (
    EVERYBODY,
    ONE_GATEWAY,
    SILENT,
    hear,
    registry,
    said,
    tick_to,
)

SALT = """
[[rule]]
id = "{id}"
quantity = "salinity_g_l"
severity = "critical"
raise_above = 4.0
clear_below = 4.0
"""
SHARE = SALT.replace("{id}", "share") + 'at_least = 1\ngroup_by = "station"\n'


def changed(script: Script, stations: str, rules: str) -> Script:
    """Another registry and other rules, put in force as the service does it."""
    keys = [one.key for one in script.series.entries]
    script.registry = parse_registry(stations, "stations.toml")
    script.series = SeriesTable.of(script.registry, keys)
    grown = len(script.series) - len(script.newest_ms)
    for name, value in (("newest_ms", -1), ("registered_ms", script.now_ms), ("asleep_ms", -1)):
        column = np.pad(getattr(script, name), (0, grown), constant_values=value)
        setattr(script, name, column)
    script.rules = parse_rules(paced(rules), "rules.toml", script.registry)
    script.engine.reconfigure(script.rules, script.series, script.registry)
    script.book.reconfigure(script.rules, script.series, script.registry)
    return script.tick()


def all_say(script: Script, when: float, value: float, probes: Sequence[int] = EVERYBODY) -> None:
    script.at(when)
    numbers = [script.series.by_key[f"p-{n}/salinity_g_l"] for n in probes]
    size = len(numbers)
    script._entry(Batch.of(numbers, [t(when)] * size, [value] * size, Flag.PASS))


def restless(script: Script) -> Script:
    """Twenty evaluations that go to and fro, the last of them calm."""
    for n in range(20):
        all_say(script, 10 * n, 3.9 if n % 2 else 4.1)
    return script


def flapping(script: Script) -> set[str]:
    return {str(a["k"]) for a in script.book.alerts() if a.get("flapping")}


def test_a_device_that_hangs_elsewhere_now_is_told_while_its_old_gateway_is_down() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    moved = dict.fromkeys(EVERYBODY, "gw-1") | {0: "gw-2"}
    changed(script, registry(moved), SILENT)
    assert said(script)[1:] == [("raised", "silent", "p-0")]
    assert script.events[-1].notify
    hear(script, 70, EVERYBODY[1:])
    assert said(script)[2:] == [("cleared", "uplink-down", "songtien/uplink/gw-1")]


def test_a_device_that_joins_a_gateway_that_is_down_does_not_bring_it_up() -> None:
    """What it said before it hung there came another way."""
    five = dict.fromkeys(EVERYBODY[:5], "gw-1")
    script = hear(Script(SILENT, registry(five)), 0)
    for when in (10, 20):
        hear(script, when, (5,))
    tick_to(script, 60)
    assert said(script) == [("raised", "uplink-down", "songtien/uplink/gw-1")]
    changed(script, ONE_GATEWAY, SILENT)
    tick_to(script, 64)
    assert len(said(script)) == 1
    script.restart()
    hear(script, 65, (5,))
    assert said(script)[1:] == [("cleared", "uplink-down", "songtien/uplink/gw-1")]


def test_a_restart_looks_for_nothing_that_a_running_service_would_not_find() -> None:
    """From 65 on all are late; who is due next, at 95, brings the gateway's alert."""
    stations = registry(dict.fromkeys(EVERYBODY, "gw-1"), (0, 1))
    told = []
    for restarts in (False, True):
        script = hear(Script(SILENT, stations), 0)
        for when in (10, 20, 30, 40):
            hear(script, when, (2, 3, 4, 5))
        script.at(45).tick()
        hear(script, 50, EVERYBODY[1:])
        for when in range(51, 100):
            script.at(when).tick()
            if restarts:
                script.restart()
        told.append([(e.type, e.alert, e.at_ms, e.told) for e in script.events])
        assert [each[1] for each in said(script)] == ["station-down", "station-down", "uplink-down"]
    assert told[0] == told[1]


def test_a_station_that_is_removed_takes_its_alerts_along() -> None:
    """Told, held back, flapping and shelved: none stays."""
    rules = SALT.replace("{id}", "salt") + SILENT
    script = restless(Script(rules, ONE_GATEWAY))
    script.maintenance = {"tram-1": "bt-7"}
    all_say(script, 200, 4.1)
    assert "p-0/salinity_g_l" in flapping(script)
    gone = registry(dict.fromkeys(EVERYBODY, "gw-1"), (0, 1)).replace('"p-0"', '"p-9"')
    changed(script, gone.replace('"p-1"', '"p-8"'), rules)
    held = [key[1] for key in script.book._ledger.holding]
    assert sorted(held) == [f"p-{n}/salinity_g_l" for n in (2, 3, 4, 5)]


def test_what_flaps_and_is_no_longer_asked_of_its_group_is_over() -> None:
    script = restless(Script(SHARE, ONE_GATEWAY))
    assert flapping(script) == {f"p-{n}/salinity_g_l" for n in EVERYBODY}
    changed(script, ONE_GATEWAY, SHARE.replace('"station"', '"all"'))
    assert flapping(script) == {"p-0/salinity_g_l"}, "the first of the one group that is left"
    for n in range(30):
        all_say(script, 200 + 10 * n, 1.0)
    assert {a["state"] for a in script.book.alerts()} == {"cleared-unacked"}


def test_what_ends_with_a_configuration_ends_in_one_order_after_a_restart_too() -> None:
    """The later series begins to flap first."""
    ended = []
    for restarts in (False, True):
        script = Script(SALT.replace("{id}", "salt"), ONE_GATEWAY)
        for n in range(21):
            all_say(script, 10 * n, 3.9 if n % 2 else 4.1, (5,))
            if n:
                all_say(script, 10 * n + 1, 4.1 if n % 2 else 3.9, (0,))
        all_say(script, 215, 3.9, (5, 0))
        assert len(flapping(script)) == 2
        if restarts:
            script.restart()
        changed(script, ONE_GATEWAY, SILENT)
        ended.append([e.alert["k"] for e in script.events if e.evidence == {"cause": "withdrawn"}])
    assert ended[0] == ended[1] == ["p-0/salinity_g_l", "p-5/salinity_g_l"]


def test_the_books_snapshot_does_not_depend_on_the_order_of_a_set() -> None:
    names = [f"bridge-{n}/southbound" for n in range(20)]
    script = Script()
    script.closed = frozenset(reversed(names))
    script.tick()
    assert list(script.book.snapshot()["aside"]) == sorted(names)


def test_a_configuration_between_restarts_is_the_same_as_without_them() -> None:
    """Engine and book come back from bytes right behind each change."""
    rules = SALT.replace("{id}", "salt") + SILENT
    told = []
    for restarts in (False, True):
        script = restless(Script(rules, ONE_GATEWAY))
        steps = [
            (SHARE, ONE_GATEWAY),
            (rules, registry({})),
            ("", ONE_GATEWAY),
            (rules, ONE_GATEWAY),
        ]
        for place, (text, stations) in enumerate(steps):
            script.at(210 + 40 * place)
            changed(script, stations, text)
            if restarts:
                script.restart()
            all_say(script, 220 + 40 * place, 4.1, EVERYBODY[place:])
        told.append([(e.type, e.alert, e.at_ms, e.told) for e in script.events])
        assert isinstance(script.engine, Engine)
        assert isinstance(script.book, AlertBook)
    assert told[0] == told[1]


def test_a_shelf_that_ended_meanwhile_does_not_bring_all_reminders_at_once() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.at(4)
    act(script, Act.SHELVE, "rửa đầu đo", until=64)
    script.restart()
    script.at(1003)
    script.book.awake(script.now_ms)
    script.tick()
    assert [(e.type.value, e.at_ms) for e in script.events[2:]] == [
        ("unshelved", t(64)),
        ("escalated", t(75)),
        ("escalated", t(90)),
        ("reminded", t(1000)),
    ]
    assert due(script) == 1010


def test_a_simulated_rung_folds_nothing_that_was_measured() -> None:
    script = Script(LADDER).at(0).reading(1.5)
    number = script.series.by_key[VK]
    by_hand = Batch.of([number], [t(5)], [5.0], Flag.PASS, why=int(Why.SIMULATED))
    script.at(5)._entry(by_hand)
    script.expect("raised", rule="rung-1", sim=None)
    script.expect("raised", rule="rung-2", sim=True)
    script.expect("raised", rule="rung-4", sim=True)
    script.expect_nothing()
    assert "suppressed" not in alert_of(script, "rung-1")
    assert "suppressed" in alert_of(script, "rung-2"), "among simulated ones as ever"
