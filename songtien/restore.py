"""A backup, put into the data directory of a service that does not run."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from api.people.file import carry_stops
from ingest.faults import ConfigError, Fault
from songtien import datadir
from songtien.backup import (
    FORMAT,
    MANIFEST,
    SCHEMAS,
    BackupError,
    Manifest,
    Shown,
    check_schema,
    digest_of,
    sync_directory,
)

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a file. An older log beside a restored file would be its ruin."""

_STAGE = "restoring.files"
PEOPLE = "farmers.sqlite"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place; `aside` is where older files went, if there were any."""

    manifest: Manifest
    aside: Path | None


def restore(source: Path, directory: Path, *, replace: bool, now_ms: int, shown: Shown) -> Restored:
    """Put the files of a backup into a data directory.

    They are copied beside their places, compared with the manifest once more, and then named;
    older files are moved into a directory below, never removed.

    Raises
    ------
    ConfigError : a service runs on the directory, it holds readings and `replace` is not
        wanted, or `source` is no backup
    SchemaError : the backup is of a newer version of the service
    BackupError : a file of the backup is missing or not what it was, or the disk is full
    """
    manifest = read_manifest(source)
    with ExitStack() as stack:
        files = None
        if directory.is_dir():  # what refuses at once is told before the long reading
            files = stack.enter_context(datadir.held(directory, restoring=True))
            _check_free(directory, replace=replace)
        _verify(source, manifest, shown)
        if files is None:
            stack.enter_context(datadir.held(directory, restoring=True))
            _check_free(directory, replace=replace)
        stage = directory / _STAGE
        try:
            _stage(source, stage, manifest, shown)
        except BaseException as error:
            shutil.rmtree(stage, ignore_errors=True)
            if isinstance(error, sqlite3.Error | OSError):
                raise BackupError(
                    f"nothing was restored, {directory} is as it was: {error}"
                ) from error
            raise
        return Restored(manifest, _swap(stage, directory, manifest, now_ms))


def keys_missing(manifest: Manifest, directory: Path, wanted: Iterable[Path]) -> list[Path]:
    """Keys that a service on the restored files needs, and that stand nowhere yet.

    wanted : of people's addresses, and of channels; in the directory, or with a place of their own
    """
    names = {file.name for file in manifest.files}
    paths = [directory / path for path in wanted]
    return [path for path in paths if PEOPLE in names and not path.exists()]


def read_manifest(source: Path) -> Manifest:
    """What a backup says of itself. Raises ConfigError where there is none that we can read."""
    path = source / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        accepted = f"a directory that `songtien backup` has written ({error.strerror}: {MANIFEST})"
    except msgspec.DecodeError as error:
        accepted = f"a directory that `songtien backup` has written ({MANIFEST}: {error})"
    else:
        names = [file.name for file in manifest.files]
        if manifest.format > FORMAT:
            accepted = f"a backup in format {FORMAT} or older, this one is in {manifest.format}"
        elif set(names) - set(SCHEMAS) or len(set(names)) < len(names):
            accepted = f"files named {', '.join(SCHEMAS)}, each once, in {MANIFEST}"
        elif not {"store.sqlite", "journal.sqlite"} <= set(names):
            accepted = f"store.sqlite and journal.sqlite in {MANIFEST}"
        else:
            return manifest
    raise ConfigError([Fault("restore", "DIR", str(source), accepted)])


def _verify(source: Path, manifest: Manifest, shown: Shown) -> None:
    for file in manifest.files:
        check_schema(source / file.name, file.schema)
    for done, file in enumerate(manifest.files):
        shown(f"checking {file.name}", done / len(manifest.files))
        _compare(source / file.name, file.sha256)


def _compare(path: Path, sha256: str) -> None:
    try:
        found = digest_of(path)
    except OSError as error:
        raise BackupError(f"the backup is damaged: {path}: {error.strerror}") from error
    if found != sha256:
        raise BackupError(
            f"the backup is damaged: {path} has SHA-256 {found}, the manifest says {sha256}"
        )


def _present(directory: Path) -> list[Path]:
    names = [f"{name}{more}" for name in SCHEMAS for more in _BESIDE]
    return [directory / name for name in names if (directory / name).exists()]


def _check_free(directory: Path, *, replace: bool) -> None:
    if not replace and (present := _present(directory)):
        accepted = (
            f"a directory without readings: {present[0].name} stands in it. "
            "With --replace it is moved aside"
        )
        raise ConfigError([Fault("data", "dir", str(directory), accepted)])


def _stage(source: Path, stage: Path, manifest: Manifest, shown: Shown) -> None:
    """Copies that are what they should be and on the disk, beside their places."""
    if stage.exists():  # copies, of a restore that was killed
        shutil.rmtree(stage)
    stage.mkdir(mode=0o700)
    for done, file in enumerate(manifest.files):
        shown(f"copying {file.name}", done / len(manifest.files))
        place = stage / file.name
        number = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(number, "wb") as copy, (source / file.name).open("rb") as body:  # noqa: PTH123 - a file that is open already
            shutil.copyfileobj(body, copy, 2**20)
            copy.flush()
            os.fsync(number)
        _compare(place, file.sha256)
    _begin_anew(stage / "store.sqlite")
    _still_stopped(stage / PEOPLE, stage.parent / PEOPLE)
    sync_directory(stage)


def _still_stopped(restored: Path, older: Path) -> None:
    """Who has stopped since the backup is told nothing after it either, as far as it is known."""
    if not (restored.exists() and older.exists()):
        return
    try:
        carry_stops(older, restored)
    except sqlite3.DatabaseError as error:
        # It may be what is restored for.
        log.warning("who has stopped since the backup can't be read: %s", error)


def _begin_anew(store: Path) -> None:
    """Let go of what holds only for those who heard the rest of the older life.

    Positions of alerts: what was told after the backup is not in it, and its positions will be
    given to other events. A screen that resumed from one of them would never hear of those.
    And how far the historian is: it may be another one by now, and points that are written
    again only replace themselves.
    """
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("DELETE FROM meta WHERE key IN ('alerts_epoch', 'drain_target')")


def _swap(stage: Path, directory: Path, manifest: Manifest, now_ms: int) -> Path | None:
    """Move the older files aside and the new ones to their places.

    Between the first of them and the last no service may start here, also if we die: a mark
    says so (`datadir.held`).
    """
    mark = directory / datadir.RESTORING
    mark.touch(mode=0o600)
    sync_directory(directory)
    aside = None
    if present := _present(directory):
        at = datetime.fromtimestamp(now_ms // 1000, UTC)
        aside = directory / f"replaced-{at:%Y%m%dT%H%M%S}.{now_ms % 1000:03}Z"
        aside.mkdir(mode=0o700)
        for path in present:
            path.rename(aside / path.name)
        sync_directory(aside)
    for file in manifest.files:
        (stage / file.name).rename(directory / file.name)
    stage.rmdir()
    sync_directory(directory)
    mark.unlink()
    sync_directory(directory)
    return aside
