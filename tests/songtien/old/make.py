"""A data directory as a version of the program leaves it, as SQL text.

Run with the code of that version: check it out elsewhere, and
`PYTHONPATH=<checkout> python make.py <folder>` with this file copied there. What it needs of
the program has been the same since the first version: journal, store, pipeline.
"""

import gzip
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from alerts.alert import alert_id
from api.auth import AuthStore
from ingest.journal import Action, Config, Entry, Journal, Messages, Tick
from ingest.store import Store
from songtien.pipeline import Pipeline

ROOT = "tiengiang"
BEGIN_MS = 1_767_000_000_000
MINUTE_MS = 60_000
PROBES = 10
CHECKPOINT_AT, COMMITTED_TO, HEARD_TO, END = 20, 23, 25, 45
"""Minutes: what the old version wrote, and how the feed goes on for the new one."""

REGISTRY = (
    '[[reach]]\nid = "song"\nname = "Sông"\n'
    + "".join(
        f"""
[[station]]
id = "tram-{n}"
name = "Trạm {n}"
kind = "salinity"
reach = "song"
km_from_mouth = {{ song = {40 + n} }}
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-{n}"
expected_s = 60
measures = ["sal_g_l", "ec_ms_cm", "temp_c"]
"""
        for n in range(PROBES)
    )
    + """
[[station]]
id = "cau"
name = "Cầu"
kind = "traffic"
lat = 10.34
lon = 106.35
[station.directions]
southbound = { vi = "Đi nam", en = "South" }
northbound = { vi = "Đi bắc", en = "North" }
"""
    + "".join(
        f"""
[[station.device]]
id = "cam-{n}"
expected_s = 60
measures = ["count", "speed_km_h"]
lanes = [
  {{ direction = "{direction}", lane = 1, use = "car" }},
  {{ direction = "{direction}", lane = 2, use = "mixed" }},
]
"""
        for n, direction in enumerate(("southbound", "northbound"))
    )
    + """
[quality.salinity_g_l]
fail_min = 0
fail_max = 40
spike_suspect = 3.0
spike_fail = 8.0
rate_suspect_per_h = 600
"""
)

_RULE = """
[[rule]]
id = "{id}"
quantity = "salinity_g_l"
severity = "critical"
{asks}
message_vi = "{{station}}: {{value}}"
message_en = "{{station}}: {{value}}"
source = "a test"
"""
RULES = (
    _RULE.format(
        id="at-once", asks="raise_above = 4.0\nclear_below = 3.6\nfor_s = 0\nclear_for_s = 120"
    )
    + _RULE.format(
        id="held", asks="raise_above = 2.5\nclear_below = 2.0\nfor_s = 240\nclear_for_s = 0"
    )
    + _RULE.format(
        id="silent",
        asks='no_data_s = 300\nnever_seen_vi = "{station}"\nnever_seen_en = "{station}"',
    )
)

HIGH: dict[int, range] = {0: range(3, 8), 1: range(10, 29), 2: range(15, 31)}
"""Minutes in which a probe measures 5 g/L. The first is over before the old version ends; the
others are open, and clear in the new one's time."""

HALF: dict[int, range] = {9: range(18, 30)}
"""Minutes of 3 g/L: the hold of the second rule is under way at the checkpoint."""

MISSED: dict[int, range] = {3: range(5, 28)}
"""Minutes in which a probe says nothing."""

ACKED = {12: 1, 27: 2}
"""Minutes at which an officer takes the alert of a probe."""


def entries(minutes: range) -> Iterator[tuple[int, Entry]]:
    """Entries with the times at which they come."""
    for minute in minutes:
        at_ms = BEGIN_MS + minute * MINUTE_MS
        if minute == 0:
            yield at_ms, Config(REGISTRY, RULES, 30.0)
        said = [*_of_probes(minute, at_ms), *_of_cameras(minute, at_ms), *_other(minute, at_ms)]
        for half in (said[::2], said[1::2]):
            yield at_ms + 2_000, Messages([topic for topic, _ in half], [b for _, b in half])
        if minute in ACKED:
            probe = ACKED[minute]
            since_ms = BEGIN_MS + HIGH[probe].start * MINUTE_MS
            alert = alert_id("at-once", f"p-{probe}/salinity_g_l", since_ms)
            yield at_ms + 3_000, Action(f"r{minute}", "ack", alert, 1, "an", "đã gọi")
        yield at_ms + 40_000, Tick()


Message = tuple[str, bytes]


