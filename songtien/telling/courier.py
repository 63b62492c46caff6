"""A courier: the thread of one channel, which takes what is due and hands it over.

What comes of a try is written down in one transaction. A death between the gateway's answer and
that note sends the same once more, with the same key; nothing else is ever repeated.
"""

import logging
import random
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerts.farmers.notice import CRITICAL
from alerts.farmers.parcel import Answer, Parcel, Text, Verdict
from alerts.farmers.person import Person
from alerts.farmers.restraint_types import RESERVE
from alerts.webhook import Pace, backoff_s
from api.people.vault import VaultError
from ingest.daemon import Daemon
from songtien.telling.breaker import Breaker, Patience, Way
from songtien.telling.channels.channel import Channel
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.deliveries import ClosedError, Deliveries
from songtien.telling.delivery import MINUTE_MS, VIETNAM_MS, Delivery, Direct, State, Why
from songtien.telling.moves import Settled
from songtien.telling.planner import People, follows
from songtien.telling.rate import TokenBucket
from songtien.telling.whence import where
from songtien.telling.wording import Words

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often it is looked unasked: a wake-up is given with all that is planned."""

RETRY_S: Final = 1.0
BURST_S: Final = 0.1
"""So much of the rate may be made up for at once, which a thread has lost by waking late."""

CODES_SHARE: Final = 0.25
"""Of a budget, for codes at most: any stranger can ask for them, and farmers need the rest."""

UNPROVED: Final = frozenset({Direct.CODE.value, Direct.TRIAL.value})
"""Kinds that go to an address before anybody has shown that it is one."""

MEASURED: Final = 50
MEASURED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How a courier goes about it.

    page : address of the farmers' page, "" where there is none
    refusals_max : tries at a message that is refused
    """

    page: str = ""
    pace: Pace = Pace(first_s=5.0, longest_s=300.0, refusals_max=3)  # noqa: RUF009 - it is frozen
    patience: Patience = Patience()  # noqa: RUF009 - it is frozen


