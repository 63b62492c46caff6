"""Webhooks: a thread for each receiver, which sends what the log of alert events has for it.

The log in the store is the outbox; a receiver's place in it is committed once the receiver has
answered. A death between the two sends the same event once more, with the same key. What to do
about an answer is decided in `alerts.webhook`.
"""

import contextlib
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3

from alerts import outbox
from alerts.cap import Sender
from alerts.outbox import Outgoing
from alerts.webhook import (
    Again,
    Answer,
    GivenUp,
    Pace,
    Trial,
    Undelivered,
    Verdict,
    WebhookStatus,
    answer_of,
    headers,
    idempotency_key,
    payload,
    wants,
)
from api import service as door
from ingest import daemon
from ingest.daemon import Daemon
from ingest.history import StoreReader
from songtien.delivery_log import DeliveryLog
from songtien.setting_values import WebhookSettings

log = logging.getLogger(__name__)

Figures = Mapping[str, tuple[str, float]]
Post = Callable[[bytes, Mapping[str, str]], Answer]

TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=10.0)
TAKEN_MAX: Final = 100
LOOK_S: Final = 5.0
"""How often the log is looked at unasked: a wake-up is given with every event."""

RETRY_S: Final = 1.0
STOP_S: Final = 2.0
SHOWN_MAX: Final = 100