def _message(path: str, leaf: str, **body: Any) -> Message:
    return f"{ROOT}/v1/{path}/{leaf}", json.dumps(body).encode()


def _salinity(probe: int, minute: int) -> float:
    if minute in HIGH.get(probe, ()):
        return 5.0
    if minute in HALF.get(probe, ()):
        return 3.0
    spike = 4.0 if (probe, minute) == (4, 9) else 0.0
    return round(1.0 + probe / 10 + minute % 5 / 100 + spike, 4)


def _of_probes(minute: int, at_ms: int) -> Iterator[Message]:
    for probe in range(PROBES):
        if minute in MISSED.get(probe, ()):
            continue
        value = _salinity(probe, minute)
        sample: dict[str, Any] = {"t": at_ms, "sal_g_l": value}
        if probe == 5:
            sample = {"t": at_ms, "ec_ms_cm": round(2 + value, 4), "temp_c": 28.5}
        numbers = {} if probe == 6 else {"boot": 3, "seq": minute + (minute > 11)}
        yield _message(f"salinity/tram-{probe}/p-{probe}", "obs", v=1, **numbers, samples=[sample])


def _of_cameras(minute: int, at_ms: int) -> Iterator[Message]:
    for camera, direction in enumerate(("southbound", "northbound")):
        for lane in (1, 2):
            if (camera, lane, minute % 10) == (1, 2, 7):
                continue  # the direction is made without it
            sample = {
                "t0": at_ms - MINUTE_MS,
                "t1": at_ms,
                "lane": lane,
                "dir": direction,
                "count": {"motorbike": 20 + minute % 7, "car": 3 + lane},
                "speed_km_h": 31.5 + lane,
            }
            yield _message(f"traffic/cau/cam-{camera}", "obs", v=1, samples=[sample])


def _other(minute: int, at_ms: int) -> Iterator[Message]:
    """Twice, in conflict, of an unknown device, no JSON; links and metas."""
    if minute % 4 == 3:
        before = {"t": at_ms - MINUTE_MS, "sal_g_l": _salinity(6, minute - 1)}
        yield _message("salinity/tram-6/p-6", "obs", v=1, samples=[before])
        yield _message(
            "salinity/tram-6/p-6", "obs", v=1, samples=[before | {"sal_g_l": 2.0 + minute}]
        )
        yield _message("salinity/tram-6/p-99", "obs", v=1, samples=[before])
        yield f"{ROOT}/v1/salinity/tram-7/p-7/obs", b"{%d" % minute
    if minute % 10 == 1:
        yield _message("salinity/tram-7/p-7", "state", s="ready", boot=3, t=at_ms)
        yield _message("salinity/tram-7/p-7", "meta", model="CTD", serial=f"{minute}")
    if minute == 19:
        until_ms = at_ms + 30 * MINUTE_MS
        yield _message(
            "salinity/tram-8/p-8", "state", s="sleeping", boot=3, t=at_ms, until=until_ms
        )


class _Clock:
    ms = BEGIN_MS

    def __call__(self) -> int:
        return self.ms


def _lived(directory: Path) -> None:
    """A life that ends without a word: its checkpoint is behind, its journal ahead."""
    clock = _Clock()
    journal = Journal(directory / "journal.sqlite", clock)
    store = Store(directory / "store.sqlite")
    pipeline = Pipeline(
        journal, store, root=ROOT, clock_ms=clock, journal_days=5 / 1440, window_days=30.0
    )

    def hear(minutes: range) -> None:
        for clock.ms, entry in entries(minutes):
            journal.append(entry)

    def take() -> None:
        while waiting := journal.after(pipeline.position, 16):
            pipeline.commit(waiting)

    hear(range(CHECKPOINT_AT))
    take()
    pipeline._checkpoint()
    pipeline._forget()
    hear(range(CHECKPOINT_AT, COMMITTED_TO))
    take()
    hear(range(COMMITTED_TO, HEARD_TO))
    store.close()
    journal.close()
    accounts = AuthStore(directory / "auth.sqlite")
    accounts.create("truc-ban", "operator", BEGIN_MS)
    accounts.close()


def _as_text(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return "\n".join([*connection.iterdump(), f"PRAGMA user_version={version};", ""])


def main() -> None:
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        _lived(Path(name))
        for file in ("journal", "store", "auth"):
            text = _as_text(Path(name) / f"{file}.sqlite").encode()
            # Without a time in it: the same data, the same bytes.
            (target / f"{file}.sql.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
