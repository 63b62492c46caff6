"""`wall.sqlite`: what the screens were shown, in segments that begin with a key.

A segment is a key (n = 0) and the stretches that follow it (n from 1 on), which become one when
the next segment begins. Two segments that touch in time go on from each other; where they do
not, the service was down or could not write.
"""

import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.journal import SchemaError
from songtien.rewind.codec import (
    CodecError,
    Packer,
    Unpacker,
    joined,
    pack_config,
    pack_key,
    unpack_config,
    unpack_key,
)
from songtien.rewind.scene import Key, Stretch

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
BUSY_S = 5.0
FORGET_AT_ONCE = 100
KEPT_SEGMENTS = 4

_TABLES = """CREATE TABLE IF NOT EXISTS config(
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS segment(
  id INTEGER PRIMARY KEY AUTOINCREMENT, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
  config INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS segment_by_time ON segment(from_ms);
CREATE TABLE IF NOT EXISTS body(
  segment INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(segment, n))"""


class WallWriter:
    """The writing side; one thread. Each call is a transaction of its own.

    Raises SchemaError where a newer version of the service has written the file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _opened(path)
        self._segment = 0
        self._n = 0
        self._packer: Packer | None = None
        for (segment,) in self._connection.execute(
            "SELECT segment FROM body WHERE n > 0 GROUP BY segment HAVING count(*) > 1"
        ).fetchall():
            # Of a life that was cut short.
            try:
                with _transaction(self._connection):
                    self._seal(segment)
            except CodecError as error:
                log.warning("part of the screens' record can't be read", exc_info=error)

    def begin(self, key: Key, *, goes_on: bool) -> None:
        """Begin a segment; `goes_on` where it follows the last one without a gap."""
        digest, body = pack_config(key.config, key.keys)
        before = self._segment
        with _transaction(self._connection) as connection:
            if goes_on and before:
                connection.execute("UPDATE segment SET to_ms = ? WHERE id = ?", (key.at_ms, before))
            connection.execute(
                "INSERT OR IGNORE INTO config(digest, body) VALUES (?, ?)", (digest, body)
            )
            cursor = connection.execute(
                "INSERT INTO segment(from_ms, to_ms, config) "
                "SELECT ?, ?, id FROM config WHERE digest = ?",
                (key.at_ms, key.at_ms, digest),
            )
            assert cursor.lastrowid is not None
            connection.execute(
                "INSERT INTO body VALUES (?, 0, ?)", (cursor.lastrowid, pack_key(key))
            )
            if before:
                self._seal(before)
        self._segment, self._n = cursor.lastrowid, 0
        self._packer = Packer(key.pictures)

    def append(self, stretch: Stretch, to_ms: int) -> None:
        """Add what followed, up to a time; after `begin`."""
        assert self._packer is not None
        said = len(stretch.rows) or stretch.others
        body = self._packer.pack(stretch) if said else b""
        with _transaction(self._connection) as connection:
            connection.execute("UPDATE segment SET to_ms = ? WHERE id = ?", (to_ms, self._segment))
            if body:
                self._n += 1
                connection.execute(
                    "INSERT INTO body VALUES (?, ?, ?)", (self._segment, self._n, body)
                )

    def forget_before(self, t_ms: int) -> int:
        """Remove segments that were over before a time, the oldest first; how many went."""
        with _transaction(self._connection) as connection:
            old = [
                row[0]
                for row in connection.execute(
                    "SELECT id FROM segment WHERE to_ms <= ? AND id <> ? ORDER BY from_ms LIMIT ?",
                    (t_ms, self._segment, FORGET_AT_ONCE),
                )
            ]
            for segment in old:
                connection.execute("DELETE FROM body WHERE segment = ?", (segment,))
                connection.execute("DELETE FROM segment WHERE id = ?", (segment,))
            if old:
                connection.execute(
                    "DELETE FROM config WHERE id NOT IN (SELECT config FROM segment)"
                )
        return len(old)

    def close(self) -> None:
        self._connection.close()

    def _seal(self, segment: int) -> None:
        """Within a transaction: make one stretch of a segment's many, which packs better and is
        read as a whole.
        """
        connection = self._connection
        key, stretches = _read(connection, segment)
        if len(stretches) < 2:
            return
        whole = Packer(key.pictures).pack(joined(stretches))
        connection.execute("DELETE FROM body WHERE segment = ? AND n > 0", (segment,))
        connection.execute("INSERT INTO body VALUES (?, 1, ?)", (segment, whole))


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a segment lies, ms; `to_ms` of the newest one still grows."""

    id: int
    from_ms: int
    to_ms: int
    config: int


