"""The journal: everything that ever changed the service's state, in one durable order.

A message exists once it stands here, and the broker's acknowledgement waits for that. What
comes after (decoding, flags, alerts) is a pure function of the entries in their order, so
it can stop anywhere and go on from its own position.

Entries are kept as raw bytes with the time of their arrival: the journal is also the
recording from which a feed can be run again.
"""

import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

COMPRESS_FROM_BYTES = 1024
"""Below this zlib saves nothing worth its time."""

SCHEMA_VERSION = 1

CHECKED_BYTES_MAX = 256 * 2**20
"""A file up to this size is looked through when it is opened, in less than a second. What is
larger shows its damage where it is read."""


class Messages(msgspec.Struct, tag="messages", array_like=True, frozen=True):
    """Messages that arrived together. `topics[i]` belongs to `payloads[i]`."""

    topics: list[str]
    payloads: list[bytes]


class Tick(msgspec.Struct, tag="tick", array_like=True, frozen=True):
    """Time passed, and something was due. Without such an entry time stands still."""


class Config(msgspec.Struct, tag="config", array_like=True, frozen=True):
    """The texts of the registry and the rules, in force from here on."""

    registry: str
    rules: str
    reorder_s: float


class Action(msgspec.Struct, tag="action", array_like=True, frozen=True):
    """What a person did to an alert. `request` joins it to the caller who waits."""

    request: str
    op: str
    alert: str
    ver: int
    who: str
    note: str
    until_ms: int | None = None


class Notice(msgspec.Struct, tag="notice", array_like=True, frozen=True):
    """What the service found out about itself: `notice` holds since `t_ms`, or no longer does."""

    notice: str
    holding: bool
    value: float | None
    limit: float | None
    t_ms: int
    detail: str


class Entered(msgspec.Struct, tag="entered", array_like=True, frozen=True):
    """What an officer has entered beside alerts: a maintenance window, how a bridge is worked.

    request : joins it to the caller who waits
    what, subject : what is entered, and of which station, bridge or intake
    body : JSON text, judged where it is stepped; `note` is the officer's own, for operators
    """

    request: str
    what: str
    subject: str
    body: str
    who: str
    note: str


Entry = Messages | Tick | Config | Action | Notice | Entered


