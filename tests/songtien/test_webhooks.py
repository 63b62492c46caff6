"""Webhooks against real receivers, and a log that real events are written into."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts import records
from alerts.alert import AlertEvent, EventType
from alerts.rules import Severity
from alerts.webhook import Pace, Undelivered, Wanted, WebhookStatus
from ingest.history import StoreReader
from ingest.store import Store
from songtien import delivery_log, webhooks
from songtien.delivery_log import UNDELIVERED_MAX, DeliveryLog
from songtien.setting_values import WebhookSettings
from songtien.webhooks import Webhooks
from tests.e2e.running import eventually, now_ms
from tests.receiver import SECRET, Received, Receiver, receiving

QUICK = Pace(first_s=0.01, longest_s=0.02, refusals_max=3)
ALL = Wanted(frozenset(), Severity.WARNING, simulated=False)


class World:
    """A store with a log of alert events, and webhooks on it that can be started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = Store(directory / "store.sqlite")
        self.store.prepare(records.create)
        self.reader = StoreReader(directory / "store.sqlite")
        self.running: Webhooks | None = None
        self.deaths: list[BaseException] = []

    def start(self, *settings: WebhookSettings, pace: Pace = QUICK) -> Webhooks:
        self.running = Webhooks(
            settings,
            self.reader,
            self.directory / "webhooks.sqlite",
            version="0",
            clock_ms=now_ms,
            on_death=self.deaths.append,
            pace=pace,
        )
        self.running.start()
        return self.running

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
            self.running.close()
            self.running = None

    def tell(self, alert: str, kind: str = "raised", **changes: Any) -> str:
        """Write an event as the processor does, and wake; gives its key."""
        at_ms = changes.pop("at_ms", now_ms())
        body = {"id": alert, "historic": False, "state": "unacked", "t_since": at_ms}
        body |= {"severity": "critical", "rule": "salinity-4"} | changes
        event = AlertEvent(EventType(kind), body, at_ms, True, "Lan", "a note", {}, True)
        with self.store.transaction() as connection:
            (pos,) = records.write(connection, [event])
        if self.running is not None:
            self.running.wake()
        return f"{alert}-{pos}"

    def status(self, name: str = "duty") -> WebhookStatus:
        assert self.running is not None
        return next(each for each in self.running.status() if each.name == name)

    def close(self) -> None:
        self.stop()
        self.reader.close()
        self.store.close()
        assert self.deaths == []


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def to(url: str, name: str = "duty", wanted: Wanted = ALL) -> WebhookSettings:
    return WebhookSettings(name, url, SECRET, wanted)


def refusing(count: int, status: int = 503, **headers: str) -> Callable[[Received, int], Any]:
    """A status for the first requests, 200 for what comes after them."""
    return lambda _request, number: (status, headers) if number <= count else 200


def test_events_come_in_order_signed_each_once(world: World) -> None:
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url))
        keys = [world.tell(f"alert-{n}") for n in range(5)]
        keys += [world.tell("alert-0", "cleared")]
        eventually(lambda: len(receiver.received) == 6, "all delivered")
        assert receiver.keys() == keys
        first = receiver.received[0]
        assert first.path == "/hook/of-a-test"
        assert first.headers["content-type"] == "application/json"
        assert (first.said["key"], first.said["type"]) == (keys[0], "raised")
        assert first.said["alert"]["rule"] == "salinity-4"
        assert "Lan" not in first.body.decode()
        assert first.headers["x-songtien-signature"].startswith("t=")
        eventually(lambda: world.status().pending == 0, "nothing waits")
        assert world.status().delivered == 6
        assert world.status().trouble is None


def test_what_is_not_wanted_is_passed_over(world: World) -> None:
    wanted = Wanted(frozenset({"raised"}), Severity.MAJOR, simulated=False)
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url, wanted=wanted))
        world.tell("a", severity="info")
        world.tell("b", sim=True)
        world.tell("c", "cleared")
        key = world.tell("d")
        world.tell("e", severity="warning")
        eventually(lambda: world.status().pending == 0, "gone through")
        assert receiver.keys() == [key]


