"""`kill -9` at 30 random moments while people are told: each message comes to each person once.

It comes twice only where the death fell between the gateway's acceptance and its note, which
the file of deliveries shows after each death, and then with the same key. The words here do
not depend on the time, so they are the same too; real ones are made anew for each try.
"""

import multiprocessing
import os
import random
import secrets
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from alerts.farmers import outbox
from alerts.farmers.notice import Kind
from ingest.history import StoreReader
from ingest.store import Store
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.deliveries import Deliveries
from songtien.telling.telling import Telling, TellingSettings
from tests.e2e.running import eventually, figures, now_ms
from tests.faults import forked  # noqa: F401 - it names what is imported before, and is first
from tests.telling.gateway import Gateway, serving
from tests.telling.world import HERE, THERE, Folk, notice, words

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

KILLS = 30
TOLD_EACH = 80
STARTING_S = (0.02, 0.4)
SENDING_S = (0.0, 0.2)
ANSWER_S = 0.004
"""A gateway takes a moment, in which many of the deaths fall."""

AGO_MS = 120_000
NAMES = ("sms", "zalo")
SECRET = "0123456789abcdef-of-a-test"
FAULT = 3

_CONTEXT = multiprocessing.get_context("forkserver")
# One server for all tests that have many lives: what it has imported, no life imports.
_CONTEXT.set_forkserver_preload(
    ["songtien.cli_serve", "tests.faults.forked", "tests.faults.test_telling_kill"]
)


def channel_of(contact: int) -> str:
    return NAMES[contact % len(NAMES)]


def live(directory: Path, url: str) -> None:
    """In the child: all of telling, until it is killed."""
    own = {"url": url, "secret": SECRET, "ca_file": None}
    channels = [ChannelSettings(name, "webhook", 1000.0, 5.0, None, 300, own=own) for name in NAMES]
    path = directory / "telling.sqlite"
    telling = Telling(
        TellingSettings(),
        channels,
        StoreReader(directory / "store.sqlite"),
        Folk(channel_of=channel_of),
        Deliveries(path),
        path,
        words=words,
        clock_ms=now_ms,
        on_death=lambda _error: os._exit(FAULT),
    )
    telling.start()
    threading.Event().wait()


