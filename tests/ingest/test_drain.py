"""The drain's thread: a real store on one side, a scripted InfluxDB or the real one on the other."""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest import drain as drains
from ingest.changes import Backlog, Changes
from ingest.drain import Drain
from ingest.drain_policy import Pace, State
from ingest.history import StoreReader
from ingest.influx import Answer, Influx, Unavailable, Verdict, parse_url
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import DeadLetter, Store
from tests.e2e.running import eventually, figures, now_ms
from tests.influx.proxy import FaultProxy
from tests.influx.servers import MISSING, InfluxServer
from tests.songtien.feed import REGISTRY

TABLE = SeriesTable.of(parse_registry(REGISTRY, "stations.toml"))
SALINITY = TABLE.by_key["mt-01/salinity_g_l"]
TEMPERATURE = TABLE.by_key["mt-01/temperature_c"]

STORED = Answer(Verdict.STORED, "", status=204)
AWAY = Answer(Verdict.RETRY, "connection refused")
SLOW_DOWN = Answer(Verdict.RETRY, "429", retry_after_s=500.0)
NO_RIGHT = Answer(Verdict.MISCONFIGURED, "401: mend store.token_file", status=401)
BAD = Answer(Verdict.REJECTED, "HTTP 400: field type conflict", status=400)

NOW_MS = 1_767_000_000_000
QUICK = Pace(
    lines_max=500, first_s=0.002, longest_s=0.02, mend_s=0.05, believe_s=0.05, gather_s=0.01
)
JOIN_S = 5.0


@dataclass
class Double:
    """An InfluxDB in memory, as strict as the real one about what it is told to refuse.

    `answers` are given first, nothing stored. Two requests at a time are a fault.
    """

    answers: list[Answer] = field(default_factory=list)
    always: Answer | None = None
    canary_says: Answer = STORED
    poison: set[int] = field(default_factory=set)
    versions: list[str] = field(default_factory=lambda: ["1.6.7"])
    content: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    writes: list[list[bytes]] = field(default_factory=list)
    probes: int = 0
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def write(self, lines: Sequence[bytes]) -> Answer:
        assert self._busy.acquire(blocking=False), "two writes at a time"
        try:
            self.writes.append(list(lines))
            if self.always is not None or self.answers:
                return self.always or self.answers.pop(0)
            for line in lines:
                head, _, t_ms = line.split(b" ")
                if int(t_ms) not in self.poison:
                    self.content[head, int(t_ms)] = line
            bad = any(int(line.rpartition(b" ")[2]) in self.poison for line in lines)
            return BAD if bad else STORED
        finally:
            self._busy.release()

    def canary(self, now_ms: int) -> Answer:
        assert now_ms == NOW_MS
        self.probes += 1
        return self.canary_says

    def version(self) -> str:
        if not self.versions:
            raise Unavailable(AWAY)
        return self.versions[0]


