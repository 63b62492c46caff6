"""The data directory: one service at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ingest.faults import ConfigError, Fault

RESTORING = "restoring"
"""A file of this name says that a restore has moved some files and not yet all."""


@dataclass(frozen=True, slots=True)
class Files:
    """What stands where."""

    journal: Path
    store: Path
    auth: Path
    webhooks: Path
    wall: Path
    people: Path
    telling: Path

    @classmethod
    def of(cls, directory: Path) -> "Files":
        return cls(
            directory / "journal.sqlite",
            directory / "store.sqlite",
            directory / "auth.sqlite",
            directory / "webhooks.sqlite",
            directory / "wall.sqlite",
            directory / "farmers.sqlite",
            directory / "telling.sqlite",
        )


def make(directory: Path) -> Files:
    """Make the directory where it is missing, for its owner alone."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            [Fault("data", "dir", str(directory), f"a writable directory ({error.strerror})")]
        ) from error
    return Files.of(directory)


def _lock_file(directory: Path) -> TextIO:
    try:
        return (directory / "lock").open("a+")
    except OSError as error:
        accepted = f"a directory whose file lock can be written ({error.strerror})"
        raise ConfigError([Fault("data", "dir", str(directory), accepted)]) from error


@contextmanager
def held(directory: Path, *, restoring: bool = False) -> Iterator[Files]:
    """Hold the directory against a second service. The kernel lets go when we die.

    restoring : whether it is held to restore a backup into it
    """
    files = make(directory)
    with _lock_file(directory) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            accepted = f"a directory of its own: process {holder} is using this one"
            raise ConfigError([Fault("data", "dir", str(directory), accepted)]) from None
        if (directory / RESTORING).exists() and not restoring:
            accepted = (
                "a directory whose restore has come to its end: `songtien restore` was cut short "
                "here, run it again with --replace"
            )
            raise ConfigError([Fault("data", "dir", str(directory), accepted)])
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield files
