"""Planner and couriers as threads, on real files, with gateways that go wrong."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.farmers import outbox
from alerts.farmers.notice import Kind
from alerts.webhook import Pace
from ingest.history import StoreReader
from ingest.store import Store
from songtien.telling.breaker import Patience
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.deliveries import Deliveries
from songtien.telling.telling import ChannelStatus, Telling, TellingSettings
from tests.e2e.running import eventually, now_ms
from tests.telling.gateway import DEAD, LOST, Answered, Gateway, serving
from tests.telling.world import Folk, notice, words

SECRET = "0123456789abcdef-of-a-test"
QUICK = TellingSettings(
    "https://tien.vn/nong-dan",
    Pace(first_s=0.02, longest_s=0.1, refusals_max=3),
    Patience(first_s=0.05, longest_s=0.2, closed_first_s=0.2),
)
AGO_MS = 120_000
"""Notices of two minutes ago: no more waiting for what may come in the same minute."""


def hook(name: str, url: str, **changes: Any) -> ChannelSettings:
    said: dict[str, Any] = {"rate_per_s": 1000.0, "timeout_s": 1.0, "budget_per_month": None}
    said |= {"cost_per_part": 0, "own": {"url": url, "secret": SECRET, "ca_file": None}}
    return ChannelSettings(name, "webhook", **(said | changes))


class Running:
    """A store with an outbox, and telling on it that can be started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = Store(directory / "store.sqlite")
        self.store.prepare(outbox.create)
        self.reader = StoreReader(directory / "store.sqlite")
        self.people = Folk()
        self.deaths: list[BaseException] = []
        self.telling: Telling | None = None

    def start(
        self, *channels: ChannelSettings, missing: Mapping[str, int] | None = None
    ) -> Telling:
        path = self.directory / "telling.sqlite"
        self.deliveries = Deliveries(path)
        self.telling = Telling(
            QUICK,
            channels,
            self.reader,
            self.people,
            self.deliveries,
            path,
            words=words,
            clock_ms=now_ms,
            on_death=self.deaths.append,
            missing=missing,
        )
        self.telling.start()
        return self.telling

    def tell(self, *kinds: Kind, people: range, event: str = "spell-1") -> None:
        followers = [(each, self.people.channel_of(each)) for each in people]
        told = [(notice(kind, now_ms() - AGO_MS, event=event), followers) for kind in kinds]
        with self.store.transaction() as connection:
            outbox.write(connection, told)
        if self.telling is not None:
            self.telling.wake()

    def status(self, name: str = "sms") -> ChannelStatus:
        assert self.telling is not None
        return next(each for each in self.telling.status() if each.name == name)

    def stop(self) -> None:
        if self.telling is not None:
            self.telling.stop()
            self.telling.close()
            self.deliveries.close()
            self.telling = None

    def close(self) -> None:
        self.stop()
        self.reader.close()
        self.store.close()
        assert self.deaths == []


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.close()


def sometimes(seed: int, *wrong: Answered) -> Callable[[str, int], Answered]:
    """Half of the answers are one of these."""
    draw = random.Random(seed)
    return lambda _key, _number: draw.choice(wrong) if draw.random() < 0.5 else 200


def test_everybody_hears_of_an_event_once(running: Running) -> None:
    with serving(Gateway()) as gateway:
        running.start(hook("sms", gateway.url))
        running.tell(Kind.SALT, people=range(1, 201))
        eventually(lambda: running.status().sent == 200, "all sent")
        assert len(gateway.requests) == 200
        assert {each.to for each in gateway.requests} == {f"+8490{n:07}" for n in range(1, 201)}
        assert max(gateway.times().values()) == 1
        assert running.status().waiting == 0
        assert running.status().trouble is None
        running.stop()
        running.start(hook("sms", gateway.url))
        running.tell(Kind.SILENT, people=range(1, 11), event="silence-1")
        eventually(lambda: running.status().sent == 10, "the next")
        assert len(gateway.requests) == 210


def test_lost_late_and_wrong_answers_repeat_with_the_same_key_and_lose_nobody(
    running: Running,
) -> None:
    answers = sometimes(3, LOST, DEAD, 503, 500, (429, {"Retry-After": "0"}))
    with serving(Gateway(answers)) as gateway:
        running.start(hook("sms", gateway.url))
        running.tell(Kind.SALT, people=range(1, 61))
        eventually(lambda: running.status().sent == 60, "all sent", 40)
        said = {(each.key, each.to, each.text) for each in gateway.requests}
        assert len(said) == 60, "a repetition is the same in all"
        assert set(gateway.times()) == {key for key, _, _ in said}
        lost = sum(gateway.times().values()) - 60
        assert lost > 0, "some answers were lost, and only these were accepted twice"
        assert running.status().undelivered == 0