class Courier:
    """Step by step by whoever calls, or as a thread.

    Told to stop it ends soon; what is under way is sent again in the next life, unless it is
    answered.

    Parameters
    ----------
    mono_s : a clock that does not jump, for the rate
    chance : for the jitter of waits, uniform in [0, 1)
    """

    def __init__(
        self,
        settings: ChannelSettings,
        channel: Channel,
        deliveries: Deliveries,
        people: People,
        words: Words,
        *,
        clock_ms: Callable[[], int],
        mono_s: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        manner: Manner | None = None,
        on_death: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._channel = channel
        self._deliveries = deliveries
        self._people = people
        self._words = words
        self._clock_ms = clock_ms
        self._mono_s = mono_s
        self._chance = chance
        self._manner = manner or Manner()
        burst = max(1.0, BURST_S * settings.rate_per_s)
        self._bucket = TokenBucket(settings.rate_per_s, mono_s(), burst)
        self._gone_s: deque[float] = deque(maxlen=MEASURED)
        self.thread = Daemon(f"telling-{settings.name}", self._run, on_death)
        # Written by the thread, read by others; each is one value that stands alone.
        self.breaker: Breaker = deliveries.breaker(settings.name)
        self.disk: str | None = None
        self.last_success_ms: int | None = None
        self.sent = 0
        self.retries = 0
        self.undelivered = 0

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def trouble(self) -> str | None:
        """Why nothing goes, None where all is well."""
        if self.disk is not None:
            return self.disk
        return None if self.breaker.way is Way.CLOSED else self.breaker.why

    @property
    def per_s(self) -> float:
        """How many messages go in a second: as measured while it works, else as is allowed."""
        taken = list(self._gone_s)
        allowed = self.settings.rate_per_s
        if len(taken) < MEASURED // 5 or self._mono_s() - taken[-1] > MEASURED_S:
            return allowed
        return min(allowed, (len(taken) - 1) / max(1e-3, taken[-1] - taken[0]))

    def close(self) -> None:
        """Let the channel go; where an answer is still waited for, it goes with the process."""
        if not self.thread.alive:
            self._channel.close()

    def step(self) -> float:
        """Send one message if one is due and may go; gives the seconds to wait for the next."""
        now_ms = self._clock_ms()
        wait_s = max(self.breaker.wait_ms(now_ms) / 1000, self._bucket.wait_s(self._mono_s()))
        if wait_s > 0:
            return wait_s
        delivery = self._deliveries.next_due(self.name, now_ms)
        if delivery is None:
            due_ms = self._deliveries.due_ms(self.name)
            later_s = LOOK_S if due_ms is None else (due_ms - now_ms) / 1000
            return later_s if later_s > 0 else LOOK_S
        self._tell(delivery, now_ms)
        return 0.0

    def _run(self) -> None:
        while not self.thread.stopping:
            try:
                wait_s = self.step()
            except ClosedError:
                return
            except sqlite3.OperationalError as error:
                self._refused_by_disk(error)
                self.thread.pause(RETRY_S)
                continue
            self.disk = None
            if wait_s > 0:
                self.thread.nap(min(wait_s, LOOK_S))

    def _refused_by_disk(self, error: sqlite3.OperationalError) -> None:
        if self.disk is None:
            said = {"channel": self.name, "why": str(error)}
            log.warning("deliveries can't be read or written, they wait", extra=said)
        self.disk = f"deliveries can't be read or written: {error}"

    def _tell(self, delivery: Delivery, now_ms: int) -> None:
        try:
            person = self._people.person(delivery.contact, now_ms)
        except VaultError as error:
            # Of one person alone: the others are told.
            self._give_up(delivery, Settled(State.UNDELIVERED, Why.FAULT, str(error)))
            return
        if person is None or person.channel != self.name:
            self._settle(delivery, Settled(State.DROPPED, Why.STOPPED))
            return
        if _falls_quiet(delivery, person, now_ms):
            self._deliveries.reconsider(delivery, now_ms)
            return
        unwanted = {row for row, notice in delivery.told if not follows(person, notice)}
        without = self._deliveries.outlived(delivery) | unwanted
        notices = tuple(notice for row, notice in delivery.told if row not in without)
        if not notices and not delivery.direct:
            self._settle(delivery, Settled(State.DROPPED, Why.SUPERSEDED))
            return
        try:
            text = self._words(delivery, notices, person, self._channel.form, now_ms)
        except Exception as error:  # noqa: BLE001 - one message without words must not stop all
            self._give_up(delivery, Settled(State.UNDELIVERED, Why.FAULT, where(error)))
            return
        if delivery.direct and self._is_spent(delivery, text, now_ms):
            self._give_up(delivery, Settled(State.UNDELIVERED, Why.BUDGET))
            return
        page, token = self._manner.page, person.stop_token
        stop_url = f"{page}/toi/{token}" if page and token else ""
        critical = any(notice.critical for notice in notices)
        parcel = Parcel(delivery.key, person.address, text, stop_url, critical)
        if self._deliveries.claim(delivery, without, now_ms):
            self._bucket.take(self._mono_s())
            self.breaker = self.breaker.trying()
            self._answered(delivery, text.parts, self._send(parcel))

    def _send(self, parcel: Parcel) -> Answer:
        try:
            return self._channel.send(parcel)
        except Exception as error:  # noqa: BLE001 - a fault of one channel must not stop the others
            # It may have gone: the same key is what there is against a second one.
            return Answer(Verdict.AGAIN, f"the channel failed: {where(error)}")

    def _is_spent(self, delivery: Delivery, text: Text, now_ms: int) -> bool:
        """Whoever asks for codes without an end, or brings in a list of thousands to be welcomed,
        must not spend what farmers are warned with.
        """
        limit = self.settings.budget_per_month
        if limit is None or delivery.kind == Direct.STOPPED:
            return False
        spent = self._deliveries.spent(self.name, now_ms)[1]
        if delivery.kind == Direct.TRIAL or text.warns:
            return spent >= limit
        if spent >= (1 - RESERVE) * limit:
            return True
        if delivery.kind != Direct.CODE:
            return False
        return self._deliveries.spent_on(self.name, Direct.CODE, now_ms) >= CODES_SHARE * limit

    def _answered(self, delivery: Delivery, parts: int, answer: Answer) -> None:
        now_ms, patience = self._clock_ms(), self._manner.patience
        detail = answer.detail
        match answer.verdict:
            case Verdict.TAKEN:
                self._seen(self.breaker.taken())
                cost = parts * self.settings.cost_per_part
                settled = Settled(State.SENT, ref=answer.ref, detail=detail, parts=parts, cost=cost)
                self._settle(delivery, settled)
                self._gone_s.append(self._mono_s())
                self.sent += 1
                self.last_success_ms = now_ms
            case _ if delivery.kind in UNPROVED:
                self._not_taken(delivery, now_ms, answer)
            case Verdict.AGAIN:
                asked_s = answer.retry_after_s
                self._seen(self.breaker.failed(detail, now_ms, asked_s, patience))
                self._again(delivery, now_ms, detail)
            case Verdict.CLOSED:
                self._seen(self.breaker.closed(detail, now_ms, patience))
                self._again(delivery, now_ms, detail)
            case Verdict.REFUSED:
                self._refused(delivery, now_ms, detail)
            case Verdict.GONE:
                self._gone(delivery, now_ms, detail)

    def _not_taken(self, delivery: Delivery, now_ms: int, answer: Answer) -> None:
        """Of one to an unproved address. A stranger must not close a channel to others by asking
        for codes to addresses that it does not take, so none of these makes anybody wait.
        """
        if answer.verdict in (Verdict.REFUSED, Verdict.GONE):
            why = Why.GONE if answer.verdict is Verdict.GONE else Why.REFUSED
            self._give_up(delivery, Settled(State.UNDELIVERED, why, answer.detail))
            return
        closed = answer.verdict is Verdict.CLOSED
        self._seen(self.breaker.doubted(answer.detail, self._manner.patience, closed=closed))
        self._again(delivery, now_ms, answer.detail)

    def _again(
        self, delivery: Delivery, now_ms: int, detail: str, *, refused: bool = False
    ) -> None:
        self.retries += 1
        wait_s = backoff_s(delivery.tries, self._chance(), self._manner.pace)
        due_ms = now_ms + round(1000 * wait_s)
        self._settle(
            delivery, Settled(State.WAITING, detail=detail, due_ms=due_ms, refused=refused)
        )

    def _refused(self, delivery: Delivery, now_ms: int, detail: str) -> None:
        first, patience = delivery.refusals == 0, self._manner.patience
        seen = self.breaker.refused_one(detail, now_ms, first=first, patience=patience)
        self._seen(seen)
        # Where it takes none at all, it is not this message that is wrong.
        final = delivery.refusals + 1 >= self._manner.pace.refusals_max
        if final and seen.way is Way.CLOSED:
            self._give_up(delivery, Settled(State.UNDELIVERED, Why.REFUSED, detail))
        else:
            self._again(delivery, now_ms, detail, refused=seen.way is Way.CLOSED)

    def _gone(self, delivery: Delivery, now_ms: int, detail: str) -> None:
        patience = self._manner.patience
        seen = self.breaker.refused_one(detail, now_ms, first=True, patience=patience)
        self._seen(seen)
        if seen.way is not Way.CLOSED:
            # So many addresses do not vanish at once: the channel is wrong, not the people.
            self._again(delivery, now_ms, detail)
            return
        self._give_up(delivery, Settled(State.UNDELIVERED, Why.GONE, detail))
        try:
            self._people.gone(delivery.contact, now_ms)
        except sqlite3.OperationalError as error:
            self._refused_by_disk(error)  # the next message to him will be told the same

    def _give_up(self, delivery: Delivery, settled: Settled) -> None:
        # Not its key: that of a code is known to whoever asked for it, and to nobody else.
        said = {"channel": self.name, "delivery": delivery.id, "why": settled.why.value}
        log.warning("a message could not be delivered", extra=said | {"detail": settled.detail})
        self.undelivered += 1
        self._settle(delivery, settled)

    def _settle(self, delivery: Delivery, settled: Settled) -> None:
        """Write it down, however long a full disk takes: it is not to be sent again."""
        while True:
            try:
                self._deliveries.settle(delivery, settled, self._clock_ms(), self.breaker)
            except sqlite3.OperationalError as error:
                self._refused_by_disk(error)
                if self.thread.pause(RETRY_S):
                    return
                continue
            self.disk = None
            return

    def _seen(self, breaker: Breaker) -> None:
        """Take how the channel is seen now; told once when it changes, not with every try."""
        before, self.breaker = self.breaker.way, breaker
        said = {"channel": self.name, "why": breaker.why}
        if before is Way.CLOSED and breaker.way is Way.OPEN:
            log.error("a channel takes no messages, they wait", extra=said)
        elif before is not Way.CLOSED and breaker.way is Way.CLOSED:
            log.info("a channel takes messages again", extra={"channel": self.name})


def _falls_quiet(delivery: Delivery, person: Person, now_ms: int) -> bool:
    """Whether quiet hours have begun since it was planned that hold it back.

    What was planned within them was let pass by restraint.
    """
    quiet = person.quiet
    if delivery.direct or quiet is None or not quiet.holds(_minute(now_ms)):
        return False
    if quiet.urgent_passes and any(notice.kind in CRITICAL for _, notice in delivery.told):
        return False
    return not quiet.holds(_minute(delivery.created_ms))


def _minute(t_ms: int) -> int:
    """Of the day in Vietnam."""
    return (t_ms + VIETNAM_MS) // MINUTE_MS % 1440