class WallReader:
    """The reading side: any number of threads, each call with a consistent view."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=ro"
        self._lock = threading.Lock()
        self._kept: OrderedDict[Segment, tuple[Key, Stretch]] = OrderedDict()

    def recorded(self) -> list[tuple[int, int]]:
        """The stretches [from, to) of which there is a record, oldest first."""
        found: list[tuple[int, int]] = []
        with self._reading() as connection:
            for from_ms, to_ms in connection.execute(
                "SELECT from_ms, to_ms FROM segment ORDER BY from_ms, id"
            ):
                if found and from_ms <= found[-1][1]:
                    found[-1] = (found[-1][0], max(to_ms, found[-1][1]))
                else:
                    found.append((from_ms, to_ms))
        return found

    def first_ms(self) -> int | None:
        with self._reading() as connection:
            (found,) = connection.execute("SELECT min(from_ms) FROM segment").fetchone()
        return None if found is None else int(found)

    def at(self, t_ms: int) -> Segment | None:
        """The last segment that began up to a time."""
        return self._one("from_ms <= ? ORDER BY from_ms DESC, id DESC", t_ms)

    def following(self, segment: Segment) -> Segment | None:
        return self._one("id > ? ORDER BY id", segment.id)

    def again(self, segment: Segment) -> Segment:
        """The same, as far as it goes by now."""
        return self._one("id = ?", segment.id) or segment

    def read(self, segment: Segment) -> tuple[Key, Stretch]:
        """Raises CodecError where a newer version has written it, or the bytes are damaged."""
        with self._lock:
            known = self._kept.get(segment)
        if known is not None:
            return known
        with self._reading() as connection:
            key, stretches = _read(connection, segment.id)
        found = key, joined(stretches)
        with self._lock:
            self._kept[segment] = found
            while len(self._kept) > KEPT_SEGMENTS:
                self._kept.popitem(last=False)
        return found

    def _one(self, condition: str, value: int) -> Segment | None:
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT id, from_ms, to_ms, config FROM segment WHERE {condition} LIMIT 1",  # noqa: S608 - constants of this module
                (value,),
            ).fetchone()
        return None if row is None else Segment(*row)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # Opened for each call: it is few, and a connection that idles would hold a replaced file.
        with closing(
            sqlite3.connect(self._uri, uri=True, isolation_level=None, timeout=BUSY_S)
        ) as connection:
            connection.execute("BEGIN")
            yield connection


def _read(connection: sqlite3.Connection, segment: int) -> tuple[Key, Sequence[Stretch]]:
    row = connection.execute(
        "SELECT config.body FROM segment JOIN config ON config.id = segment.config "
        "WHERE segment.id = ?",
        (segment,),
    ).fetchone()
    bodies = connection.execute(
        "SELECT bytes FROM body WHERE segment = ? ORDER BY n", (segment,)
    ).fetchall()
    if row is None or not bodies:
        raise MissingError(f"segment {segment} is forgotten by now")
    key = unpack_key(bodies[0][0], *unpack_config(row[0]))
    unpacker = Unpacker(key.pictures)
    return key, [unpacker.unpack(body) for (body,) in bodies[1:]]


class MissingError(CodecError):
    """What was to be read has been forgotten meanwhile."""


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > SCHEMA_VERSION:
        raise SchemaError(path, found, SCHEMA_VERSION)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    try:
        _check_schema(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        # A power cut may cost the last seconds, as a kill does; the file stays whole.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection
