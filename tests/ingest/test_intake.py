"""The intake with a real journal; links are stand-ins that write down what is acknowledged."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import pytest

from ingest import intake as intakes
from ingest.intake import Intake
from ingest.journal import Journal, Messages
from ingest.link import Delivery
from ingest.mqtt import Link
from ingest.publishes import Publish

DEADLINE_S = 20.0


class Wire:
    """As much of a link as the intake may use, and the order of what reached it."""

    def __init__(self, said: list[tuple[str, Any]]) -> None:
        self.ended = threading.Event()
        self._said = said

    def ack(self, published: Sequence[Publish]) -> None:
        self._said.extend(("ack", mid) for mid, qos, _, _ in published if qos)


class Watched(Journal):
    """Says when it has stored, in the same list; refuses as often as it is told to."""

    def __init__(self, path: Path, said: list[tuple[str, Any]]) -> None:
        super().__init__(path, lambda: 1)
        self.said = said
        self.refuses = 0
        self.refused = 0

    def append(self, entry: Any) -> int:
        if self.refuses:
            self.refuses -= 1
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        position = super().append(entry)
        self.said.append(("stored", entry.payloads))
        return position


class Rig:
    def __init__(self, path: Path, *, busy: bool = False) -> None:
        self.said: list[tuple[str, Any]] = []
        self.journal = Watched(path / "journal", self.said)
        self.deliveries: SimpleQueue[Delivery] = SimpleQueue()
        self.appended: list[int] = []
        self.intake = Intake(
            self.journal,
            self.deliveries,
            busy=lambda: busy,
            ignored=lambda topic: topic.startswith("own/"),
            appended=self.appended.append,
        )
        self.wire = self.link()

    def link(self) -> Wire:
        return Wire(self.said)

    def bring(self, *published: Publish, link: Wire | None = None) -> None:
        self.deliveries.put((cast(Link, link or self.wire), list(published)))

    def entries(self) -> list[Messages]:
        found = [entry for _, _, entry in self.journal.after(0, 10_000)]
        assert all(isinstance(entry, Messages) for entry in found)
        return cast(list[Messages], found)

    def acked(self) -> list[int]:
        return [mid for kind, mid in self.said if kind == "ack"]

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.intake.run)
        thread.start()
        try:
            yield
        finally:
            self.intake.stop()
            thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.journal.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.002)


def message(mid: int, qos: int = 1, topic: str = "t") -> Publish:
    return mid if qos else 0, qos, topic, str(mid).encode()


def test_what_waits_is_one_entry_stored_before_any_of_it_is_acknowledged(rig: Rig) -> None:
    rig.bring(message(1), message(2))
    rig.bring(message(3), link=rig.link())
    with rig.running():
        until(lambda: len(rig.acked()) == 3)
    assert rig.said == [("stored", [b"1", b"2", b"3"]), ("ack", 1), ("ack", 2), ("ack", 3)]
    assert rig.entries() == [Messages(["t", "t", "t"], [b"1", b"2", b"3"])]
    assert rig.appended == [1]


def test_acks_go_out_in_the_order_of_arrival_however_it_was_split(rig: Rig) -> None:
    with rig.running():
        for first in range(1, 300, 3):
            rig.bring(*(message(mid) for mid in range(first, first + 3)))
        until(lambda: len(rig.acked()) == 300)
    assert rig.acked() == list(range(1, 301))
    assert [body for entry in rig.entries() for body in entry.payloads] == [
        str(mid).encode() for mid in range(1, 301)
    ]


def test_what_we_say_ourselves_is_not_kept_and_acknowledged_in_its_turn(rig: Rig) -> None:
    rig.bring(message(1), message(2, topic="own/alerts"), message(3))
    with rig.running():
        until(lambda: len(rig.acked()) == 3)
        rig.bring(message(4, topic="own/alerts"))
        until(lambda: len(rig.acked()) == 4)
    assert rig.acked() == [1, 2, 3, 4]
    assert [entry.payloads for entry in rig.entries()] == [[b"1", b"3"]]


def test_what_came_at_qos_0_is_kept_and_needs_no_ack(rig: Rig) -> None:
    rig.bring(message(1, qos=0), message(2))
    with rig.running():
        until(lambda: len(rig.acked()) == 1)
    assert rig.acked() == [2]
    assert [entry.payloads for entry in rig.entries()] == [[b"1", b"2"]]


def test_on_a_full_disk_nothing_is_acknowledged_and_then_everything_in_order(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "RETRY_S", 0.01)
    rig.journal.refuses = 20
    rig.bring(message(1))
    with rig.running():
        until(lambda: rig.intake.trouble == "database or disk is full")
        rig.bring(message(2))
        until(lambda: len(rig.acked()) == 2)
        assert rig.intake.trouble is None
    assert rig.said == [("stored", [b"1"]), ("ack", 1), ("stored", [b"2"]), ("ack", 2)]


def test_what_came_on_a_connection_that_has_ended_keeps_its_place(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "RETRY_S", 0.01)
    rig.journal.refuses = 10**6
    rig.bring(message(1), message(2, qos=0))
    with rig.running():
        until(lambda: rig.journal.refused >= 1)
        rig.bring(message(3))
        rig.wire.ended.set()
        refused = rig.journal.refused
        until(lambda: rig.journal.refused > refused + 1)
        rig.journal.refuses = 0
        until(lambda: len(rig.entries()) == 2)
    assert [entry.payloads for entry in rig.entries()] == [[b"1", b"2"], [b"3"]]


def test_stopped_while_the_disk_refuses_it_ends_without_an_ack(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "RETRY_S", 0.01)
    rig.journal.refuses = 10**6
    rig.bring(message(1))
    with rig.running():
        until(lambda: rig.journal.refused >= 1)
    assert rig.said == []


@pytest.mark.parametrize("bound", ["messages", "bytes"])
def test_entries_are_bounded_by_messages_and_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    if bound == "messages":
        monkeypatch.setattr(intakes, "BATCH_MAX", 10)
    else:
        monkeypatch.setattr(intakes, "BATCH_MAX_BYTES", 10)
    rig = Rig(tmp_path, busy=True)
    for mid in range(1, 9):
        rig.bring(*(message(mid) for _ in range(4)))
    with rig.running():
        until(lambda: len(rig.acked()) == 32)
    assert {len(entry.payloads) for entry in rig.entries()} <= {8, 12}
    rig.journal.close()


def test_when_it_is_quiet_nothing_waits_for_company(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "GATHER_S", 10**6)
    with rig.running():
        rig.bring(message(1))
        until(lambda: rig.acked() == [1])


def test_while_the_processor_is_busy_a_batch_gathers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "GATHER_S", 0.3)
    rig = Rig(tmp_path, busy=True)
    with rig.running():
        rig.bring(message(1))
        rig.bring(message(2))
        until(lambda: len(rig.acked()) == 2)
    assert len(rig.entries()) == 1
    rig.journal.close()
