"""What must be so once a fault is over, whatever it was."""

import sqlite3
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from ingest.journal import Entry, Messages
from tests.e2e.running import Service, eventually
from tests.faults import oracle
from tests.faults.feeds import Sent
from tests.faults.undisturbed import Undisturbed, alerts_differ

READY_WITHIN_S = 30.0

_FALSE_ALARM = ("NULL value in lane_interval.body",)
"""What SQLite 3.40 says of any table WITHOUT ROWID that has a column of its key behind another
that is no part of it, also of a new one with one row that has no NULL."""


def ready_again(service: Service, since_s: float) -> float:
    """Seconds from the end of the fault, `time.monotonic()`, until it is ready; 30 at most."""
    left_s = READY_WITHIN_S - (time.monotonic() - since_s)
    eventually(lambda: is_ready(service), "ready again", left_s)
    return time.monotonic() - since_s


def is_ready(service: Service) -> bool:
    """Also where nobody answers: then it isn't."""
    try:
        return service.ready
    except OSError:
        return False
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("httpx", "httpcore"):
            return False
        raise


def readings_in(directory: Path) -> int:
    """How many readings of devices the store's file holds; 0 before it is made."""
    try:
        return len(oracle.stored_in(directory))
    except sqlite3.OperationalError:
        return 0


def messages_in(directory: Path) -> int:
    """How many messages the journal's file holds."""
    decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)
    uri = f"{(directory / 'journal.sqlite').as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=20)) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM entry")]
    packed = [zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:] for body in bodies]
    entries = [decoder.decode(each) for each in packed]
    return sum(len(each.topics) for each in entries if isinstance(each, Messages))


def all_stored(service: Service, expected: oracle.Content, within_s: float = 60.0) -> None:
    """Wait until as many readings are there as must be, and nothing is in flight."""
    count = len(expected.values)
    eventually(lambda: readings_in(service.data) >= count, f"{count} readings stored", within_s)
    eventually(lambda: not service.counted("samples_in_flight"), "nothing in flight", within_s)


def as_sent(
    service: Service, expected: oracle.Content, quiet: Undisturbed | None, *, flags: bool = True
) -> None:
    """Stored == sent by content, the accounting exact, no alert lost or repeated.

    flags : whether each reading has the flag of the undisturbed run; not where it came so
        late that its neighbours had been decided
    """
    service.metrics()  # asserts the accounting identity
    found = oracle.store_differs(service.data, expected)
    assert not found, f"content: {found}"
    if quiet is not None:
        if flags:
            judged = oracle.flags_in(service.data)
            assert judged == quiet.flags, _first_other(judged, quiet.flags)
        alerts = alerts_differ(quiet, service.alert_events())
        assert not alerts, f"alerts: {alerts}"
    for name in ("journal.sqlite", "store.sqlite"):
        assert _check(service.data / name) == [("ok",)], name


def _first_other(found: dict[oracle.Key, Any], expected: dict[oracle.Key, Any]) -> str:
    keys = [k for k in expected if found.get(k) != expected[k]]
    shown = [(k, found.get(k), expected[k]) for k in sorted(keys)[:3]]
    return f"{len(keys)} flags, found and expected: {shown}"


def _check(path: Path) -> list[tuple[str, ...]]:
    """What SQLite finds wrong with a file: the one row "ok"."""
    with closing(sqlite3.connect(path, timeout=20)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found and found[0] == _FALSE_ALARM:
            null = connection.execute("SELECT count(*) FROM lane_interval WHERE body IS NULL")
            assert null.fetchone() == (0,)
            found = [each for each in found if each != _FALSE_ALARM] or [("ok",)]
        return found


def pairs(feed: Sequence[Sent]) -> list[tuple[str, bytes]]:
    """(topic, payload), as a gateway takes them."""
    return [(sent.topic, sent.payload) for sent in feed]
