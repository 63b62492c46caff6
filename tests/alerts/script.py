"""Alert tests as scripts in time: `at(15).reading(4.1)`, then `expect(...)`.

Minutes count from START_MS. Each reading is an entry of its own, as it would be on a quiet
day; `backlog` gives many in one entry. The clock stands where the script puts it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alerts.alert import Acted, AlertEvent
from alerts.book import AlertBook
from alerts.engine import Engine
from alerts.rulesfile import parse_rules
from alerts.situation import Situation
from alerts.transition import Transition
from ingest.reading import Batch, Flag, IntArray, rounds
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack

START_MS = 1_767_000_000_000
MINUTE_MS = 60_000

STATIONS = """
[[reach]]
id = "cua-tieu"
name = "Cửa Tiểu"

[[station]]
id = "vam-kenh"
name = "Vàm Kênh"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 2.0 }
lat = 10.274
lon = 106.737
side = "river"
source = "test"

[[station.device]]
id = "vk-01"
expected_s = 900
measures = ["ec_ms_cm", "temp_c"]

[[station]]
id = "xuan-hoa"
name = "Xuân Hòa"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 42.0 }
lat = 10.3366
lon = 106.4103
side = "river"
source = "test"

[[station.device]]
id = "xh-01"
expected_s = 600
measures = ["ec_ms_cm", "temp_c"]

[[station]]
id = "rach-mieu-1"
name = "Cầu Rạch Miễu"
kind = "traffic"
lat = 10.34
lon = 106.36
side = "bridge"
source = "test"
directions = { southbound = { vi = "Mỹ Tho → Bến Tre", en = "Mỹ Tho → Bến Tre" } }

[[station.device]]
id = "cam-01"
expected_s = 60
measures = ["count", "speed_km_h"]
lanes = [{ direction = "southbound", lane = 1, use = "car" }]
"""

VK = "vk-01/salinity_g_l"
XH = "xh-01/salinity_g_l"
SPEED = "cam-01/southbound/speed_km_h"

SALINITY_4 = """
[[rule]]
id = "salinity-4"
quantity = "salinity_g_l"
severity = "critical"
stations = ["*"]
raise_above = 4.0
clear_below = 3.6
for_s = 0
clear_for_s = 900
message_vi = "{station}: {value} {unit}, vượt {limit} {unit} từ {since}"
message_en = "{station}: {value} {unit}, above {limit} {unit} since {since}"
"""

HELD = """
[[rule]]
id = "held"
quantity = "salinity_g_l"
severity = "warning"
raise_above = 4.0
clear_below = 3.6
for_s = 1800
clear_for_s = 1800
"""

FRESH = """
[[rule]]
id = "fresh"
quantity = "salinity_g_l"
severity = "info"
raise_below = 0.4
clear_above = 0.5
permit = true
for_s = 900
"""

SILENT = """
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
stations = ["vam-kenh"]
no_data_s = 2700
"""


PATIENT = """
[escalation.critical]
remind_s = 0
escalate_s = []
[escalation.major]
remind_s = 0
escalate_s = []
[escalation.warning]
remind_s = 0
"""
"""Nobody is reminded: for stories about other things."""


def paced(rules: str) -> str:
    """Rules as they are, patient if they don't say how urgent things are."""
    return rules if "[escalation." in rules else rules + PATIENT


def t(minute: float) -> int:
    return START_MS + round(minute * MINUTE_MS)


def minute(t_ms: int) -> float:
    return (t_ms - START_MS) / MINUTE_MS


