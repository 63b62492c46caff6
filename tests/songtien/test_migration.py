"""Data directories as older versions have left them: today's service goes on from there.

They are SQL text, made by `old/make.py` with the code of their time: `v1` is of the first
release, `v1-state2` of some weeks before it, when a checkpoint had another shape.
"""

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts import records
from alerts.alert import Act, Action, Outcome
from alerts.book import AlertBook
from api.auth import AuthStore
from ingest import changes, store_file
from ingest.history import StoreReader
from ingest.journal import Journal, SchemaError
from ingest.reading import Why
from ingest.snapshot import pack, unpack
from ingest.store import Store
from songtien import datadir
from songtien.backup import backup
from songtien.migrations import STEPS, brought_forward
from songtien.pipeline import Pipeline
from songtien.processor import STATE_VERSION, StateError
from songtien.restore import restore
from tests.alerts.script import VK, XH, Script, t
from tests.e2e.running import Service
from tests.songtien.life import Clock
from tests.songtien.old import make

OLD = Path(__file__).parent / "old"
NAMES = ("journal", "store", "auth")
TABLES = ("series", "reading", "lane_interval", "dead_letter", "device", "alert", "alert_event")
Rows = dict[str, list[tuple[Any, ...]]]


def as_files(old: Path, directory: Path) -> Path:
    directory.mkdir()
    for name in NAMES:
        text = gzip.decompress((old / f"{name}.sql.gz").read_bytes()).decode()
        with closing(sqlite3.connect(directory / f"{name}.sqlite")) as connection:
            connection.executescript(text)
            connection.execute("PRAGMA journal_mode=WAL")
    return directory


