"""How fast the drain copies the store into InfluxDB, beside posting lines that are made already.

Two contenders write the same points to the same server, in turn, each into a database of its
own: a bare HTTP client that holds the bodies of all requests ready, cut where the drain cuts
them, and the drain itself, from the log of changes in a store.sqlite to the last committed
place. A round counts only if the server then holds every point.
"""

import http.client
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest import line_protocol, points
from ingest.drain import TAKEN_MAX, Drain
from ingest.drain_policy import Pace, parts
from ingest.history import StoreReader
from ingest.influx import Influx, parse_url
from ingest.reading import DECIMALS, Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import Store
from songtien.bench import feed, influx, machine
from songtien.bench.rounds import Contest, Pair, Taken, enough
from songtien.bench.stand import BenchError, until
from songtien.broker import HOST

ROUND_S_MAX = 600.0
STEP_MS = 60_000
ENTRY_POINTS = 5_000
"""Points of one row of the log: about what is committed together when a feed is fast."""

MEASURED = (
    ("salinity_g_l", 2.3),
    ("conductivity_ms_cm", 4.0),
    ("conductivity_25_ms_cm", 3.8),
    ("temperature_c", 28.4),
    ("water_level_m", 2.3),
    ("depth_m", 1.2),
    ("battery_v", 3.7),
)
"""The quantities of each point with the value around which it lies."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """Of a round: `points` from `devices` in turn."""

    devices: int = 1000
    points: int = 60_000
    rounds: int = 5
    tries: int = 15


CONTEST = Contest("drain", "drained", "posting prepared lines", "server", "point")


def run(size: Size, tell: Tell) -> list[Pair]:
    """Rounds until enough were quiet, or all tries were made."""
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory(prefix="songtien-bench-") as name:
        top = Path(name)
        table = SeriesTable.of(parse_registry(feed.registry_text(size.devices), "stations.toml"))
        with influx.server(top / "influx") as server:
            full = top / "store.sqlite"
            last = _fill(full, table, size)
            bodies = _bodies(full, table)
            for number in range(size.tries):
                posted = _posted(server, f"a{number}", bodies, size.points)
                store = top / "drained.sqlite"
                shutil.copyfile(full, store)
                drained = _drained(server, f"b{number}", store, table, last, size.points)
                store.unlink()
                pairs.append(Pair(posted, drained))
                tell(CONTEST.line(number + 1, pairs[-1]))
                if enough(pairs, size.rounds):
                    break
    return pairs


def _fill(path: Path, table: SeriesTable, size: Size) -> int:
    """A store with all points and their log of changes; returns the last place of the log."""
    store = Store(path)
    store.put_series([series.key for series in table.entries])
    store.drain_to("bench", 0)
    columns = [table.columns[feed.device(n)] for n in range(size.devices)]
    series = np.array([[own[name] for name, _ in MEASURED] for own in columns])
    middle = np.array([value for _, value in MEASURED])
    chance = np.random.default_rng(1)
    begin_ms = time.time_ns() // 1_000_000 - (size.points // size.devices + 1) * STEP_MS
    for low in range(0, size.points, ENTRY_POINTS):
        number = np.arange(low, min(low + ENTRY_POINTS, size.points))
        device = number % size.devices
        t_ms = begin_ms + number // size.devices * STEP_MS + device
        value = np.round(middle + chance.uniform(-1, 1, (len(number), len(MEASURED))), DECIMALS)
        rows = Batch.of(series[device].ravel(), np.repeat(t_ms, len(MEASURED)), value.ravel(), 1)
        with store.transaction():
            store.put_readings(rows, 1)
            store.put_change(rows, 0)
    reader = StoreReader(path)
    last = reader.change_backlog(0).entries
    reader.close()
    store.close()  # with its last connection SQLite's log goes into the file, which is copied
    return last


def _bodies(path: Path, table: SeriesTable) -> list[bytes]:
    """The requests that the drain would make of the store."""
    reader, pace, place = StoreReader(path), Pace(), 0
    bodies: list[bytes] = []
    while (found := reader.changes(place, TAKEN_MAX, table)).position > place:
        place = found.position
        lines = points.lines(found.readings, table)
        for low, high in parts(lines, pace.lines_max, pace.bytes_max):
            bodies.append(line_protocol.body(lines[low:high]))
    reader.close()
    return bodies


def _posted(server: influx.Server, database: str, bodies: list[bytes], count: int) -> Taken:
    path = f"/api/v2/write?org=-&bucket={database}&precision=ms"
    connection = http.client.HTTPConnection(HOST, server.port)

    def post() -> None:
        for body in bodies:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 204:
                raise BenchError(f"influxd answered {answer.status} to prepared lines")

    taken = _timed(server, database, post, count)
    connection.close()
    return taken


def _drained(
    server: influx.Server, database: str, path: Path, table: SeriesTable, last: int, count: int
) -> Taken:
    store, reader = Store(path), StoreReader(path)
    client = Influx(parse_url(server.url(database)), None)
    drain = Drain(
        lambda after, limit: reader.changes(after, limit, table),
        reader.change_backlog,
        client,
        lambda: table,
        begin=0,
        clock_ms=lambda: time.time_ns() // 1_000_000,
        chance=random.Random(1).random,  # noqa: S311 - no secret
    )
    thread = threading.Thread(target=drain.run, name="drain")

    def drained() -> bool:
        if not thread.is_alive():
            raise BenchError("the drain has ended with a fault")
        place, letters = drain.settled()
        if place > store.drained or letters:
            store.set_drained(place, letters)
        return place == last

    def copy() -> None:
        thread.start()
        try:
            until(drained, "the drain to be through", ROUND_S_MAX)
        finally:
            drain.stop()
            thread.join()

    taken = _timed(server, database, copy, count)
    status = drain.status()
    # A point at the border of two rows of the log is written twice.
    if status.points_written < count or status.points_refused:
        raise BenchError(f"of {count} points the drain says {status}")
    client.close()
    reader.close()
    store.close()
    return taken


def _timed(server: influx.Server, database: str, work: Callable[[], None], count: int) -> Taken:
    server.create(database)
    pid = server.influxd_pid
    own_s, server_s = machine.cpu_s(os.getpid()), machine.cpu_s(pid)
    begin = machine.Moment.now()
    work()
    end = machine.Moment.now()
    own_s, server_s = machine.cpu_s(os.getpid()) - own_s, machine.cpu_s(pid) - server_s
    held = server.count(database, "salinity", MEASURED[0][0])
    if held != count:
        raise BenchError(f"{count} points were written and {held} are in the server")
    server.drop(database)
    return Taken(
        count / (end.wall_s - begin.wall_s),
        own_s / count * 1e6,
        server_s / count * 1e6,
        end.others_since(begin),
    )
