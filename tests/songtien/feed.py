"""A small river and bridge, and a processor run over them as the pipeline does."""

import json
from pathlib import Path
from typing import Any

from alerts import records
from ingest.journal import Config, Entry, Messages, Tick
from ingest.snapshot import pack, unpack
from ingest.store import Store
from songtien.accounting import Ledger
from songtien.outcome import Outcome
from songtien.processor import Processor

REGISTRY = """
[[reach]]
id = "cua-tieu"
name = "Cửa Tiểu"

[[station]]
id = "my-tho"
name = "Mỹ Tho"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 46.0 }
lat = 10.35
lon = 106.35
side = "river"

[[station.device]]
id = "mt-01"
expected_s = 600
measures = ["ec_ms_cm", "temp_c", "sal_g_l"]

[[station.device]]
id = "mt-02"
expected_s = 600
measures = ["ec_ms_cm", "temp_c", "sal_g_l"]

[[station]]
id = "bridge"
name = "Cầu"
kind = "traffic"
lat = 10.34
lon = 106.35
side = "bridge"
[station.directions]
southbound = { vi = "Đi nam", en = "South" }
northbound = { vi = "Đi bắc", en = "North" }

[[station.device]]
id = "cam-01"
expected_s = 60
measures = ["count", "speed_km_h"]
lanes = [
  { direction = "southbound", lane = 1, use = "car" },
  { direction = "southbound", lane = 2, use = "mixed" },
  { direction = "northbound", lane = 1, use = "car" },
]

[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
spike_suspect = 2.0
spike_fail = 5.0
rate_suspect_per_h = 30.0
rate_fail_per_h = 60.0
"""

RULES = """
[[rule]]
id = "salinity-4"
quantity = "salinity_g_l"
severity = "critical"
stations = ["*"]
raise_above = 4.0
clear_below = 3.6
for_s = 0
clear_for_s = 900
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "test"

[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
stations = ["*"]
no_data_s = 3600
message_vi = "{station}"
message_en = "{station}"
never_seen_vi = "{station}"
never_seen_en = "{station}"
source = "test"

# Nobody is reminded: these are stories about other things.
[escalation.critical]
remind_s = 0
escalate_s = []
[escalation.warning]
remind_s = 0
"""

ROOT = "tiengiang"
BEGIN_MS = 1_767_000_000_000
Message = tuple[str, bytes]


def probe(
    device: str, t_ms: int, *, seq: int | None = None, boot: int = 1, **fields: Any
) -> Message:
    message: dict[str, Any] = {"v": 1, "samples": [{"t": t_ms, **fields}]}
    if seq is not None:
        message |= {"boot": boot, "seq": seq}
    return f"{ROOT}/v1/salinity/my-tho/{device}/obs", json.dumps(message).encode()


def lane(
    t1_ms: int, number: int = 1, direction: str = "southbound", *, seq: int | None = None, **f: Any
) -> Message:
    sample = {"t0": t1_ms - 60_000, "t1": t1_ms, "lane": number, "dir": direction, **f}
    message: dict[str, Any] = {"v": 1, "samples": [sample]}
    if seq is not None:
        message |= {"boot": 1, "seq": seq}
    return f"{ROOT}/v1/traffic/bridge/cam-01/obs", json.dumps(message).encode()


class River:
    """A processor with its store; entries are stepped and committed in order."""

    def __init__(self, *, registry: str = REGISTRY, rules: str = RULES) -> None:
        self.store = Store(Path(":memory:"))
        self.store.prepare(records.create)
        self.ledger = Ledger()
        self.processor = Processor(self.store, ROOT)
        self.position = 0
        self.log: list[tuple[int, int, Entry]] = []
        self.step(BEGIN_MS, Config(registry, rules, 30.0))

    def step(self, at_ms: int, entry: Entry) -> Outcome:
        self.position += 1
        self.log.append((self.position, at_ms, entry))
        return self._commit(self.processor.step(self.position, at_ms, entry))

    def hear(self, at_ms: int, *messages: Message) -> Outcome:
        return self.step(
            at_ms, Messages([topic for topic, _ in messages], [body for _, body in messages])
        )

    def tick(self, at_ms: int) -> Outcome:
        return self.step(at_ms, Tick())

    def restart(self, snapshot: bytes, position: int) -> None:
        """Come back from a checkpoint: entries after it are stepped again, not stored."""
        self.processor = Processor(self.store, ROOT, unpack(snapshot))
        for at, at_ms, entry in self.log:
            if at > position:
                self.processor.step(at, at_ms, entry)

    def snapshot(self) -> bytes:
        return pack(self.processor.snapshot())

    def readings(self) -> dict[tuple[str, int], tuple[float, int, int]]:
        """(key, t) -> (value, flag, why), from the store."""
        with self.store.transaction() as connection:
            return {
                (key, t): (value, flag, why)
                for key, t, value, flag, why in connection.execute(
                    "SELECT key, t, value, flag, why FROM reading JOIN series ON series.id = series"
                )
            }

    def alerts(self) -> list[tuple[str, str, str, int, int]]:
        """(type, id, rule, t_since, t_event) of every stored transition, sorted."""
        with self.store.transaction() as connection:
            rows = connection.execute("SELECT alert, type, body FROM alert_event").fetchall()
        found = []
        for alert, kind, body in rows:
            fixed = json.loads(body)
            found.append((kind, alert, fixed["rule"], fixed["t_since"], fixed["t_event"]))
        return sorted(found)

    def _commit(self, outcome: Outcome) -> Outcome:
        self.ledger.take(outcome)
        with self.store.transaction() as connection:
            if outcome.configured:
                self.store.put_series([s.key for s in self.processor.series.entries])
            self.store.put_readings(outcome.rows, outcome.position)
            self.store.put_lane_intervals(outcome.intervals, outcome.position)
            self.store.put_dead_letters(outcome.letters)
            records.write(connection, outcome.events)
            self.store.set_meta("position", outcome.position)
        self.ledger.settle(outcome)
        return outcome
