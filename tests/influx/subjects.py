"""What the contract of stores is held against: one way to write and read for each of them."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from ingest import points
from ingest.drain import Drain
from ingest.drain_policy import Pace
from ingest.history import StoreReader
from ingest.influx import Influx, Verdict, parse_url
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import DeadLetter, Store
from tests.e2e.running import eventually, now_ms
from tests.influx.proxy import Fault, FaultProxy
from tests.influx.servers import InfluxServer

QUICK = Pace(gather_s=0.01, first_s=0.005, longest_s=0.05, mend_s=0.1, believe_s=0.05)
"""Waits for tests: what is tested is what follows on what, not for how long."""

TIMEOUT_MS = (2000, 600)
LATE_S = 0.9
"""Longer than the time out: the client gives up on what the server has stored."""

FAULTS = {
    Fault.UNAVAILABLE: 0.08,
    Fault.BUSY: 0.08,
    Fault.DROP: 0.08,
    Fault.ACK_LOST: 0.08,
    Fault.SLOW: 0.04,
    Fault.LATE_ANSWER: 0.02,
    Fault.CUT_SHORT: 0.06,
}

_STATIONS = """
[[reach]]
id = "{run}-tien"
name = "Sông Tiền"
[[station]]
id = "my-tho"
name = "Mỹ Tho"
kind = "salinity"
reach = "{run}-tien"
km_from_mouth = {{ {run}-tien = 46.0 }}
lat = 10.3469
lon = 106.347
{my_tho}
[[station]]
id = "vam-kenh"
name = "Vàm Kênh"
kind = "salinity"
reach = "{run}-tien"
km_from_mouth = {{ {run}-tien = 2.0 }}
lat = 10.274
lon = 106.737
{vam_kenh}
[[station]]
id = "{run}-cau"
name = "Cầu Rạch Miễu"
kind = "traffic"
lat = 10.3
lon = 106.3
[station.directions]
southbound = {{ vi = "Đi nam", en = "South" }}
northbound = {{ vi = "Đi bắc", en = "North" }}
[[station.device]]
id = "{run}-cam"
expected_s = 60
measures = ["count", "speed_km_h", "occupancy", "queue_m"]
lanes = [
  {{ direction = "southbound", lane = 1, use = "car" }},
  {{ direction = "northbound", lane = 1, use = "car" }},
]
"""

PROBE = '[[station.device]]\nid = "{}"\nexpected_s = 600\nmeasures = ["ec_ms_cm", "temp_c"]\n'
LEVELS = 'levels = [{{ id = "top", depth_m = 0.5 }}, {{ id = "bottom", depth_m = 6 }}]\n'


@dataclass
class Devices:
    """The registry of one case, with ids that no other case has: they may share a database."""

    run: str = field(default_factory=lambda: f"r{uuid4().hex[:12]}")

    @property
    def probe(self) -> str:
        return f"{self.run}-p"

    @property
    def layered(self) -> str:
        """A probe with levels."""
        return f"{self.run}-l"

    @property
    def camera(self) -> str:
        return f"{self.run}-cam"

    def table(self, known: SeriesTable | None = None, **stations: str) -> SeriesTable:
        """The series of the usual devices, or with other ones at `my_tho` and `vam_kenh`."""
        usual = {
            "my_tho": PROBE.format(self.probe),
            "vam_kenh": PROBE.format(self.layered) + LEVELS.format(),
        }
        text = _STATIONS.format(run=self.run, **(usual | stations))
        keys = [series.key for series in known.entries] if known else []
        return SeriesTable.of(parse_registry(text, "stations.toml"), keys)


class Subject:
    """One store behind one face. On return from `write` nothing may get lost any more."""

    overwrites = True
    """InfluxDB 3 Core may show either of two versions of a point; the others the later one."""

    def __init__(self) -> None:
        self.devices = Devices()
        self.table = self.devices.table()

    def adopt(self, table: SeriesTable) -> None:
        """Another registry is in force."""
        self.table = table

    def id(self, key: str) -> int:
        """The number of a series, by its key without the run's prefix: `p/temperature_c`."""
        return self.table.by_key[f"{self.devices.run}-{key}"]

    def write(self, rows: Batch) -> None:
        raise NotImplementedError

    def points(self, series: int, from_ms: int, to_ms: int, limit: int = 100_000) -> Batch:
        raise NotImplementedError

    def peek(self, series: int, from_ms: int, to_ms: int) -> Batch:
        """What is there already, for any thread."""
        return self.points(series, from_ms, to_ms)

    def crash(self) -> None:
        """The store's process ends as by SIGKILL, and comes back."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class Embedded(Subject):
    """The store of every service."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._path = directory / "store.sqlite"
        self._open()
        self._position = 0
        self.adopt(self.table)

    def _open(self) -> None:
        self.store = Store(self._path)
        self.reader = StoreReader(self._path)

    def adopt(self, table: SeriesTable) -> None:
        super().adopt(table)
        self.store.put_series([series.key for series in table.entries])

    def write(self, rows: Batch) -> None:
        self._position += 1
        with self.store.transaction():
            self.store.put_readings(rows, self._position)
            self.store.put_change(rows, now_ms())
            self.store.set_meta("position", self._position)

    def points(self, series: int, from_ms: int, to_ms: int, limit: int = 100_000) -> Batch:
        return self.reader.points(series, from_ms, to_ms, limit)

    def crash(self) -> None:
        # What a kill leaves is the files as they are, with nothing flushed or checkpointed.
        left = self._path.parent / "left"
        left.mkdir()
        for file in self._path.parent.glob(f"{self._path.name}*"):
            shutil.copy(file, left)
        self.close()
        self._path = left / self._path.name
        self._open()

    def close(self) -> None:
        self.reader.close()
        self.store.close()


