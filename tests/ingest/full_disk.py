"""A disk that is full, for files of this process."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Files can't grow beyond what the largest of them has now."""
    size = max(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