def test_a_dead_gateway_starves_no_other(running: Running) -> None:
    hangs = threading.Event()

    def hang(_key: str, _number: int) -> Answered:
        hangs.wait(20)
        return DEAD

    running.people.channel_of = lambda contact: "dead" if contact % 2 else "sms"
    with serving(Gateway(hang)) as dead, serving(Gateway()) as gateway:
        try:
            running.start(hook("dead", dead.url, timeout_s=5.0), hook("sms", gateway.url))
            begun_s = time.monotonic()
            running.tell(Kind.SALT, people=range(1, 201))
            eventually(lambda: running.status().sent == 100, "the other has all")
            assert time.monotonic() - begun_s < 4.0
            assert running.status("dead").waiting == 100
            assert running.status("dead").sent == 0
            assert running.status("dead").oldest_ms is not None
        finally:
            hangs.set()
        running.stop()


def test_nobody_there_is_told_and_all_comes_when_it_is_back(running: Running) -> None:
    with serving(Gateway()) as gateway:
        port, url = gateway.port, gateway.url
    telling = running.start(hook("sms", url))
    running.tell(Kind.SALT, people=range(1, 21))
    eventually(lambda: running.status().trouble, "trouble is told")
    assert running.status().way in ("open", "half-open")
    assert telling.trouble.keys() == {"sms"}
    assert telling.channel_gauges()["telling_troubled"][1] == {"sms": 1}
    assert telling.channel_gauges()["telling_waiting"][1] == {"sms": 20}
    assert telling.outlook("spell-1").left_s is None
    with serving(Gateway(port=port)) as gateway:
        eventually(lambda: running.status().sent == 20, "all sent")
        assert max(gateway.times().values()) == 1
    assert telling.channel_counters()["telling_sent"][1] == {"sms": 20}
    assert telling.counters()["telling_planned"][1] == 20
    assert telling.trouble == {}


def test_a_code_overtakes_an_event_of_thousands(running: Running) -> None:
    with serving(Gateway()) as gateway:
        telling = running.start(hook("sms", gateway.url, rate_per_s=50.0))
        running.tell(Kind.SALT, people=range(1, 1_001))
        eventually(lambda: running.status().sent > 5, "under way")
        running.deliveries.direct(7, "sms", "code", {"code": "123456"}, "code-7", now_ms())
        eventually(lambda: "code-7" in gateway.times(), "the code", 2.0)
        outlook = telling.outlook("spell-1")
        assert outlook.progress.total == 1_000
        assert outlook.left_s == pytest.approx(outlook.progress.states["waiting"] / 50, rel=0.5)


def test_the_rate_of_a_gateway_is_kept(running: Running) -> None:
    with serving(Gateway()) as gateway:
        running.start(hook("sms", gateway.url, rate_per_s=40.0))
        running.tell(Kind.SALT, people=range(1, 1_001))
        eventually(lambda: len(gateway.requests) >= 60, "some")
        times = [each.at_s for each in list(gateway.requests)]
    for first in range(len(times) - 20):
        assert times[first + 20] - times[first] > 20 / 40.0 - 0.25


def test_metrics_hold_no_address(running: Running) -> None:
    with serving(Gateway()) as gateway:
        telling = running.start(hook("sms", gateway.url))
        running.tell(Kind.SALT, people=range(1, 4))
        eventually(lambda: running.status().sent == 3, "sent")
        shown = f"{telling.status()} {telling.channel_counters()} {telling.channel_gauges()}"
        shown += f" {telling.counters()} {telling.gauges()}"
        shown += f" {telling.figures.counts(0, 10**6)}"
        assert "+8490" not in shown
        with telling.figures._reader.connection() as connection:
            assert "+8490" not in "".join(connection.iterdump())


def test_what_cannot_be_planned_is_trouble_of_every_channel(running: Running) -> None:
    """A courier that has nothing to write would not notice a full disk."""
    telling = running.start(hook("sms", "http://127.0.0.1:9/x"), hook("zalo", "http://127.0.0.1:9"))
    with closing(sqlite3.connect(running.directory / "telling.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        eventually(lambda: len(telling.trouble) == 2, "trouble is told")
        assert "can't be planned" in telling.trouble["zalo"]
        assert running.status().trouble == telling.trouble["sms"]
        assert telling.channel_gauges()["telling_troubled"][1] == {"sms": 1, "zalo": 1}
        other.rollback()
    eventually(lambda: not telling.trouble, "it goes on")


def test_a_channel_that_was_taken_out_of_the_configuration_is_told_of(running: Running) -> None:
    telling = running.start(hook("sms", "http://127.0.0.1:9/x"), missing={"viber": 312})
    assert telling.trouble == {"viber": "it is not configured, and 312 people are told over it"}
