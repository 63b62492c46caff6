"""`kill -9` at 50 random moments: what people are told is what a run that was never killed tells.

The same transitions, the same notifications by their keys, the same retained topics. A request
to a webhook comes twice only where the death fell between the answer and its note, and then
with the same key and the same body.
"""

import asyncio
import json
import random
import secrets
import shutil
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.lifecycle import HOLDING, State
from alerts.webhook import signature
from ingest.journal import Journal
from ingest.store import Store
from songtien.pipeline import READ_AHEAD, Pipeline
from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import pairs
from tests.faults.forked import ForkedService
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import alerts_differ, undisturbed
from tests.receiver import SECRET, Received, Receiver, receiving
from tests.simulators.listener import standing

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 50
ROUNDS = 250
PROBES, CAMERAS = 8, 2
STARTING_S = (0.05, 0.6)
SERVING_S = (0.0, 0.4)
SPREAD_S = 40.0
ANSWER_S = 0.01
"""A receiver takes a moment, in which many of the deaths fall."""


def test_killed_fifty_times_it_tells_what_it_would_have_told(
    serving: Serving, broker: Mosquitto, tmp_path: Path
) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails: the same deaths again
    draw = random.Random(seed)
    feed = feeds.river(
        seed, end_ms=now_ms() - 60_000, rounds=ROUNDS, probes=PROBES, cameras=CAMERAS
    )
    registry = feeds.registry(PROBES, CAMERAS)
    expected = oracle.content(feed, registry)
    with receiving(Receiver(answers=_slowly)) as receiver:
        service = serving(
            PROBES,
            CAMERAS,
            ForkedService,
            WEBHOOK__DUTY__URL=receiver.url,
            WEBHOOK__DUTY__SECRET=SECRET,
            WEBHOOK__DUTY__MIN_SEVERITY="info",
        )
        assert isinstance(service, ForkedService)
        service.start()
        eventually(lambda: service.ready, "ready")
        with Publisher(broker.url, pairs(feed), SPREAD_S) as publisher:
            served = _die_often(service, draw)
            service.start()
            eventually(lambda: publisher.done, "all acknowledged by the broker", 60)
        eventually(lambda: not oracle.store_differs(service.data, expected).missing, "stored", 60)
        eventually(lambda: not service.counted("samples_in_flight"), "nothing in flight", 60)
        eventually(lambda: not service.counted("webhook_pending"), "all told", 60)
        events = service.alert_events()
        alerts = alerts_differ(undisturbed(feed, registry, begun_ms=now_ms()), events)
        assert not alerts, f"alerts: {alerts}"
        eventually(lambda: _standing(broker) == _holding(events), "the topics of what holds")
        service.kill()
    repeated = _as_logged(service, receiver.received)
    assert _log_of(service.data / "store.sqlite") == _never_killed(service.data, tmp_path)
    assert served > KILLS // 5, "some lives served before they died"
    figures(
        f"seed {seed}: killed {KILLS + 1} times ({served} while it served), {len(events)} events, "
        f"{len(receiver.received)} requests, {repeated} of them repetitions"
    )


def _slowly(_request: Received, _number: int) -> int:
    threading.Event().wait(ANSWER_S)
    return 204


def _die_often(service: ForkedService, draw: random.Random) -> int:
    """How many of the lives served before they died."""
    served = 0
    for _ in range(KILLS):
        service.kill()
        service.launch()
        if draw.random() < 0.5:
            eventually(lambda: service.serving, "serving")
            time.sleep(draw.uniform(*SERVING_S))  # the moment is what is tested
        else:
            time.sleep(draw.uniform(*STARTING_S))
        served += service.serving
    service.kill()
    return served


def _as_logged(service: Service, received: list[Received]) -> int:
    """Each notification of the log came, in order, and no other; gives how many came again."""
    with service.store() as connection:
        logged = connection.execute(
            "SELECT alert || '-' || pos FROM alert_event WHERE told = 1 ORDER BY pos"
        ).fetchall()
    keys = [key for (key,) in logged]
    assert len(keys) > 100, "a feed that tells a lot"
    came = [each.key for each in received]
    assert list(dict.fromkeys(came)) == keys, "each, in order, and no other"
    first: dict[str, bytes] = {}
    for each in received:
        assert first.setdefault(each.key, each.body) == each.body, "a repetition says the same"
        signed = each.headers["x-songtien-signature"]
        sent_s = int(signed.partition(",")[0].removeprefix("t="))
        assert signed == signature(SECRET, sent_s, each.body)
    times = Counter(came)
    assert max(times.values()) <= KILLS
    return len(came) - len(times)


def _log_of(path: Path) -> list[tuple[Any, ...]]:
    """All that is stored of every event: position, alert, type, time, who hears, body, evidence."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM alert_event ORDER BY pos").fetchall()


def _never_killed(data: Path, directory: Path) -> list[tuple[Any, ...]]:
    """The log of a run over the same entries in one life."""
    for path in data.glob("journal.sqlite*"):
        shutil.copy(path, directory / path.name)
    with (
        closing(Journal(directory / "journal.sqlite", now_ms)) as journal,
        closing(Store(directory / "whole.sqlite")) as store,
    ):
        pipeline = Pipeline(
            journal, store, root=feeds.ROOT, clock_ms=now_ms, journal_days=7, window_days=400
        )
        assert journal.first_position == 1
        while entries := journal.after(pipeline.position, READ_AHEAD):
            pipeline.commit(entries)
    return _log_of(directory / "whole.sqlite")


def _holding(events: list[dict[str, Any]]) -> dict[str, str]:
    """By topic, the alert that holds at the end of the log."""
    last = {event["id"]: event["alert"] for event in events if event["told"]}
    return {
        f"{feeds.ROOT}/v1/alerts/{alert['rule']}/{alert['k']}": alert["id"]
        for alert in last.values()
        if State(alert["state"]) in HOLDING
    }


def _standing(broker: Mosquitto) -> dict[str, str]:
    """By topic, the alert that the broker shows to whoever comes anew."""
    shown = asyncio.run(standing(broker.url, f"{feeds.ROOT}/v1/alerts/#"))
    return {topic: json.loads(body)["id"] for topic, body in shown.items()}