@dataclass
class Rig:
    """A store, a drain with its thread, and the pipeline's part in it: to commit progress."""

    store: Store
    reader: StoreReader
    influx: Double | Influx
    pace: Pace = QUICK
    clock_ms: Callable[[], int] = lambda: NOW_MS
    letters: list[DeadLetter] = field(default_factory=list)
    changes: Callable[[int, int], Changes] | None = None
    drain: Drain = field(init=False)
    thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new life, from what was committed."""
        self.drain = Drain(
            self.changes or (lambda after, limit: self.reader.changes(after, limit, TABLE)),
            self.reader.change_backlog,
            self.influx,
            lambda: TABLE,
            begin=self.store.drained,
            clock_ms=self.clock_ms,
            pace=self.pace,
            chance=random.Random(5).random,
        )

    def put(self, rows: Batch, at_ms: int = NOW_MS) -> None:
        with self.store.transaction():
            self.store.put_readings(rows, 1)
            self.store.put_change(rows, at_ms)
        self.drain.wake()

    @contextmanager
    def running(self) -> Iterator[None]:
        self.thread = threading.Thread(target=self.drain.run)
        self.thread.start()
        try:
            yield
        finally:
            self.drain.stop()
            self.thread.join(JOIN_S)
            assert not self.thread.is_alive()

    def commit(self) -> int:
        """As in the pipeline's housekeeping. Returns the settled place."""
        place, letters = self.drain.settled()
        self.store.set_drained(place, letters)
        self.letters += letters
        return place

    @property
    def last(self) -> int:
        with self.reader.connection() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()
        return int(row[0]) if row else 0

    def settle(self, within_s: float = 20.0) -> None:
        eventually(lambda: self.commit() == self.last, "all settled", within_s)

    def until(self, state: State) -> None:
        eventually(lambda: self.drain.status().state is state, f"{state}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    opened.put_series([series.key for series in TABLE.entries])
    opened.drain_to("influxdb://test", NOW_MS)
    # As if hours were summed up already: the log is kept for the drain alone.
    opened.set_meta("rolled_up", 2**40)
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[StoreReader]:
    del store
    opened = StoreReader(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def rig(store: Store, reader: StoreReader, double: Double) -> Rig:
    return Rig(store, reader, double)


def salinity(*times: int, value: float = 3.25) -> Batch:
    return Batch.of([SALINITY] * len(times), times, [value] * len(times), 1)


def line(t_ms: int, value: float = 3.25) -> bytes:
    return b'salinity,device=mt-01 salinity_g_l=%s,salinity_g_l_q=1i,station="my-tho" %d' % (
        str(value).encode(),
        t_ms,
    )


def test_what_is_stored_is_copied_in_order_and_settled(rig: Rig, double: Double) -> None:
    rig.put(salinity(10, 20))
    with rig.running():
        rig.settle()
        rig.put(salinity(15))
        rig.settle()
        rig.put(salinity(20, value=3.5))
        rig.settle()
    assert double.writes == [[line(10), line(20)], [line(15)], [line(20, 3.5)]]
    assert (double.probes, rig.letters) == (1, [])
    status = rig.drain.status()
    assert (status.state, status.trouble, status.points_written) == (State.DRAINING, None, 4)
    assert (status.server_version, status.last_success_ms) == ("1.6.7", NOW_MS)


def test_a_point_is_written_whole_whatever_of_it_was_touched(rig: Rig, double: Double) -> None:
    rig.put(Batch.of([SALINITY, TEMPERATURE], [10, 10], [3.5, 28.5], [2, 1]))
    with rig.running():
        rig.settle()
        rig.put(Batch.of([SALINITY], [10], [3.5], [3]))
        rig.settle()
    head = b"salinity,device=mt-01 "
    rest = b'temperature_c=28.5,temperature_c_q=1i,station="my-tho" 10'
    assert [lines for [lines] in double.writes] == [
        head + b"salinity_g_l=3.5,salinity_g_l_q=2i," + rest,
        head + b"salinity_g_l=3.5,salinity_g_l_q=3i," + rest,
    ]


def test_what_waits_is_told_with_its_age(rig: Rig, double: Double) -> None:
    double.always = AWAY
    rig.put(salinity(10), at_ms=NOW_MS - 7_500)
    rig.put(salinity(20), at_ms=NOW_MS - 4_000)
    with rig.running():
        rig.until(State.AWAY)
        status = rig.drain.status()
        assert (status.entries, status.age_s, status.last_success_ms) == (2, 7.5, None)
        assert (status.trouble, rig.commit()) == ("connection refused", 0)
        double.always = None
        rig.settle()
        eventually(lambda: rig.drain.status().entries == 0, "nothing waits")
    assert rig.drain.status().age_s == 0.0


def test_the_same_lines_until_they_are_taken(rig: Rig, double: Double) -> None:
    double.answers = [AWAY] * 5
    rig.put(salinity(10, 20))
    with rig.running():
        rig.settle()
    assert double.writes == [[line(10), line(20)]] * 6
    assert rig.drain.status().retries == 5


def test_a_misconfiguration_is_told_and_nothing_is_lost_by_it(rig: Rig, double: Double) -> None:
    double.always = NO_RIGHT
    rig.put(salinity(10))
    with rig.running():
        rig.until(State.MISCONFIGURED)
        assert rig.drain.status().trouble == "401: mend store.token_file"
        eventually(lambda: double.probes > 2, "the canary before each attempt")
        assert rig.commit() == 0
        double.always = None
        rig.settle()
    assert (list(double.content.values()), rig.letters) == ([line(10)], [])


def test_each_refused_line_is_one_dead_letter_with_the_servers_words(
    rig: Rig, double: Double
) -> None:
    double.poison = {13, 57, 58}
    rig.put(salinity(*range(100)))
    with rig.running():
        rig.settle()
    heads = sorted(letter.head for letter in rig.letters)
    assert heads == sorted([line(13), line(57), line(58)])
    first = rig.letters[0]
    assert (first.topic, first.reason, first.detail) == ("influxdb", "historian", BAD.detail)
    assert (first.at_ms, first.size) == (NOW_MS, len(first.head))
    assert {t for _, t in double.content} == set(range(100)) - {13, 57, 58}
    assert rig.drain.status().points_refused == 3
    assert sorted(each.head for _, each in rig.reader.dead_letters(10)) == heads


def test_where_everything_is_refused_nothing_is_thrown_away(rig: Rig, double: Double) -> None:
    double.always = BAD
    rig.put(salinity(*range(100)))
    with rig.running():
        rig.until(State.REFUSED)
        eventually(lambda: double.probes > 2, "it was tried again")
        assert (rig.commit(), rig.letters) == (0, [])
        double.always = None
        rig.settle()
    assert len(double.content) == 100
    assert rig.letters == []


@pytest.mark.parametrize("answer", [NO_RIGHT, BAD, AWAY], ids=lambda each: each.verdict)
def test_without_a_canary_that_comes_back_nothing_is_written(
    rig: Rig, double: Double, answer: Answer
) -> None:
    double.canary_says = answer
    rig.put(salinity(10))
    with rig.running():
        eventually(lambda: double.probes >= 4, "the canary again and again")
        assert double.writes == []
        double.canary_says = STORED
        rig.settle()
    assert len(double.writes) == 1


def test_a_server_without_a_version_is_drained_to_all_the_same(rig: Rig, double: Double) -> None:
    double.versions = []
    rig.put(salinity(10))
    with rig.running():
        rig.settle()
    assert rig.drain.status().server_version is None


def test_a_reading_beyond_the_times_of_influxdb_is_a_dead_letter(rig: Rig, double: Double) -> None:
    beyond_ms = 9_300_000_000_000
    rig.put(salinity(10, beyond_ms))
    with rig.running():
        rig.settle()
    assert double.writes == [[line(10)]]
    assert [letter.head for letter in rig.letters] == [line(beyond_ms)]
    assert "2262" in rig.letters[0].detail


def test_what_is_committed_wakes_a_drain_that_rests(
    rig: Rig, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "LOOK_S", 60.0)
    with rig.running():
        eventually(lambda: rig.drain.status().state is State.DRAINING, "it rests")
        rig.put(salinity(10))
        rig.settle(within_s=5)
    assert len(double.writes) == 1


SLOW = Pace(first_s=50.0, gather_s=50.0, believe_s=0.0)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (AWAY, State.AWAY),
        (SLOW_DOWN, State.AWAY),
        (NO_RIGHT, State.MISCONFIGURED),
        (BAD, State.REFUSED),
    ],
    ids=["backoff", "retry-after", "misconfigured", "refused"],
)
def test_told_to_stop_it_leaves_each_wait_at_once(
    rig: Rig, double: Double, answer: Answer, state: State
) -> None:
    double.always = answer
    rig.pace = SLOW
    rig.begin()
    rig.put(salinity(*range(30)))
    with rig.running():
        rig.until(state)
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 1.0
    assert rig.commit() == 0