class Journal:
    """Append and read entries. Any thread may append; each append is one durable commit.

    Parameters
    ----------
    path : the SQLite file; made if absent
    clock_ms : the service's clock, stamped on entries inside the lock, so that the order of
        entries is the order of their times. A clock that steps back stands still instead.

    An entry that was being written when the machine died is not there: SQLite tells by its
    checksums where its log ends. Nobody was told that it was. What damages entries that were
    there raises JournalDamagedError, at the latest where they are read.
    """

    def __init__(self, path: Path, clock_ms: Callable[[], int]) -> None:
        self._path = path
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)
        with _damage_told(path):
            self._writer = _connect(path)
            self._reader = _connect(path)
            _check(path, self._reader)
            row = self._writer.execute("SELECT pos, at_ms FROM entry ORDER BY pos DESC").fetchone()
            self._last: int = row[0] if row else self._sequence()
        self._at_ms: int = row[1] if row else 0

    @property
    def last_position(self) -> int:
        """The position of the newest entry; 0 when there is none."""
        return self._last

    @property
    def first_position(self) -> int:
        """The position of the oldest entry that is kept; 0 when there is none."""
        with _damage_told(self._path):
            row = self._reader.execute("SELECT min(pos) FROM entry").fetchone()
        return int(row[0] or 0)

    def append(self, entry: Entry) -> int:
        """Store an entry and return its position. On return it survives a power cut.

        Raises sqlite3.OperationalError when the disk is full or broken; nothing is stored.
        """
        body = self._encode(entry)
        with self._lock, _damage_told(self._path):
            at_ms = max(self._clock_ms(), self._at_ms)
            self._last, self._at_ms = self._insert(at_ms, body), at_ms
            return self._last

    def extend(self, entries: Iterable[tuple[int, Entry]]) -> int:
        """Store entries that came at times of their own, none of them falling, in one commit.

        For a clock that jumps from message to message. Returns the newest position.
        """
        encoded = [(at_ms, self._encode(entry)) for at_ms, entry in entries]
        with self._lock, _damage_told(self._path):
            last, newest_ms = self._last, self._at_ms
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                for at_ms, body in encoded:
                    newest_ms = max(at_ms, newest_ms)
                    last = self._insert(newest_ms, body)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._last, self._at_ms = last, newest_ms
            return last

    def _encode(self, entry: Entry) -> bytes:
        body = self._encoder.encode(entry)
        large = len(body) >= COMPRESS_FROM_BYTES
        return b"z" + zlib.compress(body, 1) if large else b"r" + body

    def _insert(self, at_ms: int, body: bytes) -> int:
        cursor = self._writer.execute("INSERT INTO entry(at_ms, body) VALUES (?, ?)", (at_ms, body))
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def after(self, position: int, limit: int) -> list[tuple[int, int, Entry]]:
        """Up to `limit` entries behind `position`: (position, arrival in ms, entry).

        For one reading thread.
        """
        with _damage_told(self._path):
            rows = self._reader.execute(
                "SELECT pos, at_ms, body FROM entry WHERE pos > ? ORDER BY pos LIMIT ?",
                (position, limit),
            ).fetchall()
        return [(pos, at_ms, self._decode(pos, body)) for pos, at_ms, body in rows]

    def all_after(self, position: int) -> Iterator[tuple[int, int, Entry]]:
        """Every entry behind `position`, a few at a time."""
        while found := self.after(position, 64):
            yield from found
            position = found[-1][0]

    def trim(self, *, up_to: int, older_than_ms: int) -> int:
        """Forget entries up to a position that are older than a time; returns how many."""
        with self._lock, _damage_told(self._path):
            cursor = self._writer.execute(
                "DELETE FROM entry WHERE pos IN "
                "(SELECT pos FROM entry WHERE pos <= ? AND at_ms < ? ORDER BY pos LIMIT 1000)",
                (up_to, older_than_ms),
            )
            return cursor.rowcount

    def close(self) -> None:
        with self._lock:
            self._reader.close()
            self._writer.close()

    def _decode(self, position: int, body: bytes) -> Entry:
        try:
            packed = zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]
            return self._decoder.decode(packed)
        except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise JournalDamagedError(self._path, f"entry {position}: {error}") from error

    def _sequence(self) -> int:
        row = self._writer.execute("SELECT seq FROM sqlite_sequence WHERE name='entry'").fetchone()
        return int(row[0]) if row else 0


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL, not NORMAL: what is acknowledged to the broker must survive a power cut.
    connection.execute("PRAGMA synchronous=FULL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        connection.close()
        raise SchemaError(path, version, SCHEMA_VERSION)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS entry("
        "pos INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, body BLOB NOT NULL)"
    )
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    return connection


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Better now, with an operator at hand, than when the entry is one day let go."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if pages * connection.execute("PRAGMA page_size").fetchone()[0] <= CHECKED_BYTES_MAX:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalDamagedError(path, " ".join(str(found).split()))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """A disk that refuses is the caller's to wait for; a file that is broken stays so."""
    try:
        yield
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise JournalDamagedError(path, str(error)) from error


class JournalDamagedError(Exception):
    """Entries that were there can't be read any more: a bad disk, or a hand in the files."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} is damaged ({why}). Keep a copy of {path.parent}, then "
            "put back the newest backup (songtien restore), or begin with another data.dir: "
            "what broker and gateways still hold comes by itself"
        )


class SchemaError(Exception):
    """A file of the data directory was written by another version of the service."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(f"{path}: schema version {found}; this version of songtien reads {known}")
