"""Hand checks: what is taken and what is refused, corrections, the same entry twice, the log."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import checks, entry_log
from alerts.desk import Desk
from alerts.entries import EnteredOutcome, Entering, Logged, Verdict, What, logged
from ingest.registry import parse_registry
from ingest.snapshot import pack, unpack

NOW_MS = 1_767_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
STATION = "xuan-hoa"
REGISTRY = parse_registry(
    (Path(__file__).parents[2] / "songtien/defaults/stations.toml").read_text("utf-8"),
    "stations.toml",
)
VISIT: dict[str, Any] = {
    "t": NOW_MS - HOUR,
    "values": {"salinity_g_l": 1.2, "temperature_c": 29.4},
    "cleaned": True,
    "crew": " tổ cống Xuân Hòa ",
}


def enter(
    desk: Desk, station: str = STATION, now_ms: int = NOW_MS, **changes: Any
) -> EnteredOutcome:
    entering = Entering(What.CHECK, station, VISIT | changes, "an", "có rong bám")
    return desk.enter(entering, REGISTRY, now_ms)


def test_a_check_as_it_is_told() -> None:
    outcome = enter(Desk())
    assert outcome.outcome is Verdict.DONE
    assert outcome.item == {
        "id": "c1",
        "station": STATION,
        "t": NOW_MS - HOUR,
        "entered": NOW_MS,
        "depth": "surface",
        "cleaned": True,
        "calibrated": False,
        "replaces": None,
        "values": {"salinity_g_l": 1.2, "temperature_c": 29.4},
        "crew": "tổ cống Xuân Hòa",
        "who": "an",
        "note": "có rong bám",
    }


def test_late_ones_are_taken_for_a_month() -> None:
    assert enter(Desk(), t=NOW_MS - 31 * DAY).outcome is Verdict.DONE
    assert enter(Desk(), t=NOW_MS + 60_000).outcome is Verdict.DONE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"t": NOW_MS - 31 * DAY - 1}, "t: at most 31 days ago"),
        ({"t": NOW_MS + 60_001}, "t: when it was measured, and that lies ahead"),
        ({"values": {"salinity_g_l": 45.1}}, "salinity_g_l: 45.1 is not accepted: 0 to 45"),
        ({"values": {"water_level_m": -11}}, "water_level_m: -11 is not accepted: -10 to 20"),
        ({"values": {"speed_km_h": 3}}, "speed_km_h: one of salinity_g_l, conductivity_ms_cm"),
        ({"values": {}, "cleaned": False}, "values: a value, or that it was cleaned"),
        ({"crew": "a\nb"}, "crew: up to 80 characters in one line are accepted"),
        ({"depth": "middle"}, "Invalid enum value 'middle'"),
        ({"vlaues": {}}, "unknown field `vlaues`"),
    ],
)
def test_what_is_refused_changes_nothing_and_says_why(changes: dict[str, Any], words: str) -> None:
    desk = Desk()
    before = desk.snapshot()
    outcome = enter(desk, **changes)
    assert outcome.outcome is Verdict.REFUSED
    assert words in outcome.words
    assert desk.snapshot() == before


@pytest.mark.parametrize("station", ["nowhere", "rach-mieu-1"])
def test_only_salinity_stations_are_checked(station: str) -> None:
    assert enter(Desk(), station).outcome is Verdict.NOT_FOUND


def test_the_same_entry_twice_is_one() -> None:
    desk = Desk()
    first, again = enter(desk), enter(desk, now_ms=NOW_MS + HOUR)
    assert (again.outcome, again.item, again.again) == (Verdict.DONE, first.item, True)
    assert logged(What.CHECK, STATION, first, NOW_MS) is not None
    assert logged(What.CHECK, STATION, again, NOW_MS) is None
    other = enter(desk, values={"salinity_g_l": 1.3})
    assert (other.again, other.item and other.item["id"]) == (False, "c2")


def test_a_check_is_corrected_once_and_the_second_is_told() -> None:
    desk = Desk()
    enter(desk)
    right = enter(desk, values={"salinity_g_l": 2.1}, replaces="c1")
    assert right.item is not None
    assert (right.item["id"], right.item["replaces"]) == ("c2", "c1")
    second = enter(desk, values={"salinity_g_l": 2.2}, replaces="c1")
    assert (second.outcome, second.item) == (Verdict.STALE, right.item)
    assert enter(desk, replaces="c9").outcome is Verdict.NOT_FOUND
    moved = enter(desk, "my-tho", values={"salinity_g_l": 2.1}, replaces="c2")
    assert moved.outcome is Verdict.DONE


def test_a_corrected_check_outlives_its_correction_where_the_clock_was_set_back() -> None:
    desk = Desk()
    first = enter(desk)
    enter(desk, values={"salinity_g_l": 2.1}, replaces="c1", now_ms=NOW_MS - 10 * 60_000)
    month = NOW_MS + 31 * DAY
    assert enter(desk, t=month, now_ms=month).outcome is Verdict.DONE
    second = enter(desk, t=month, values={}, replaces="c1", now_ms=month)
    assert (second.outcome, second.item) == (Verdict.STALE, first.item)


def test_a_check_is_taken_back_by_an_empty_one() -> None:
    desk = Desk()
    enter(desk)
    assert enter(desk, values={}, cleaned=False, replaces="c1").outcome is Verdict.DONE


def test_it_outlives_a_snapshot_and_is_forgotten_with_time() -> None:
    desk = Desk()
    enter(desk)
    desk = Desk(unpack(pack(desk.snapshot())))
    assert enter(desk, replaces="c1", values={}).outcome is Verdict.DONE
    later = NOW_MS + 32 * DAY
    assert enter(desk, t=later, now_ms=later).outcome is Verdict.DONE
    held = desk.snapshot()["checks"]["held"]
    assert [one["id"] for one in held] == ["c3"]
    assert enter(desk, t=later, now_ms=later, replaces="c1").outcome is Verdict.NOT_FOUND


def test_there_are_never_more_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "HELD_MAX", 3)
    desk = Desk()
    for number in range(5):
        enter(desk, t=NOW_MS - number)
    assert [one["id"] for one in desk.snapshot()["checks"]["held"]] == ["c3", "c4", "c5"]


def test_a_desk_of_before_there_were_checks() -> None:
    state = Desk().snapshot()
    del state["checks"]
    assert Desk(state).snapshot() == Desk().snapshot()


# The log.


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    entry_log.create(connection, NOW_MS)
    yield connection
    connection.close()


def put(connection: sqlite3.Connection, desk: Desk, *visits: tuple[str, int, str | None]) -> None:
    for station, t_ms, replaces in visits:
        outcome = enter(desk, station, t=t_ms, replaces=replaces)
        entry = logged(What.CHECK, station, outcome, NOW_MS)
        assert entry is not None
        entry_log.write(connection, entry)


def test_the_log_says_which_check_has_been_corrected_by_which(
    connection: sqlite3.Connection,
) -> None:
    put(connection, Desk(), (STATION, NOW_MS - 2 * HOUR, None), (STATION, NOW_MS - HOUR, "c1"))
    page = entry_log.checks(connection, STATION, 0, NOW_MS, None, 10)
    assert [(one["id"], one["replaced_by"]) for one in page.items] == [("c2", None), ("c1", "c2")]
    assert page.after is None


@given(
    st.lists(
        st.tuples(st.sampled_from([STATION, "my-tho"]), st.integers(0, 9), st.none()),
        unique=True,
        max_size=12,
    ),
    st.sampled_from([None, STATION]),
    st.integers(1, 4),
)
def test_pages_are_a_plain_list_cut_up(
    visits: list[tuple[str, int, None]], station: str | None, limit: int
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    entry_log.create(connection, NOW_MS)
    put(connection, Desk(), *[(s, NOW_MS - 9 + t, r) for s, t, r in visits])
    from_ms, to_ms = NOW_MS - 8, NOW_MS - 1
    rows = [(NOW_MS - 9 + t, number, s) for number, (s, t, _) in enumerate(visits, 1)]
    wanted = [
        f"c{number}"
        for t, number, s in sorted(rows, reverse=True)
        if from_ms <= t < to_ms and station in (None, s)
    ]
    found: list[str] = []
    after: entry_log.ChecksKey | None = None
    while True:
        page = entry_log.checks(connection, station, from_ms, to_ms, after, limit)
        found += [one["id"] for one in page.items]
        after = page.after
        if after is None:
            break
        assert len(page.items) == limit
    assert found == wanted
    connection.close()


def test_entries_between_two_times_and_the_last_before(connection: sqlite3.Connection) -> None:
    for at_ms, subject, taking in ((1, "a", True), (2, "b", True), (3, "a", False), (4, "a", True)):
        entry_log.write(connection, Logged(at_ms, "intake", subject, {"taking": taking}))
    assert [e.at_ms for e in entry_log.between(connection, 2, 4, 10)] == [2, 3]
    assert [e.at_ms for e in entry_log.between(connection, 0, 9, 3)] == [1, 2, 3]
    before = entry_log.last_before(connection, "intake", 4)
    assert [(e.subject, e.at_ms, e.item["taking"]) for e in before] == [
        ("a", 3, False),
        ("b", 2, True),
    ]
    assert entry_log.last_before(connection, "check", 4) == []
    assert entry_log.since_ms(connection) == NOW_MS
    entry_log.create(connection, NOW_MS + 1)
    assert entry_log.since_ms(connection) == NOW_MS
