"""The past before any record, rebuilt from what is stored: readings, alerts, windows.

What is not kept with a time is not shown: links, how bridges were worked, pictures, advice.
Values stand at the time at which they were observed, and with the flag that they have now.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from api.live.alertlog import ACTIVE_STATES
from ingest.history import StoreReader
from ingest.reading import Batch, Why
from songtien.news import Parts
from songtien.rewind.scene import NO_PICTURES, Change, Key, Piece, Stretch

BLOCK_MS: Final = 600_000
"""Of so much time the readings are fetched at once, a question for each series."""

_NOT_AHEAD: Final = f"(why & {int(Why.FUTURE)}) = 0"
"""A reading of the future is never the newest."""

_NEWEST: Final = (
    "SELECT t, value, flag, why FROM reading WHERE series = ? AND t <= ? AND "  # noqa: S608 - constants
    f"{_NOT_AHEAD} ORDER BY t DESC LIMIT 1"
)
_BETWEEN: Final = (
    "SELECT t, value, flag, why FROM reading WHERE series = ? AND t > ? AND t <= ? AND "  # noqa: S608 - constants
    f"{_NOT_AHEAD}"
)
_EVENTS: Final = """
SELECT pos, alert, json_extract(CAST(body AS TEXT), '$.state'),
  CASE type
    WHEN 'raised' THEN min(at_ms, coalesce(json_extract(CAST(body AS TEXT), '$.t_event'), at_ms))
    WHEN 'cleared' THEN min(at_ms, coalesce(json_extract(CAST(body AS TEXT), '$.t_cleared'), at_ms))
    ELSE at_ms END AS shown
FROM alert_event ORDER BY shown, pos"""
"""Alerts are shown at the times that they are about: those of data that were imported have all
been found at once, long after."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert event: where it stands in the store, and when it is shown."""

    pos: int
    alert: str
    state: str
    at_ms: int


class Rebuilt:
    """What is stored, from a time on, up to where a record begins or to the present.

    until_ms : asked each time; None where there is no record
    """

    def __init__(
        self,
        reader: StoreReader,
        parts: Parts,
        desk: Mapping[str, Any],
        at_ms: int,
        until_ms: Callable[[], int],
    ) -> None:
        self._reader = reader
        self._parts = parts
        self._desk = desk
        self._at_ms = at_ms
        self._until_ms = until_ms
        self._events: list[Told] | None = None
        self.empty = True

    def begin(self) -> Piece:
        """How all stood at the time, with the key of it."""
        at_ms = self._at_ms
        with self._reader.connection() as connection:
            newest = self._readings(connection, _NEWEST, (at_ms,))
            self._events = [Told(*row) for row in connection.execute(_EVENTS)]
            last = {told.alert: told for told in self._events if told.at_ms <= at_ms}
            active = [_body(connection, t.pos) for t in last.values() if t.state in ACTIVE_STATES]
        self.empty = not len(newest) and not last
        key = Key(
            at_ms,
            self._parts.config,
            [series.key for series in self._parts.series.entries],
            newest,
            {},
            active,
            bisect_right(self._events, at_ms, key=lambda told: told.at_ms),
            {
                "next": 1,
                "bridges": {},
                "levels": [],
                "intakes": {},
                "windows": self._desk["windows"],
            },
            NO_PICTURES,
        )
        return Piece(at_ms, at_ms, Stretch.empty(), key, self._parts)

    def next(self) -> Piece | None:
        """The next block; None at its end."""
        from_ms = self._at_ms
        to_ms = min(from_ms + BLOCK_MS, self._until_ms())
        if to_ms <= from_ms:
            return None
        with self._reader.connection() as connection:
            rows = self._readings(connection, _BETWEEN, (from_ms, to_ms))
            others = self._told(connection, from_ms, to_ms)
        rows = rows.take(np.argsort(rows.t_ms, kind="stable"))
        self._at_ms = to_ms
        return Piece(from_ms, to_ms, Stretch(rows.t_ms, rows, others))

    def _readings(
        self, connection: sqlite3.Connection, query: str, asked: tuple[int, ...]
    ) -> Batch:
        found: list[tuple[Any, ...]] = []
        for series in self._parts.series.entries:
            rows = connection.execute(query, (series.id, *asked))
            found.extend((series.id, *row) for row in rows)
        return Batch.of(*zip(*found, strict=True)) if found else Batch.empty()

    def _told(
        self, connection: sqlite3.Connection, from_ms: int, to_ms: int
    ) -> list[tuple[int, Change]]:
        """Positions are the places in order of time: those of the store need not rise with it."""
        assert self._events is not None
        first, end = (
            bisect_right(self._events, border_ms, key=lambda told: told.at_ms)
            for border_ms in (from_ms, to_ms)
        )
        return [
            (told.at_ms, Change(events=[(place + 1, _event(connection, told))]))
            for place, told in enumerate(self._events[first:end], first)
        ]


def oldest_ms(reader: StoreReader, series: Sequence[int]) -> int | None:
    """The time of the oldest stored reading of these series."""
    with reader.connection() as connection:
        found = [
            connection.execute("SELECT min(t) FROM reading WHERE series = ?", (one,)).fetchone()[0]
            for one in series
        ]
    return min((t_ms for t_ms in found if t_ms is not None), default=None)


def _body(connection: sqlite3.Connection, pos: int) -> dict[str, Any]:
    row = connection.execute("SELECT body FROM alert_event WHERE pos = ?", (pos,)).fetchone()
    found: dict[str, Any] = msgspec.json.decode(row[0])
    return found


def _event(connection: sqlite3.Connection, told: Told) -> dict[str, Any]:
    kind, who, note, body = connection.execute(
        "SELECT type, who, note, body FROM alert_event WHERE pos = ?", (told.pos,)
    ).fetchone()
    event = {"type": kind, "at": told.at_ms, "alert": msgspec.json.decode(body)}
    return event | {name: word for name, word in (("who", who), ("note", note)) if word}