@pytest.fixture(params=["v1", "v1-state2"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return as_files(OLD / request.param, tmp_path / request.param)


class Running:
    """Today's pipeline on a directory, taking the feed that the older version began."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock(make.BEGIN_MS + make.HEARD_TO * make.MINUTE_MS)
        self.files = datadir.Files.of(directory)
        self.journal = Journal(self.files.journal, self.clock)
        self.store = Store(self.files.store)
        self.pipeline = Pipeline(
            self.journal,
            self.store,
            root=make.ROOT,
            clock_ms=self.clock,
            journal_days=30.0,
            window_days=30.0,
        )
        self.pipeline.catch_up()

    def hear(self, minutes: range) -> None:
        for self.clock.ms, entry in make.entries(minutes):
            self.journal.append(entry)

    def take(self) -> None:
        while waiting := self.journal.after(self.pipeline.position, 16):
            self.pipeline.commit(waiting)

    def summed_up(self) -> None:
        while self.store.roll_up(1_000):
            pass

    def dump(self) -> Rows:
        return dumped(self.files.store)

    def states(self, rule: str) -> dict[str, str]:
        """Of the told alerts of a rule, by series."""
        found = records.page(self.store.connection, "all", limit=1_000).items
        return {each["k"]: each["state"] for each in found if each["rule"] == rule}

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    opened = Running(directory)
    try:
        yield opened
    finally:
        opened.close()


def dumped(store: Path) -> Rows:
    """All rows of a store; readings by the keys of their series, whose numbers are the store's.

    A number without a key is of a series that the next configuration puts into the table.
    """
    select = "SELECT * FROM "
    with closing(sqlite3.connect(store)) as connection:
        found: Rows = {
            table: [tuple(_read(w) for w in row) for row in connection.execute(select + table)]
            for table in TABLES
        }
    keys: dict[int, str] = dict(found["series"])
    found["reading"] = [(keys.get(number, ""), *row) for number, *row in found["reading"]]
    found["series"] = [(key,) for key in keys.values()]
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def known_to(older: Rows, rows: Rows) -> Rows:
    """Without the readings of series that the older version did not have, and without the
    reminders that it did not give: where they began differs, and nothing else may."""
    keys = set(older["series"])
    kept = {table: [row for row in rows[table] if row[:1] in keys] for table in KEYED}
    events = [row[1:] for row in sorted(rows["alert_event"]) if row[2] not in REMINDING]
    said = {"alert": rows["alert"], "alert_event": events}
    for table, found in said.items():
        kept[table] = [tuple(_unreminded(word) for word in row) for row in found]
    return rows | kept


REMINDING = ("reminded", "escalated")
OF_REMINDERS = ("ver", "reminders", "escalation", "t_escalated")


def _unreminded(word: Any) -> Any:
    if not isinstance(word, list):
        return word
    return [(name, value) for name, value in word if name not in OF_REMINDERS]


KEYED = ("series", "reading")


def _read(word: Any) -> Any:
    """JSON by what it says: after a restart the keys of an alert stand in another order."""
    if isinstance(word, bytes) and word.startswith(b'{"id"'):
        return sorted(json.loads(word).items())
    return word


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What today's version makes of the whole feed, from its first entry to its last."""
    directory = tmp_path_factory.mktemp("undisturbed")
    with running(directory) as one:
        one.hear(range(make.END))
        one.take()
        return one.dump()


def test_the_older_directory_is_what_it_says(old: Path) -> None:
    """Behind by a checkpoint and ahead by a journal that has lost its beginning."""
    assert version_of(old / "store.sqlite") == 1
    with closing(sqlite3.connect(old / "store.sqlite")) as store:
        counts = {
            table: store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES
        }
        ((checkpoint, body),) = store.execute("SELECT pos, body FROM checkpoint").fetchall()
        (stored,) = store.execute("SELECT value FROM meta WHERE key = 'position'").fetchone()
        told = store.execute("SELECT DISTINCT type FROM alert_event").fetchall()
    with closing(sqlite3.connect(old / "journal.sqlite")) as journal:
        first, last = journal.execute("SELECT min(pos), max(pos) FROM entry").fetchone()
    assert 1 < first <= checkpoint < stored < last
    assert counts["reading"] > 400
    assert all(counts.values())
    assert {kind for (kind,) in told} == {"raised", "acked", "cleared"}
    assert unpack(body)["version"] == (2 if old.name == "v1-state2" else 3)


def test_it_goes_on_as_if_today_s_version_had_always_run(old: Path, undisturbed: Rows) -> None:
    before = dumped(old / "store.sqlite")
    with running(old) as again:
        assert version_of(again.files.store) == store_file.SCHEMA_VERSION == 2
        found = again.dump()
        assert found == before, "to start takes nothing away and tells nothing twice"
        assert again.states("at-once") == {
            "p-0/salinity_g_l": "cleared-unacked",
            "p-1/salinity_g_l": "acked",
            "p-2/salinity_g_l": "unacked",
            "p-4/salinity_g_l": "cleared-unacked",
        }
        assert again.states("silent") == {"p-3/salinity_g_l": "unacked"}
        again.hear(range(make.HEARD_TO, make.END))
        again.take()
        assert again.states("at-once") == {
            "p-0/salinity_g_l": "cleared-unacked",
            "p-1/salinity_g_l": "normal",
            "p-2/salinity_g_l": "normal",
            "p-4/salinity_g_l": "cleared-unacked",
        }
        assert again.states("silent") == {"p-3/salinity_g_l": "cleared-unacked"}
        assert again.states("held")["p-9/salinity_g_l"] == "cleared-unacked", "its hold went on"
        found = known_to(before, again.dump())
        for table, rows in known_to(before, undisturbed).items():
            assert found[table] == rows, table
    with running(old) as once_more:
        assert known_to(before, once_more.dump()) == known_to(before, undisturbed)


def test_readings_of_before_are_summed_up_and_wait_for_the_historian(old: Path) -> None:
    before = dumped(old / "store.sqlite")["reading"]
    with running(old) as again:
        again.store.drain_to("influxdb://127.0.0.1:8086/b?org=o", again.clock.ms)
        again.summed_up()
        with closing(StoreReader(again.files.store)) as reader:
            waiting = set()
            position = again.store.drained
            while True:
                found = reader.changes(position, 200, again.pipeline.processor.series)
                if found.position == position:
                    break
                position = found.position
                rows = found.readings
                keys = [again.pipeline.processor.series.entries[n].key for n in rows.series]
                waiting |= set(zip(keys, rows.t_ms.tolist(), strict=True))
        assert waiting == {(key, t_ms) for key, t_ms, *_ in before}
        (summed,) = again.store.connection.execute("SELECT sum(n) FROM hour_rollup").fetchone()
        assert summed == len(before)
        assert again.store.rolled_up == changes.last(again.store.connection)


def test_a_service_starts_on_it(old: Path, tmp_path: Path, free_port: int) -> None:
    """The whole program, as after an upgrade; no broker is needed to show what there was."""
    (tmp_path / "stations.toml").write_text(make.REGISTRY, "utf-8")
    (tmp_path / "rules.toml").write_text(make.RULES, "utf-8")
    before = {
        t_ms
        for key, t_ms, *_ in dumped(old / "store.sqlite")["reading"]
        if key == "p-0/salinity_g_l"
    }
    service = Service(
        tmp_path / "service",
        {
            "MQTT__URL": f"mqtt://127.0.0.1:{free_port}",
            "DATA__DIR": str(old),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            "STORE__WINDOW_DAYS": "36500",
            "REGISTRY__FILE": str(tmp_path / "stations.toml"),
            "RULES__FILE": str(tmp_path / "rules.toml"),
        },
    )
    service.start()
    try:
        end_ms = make.BEGIN_MS + make.END * make.MINUTE_MS
        points = service.get(
            "/api/v1/series/p-0/salinity_g_l", **{"from": make.BEGIN_MS, "to": end_ms}
        ).json()["points"]
        assert before <= {t_ms for t_ms, *_ in points}
        alerts = service.get("/api/v1/alerts", state="active", limit=200).json()["items"]
        found = {each["k"]: each["state"] for each in alerts if each["rule"] == "at-once"}
        assert found["p-1/salinity_g_l"] == "acked"
        assert found["p-2/salinity_g_l"] == "unacked"
        assert service.stop() == 0
    finally:
        service.reap()
    assert version_of(old / "store.sqlite") == store_file.SCHEMA_VERSION


def test_accounts_come_along(old: Path) -> None:
    with closing(AuthStore(old / "auth.sqlite")) as accounts:
        assert [token.name for token in accounts.list()] == ["truc-ban"]


def test_a_backup_of_an_older_version_is_brought_forward(
    old: Path, tmp_path: Path, undisturbed: Rows
) -> None:
    """Taken before an upgrade, with the new program's command or the old one's."""
    manifest = backup(
        datadir.Files.of(old), tmp_path / "copy", now_ms=make.BEGIN_MS, shown=lambda *_: None
    )
    assert {file.name: file.schema for file in manifest.files}["store.sqlite"] == 1
    restore(
        tmp_path / "copy",
        tmp_path / "again",
        replace=False,
        now_ms=make.BEGIN_MS,
        shown=lambda *_: None,
    )
    before = dumped(old / "store.sqlite")
    with running(tmp_path / "again") as again:
        again.hear(range(make.HEARD_TO, make.END))
        again.take()
        assert known_to(before, again.dump()) == known_to(before, undisturbed)


@pytest.mark.parametrize(
    ("name", "opening"), [("store", Store), ("journal", lambda path: Journal(path, Clock()))]
)
def test_a_file_of_a_newer_version_is_told_and_left_alone(
    old: Path, name: str, opening: Callable[[Path], object]
) -> None:
    path = old / f"{name}.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=77")
    before = path.read_bytes()
    known = {"store": 2, "journal": 1}[name]
    with pytest.raises(SchemaError, match=rf"{name}\.sqlite: schema version 77; .* reads {known}"):
        opening(path)
    assert path.read_bytes() == before


def test_cut_short_while_a_file_is_brought_forward_it_is_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dumped(old / "store.sqlite")

    def dying(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(changes, "put_everything", dying)
        with pytest.raises(sqlite3.OperationalError):
            Store(old / "store.sqlite")
    assert version_of(old / "store.sqlite") == 1
    assert dumped(old / "store.sqlite") == before
    Store(old / "store.sqlite").close()
    assert version_of(old / "store.sqlite") == 2


# The state in a checkpoint.


def test_every_step_leads_to_today_s_version() -> None:
    assert set(STEPS) == set(range(min(STEPS), STATE_VERSION))


def test_what_was_simulated_in_version_2_is_known_by_its_marks() -> None:
    simulated, not_yet = int(Why.SIMULATED), 0
    times = np.array([-1, 5, 7])
    state = {
        "version": 2,
        "newest": [np.array([0, 1, 2]), times, np.zeros(3), np.zeros(3), np.zeros(3)],
        "judging": {
            "engine": {
                "held": {
                    "active": np.array([True, True, False]),
                    "why": np.array([simulated, not_yet, simulated], dtype=np.uint16),
                },
                "keys": ["kept"],
            },
            "newest": "kept",
        },
    }
    found = brought_forward(state, 3)
    assert found["version"] == 3
    assert found["measured_ms"].tolist() == [-1, 5, 7]
    assert found["measured_ms"] is not times, "it is grown apart from the newest"
    assert found["judging"]["engine"]["held"]["simulated"].tolist() == [True, False, False]
    assert found["judging"]["engine"]["keys"] == ["kept"]
    assert state["version"] == 2


def test_alerts_of_version_3_are_said_again_from_here_on() -> None:
    """A checkpoint of before there were notices has none."""
    script = Script().at(0).reading(4.1, VK).at(1).reading(4.2, XH)
    acked = script.book.alerts()[0]
    script.book.act(Action(Act.ACK, acked["id"], 1, "Lan"), t(2))
    was = ("id", "series", "rule", "fixed", "state", "ver", "max_age_ms", "t_told_ms")
    times = ("t_cleared_ms", "t_acked_ms", "t_ended_ms")
    rows = [
        {name: row[name] for name in (*was, *times)} for row in script.book.snapshot()["alerts"]
    ]
    state = {"version": 3, "now_ms": t(5), "book": {"alerts": rows}}
    book = brought_forward(state, 4)["book"]
    restored = AlertBook(script.rules, script.series, script.registry, book)
    assert restored.notices() == {}
    assert restored.alerts() == script.book.alerts()
    assert restored.next_due_ms() == t(15), "ten minutes after the checkpoint, a critical one"
    waiting = restored.alerts()[1]
    acting = restored.act(Action(Act.ACK, waiting["id"], waiting["ver"], "Lan"), t(6))
    assert acting.outcome is Outcome.DONE
    assert acting.events[0].notify, "people outside have heard of it"
    assert restored.next_due_ms() is None


@pytest.mark.parametrize("version", [1, 0, STATE_VERSION + 1])
def test_a_checkpoint_that_no_step_leads_from_is_told(old: Path, version: int) -> None:
    """The journal no longer reaches back, so the state can't be made anew from it."""
    with closing(Store(old / "store.sqlite")) as store:
        found = store.checkpoint()
        assert found is not None
        store.put_checkpoint(found[0], pack(unpack(found[1]) | {"version": version}))
    with (
        pytest.raises(StateError, match=f"version {version}, not {STATE_VERSION}, and the journal"),
        running(old),
    ):
        pytest.fail("a state that nobody can read")
