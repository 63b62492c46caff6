"""The outbox: an event that thousands follow, beside SQLite that takes the same rows alone.

50,000 people on 60 places; one salt notice of a place and a limit that 5,000 follow. Ours finds
who follows it in the file of people and writes a row for each in the transaction of the store,
with its own settings (WAL, synchronous=FULL). The peer inserts rows of the same values into the
same table of a file with the same settings, already in its hand, in one transaction.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from alerts.farmers import outbox
from alerts.farmers.notice import USUAL, Kind, Notice
from alerts.farmers.place import Place
from api.people.file import PeopleFile
from ingest.store import Store
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.bench.stand import BenchError

PEOPLE: Final = 50_000
PLACES: Final = 60
FOLLOW: Final = 5_000
LEVELS_MG_L: Final = (500, 1000, 2000)
AIM: Final = 0.3
REPEATED: Final = 5
"""Events of one round, each in a transaction of its own; the round has their median."""


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int
    tries: int
    people: int = PEOPLE
    follow: int = FOLLOW


@dataclass(frozen=True, slots=True)
class Taken:
    """One round: seconds for the rows of one event, of both, and how busy others were."""

    rows: int
    ours_s: float
    alone_s: float
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= NOISE_MAX_CORES

    @property
    def ratio(self) -> float:
        return self.alone_s / self.ours_s


def run(size: Size, progress: Callable[[str], None]) -> Sequence[Taken]:
    """Rounds until enough were quiet. Raises BenchError where rows are missing."""
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        with (
            closing(PeopleFile(here / "farmers.sqlite")) as people,
            closing(Store(here / "store.sqlite").connection) as store,
            closing(Store(here / "alone.sqlite").connection) as alone,
        ):
            _settle(people, size)
            for connection in (store, alone):
                outbox.create(connection)
            with closing(outbox.Audience(people.path)) as audience:
                return _rounds(size, audience, store, alone, progress)


def _rounds(
    size: Size,
    audience: outbox.Audience,
    store: sqlite3.Connection,
    alone: sqlite3.Connection,
    progress: Callable[[str], None],
) -> Sequence[Taken]:
    found: list[Taken] = []
    event = 0
    while len(found) < size.tries and not enough(found, size.rounds):
        begin, ours, peer = Moment.now(), [], []
        for _ in range(REPEATED):
            event += 1
            notice = _notice(event)
            ours.append(_ours(notice, audience, store, size.follow))
            peer.append(_alone(notice, audience.of(notice), alone))
        others = Moment.now().others_since(begin)
        taken = Taken(size.follow, _middle(ours), _middle(peer), others)
        found.append(taken)
        progress(
            f"round {len(found)}: ratio {taken.ratio:.2f}; ours {1e3 * taken.ours_s:.1f} ms, alone"
            f" {1e3 * taken.alone_s:.1f} ms for {taken.rows:,} rows; others {taken.others:.2f}"
        )
    return found


def summary(found: Sequence[Taken], wanted: int) -> Sequence[str]:
    chosen, of_all = counted(found, wanted)
    ratio = told([each.ratio for each in chosen], ".2f")
    ours = told([each.rows / each.ours_s for each in chosen], ",.0f")
    alone = told([each.rows / each.alone_s for each in chosen], ",.0f")
    rows = chosen[0].rows
    told_of = f"an event that {rows:,} follow: {ours} rows/s of {alone}"
    return [f"outbox: {ratio} of the rate of SQLite alone (aim {AIM}); {told_of}; {of_all}"]


def _ours(
    notice: Notice, audience: outbox.Audience, store: sqlite3.Connection, follow: int
) -> float:
    begun = time.perf_counter()
    store.execute("BEGIN IMMEDIATE")
    written = outbox.write(store, [(notice, audience.of(notice))])
    store.execute("COMMIT")
    took_s = time.perf_counter() - begun
    if written != follow:
        raise BenchError(f"outbox: {written} rows were written of {follow}")
    return took_s


def _alone(
    notice: Notice, followers: Sequence[outbox.Follower], alone: sqlite3.Connection
) -> float:
    body = msgspec.json.encode(notice.stored())
    rows = [(notice.at_ms, contact, channel) for contact, channel in followers]
    begun = time.perf_counter()
    alone.execute("BEGIN IMMEDIATE")
    alone.execute(
        "INSERT INTO notice (key, at_ms, kind, place, level_mg_l, event, people, body)"
        " VALUES (?, ?, 'salt', '', 0, '', 0, ?)",
        (notice.key, notice.at_ms, body),
    )
    alone.executemany("INSERT INTO message (notice, contact, channel) VALUES (?, ?, ?)", rows)
    alone.execute("COMMIT")
    return time.perf_counter() - begun


def _notice(event: int) -> Notice:
    body = {"place_vi": "Cống số 0", "station": "Trạm số 0", "figure_g_l": 0.61, "flag": 1}
    return Notice(
        Kind.SALT, Place("place-0", "river"), LEVELS_MG_L[0], event, event, f"e{event}", "", body
    )


def _settle(people: PeopleFile, size: Size) -> None:
    """Everybody follows one place; those of the event that of the first, at the first level."""
    with people.transaction() as connection:
        connection.executemany(
            "INSERT INTO contact (id, channel, kind, state, finger, address, lang, origin,"
            " officer, consent, created_ms, owed)"
            " VALUES (?, ?, 'phone', 'active', ?, ?, 'vi', 'list', '', '', 0, '')",
            (
                (n, ("sms", "zalo")[n % 2], n.to_bytes(32, "big"), n.to_bytes(60, "big"))
                for n in range(1, size.people + 1)
            ),
        )
        connection.executemany(
            "INSERT INTO follow VALUES (?, 'river', ?, ?, 'durian', ?, 1)",
            (_follow(n, size) for n in range(1, size.people + 1)),
        )


def _follow(n: int, size: Size) -> tuple[str, int, int, int]:
    # Spread over the numbers, as people come: not the first five thousand.
    if n % (size.people // size.follow) == 0:
        return "place-0", LEVELS_MG_L[0], n, int(USUAL)
    place = 1 + n % (PLACES - 1)
    return f"place-{place}", LEVELS_MG_L[n % len(LEVELS_MG_L)], n, int(USUAL)


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