class Script:
    """One engine and one book, told a story. Without tables of escalation nobody is reminded."""

    def __init__(self, rules: str = SALINITY_4, stations: str = STATIONS) -> None:
        self.registry: Registry = parse_registry(stations, "stations.toml")
        self.series = SeriesTable.of(self.registry)
        self.rules = parse_rules(paced(rules), "rules.toml", self.registry)
        self.engine = Engine(self.rules, self.series, self.registry)
        self.book = AlertBook(self.rules, self.series, self.registry)
        self.newest_ms: IntArray = np.full(len(self.series), -1, dtype=np.int64)
        self.registered_ms: IntArray = np.full(len(self.series), START_MS, dtype=np.int64)
        self.asleep_ms: IntArray = np.full(len(self.series), -1, dtype=np.int64)
        self.events: list[AlertEvent] = []
        self.transitions: list[Transition] = []
        self.maintenance: dict[str, str] = {}
        self.closed: frozenset[str] = frozenset()
        self.now_ms = START_MS
        self._read = 0

    def at(self, when: float) -> "Script":
        """Put the clock to a minute; nothing happens by that alone."""
        self.now_ms = t(when)
        return self

    def reading(
        self, value: float, key: str = VK, flag: int = Flag.PASS, observed: float | None = None
    ) -> "Script":
        """A sample that was observed now, or at the minute `observed`."""
        t_ms = self.now_ms if observed is None else t(observed)
        return self._entry(Batch.of([self.series.by_key[key]], [t_ms], [value], [flag]))

    def backlog(self, samples: Sequence[tuple[float, float]], key: str = VK) -> "Script":
        """Samples (minute, value) that come in one entry, now."""
        number = self.series.by_key[key]
        return self._entry(
            Batch.of(
                [number] * len(samples),
                [t(when) for when, _ in samples],
                [value for _, value in samples],
                Flag.PASS,
            )
        )

    def readings(
        self, values: Sequence[float], start: float, step: float, key: str = VK
    ) -> "Script":
        for place, value in enumerate(values):
            self.at(start + place * step).reading(value, key)
        return self

    def tick(self) -> "Script":
        return self._entry(Batch.empty())

    def configure(self, rules: str) -> "Script":
        self.rules = parse_rules(paced(rules), "rules.toml", self.registry)
        self.engine.reconfigure(self.rules, self.series, self.registry)
        self.book.reconfigure(self.rules, self.series, self.registry)
        return self._entry(Batch.empty())

    def restart(self) -> "Script":
        """Forget everything but the snapshots, as bytes on disk."""
        engine, book = unpack(pack([self.engine.snapshot(), self.book.snapshot()]))
        self.engine = Engine(self.rules, self.series, self.registry, engine)
        self.book = AlertBook(self.rules, self.series, self.registry, book)
        return self

    def _entry(self, batch: Batch) -> "Script":
        told: list[Transition] = []
        for rows in rounds(batch.series):
            told.extend(self.engine.step(batch.take(rows)))
        np.maximum.at(self.newest_ms, batch.series, batch.t_ms)
        told.extend(
            self.engine.advance(self.now_ms, self.newest_ms, self.registered_ms, self.asleep_ms)
        )
        self.transitions.extend(told)
        self.events.extend(self.book.apply(told, self.situation()))
        return self

    def situation(self) -> Situation:
        """How things stand now; no sample is held back here, so what was seen was evaluated."""
        return Situation(
            self.now_ms,
            self.newest_ms,
            self.newest_ms,
            self.engine.clearing,
            self.engine.evaluations,
            self.maintenance,
            self.asleep_ms,
            self.closed,
            self.engine.newest_instant_ms,
        )

    def acted(self, acted: Acted) -> Acted:
        self.events.extend(acted.events)
        return acted

    def expect(self, kind: str, **expected: Any) -> AlertEvent:
        """The next event that has not been read yet, and what it and its alert must say.

        `since`, `event` and `cleared` are minutes; `told` is the event's, all else the alert's.
        """
        assert self._read < len(self.events), f"{kind} was expected, but nothing came"
        event = self.events[self._read]
        self._read += 1
        found: dict[str, Any] = {
            **event.alert,
            "told": event.told,
            "since": minute(event.alert["t_since"]),
            "event": minute(event.alert["t_event"]),
        }
        if "t_cleared" in event.alert:
            found["cleared"] = minute(event.alert["t_cleared"])
        assert event.type == kind
        assert {name: found.get(name) for name in expected} == expected
        return event

    def expect_nothing(self) -> None:
        unread = [(event.type, event.alert["rule"]) for event in self.events[self._read :]]
        assert unread == []
