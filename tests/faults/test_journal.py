"""A journal whose file is damaged: what was being written vanishes, what was there is missed."""

import json
import random
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import eventually, now_ms, songtien
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs, readings_in
from tests.faults.forked import ForkedService
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker]

ROUNDS = 12
REGISTRY = feeds.registry(6, 2)
FRAME_HEAD_BYTES, WAL_HEAD_BYTES = 24, 32
"""https://www.sqlite.org/fileformat2.html#the_write_ahead_log"""

_APPEND = """
import json, os, sys
from pathlib import Path
from ingest.journal import Journal, Messages
topics, payloads = zip(*json.loads(sys.argv[2]))
journal = Journal(Path(sys.argv[1]), lambda: int(sys.argv[3]))
journal.append(Messages(list(topics), [each.encode() for each in payloads]))
os._exit(0)
"""
"""An entry more, by a process that dies behind it."""


def _feed() -> list[feeds.Sent]:
    return feeds.river(11, end_ms=now_ms() - 60_000, rounds=ROUNDS, poison=0.1)


def _heard(serving: Serving, broker: Mosquitto, feed: list[feeds.Sent]) -> ForkedService:
    """A service that has stored a feed."""
    service = serving(made_as=ForkedService)
    assert isinstance(service, ForkedService)
    service.start()
    eventually(lambda: service.ready, "ready")
    with Publisher(broker.url, pairs(feed), 0.0) as publisher:
        eventually(lambda: publisher.done, "acknowledged by the broker")
    all_stored(service, oracle.content(feed, REGISTRY))
    return service


def _frames(wal: bytes | bytearray) -> list[tuple[int, bool]]:
    """Where each frame of the log's newest generation ends, and whether it ends a commit."""
    page_bytes = struct.unpack(">I", wal[8:12])[0]
    step = FRAME_HEAD_BYTES + page_bytes
    found = []
    for at in range(WAL_HEAD_BYTES, len(wal) - step + 1, step):
        if wal[at + 8 : at + 16] != wal[16:24]:
            break  # written before the log last began anew
        found.append((at + step, wal[at + 4 : at + 8] != b"\0\0\0\0"))
    return found


def _last_commit(wal: bytes | bytearray) -> tuple[int, int]:
    """Where the frames of the last commit begin and end."""
    frames = _frames(wal)
    before = [end for end, commits in frames[:-1] if commits]
    assert frames[-1][1], "the log ends with a commit"
    return (before[-1] if before else WAL_HEAD_BYTES), frames[-1][0]


def _cut(wal: bytearray, begin: int, end: int, draw: random.Random) -> None:
    del wal[draw.randrange(begin, end) :]


def _garbled(wal: bytearray, begin: int, end: int, draw: random.Random) -> None:
    at = draw.randrange(begin, end)
    wal[at:end] = draw.randbytes(end - at)


def _blank(wal: bytearray, begin: int, end: int, draw: random.Random) -> None:
    at = draw.randrange(begin, end)
    wal[at:end] = bytes(end - at)


@pytest.mark.parametrize("tear", [_cut, _garbled, _blank])
def test_a_torn_write_at_the_end_was_never_there_and_comes_again(
    serving: Serving,
    broker: Mosquitto,
    tear: Callable[[bytearray, int, int, random.Random], None],
) -> None:
    feed = _feed()
    expected = oracle.content(feed, REGISTRY)
    first, rest = feed[: len(feed) // 2], feed[len(feed) // 2 :]
    service = _heard(serving, broker, first)
    service.kill()
    journal = service.data / "journal.sqlite"
    log = journal.with_name("journal.sqlite-wal")
    # Of good messages, so that they can stand in an argument.
    torn = [(each.topic, each.payload.decode()) for each in rest if not each.poison]
    command = [sys.executable, "-c", _APPEND, str(journal), json.dumps(torn), str(now_ms())]
    subprocess.run(command, check=True, timeout=30)
    wal = bytearray(log.read_bytes())
    begin, end = _last_commit(wal)
    assert end - begin > 4096
    tear(wal, begin, end, random.Random(3))
    log.write_bytes(wal)

    service.start()
    assert readings_in(service.data) == len(oracle.content(first, REGISTRY).values)
    eventually(lambda: service.ready, "ready")
    with Publisher(broker.url, pairs(rest), 0.0):
        all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))


def _refused(service: ForkedService) -> str:
    """What `songtien serve` says of the directory: one line, and exit 1."""
    ended = songtien("serve", settings=service.settings)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(said) == 1, said
    assert "journal.sqlite" in said[0]
    assert "songtien restore" in said[0], "it says what to do"
    return said[0]


def _all_in_one_file(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not journal.with_name("journal.sqlite-wal").exists()


def _middle_page(file: bytearray) -> None:
    middle = len(file) // 4096 // 2 * 4096
    file[middle : middle + 64] = b"\xa5" * 64


def _short(file: bytearray) -> None:
    del file[len(file) * 2 // 3 :]


def _other_file(file: bytearray) -> None:
    file[:100] = b"\xa5" * 100


def _one_body(file: bytearray) -> None:
    """Bytes of an entry that SQLite doesn't look into."""
    at = file.index(b"z\x78\x01", len(file) // 3) + 40
    file[at : at + 64] = b"\xa5" * 64


def test_damage_among_what_was_there_is_refused_with_what_to_do(
    serving: Serving, broker: Mosquitto
) -> None:
    service = _heard(serving, broker, _feed())
    service.kill()
    journal = service.data / "journal.sqlite"
    _all_in_one_file(journal)
    whole = journal.read_bytes()
    for damage in (_middle_page, _short, _other_file, _one_body):
        file = bytearray(whole)
        damage(file)
        journal.write_bytes(file)
        assert f"{journal} is damaged" in _refused(service), damage
        for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
            journal.with_name(name).unlink(missing_ok=True)
    journal.write_bytes(whole)
    service.start()
    eventually(lambda: service.ready, "ready with the file as it was")


def test_a_journal_that_has_lost_what_the_store_has_is_refused_with_what_to_do(
    serving: Serving, broker: Mosquitto
) -> None:
    service = _heard(serving, broker, _feed())
    service.kill()
    log = service.data / "journal.sqlite-wal"
    wal = log.read_bytes()
    log.write_bytes(wal[: _last_commit(wal)[0] - 1])  # two commits are gone
    said = _refused(service)
    assert "the store has committed" in said