class Poster:
    """Sends one request at a time to one URL, which is never logged or shown."""

    def __init__(self, url: str, version: str) -> None:
        self._url = url
        self._agent = {"User-Agent": f"songtien/{version}"}
        # Its debug lines name what is asked for.
        logging.getLogger("urllib3").setLevel(logging.WARNING)
        self._http = urllib3.PoolManager(num_pools=1, maxsize=1)

    def __call__(self, body: bytes, said: Mapping[str, str]) -> Answer:
        try:
            answer = self._http.request(
                "POST",
                self._url,
                body=body,
                headers=self._agent | dict(said),
                timeout=TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Texts of these errors name what was asked for.
            return Answer(Verdict.AGAIN, f"no answer: {type(error).__name__}")
        # What it says beside is of no interest, and might be without an end.
        with contextlib.closing(answer):
            return answer_of(answer.status, answer.headers, time.time())


class Courier:
    """The thread of one receiver.

    Told to stop it ends soon; what is under way is sent again in the next life, unless it is
    answered.

    Parameters
    ----------
    after : (position, limit) -> the next events of the log
    begin : the place up to which earlier lives have sent everything
    post : sends a body with its headers
    chance : for the jitter of waits, uniform in [0, 1)
    on_death : called on the thread, with what ended it against all expectation
    """

    def __init__(
        self,
        settings: WebhookSettings,
        after: Callable[[int, int], list[Outgoing]],
        deliveries: DeliveryLog,
        *,
        begin: int,
        post: Post,
        clock_ms: Callable[[], int],
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
        on_death: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._after = after
        self._deliveries = deliveries
        self._post = post
        self._clock_ms = clock_ms
        self._pace = pace or Pace()
        self._chance = chance
        self.thread = Daemon(f"webhook-{settings.name}", self._run, on_death)
        # Written by the thread, read by others; each is one value that stands alone.
        self.pos = begin
        self._disk: str | None = None
        self._refusing: str | None = None
        self.last_success_ms: int | None = None
        self.delivered = 0
        self.retries = 0
        self.given_up = 0

    @property
    def trouble(self) -> str | None:
        """Why the event at hand is not done with, None where all is well."""
        return self._disk or self._refusing

    def _run(self) -> None:
        while not self.thread.stopping:
            try:
                events = self._after(self.pos, TAKEN_MAX)
            except sqlite3.OperationalError as error:
                self._disk = f"the log of events can't be read: {error}"
                self.thread.pause(RETRY_S)
                continue
            self._disk = None
            if not events:
                self.thread.nap(LOOK_S)
                continue
            for event in events:
                if wants(self.settings.wanted, event) and not self._send(event):
                    return
                self.pos = event.pos
            self._settle(self.pos)

    def _send(self, event: Outgoing) -> bool:
        """Until it is delivered or given up, and written down so; False where we are to stop."""
        trial, body = Trial(event.at_ms, self._pace), payload(event)
        while not self.thread.stopping:
            now_ms = self._clock_ms()
            said = headers(event, self.settings.secret, now_ms // 1000, body)
            answer = self._post(body, said)
            match trial.answered(answer, self._clock_ms(), self._chance()):
                case Again(wait_s):
                    self.retries += 1
                    self._troubled(answer.detail)
                    self.thread.pause(wait_s)
                case GivenUp(why):
                    return self._give_up(event, trial.tries, why)
                case _:
                    self.delivered += 1
                    self.last_success_ms = self._clock_ms()
                    self._well()
                    return self._settle(event.pos)
        return False

    def _give_up(self, event: Outgoing, tries: int, why: str) -> bool:
        key, alert = idempotency_key(event), str(event.alert["id"])
        said = {"webhook": self.settings.name, "key": key, "why": why}
        log.error("an event could not be delivered", extra=said)
        self.given_up += 1
        now_ms = self._clock_ms()
        return self._settle(
            event.pos,
            Undelivered(event.pos, key, alert, event.type.value, event.at_ms, now_ms, tries, why),
        )

    def _settle(self, pos: int, undelivered: Undelivered | None = None) -> bool:
        """Write the place down, however long a full disk takes: it is not to be sent again."""
        while True:
            try:
                self._deliveries.move(self.settings.name, pos, undelivered)
            except sqlite3.OperationalError as error:
                self._disk = f"its place can't be written down: {error}"
                if self.thread.pause(RETRY_S):
                    return False
                continue
            self.pos, self._disk = pos, None
            return True

    def _troubled(self, why: str) -> None:
        if self._refusing is None:  # once, and not with every try
            said = {"webhook": self.settings.name, "why": why}
            log.warning("a webhook does not take events, they wait", extra=said)
        self._refusing = why

    def _well(self) -> None:
        if self._refusing is not None:
            log.info("a webhook takes events again", extra={"webhook": self.settings.name})
        self._refusing = None


def outside(sender: Sender, reader: StoreReader, webhooks: "Webhooks") -> door.Outside:
    """What the doors show of what leaves the house."""

    def current(newest: int) -> list[list[Outgoing]]:
        with reader.connection() as connection:
            return outbox.current(connection, newest)

    def of_alert(alert: str) -> list[Outgoing]:
        with reader.connection() as connection:
            return outbox.of_alert(connection, alert)

    return door.Outside(sender, current, of_alert, webhooks.status)


class Webhooks:
    """All receivers. One that is dead holds up no other.

    Parameters
    ----------
    path : the file of places and of what could not be delivered
    """

    def __init__(
        self,
        settings: Sequence[WebhookSettings],
        reader: StoreReader,
        path: Path,
        *,
        version: str,
        clock_ms: Callable[[], int],
        on_death: Callable[[BaseException], None],
        pace: Pace | None = None,
    ) -> None:
        self._reader = reader
        self._deliveries = DeliveryLog(path)
        with reader.connection() as connection:
            last = outbox.last_position(connection)
        places = self._deliveries.begin([each.name for each in settings], last)
        self._couriers = [
            Courier(
                each,
                self._after,
                self._deliveries,
                begin=places[each.name],
                post=Poster(each.url, version),
                clock_ms=clock_ms,
                pace=pace,
                on_death=on_death,
            )
            for each in settings
        ]

    def start(self) -> None:
        for courier in self._couriers:
            courier.thread.start()

    def wake(self) -> None:
        """There may be something in the log."""
        for courier in self._couriers:
            courier.thread.wake()

    def stop(self) -> None:
        """End all soon. One that waits for an answer is left to itself after a while."""
        daemon.end([courier.thread for courier in self._couriers], STOP_S)

    def close(self) -> None:
        self._deliveries.close()

    def status(self) -> list[WebhookStatus]:
        """How far each is, by name."""
        return [self._status(courier) for courier in self._couriers]

    def counters(self) -> Figures:
        delivered = sum(courier.delivered for courier in self._couriers)
        retries = sum(courier.retries for courier in self._couriers)
        given_up = sum(courier.given_up for courier in self._couriers)
        return {
            "webhook_delivered": ("Events that webhooks took.", delivered),
            "webhook_retries": ("Tries after which an event was sent again.", retries),
            "webhook_given_up": ("Events that could not be delivered.", given_up),
        }

    def gauges(self) -> Figures:
        found = self.status()
        pending = sum(each.pending for each in found)
        undelivered = sum(each.undelivered_count for each in found)
        troubled = sum(each.trouble is not None for each in found)
        return {
            "webhook_pending": ("Events that wait for webhooks.", pending),
            "webhook_undelivered": ("Events on the list of the undelivered.", undelivered),
            "webhook_troubled": ("Webhooks that do not take events.", troubled),
        }

    def _after(self, pos: int, limit: int) -> list[Outgoing]:
        with self._reader.connection() as connection:
            return outbox.after(connection, pos, limit)

    def _status(self, courier: Courier) -> WebhookStatus:
        settings, place = courier.settings, courier.pos
        with self._reader.connection() as connection:
            pending, oldest_ms = outbox.waiting(connection, place)
        count, newest = self._deliveries.undelivered(settings.name, SHOWN_MAX)
        url = urlsplit(settings.url)
        return WebhookStatus(
            name=settings.name,
            host=f"{url.scheme}://{url.netloc}",
            events=tuple(sorted(settings.wanted.events)),
            min_severity=settings.wanted.min_severity.value,
            simulated=settings.wanted.simulated,
            pending=pending,
            oldest_ms=oldest_ms,
            trouble=courier.trouble,
            last_success_ms=courier.last_success_ms,
            delivered=courier.delivered,
            retries=courier.retries,
            undelivered_count=count,
            undelivered=newest,
        )