class Lives:
    """One life of telling after the other, on the same files."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory = directory
        self._url = url
        self._child: ForkServerProcess | None = None

    def launch(self) -> None:
        self._child = _CONTEXT.Process(target=live, args=(self._directory, self._url))
        self._child.start()

    def kill(self) -> None:
        assert self._child is not None
        assert self._child.exitcode is None, "it lived until it was killed"
        self._child.kill()
        self._child.join(10)
        self._child = None

    def reap(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.join(10)

    def noted(self) -> set[str]:
        """Keys of what is written down as taken."""
        with closing(sqlite3.connect(self._directory / "telling.sqlite")) as connection:
            rows = connection.execute("SELECT key FROM delivery WHERE state = 'sent'").fetchall()
        return {key for (key,) in rows}

    def waiting(self) -> int:
        with closing(sqlite3.connect(self._directory / "telling.sqlite")) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM delivery WHERE state = 'waiting')"
                " + (SELECT count(*) FROM message WHERE state <> 'handed')"
            ).fetchone()
        return int(row[0])


def tell(store: Store, draw: random.Random, life: int) -> dict[int, str]:
    """Notices for people who have heard of nothing yet; gives what each is to be told."""
    first = 1 + life * TOLD_EACH
    people = range(first, first + draw.randrange(1, TOLD_EACH))
    followers = [(each, channel_of(each)) for each in people]
    at_ms = now_ms() - AGO_MS
    told = [
        (notice(Kind.SALT, at_ms, place, event=f"spell-{life}"), followers)
        for place in (HERE, THERE)
    ]
    with store.transaction() as connection:
        outbox.write(connection, told)
    return {
        each: f"{each}: " + ", ".join(sorted(f"salt {place}" for place in (HERE, THERE)))
        for each in people
    }


def answer(directory: Path, life: int) -> str:
    """A code for somebody, between two lives, as a sign-up would leave it."""
    with closing(Deliveries(directory / "telling.sqlite")) as deliveries:
        key = f"code-{life}"
        deliveries.direct(1 + life, channel_of(1 + life), "code", {"code": "1"}, key, now_ms())
    return key


def test_killed_thirty_times_each_person_is_told_once(tmp_path: Path) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails: the same deaths again
    draw = random.Random(seed)
    begun_s = time.monotonic()
    store = Store(tmp_path / "store.sqlite")
    store.prepare(outbox.create)
    with closing(Deliveries(tmp_path / "telling.sqlite")) as deliveries:
        deliveries.begin(0)
    expected: dict[int, str] = {}
    codes: set[str] = set()
    deaths: list[Death] = []
    with serving(Gateway(_slowly)) as gateway:
        lives = Lives(tmp_path, gateway.url)
        try:
            for life in range(KILLS):
                begun = len(gateway.requests)
                told_before = draw.random() < 0.5
                if told_before:
                    expected |= tell(store, draw, life)
                lives.launch()
                if not told_before:
                    expected |= tell(store, draw, life)
                if draw.random() < 0.7:
                    eventually(lambda: len(gateway.requests) > begun, "it sends")  # noqa: B023
                    time.sleep(draw.uniform(*SENDING_S))  # the moment is what is tested
                else:
                    time.sleep(draw.uniform(*STARTING_S))
                lives.kill()
                deaths.append(_death(gateway, lives))
                codes.add(answer(tmp_path, life))
            lives.launch()
            eventually(
                lambda: not lives.waiting() and len(lives.noted()) == len(expected) + len(codes),
                "all told",
                30,
            )
            lives.kill()
        finally:
            lives.reap()
            store.close()
        _everybody_once(gateway, expected, codes)
        repeated = _only_what_death_left(gateway, deaths)
    took_s = time.monotonic() - begun_s
    figures(
        f"seed {seed}: killed {KILLS} times in {took_s:.1f} s, {len(expected) + len(codes)} "
        f"messages, {repeated} repeated"
    )


@dataclass(frozen=True)
class Death:
    """How many requests had come up to it, and the keys that were noted as taken."""

    requests: int
    noted: set[str]


def _death(gateway: Gateway, lives: Lives) -> Death:
    """Once the gateway is through with what the dead one has asked for."""
    for _ in range(3):
        time.sleep(0.01)  # what stands in the socket is not to be seen from here
        eventually(lambda: not gateway.busy, "the gateway is through")
    return Death(len(gateway.requests), lives.noted())


def _slowly(_key: str, _number: int) -> int:
    threading.Event().wait(ANSWER_S)
    return 200


def _everybody_once(gateway: Gateway, expected: dict[int, str], codes: set[str]) -> None:
    said = defaultdict(set)
    for each in gateway.accepted:
        said[each.key].add((each.to, each.text))
    assert all(len(each) == 1 for each in said.values()), "a repetition says the same"
    assert codes <= set(said), "each code"
    notices = [next(iter(each)) for key, each in said.items() if key not in codes]
    told = Counter(int(to.removeprefix("+8490")) for to, _ in notices)
    assert set(told) == set(expected), "everybody"
    assert set(told.values()) == {1}, "one message of both places, under one key"
    for to, text in notices:
        person, _, what = text.partition(": ")
        assert f"{person}: " + ", ".join(sorted(what.split(", "))) == expected[int(person)]
        assert to.endswith(person)


def _only_what_death_left(gateway: Gateway, deaths: list[Death]) -> int:
    """What was noted never comes again, and in one life nothing comes twice. Gives how many did."""
    ends = [0, *(death.requests for death in deaths), len(gateway.requests)]
    noted: set[str] = set()
    accepted: set[str] = set()
    repeated = 0
    for life, (begin, end) in enumerate(pairwise(ends)):
        keys = [each.key for each in gateway.requests[begin:end]]
        assert len(keys) == len(set(keys)), f"twice in life {life}"
        assert not noted & set(keys), f"noted, and sent again in life {life}"
        repeated += len(accepted & set(keys))
        accepted |= set(keys)
        if life < len(deaths):
            noted = deaths[life].noted
            assert noted <= accepted, "nothing is noted that was not taken"
            assert len(set(keys) - noted) <= len(NAMES), "one at a time and channel"
    assert repeated > 0, "some deaths fell between answer and note"
    return repeated