@pytest.mark.parametrize("gathers", [True, False], ids=["gathering", "resting"])
def test_told_to_stop_it_leaves_its_rest_at_once(
    rig: Rig, double: Double, monkeypatch: pytest.MonkeyPatch, *, gathers: bool
) -> None:
    monkeypatch.setattr(drains, "LOOK_S", 50.0)
    rig.pace = SLOW if gathers else QUICK
    rig.begin()
    rig.put(salinity(1))
    with rig.running():
        rig.settle()
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 1.0
    assert len(double.writes) == 1


def test_one_stretch_is_read_ahead_while_one_is_written(
    rig: Rig, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "TAKEN_MAX", 10)
    asked: list[int] = []

    def changes(after: int, limit: int) -> Changes:
        asked.append(after)
        return rig.reader.changes(after, limit, TABLE)

    rig.changes = changes
    rig.begin()
    for begin in range(0, 80, 10):
        rig.put(salinity(*range(begin, begin + 10)))
    double.always = AWAY
    with rig.running():
        eventually(lambda: len(double.writes) > 5, "the first lines again and again")
        assert asked == [0, 1]
        double.always = None
        rig.settle()
    assert [key for _, key in double.content] == list(range(80))
    assert double.writes[-8:] == [[line(t) for t in range(at, at + 10)] for at in range(0, 80, 10)]


def test_what_was_read_ahead_is_let_go_with_what_is_in_doubt(
    rig: Rig, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "TAKEN_MAX", 10)
    for begin in range(0, 40, 10):
        rig.put(salinity(*range(begin, begin + 10)))
    double.answers = [NO_RIGHT]
    with rig.running():
        rig.settle()
    assert double.writes == [[line(t) for t in range(at, at + 10)] for at in (0, 0, 10, 20, 30)]