class Direct(Subject):
    """An InfluxDB, written without a store before it."""

    def __init__(self, url: str, token: str | None, server: InfluxServer | None = None) -> None:
        super().__init__()
        self._server = server
        self.influx = Influx(parse_url(url), token)
        if server is None:
            # 3 Core says "3.…", 2.x "v2.…".
            self.overwrites = not self.influx.version().lstrip("v").startswith("3")

    def write(self, rows: Batch) -> None:
        answer = self.influx.write(points.lines(rows, self.table))
        assert answer.verdict is Verdict.STORED, answer

    def points(self, series: int, from_ms: int, to_ms: int, limit: int = 100_000) -> Batch:
        return self.influx.points(self.table.entries[series], from_ms, to_ms, limit)

    def crash(self) -> None:
        if self._server is None:
            pytest.skip("not verified: this server isn't ours to kill")
        self._server.kill()
        self._server.start()

    def close(self) -> None:
        self.influx.close()


class Drained(Direct):
    """An InfluxDB that gets by a drain what is committed to an embedded store."""

    def __init__(
        self, directory: Path, proxy: FaultProxy, database: str = "songtien", pace: Pace = QUICK
    ) -> None:
        super().__init__(proxy.server.url_of(database), proxy.token, proxy.server)
        self.proxy = proxy
        self.embedded = Embedded(directory)
        self.embedded.devices, self.embedded.table = self.devices, self.table
        self.embedded.adopt(self.table)
        self.embedded.store.drain_to("influxdb://test", now_ms())
        self.letters: list[DeadLetter] = []
        address = parse_url(proxy.url_of(database))
        self._by_proxy = Influx(address, proxy.token, timeout_ms=TIMEOUT_MS)
        self._pace = pace
        self._begin(0)

    def _begin(self, position: int) -> None:
        self.drain = Drain(
            lambda after, limit: self.embedded.reader.changes(after, limit, self.table),
            self.embedded.reader.change_backlog,
            self._by_proxy,
            lambda: self.table,
            begin=position,
            clock_ms=now_ms,
            pace=self._pace,
        )
        self._thread = threading.Thread(target=self.drain.run, name="drain")
        self._thread.start()

    def again(self) -> None:
        """Another life of the drain, which knows nothing of what the one before has done."""
        self._end()
        self._begin(0)

    def _end(self) -> None:
        self.drain.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def adopt(self, table: SeriesTable) -> None:
        self.embedded.adopt(table)
        super().adopt(table)

    def write(self, rows: Batch) -> None:
        self.embedded.write(rows)
        self.drain.wake()

    def points(self, series: int, from_ms: int, to_ms: int, limit: int = 100_000) -> Batch:
        self.settle()
        return super().points(series, from_ms, to_ms, limit)

    def peek(self, series: int, from_ms: int, to_ms: int) -> Batch:
        return super().points(series, from_ms, to_ms)

    def settle(self, within_s: float = 20.0) -> None:
        """Wait until all that is committed is in InfluxDB, or refused for good."""

        def settled() -> bool:
            assert self._thread.is_alive(), "the drain has died"
            position, letters = self.drain.settled()
            self.letters += letters
            if position > self.embedded.store.drained:
                self.embedded.store.set_drained(position, letters)
            return self.embedded.reader.change_backlog(position).entries == 0

        eventually(settled, f"drained; {self.drain.status()}", within_s)

    def crash(self) -> None:
        self.settle()
        super().crash()

    def close(self) -> None:
        self._end()
        self._by_proxy.close()
        self.embedded.close()
        super().close()


@contextmanager
def faulty(server: InfluxServer) -> Iterator[FaultProxy]:
    """A proxy that spoils half of the writes in ways that a retry mends."""
    proxy = FaultProxy(server, seed=1)
    proxy.retry_after_s = 0
    proxy.slow_s, proxy.late_s = 0.02, LATE_S
    proxy.modes({str(name): odds for name, odds in FAULTS.items()})
    try:
        yield proxy
    finally:
        proxy.close()


def struck(counts: Counter[str]) -> int:
    """How many writes were spoilt."""
    return sum(counts[name] for name in FAULTS)
