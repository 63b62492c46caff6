"""A copy of the data directory, taken while the service runs.

The files are copied as they stood at one moment, in which they belong together: the journal
has every entry that the store has committed, and every one behind the store's checkpoint. So
a service that is started on the copy goes on from it, as after a crash at that moment.
"""

import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from api.auth import file as auth
from api.people import file as people
from ingest import journal, store_file
from ingest.faults import ConfigError, Fault
from ingest.journal import SchemaError
from songtien.datadir import Files
from songtien.rewind import wall_file
from songtien.telling import schema as telling

FORMAT = 1
MANIFEST = "manifest.json"
SCHEMAS = {
    "store.sqlite": store_file.SCHEMA_VERSION,
    "journal.sqlite": journal.SCHEMA_VERSION,
    "auth.sqlite": auth.SCHEMA_VERSION,
    "wall.sqlite": wall_file.SCHEMA_VERSION,
    "farmers.sqlite": people.SCHEMA_VERSION,
    "telling.sqlite": telling.VERSION,
    "webhooks.sqlite": 0,
}
"""The newest schema that this version reads, of each file."""

COPIED = ("store", "journal", "auth", "wall", "people", "telling", "webhooks")
"""Of `songtien.datadir.Files`. The store comes first: those that say how far something has been
told may be ahead of it, and are then set back to its end when a service starts."""

KEYS = ("farmers.key", "channel-*.key")
"""No part of a copy: who finds it must not be able to read people's addresses with what lies beside
them, nor tell browsers something in our name."""

PAGES_AT_ONCE = 256
"""1 MiB, then the disk and the processor are left to the service for as long as it took."""

PAUSE_MAX_S = 0.05
SYNC_EVERY_BYTES = 4 * 2**20
"""What stands unwritten in memory when a file is synced at its end would hold up the service's
own commits on the same disk."""

SNAPSHOTS_MAX = 10
_ALL = 2**31 - 1
SPARE_BYTES = 64 * 2**20
"""Left free on the disk of the copy: it may be the one on which the service writes."""

Shown = Callable[[str, float], None]
"""(what is being done, how far from 0 to 1)."""


class BackupError(Exception):
    """There is no copy, or it can't be used; the message says why."""


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup. `schema` is SQLite's user_version."""

    name: str
    bytes: int
    sha256: str
    schema: int


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of the journal: the checkpoint's, the store's, and the journal's newest.

    `behind` counts the journal's entries after the checkpoint.
    """

    checkpoint: int
    stored: int
    journal: int
    behind: int

    @property
    def together(self) -> bool:
        """Whether a start from the checkpoint finds every entry up to the newest."""
        return self.stored <= self.journal and self.behind == self.journal - self.checkpoint


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; it stands beside the files as `manifest.json`."""

    format: int
    songtien: str
    taken_at: str
    taken_ms: int
    positions: Positions
    files: list[Copied]