def test_a_store_that_cannot_be_read_is_waited_for(
    rig: Rig, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "RETRY_S", 0.01)
    ill = threading.Event()
    ill.set()

    def changes(after: int, limit: int) -> Changes:
        if ill.is_set():
            raise sqlite3.OperationalError("disk I/O error")
        return rig.reader.changes(after, limit, TABLE)

    rig.changes = changes
    rig.begin()
    rig.put(salinity(10))
    with rig.running():
        eventually(lambda: rig.drain.status().trouble, "trouble")
        assert rig.drain.status().trouble == "store: disk I/O error"
        ill.clear()
        rig.settle()
        eventually(lambda: rig.drain.status().trouble is None, "no more trouble")
    assert list(double.content.values()) == [line(10)]


def test_a_bug_ends_the_thread_and_does_not_go_unheard(double: Double) -> None:
    def broken(_after: int, _limit: int) -> Changes:
        raise ZeroDivisionError

    drain = Drain(
        broken,
        lambda _after: Backlog(0, None),
        double,
        lambda: TABLE,
        begin=0,
        clock_ms=lambda: NOW_MS,
    )
    with pytest.raises(ZeroDivisionError):
        drain.run()


# Through the real client into the real server.

DAY_MS = 86_400_000
TIMES = 10_000
FAULTS = {
    "unavailable": 0.05,
    "busy": 0.03,
    "drop": 0.05,
    "ack_lost": 0.06,
    "slow": 0.03,
    "cut_short": 0.04,
}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[FaultProxy]:
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path / "influx")
    try:
        server.start()
        faulty = FaultProxy(server, seed=11)
        faulty.retry_after_s, faulty.slow_s = 0.01, 0.05
        yield faulty
        faulty.close()
    finally:
        server.stop()


def test_through_faults_deaths_and_poison_the_real_server_holds_exactly_the_rest(
    store: Store, reader: StoreReader, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 readings, a tenth of them again and changed; what is older than the database keeps
    is refused by the server itself."""
    monkeypatch.setattr(drains, "TAKEN_MAX", 2000)  # so that stretches are read ahead
    chance = random.Random(3)
    begun_ms = now_ms()
    url = proxy.server.create_database("kept", retention="3d")
    poisoned = chance.sample(range(TIMES), 17)
    times = [begun_ms - DAY_MS - n * 1000 for n in range(TIMES)]
    for n in poisoned:
        times[n] -= 3000 * DAY_MS
    wanted: dict[tuple[int, int], tuple[float, int]] = {}
    deliveries = list(range(TIMES)) + chance.sample(range(TIMES), TIMES // 10)
    influx = Influx(parse_url(url.replace(str(proxy.server.port), str(proxy.port))), None)
    rig = Rig(store, reader, influx, clock_ms=now_ms)
    proxy.modes(dict(FAULTS))

    parts = [deliveries[at : at + 97] for at in range(0, len(deliveries), 97)]
    for lives in range(6):
        with rig.running():
            for part in parts[lives::6]:
                rows = []
                for n in part:
                    for series in (SALINITY, TEMPERATURE):
                        value, flag = round(chance.uniform(0, 35), 4), chance.choice([1, 2, 3, 4])
                        rows.append((series, times[n], value, flag))
                        wanted[series, times[n]] = value, flag
                rig.put(Batch.of(*zip(*rows, strict=True)))
                rig.commit()
            if lives == 5:
                rig.settle(within_s=60)
        if lives < 5:
            rig.begin()  # what was not committed is forgotten
    influx.close()

    refused = {times[n] for n in poisoned}
    found: dict[tuple[int, int], tuple[float, int]] = {}
    for row in proxy.server.query("SELECT * FROM salinity", "kept"):
        assert (row["device"], row["station"]) == ("mt-01", "my-tho")
        for series, name in ((SALINITY, "salinity_g_l"), (TEMPERATURE, "temperature_c")):
            found[series, row["time"]] = row[name], row[f"{name}_q"]
    good = {key: value for key, value in wanted.items() if key[1] not in refused}
    missing = good.keys() - found.keys()
    extra = found.keys() - good.keys()
    wrong = [key for key in good.keys() & found.keys() if good[key] != found[key]]
    assert (len(missing), len(extra), len(wrong)) == (0, 0, 0)
    assert len(good) == 2 * (TIMES - 17)
    assert {int(letter.head.rpartition(b" ")[2]) for letter in rig.letters} == refused
    assert len(proxy.counts) >= len(FAULTS)
    status = rig.drain.status()
    figures(
        f"drain: {len(good)} readings in the server, missing 0, extra 0, wrong 0, dead letters "
        f"{len(rig.letters)}; {Counter(proxy.counts)}; retries of the last life {status.retries}"
    )
