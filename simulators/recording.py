"""Messages as a file: JSON Lines, one message a line, plain or as .gz.

    {"at":1767000000123,"topic":"tiengiang/v1/…/obs","payload":"{…}"}

`at` is when the device sent it, ms UTC; `payload` its text.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from simulators.message import Message


def write_messages(path: Path, messages: Iterable[Message]) -> tuple[int, int]:
    """Write all messages; the numbers of messages and of samples. The same gives the same bytes."""
    count = samples = 0
    with _opened(path) as write:
        for message in messages:
            line = {
                "at": message.publish_ms,
                "topic": message.topic,
                "payload": message.payload.decode(),
            }
            write(msgspec.json.encode(line) + b"\n")
            count += 1
            samples += message.samples
    return count, samples


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[bytes], int]]:
    with path.open("wb") as raw:
        if path.name.endswith(".gz"):
            # No name and no time in the header, which would make equal content differ.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                yield packed.write
        else:
            yield raw.write
