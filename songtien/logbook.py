"""The past beside readings, out of the store: `api.logbook.Logbook`, filled."""

from collections.abc import Mapping, Sequence
from typing import Any

from alerts import entry_log, records
from alerts.entries import Logged
from api.logbook import ChecksAsked, Logbook
from ingest.history import StoreReader


class _Past:
    """For worker threads; each question sees one consistent moment."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def checks(self, asked: ChecksAsked) -> entry_log.ChecksPage:
        with self._reader.connection() as connection:
            return entry_log.checks(connection, *asked)

    def entered(self, from_ms: int, to_ms: int, limit: int) -> list[Logged]:
        with self._reader.connection() as connection:
            return entry_log.between(connection, from_ms, to_ms, limit)

    def entered_before(self, what: str, t_ms: int) -> list[Logged]:
        with self._reader.connection() as connection:
            return entry_log.last_before(connection, what, t_ms)

    def entered_since(self) -> int:
        with self._reader.connection() as connection:
            return entry_log.since_ms(connection)

    def events(self, from_ms: int, to_ms: int, limit: int) -> list[dict[str, Any]]:
        with self._reader.connection() as connection:
            return records.told_between(connection, from_ms, to_ms, limit)

    def active(self) -> list[dict[str, Any]]:
        with self._reader.connection() as connection:
            return records.active(connection)

    def taken(self, alerts: Sequence[str]) -> Mapping[str, tuple[int, str]]:
        with self._reader.connection() as connection:
            return records.taken(connection, alerts)


def logbook(reader: StoreReader) -> Logbook:
    past = _Past(reader)
    return Logbook(
        past.checks,
        past.entered,
        past.entered_before,
        past.entered_since,
        past.events,
        past.active,
        past.taken,
    )