def backup(files: Files, target: Path, *, now_ms: int, shown: Shown) -> Manifest:
    """Copy the files of a data directory into `target`, which must not be there yet, or empty.

    The copy has that name only once it is whole, checked and on the disk. Readings go on
    meanwhile; the service needs not to run.

    Raises
    ------
    ConfigError : `target` holds something, or the data directory nothing
    SchemaError : a newer version of the service wrote the files
    BackupError : the disk is full, a file is damaged, or the files are not of one service
    """
    _check_empty(target)
    # Not the files' own sizes: what waits in SQLite's logs belongs to the copy.
    with ExitStack() as open_files, _told(target):
        found, positions = _moment(files, open_files)
        _check_space(target.parent, sum(_bytes(each) for each in found.values()))
        stage = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        )
        try:
            for name in list(found):
                with closing(found.pop(name)) as source:
                    _copy(source, stage / name, lambda far, name=name: shown(name, far))  # type: ignore[misc]
            copied = [_checked(stage / name, shown) for name in SCHEMAS if (stage / name).exists()]
            manifest = Manifest(
                format=FORMAT,
                songtien=version("songtien"),
                taken_at=datetime.fromtimestamp(now_ms // 1000, UTC).isoformat(),
                taken_ms=now_ms,
                positions=positions,
                files=copied,
            )
            _write(stage / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            sync_directory(stage)
            stage.rename(target)
            sync_directory(target.parent)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
    return manifest


def keys_in(directory: Path) -> list[str]:
    """Names of the keys that stand in a data directory, of which a backup takes none."""
    return sorted(path.name for pattern in KEYS for path in directory.glob(pattern))


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise BackupError(
            f"no backup was made, nothing is left of it: {target}: {error}"
        ) from error


def _check_empty(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        accepted = "a directory that is not there yet, or an empty one"
    elif target.is_mount():
        accepted = "a directory below this one: it is given its name at the end, a mount keeps its"
    elif not target.parent.is_dir():
        accepted = "a directory in one that is there"
    else:
        return
    raise ConfigError([Fault("backup", "DIR", str(target), accepted)])


def _moment(files: Files, open_files: ExitStack) -> tuple[dict[str, sqlite3.Connection], Positions]:
    """Each file as of one moment, in which store and journal belong together.

    A reading transaction keeps a file as it was (SQLite's WAL), while others write on. The
    store's comes first: what it has committed stood in the journal before. Only its checkpoint
    may have been replaced since, and the journal trimmed up to the new one.
    """
    missing = [path.name for path in (files.store, files.journal) if not path.exists()]
    if missing:
        accepted = f"a directory that a service has written to (there is no {missing[0]})"
        raise ConfigError([Fault("data", "dir", str(files.store.parent), accepted)])
    for _ in range(SNAPSHOTS_MAX):
        with ExitStack() as tried:
            found = {
                path.name: tried.enter_context(closing(_as_of_now(path)))
                for path in (getattr(files, name) for name in COPIED)
                if path.exists()
            }
            positions = _positions(found[files.store.name], found[files.journal.name])
            if positions.together:
                open_files.push(tried.pop_all())
                return found, positions
    raise BackupError(
        f"{files.journal} and {files.store} do not belong together: of the journal's entries "
        f"after the checkpoint's, {positions.checkpoint}, up to {positions.journal} there are "
        f"{positions.behind}; the store has committed {positions.stored}"
    )


def _as_of_now(path: Path) -> sqlite3.Connection:
    # Read-only: the last connection to close a file tidies its log away, by its name, and that
    # may be another's by then.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=20
    )
    try:
        connection.execute("BEGIN")
        # The first reading: the moment is now.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        check_schema(path, _schema(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def check_schema(path: Path, found: int) -> None:
    """Raise SchemaError for a file that a newer version of the service has written."""
    if found > SCHEMAS[path.name]:
        raise SchemaError(path, found, SCHEMAS[path.name])


def _schema(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _positions(stored: sqlite3.Connection, entries: sqlite3.Connection) -> Positions:
    (checkpoint,) = stored.execute("SELECT coalesce(max(pos), 0) FROM checkpoint").fetchone()
    (committed,) = stored.execute(
        "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'position'"
    ).fetchone()
    # Of a journal that is trimmed to nothing the sequence alone knows how far it went.
    (newest,) = entries.execute(
        "SELECT max(coalesce((SELECT max(pos) FROM entry), 0),"
        " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0))"
    ).fetchone()
    (behind,) = entries.execute(
        "SELECT count(*) FROM entry WHERE pos > ?", (checkpoint,)
    ).fetchone()
    return Positions(checkpoint=checkpoint, stored=committed, journal=newest, behind=behind)


def _bytes(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def _check_space(directory: Path, wanted: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < wanted + SPARE_BYTES:
        raise BackupError(
            f"{directory}: {free:,} bytes are free; the copy takes {wanted:,}, and "
            f"{SPARE_BYTES:,} are left to others"
        )


def _copy(source: sqlite3.Connection, path: Path, shown: Callable[[float], None]) -> None:
    """A file as its connection sees it, for its owner alone: auth.sqlite holds hashes."""
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    unsynced = 0
    begun = time.monotonic()

    def pause(_status: int, remaining: int, total: int) -> None:
        nonlocal unsynced, begun
        shown(1 - remaining / total if total else 1.0)
        unsynced += PAGES_AT_ONCE * page_bytes
        if unsynced >= SYNC_EVERY_BYTES:
            os.fdatasync(number)
            unsynced = 0
        # Half of the time is left to whoever is in a hurry.
        time.sleep(min(PAUSE_MAX_S, time.monotonic() - begun))
        begun = time.monotonic()

    (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            # Half a copy is thrown away, so nothing must be able to undo it.
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")
            source.backup(copy, pages=PAGES_AT_ONCE, progress=pause)
        os.fsync(number)
    finally:
        os.close(number)


def _checked(path: Path, shown: Shown) -> Copied:
    """What is said of a copy, which SQLite finds whole."""
    shown(f"checking {path.name}", 0.0)
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as copy:
        if found := _damage(copy):
            raise BackupError(f"{path.name} of the data directory is damaged: {found}")
        schema = _schema(copy)
    shown(f"checking {path.name}", 0.5)
    return Copied(name=path.name, bytes=path.stat().st_size, sha256=digest_of(path), schema=schema)


_NULL_VALUE = re.compile(r"NULL value in (\w+)\.(\w+)")


def _damage(copy: sqlite3.Connection) -> str | None:
    """What SQLite finds wrong with a file, in its own words.

    Debian 12's SQLite, 3.40.1, sees a NULL in each row of a table WITHOUT ROWID whose columns
    stand in another order than its key's, such as lane_interval: so every finding is asked for,
    and those are looked up.
    """
    nulls = set()
    for (found,) in copy.execute(f"PRAGMA integrity_check({_ALL})"):
        match = _NULL_VALUE.fullmatch(found)
        if match is None:
            return None if found == "ok" else str(found)
        nulls.add(match.groups())
    for table, column in nulls:
        # Not IS NULL: of a column that is NOT NULL SQLite takes that for never true.
        query = f"SELECT 1 FROM {table} WHERE typeof({column}) = 'null' LIMIT 1"  # noqa: S608 - names of tables
        if copy.execute(query).fetchone():
            return f"NULL value in {table}.{column}"
    return None


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, body: bytes) -> None:
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(number, "wb") as file:  # noqa: PTH123 - a file that is open already
        file.write(body + b"\n")
        file.flush()
        os.fsync(number)