def test_one_that_is_away_gets_everything_when_it_is_back(world: World) -> None:
    with receiving(Receiver()) as receiver:
        port = receiver.port
    world.start(to(receiver.url))
    keys = [world.tell(f"a-{n}") for n in range(3)]
    eventually(lambda: world.status().trouble, "nobody there is told")
    assert (world.status().pending, world.status().oldest_ms is None) == (3, False)
    with receiving(Receiver(port)) as receiver:
        eventually(lambda: len(receiver.received) == 3, "all delivered")
        assert receiver.keys() == keys
        eventually(lambda: world.status().trouble is None, "well again")
    assert world.status().retries >= 1


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_an_overloaded_one_is_tried_again_with_the_same_key_and_body(
    world: World, status: int
) -> None:
    with receiving(Receiver(answers=refusing(3, status))) as receiver:
        world.start(to(receiver.url))
        key = world.tell("a")
        eventually(lambda: world.status().delivered == 1, "taken in the end")
        assert receiver.keys() == [key] * 4
        assert len({each.body for each in receiver.received}) == 1
        assert world.status().undelivered_count == 0


def test_retry_after_is_waited_for(world: World) -> None:
    asks = refusing(1, 429, **{"Retry-After": "1"})
    with receiving(Receiver(answers=asks)) as receiver:
        world.start(to(receiver.url))
        world.tell("a")
        eventually(lambda: receiver.received, "asked")
        begun_s = time.monotonic()
        eventually(lambda: len(receiver.received) == 2, "asked again")
        assert time.monotonic() - begun_s > 0.8


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 302])
def test_what_is_refused_is_listed_and_the_next_goes_on(world: World, status: int) -> None:
    answers = refusing(QUICK.refusals_max, status, Location="http://127.0.0.1:1/elsewhere")
    with receiving(Receiver(answers=answers)) as receiver:
        world.start(to(receiver.url))
        first, second = world.tell("a"), world.tell("b")
        eventually(lambda: world.status().delivered == 1, "the second is taken")
        assert receiver.keys() == [first] * 3 + [second]
        (lost,) = world.status().undelivered
        assert (lost.key, lost.alert, lost.type, lost.tries) == (first, "a", "raised", 3)
        assert f"status {status}" in lost.why
        world.stop()
        world.start(to(receiver.url))
        assert world.status().undelivered == (lost,), "kept"
        assert len(receiver.received) == 4, "and not sent again"


def test_an_event_of_a_day_ago_is_no_news(world: World) -> None:
    with receiving(Receiver(answers=refusing(1))) as receiver:
        world.start(to(receiver.url))
        world.tell("a", at_ms=now_ms() - 86_400_000)
        key = world.tell("b")
        eventually(lambda: world.status().delivered == 1, "the young one is taken")
        assert receiver.keys()[-1] == key
        assert "too old after 1 tries: status 503" in world.status().undelivered[0].why


def test_a_dead_receiver_starves_no_other(world: World) -> None:
    hangs = threading.Event()

    def hang(_request: Received, _number: int) -> int:
        hangs.wait(20)
        return 200

    with receiving(Receiver(answers=hang)) as dead, receiving(Receiver()) as well:
        world.start(to(dead.url, "dead"), to("http://127.0.0.1:1/", "nobody"), to(well.url, "well"))
        keys = [world.tell(f"a-{n}") for n in range(20)]
        eventually(lambda: len(well.received) == 20, "the living one has all", 10)
        assert well.keys() == keys
        assert len(dead.received) == 1
        begun_s = time.monotonic()
        world.stop()
        assert time.monotonic() - begun_s < 5, "and the end does not wait for it"
        hangs.set()


def test_a_new_receiver_begins_with_the_next_event_and_goes_on_where_it_was(world: World) -> None:
    world.tell("before")
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url))
        first = world.tell("a")
        eventually(lambda: world.status().pending == 0, "taken")
        world.stop()
        second = world.tell("while it was down")
        world.start(to(receiver.url), to(receiver.url, "another"))
        eventually(lambda: world.status().pending == 0, "taken")
        assert receiver.keys() == [first, second]
        world.stop()
        world.start(to(receiver.url, "another"))  # the first is named no more
        world.tell("while it was not named")
        eventually(lambda: world.status("another").pending == 0, "taken")
        world.stop()
        count = len(receiver.received)
        world.start(to(receiver.url), to(receiver.url, "another"))
        assert world.status().pending == 0
        assert len(receiver.received) == count


