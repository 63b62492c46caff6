"""Following more, or something else: what is new is told of as it is now. Thread-safe by the file."""

import sqlite3
from collections.abc import Sequence

from alerts.farmers.person import Follow
from api.people.limits import Adders
from api.people.store import Row, Store, owe_welcome, put_follows, together
from api.people.terms import FOLLOWS_MAX, ChangeWhy


class Adding:
    """What people follow, as they change it themselves by their token: without another code."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._adders = Adders()

    def add(self, token: str, more: Sequence[Follow], now_ms: int) -> ChangeWhy:
        """See `api.people.people.People.add`."""
        with self._store.file.transaction() as connection:
            row = self._store.by_token(token, now_ms, connection)
            if row is None:
                return ChangeWhy.UNKNOWN
            had = self._store.follows(row.id, connection)
            why = self.put(connection, row, together(had, more), now_ms)
            if why is ChangeWhy.DONE:
                # Who chooses for himself is changed by no list any more.
                connection.execute("UPDATE contact SET origin = 'self' WHERE id = ?", (row.id,))
            return why

    def put(
        self, connection: sqlite3.Connection, row: Row, follows: Sequence[Follow], now_ms: int
    ) -> ChangeWhy:
        """Store these as all that somebody follows; of a place or crop that is new among them he
        is owed a welcome: of a spell that goes on there nobody would hear otherwise.
        """
        if not follows:
            return ChangeWhy.NO_FOLLOWS
        if len(follows) > FOLLOWS_MAX:
            return ChangeWhy.TOO_MANY_FOLLOWS
        had = {(one.place, one.crop) for one in self._store.follows(row.id, connection)}
        if any((one.place, one.crop) not in had for one in follows):
            if self._adders.wait_ms(row.id, now_ms) > 0:
                return ChangeWhy.TOO_SOON
            self._adders.count(row.id, now_ms)
            owe_welcome(connection, row.id, now_ms)
        put_follows(connection, row.id, follows, active=True)
        return ChangeWhy.DONE

    def wait_s(self, token: str, now_ms: int) -> int:
        """See `api.people.people.People.add_wait_s`."""
        with self._store.file.transaction() as connection:
            row = self._store.by_token(token, now_ms, connection)
            waits_ms = 0 if row is None else self._adders.wait_ms(row.id, now_ms)
        return -(-waits_ms // 1000)
