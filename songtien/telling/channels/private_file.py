"""Small files of keys and tokens in the data directory, for their owner alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ALONE: Final = 0o600


def written(path: Path, content: bytes) -> None:
    """Put it there whole or not at all, so that a death leaves the one or the other."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read(path: Path) -> bytes | None:
    """What stands there; None where there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def held(path: Path) -> Iterator[None]:
    """One process at a time: the service, or somebody who tries a channel beside it."""
    file = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ALONE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