def test_a_death_between_the_answer_and_its_note_repeats_with_the_same_key(world: World) -> None:
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url))
        first = world.tell("a")
        eventually(lambda: world.status().pending == 0, "taken")
        world.stop()
        with sqlite3.connect(world.directory / "webhooks.sqlite") as connection:
            connection.execute("UPDATE place SET pos = pos - 1")
        connection.close()
        world.start(to(receiver.url))
        eventually(lambda: len(receiver.received) == 2, "sent once more")
        assert receiver.keys() == [first, first]
        assert receiver.received[0].body == receiver.received[1].body


def test_an_older_store_put_back_leaves_no_receiver_behind_its_end(world: World) -> None:
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url))
        world.tell("a")
        eventually(lambda: world.status().pending == 0, "taken")
        world.stop()
        with sqlite3.connect(world.directory / "webhooks.sqlite") as connection:
            connection.execute("UPDATE place SET pos = 1000")
        connection.close()
        world.start(to(receiver.url))
        key = world.tell("b")
        eventually(lambda: receiver.keys()[1:] == [key], "heard of")


def test_a_place_that_cannot_be_written_down_is_waited_for_and_nothing_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "RETRY_S", 0.02)
    monkeypatch.setattr(delivery_log, "BUSY_S", 0.02)
    with receiving(Receiver()) as receiver:
        world.start(to(receiver.url))
        other = sqlite3.connect(world.directory / "webhooks.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # nobody else can write now
        first, second = world.tell("a"), world.tell("b")
        eventually(lambda: "can't be written down" in str(world.status().trouble), "told")
        assert receiver.keys() == [first]
        other.execute("ROLLBACK")
        other.close()
        eventually(lambda: world.status().pending == 0, "written down")
        assert receiver.keys() == [first, second]
        assert world.status().trouble is None


def test_url_and_secret_are_neither_logged_nor_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(Receiver(answers=refusing(100, 404))) as receiver:
        world.start(to(receiver.url), to("http://127.0.0.1:1/of-a-test", "nobody"))
        world.tell("a")
        eventually(lambda: world.status().undelivered_count == 1, "given up")
        eventually(lambda: world.status("nobody").trouble, "nobody there")
        shown = repr([world.status(), world.status("nobody")]) + caplog.text
        shown += repr([vars(record) for record in caplog.records])
        assert world.status().host == f"http://127.0.0.1:{receiver.port}"
    for secret in ("of-a-test", SECRET):
        assert secret not in shown


def test_an_answer_without_an_end_is_not_read(world: World) -> None:
    """The body is bounded by not being asked for."""
    answers = lambda _r, _n: (200, {"Content-Length": str(10**12)})  # noqa: E731 - as short as it is
    with receiving(Receiver(answers=answers)) as receiver:
        world.start(to(receiver.url))
        world.tell("a")
        eventually(lambda: world.status().delivered == 1, "taken by its status alone")


def test_metrics_sum_over_receivers(world: World) -> None:
    with receiving(Receiver()) as receiver:
        running = world.start(to(receiver.url), to("http://127.0.0.1:1/", "nobody"))
        world.tell("a")
        eventually(lambda: world.status().delivered == 1, "taken")
        eventually(lambda: world.status("nobody").trouble, "not taken")
        assert running.counters()["webhook_delivered"][1] == 1
        gauges = {name: value for name, (_, value) in running.gauges().items()}
        assert gauges == {"webhook_pending": 1, "webhook_undelivered": 0, "webhook_troubled": 1}


def test_the_list_of_the_undelivered_has_a_bound(tmp_path: Path) -> None:
    log = DeliveryLog(tmp_path / "webhooks.sqlite")
    log.begin(["a", "b"], 0)
    for pos in range(1, UNDELIVERED_MAX + 6):
        log.move("a", pos, Undelivered(pos, f"k-{pos}", "x", "raised", pos, pos, 1, "why"))
    log.move("b", 1, Undelivered(1, "k-1", "x", "raised", 1, 1, 1, "why"))
    count, newest = log.undelivered("a", 2)
    assert count == UNDELIVERED_MAX
    assert [each.pos for each in newest] == [UNDELIVERED_MAX + 5, UNDELIVERED_MAX + 4]
    assert log.undelivered("b", 2)[0] == 1
    log.close()
    log.move("a", 99)
    assert oct((tmp_path / "webhooks.sqlite").stat().st_mode)[-3:] == "600"
