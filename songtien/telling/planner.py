"""The planner: a thread that takes the outbox, and has restraint make deliveries of it.

Rows of the outbox are taken in bounded batches, each in one transaction with the position in
the outbox; a death in between costs nothing and repeats nothing. Who is due is thought about,
some people at a time, each batch in one transaction too. What restraint says depends on what
stands on disk alone, so a life that begins anew goes on as the one before would have.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from alerts.farmers import outbox, restraint
from alerts.farmers.notice import ANY_LEVEL, WANTED, Notice
from alerts.farmers.outbox import Told
from alerts.farmers.person import Person
from alerts.farmers.restraint import Budget, Decision, Drop, Permitted, Send
from api.people.vault import VaultError
from ingest.daemon import Daemon
from ingest.history import StoreReader
from songtien.telling.deliveries import ClosedError, Deliveries
from songtien.telling.delivery import Why
from songtien.telling.planning import Case
from songtien.telling.whence import where

log = logging.getLogger(__name__)

TAKEN_MAX: Final = 1_000
PEOPLE_MAX: Final = 100
LOOK_S: Final = 1.0
RETRY_S: Final = 1.0
FORGET_EVERY_MS: Final = 600_000
GONE_MAX: Final = 500

OLD_MS: Final = 72 * 3_600_000
"""Nobody is served by older news, whatever has held it back."""


class People(Protocol):
    """Who is told: `api.people.people.People`, or those of a test. Any thread."""

    def person(self, id: int, now_ms: int) -> Person | None:  # noqa: A002 - the house's name
        """None for one who has left. Who follows nothing is sent answers alone.

        Raises VaultError where what is stored of him does not open.
        """
        ...

    def gone(self, id: int, now_ms: int) -> object:  # noqa: A002 - the house's name
        """His address does not exist any more: nothing is sent there again."""
        ...


def follows(person: Person, notice: Notice) -> bool:
    """Whether he still wants to be told of it."""
    return any(
        each.wants & WANTED[notice.kind]
        and each.place == notice.place
        and notice.level_mg_l in (ANY_LEVEL, each.level_mg_l)
        for each in person.follows
    )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a channel may send in a month, in parts; None without a limit."""

    channel: str
    limit: int | None


class Planner:
    """Step by step by whoever calls, or as a thread.

    Parameters
    ----------
    reader : of the store, where the outbox stands
    permitted : what the newest answers permit; asked for once a batch, None where none are known
    group_ms : for so long the first of a message waits for others
    planned : called with the names of channels for which there may be something to send
    """

    def __init__(
        self,
        deliveries: Deliveries,
        reader: StoreReader,
        people: People,
        allowances: Sequence[Allowance],
        *,
        clock_ms: Callable[[], int],
        permitted: Callable[[], Permitted | None] = lambda: None,
        group_ms: int = restraint.GROUP_MS,
        planned: Callable[[], object] = lambda: None,
        on_death: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._deliveries = deliveries
        self._reader = reader
        self._people = people
        self._allowances = allowances
        self._clock_ms = clock_ms
        self._permitted = permitted
        self._group_ms = group_ms
        self._planned = planned
        self.thread = Daemon("telling-planner", self._run, on_death)
        self._forgotten_ms = 0
        with reader.connection() as connection:
            last_id = outbox.last_id(connection)
        # Written by the thread, read by others; each is one value that stands alone.
        self.done = deliveries.begin(last_id)
        self.trouble: str | None = None
        self.made = 0

    def behind(self) -> int:
        """How many rows of the outbox are yet to be taken."""
        with self._reader.connection() as connection:
            return outbox.waiting(connection, self.done)

    def step(self) -> bool:
        """Do a bounded piece of what there is to do; False where there was nothing."""
        took = self._take()
        if took == TAKEN_MAX:
            return True  # what comes later may overtake what would be told now
        thought = self._think()
        late = self._deliveries.expire(self._clock_ms(), GONE_MAX)
        return bool(took or thought or late or self._forget())

    def _run(self) -> None:
        while not self.thread.stopping:
            try:
                idle_s = 0.0 if self.step() else self._idle_s()
            except ClosedError:
                return
            except sqlite3.OperationalError as error:
                if self.trouble is None:
                    log.warning("messages can't be planned, they wait", extra={"why": str(error)})
                self.trouble = f"messages can't be planned: {error}"
                self.thread.pause(RETRY_S)
                continue
            self.trouble = None
            if idle_s > 0:
                self.thread.nap(idle_s)

    def _idle_s(self) -> float:
        due_ms = self._deliveries.plan_ms()
        if due_ms is None:
            return LOOK_S
        return min(LOOK_S, max(0.0, (due_ms - self._clock_ms()) / 1000))

    def _take(self) -> int:
        with self._reader.connection() as connection:
            told: list[Told] = outbox.after(connection, self.done, TAKEN_MAX)
        if told:
            self._deliveries.take(told, told[-1].id, self._clock_ms())
            self.done = told[-1].id
        return len(told)

    def _think(self) -> int:
        now_ms = self._clock_ms()
        cases = self._deliveries.cases(now_ms, PEOPLE_MAX)
        if not cases:
            return 0
        permitted = self._permitted()
        budgets = {each.channel: self._budget(each, now_ms) for each in self._allowances}
        decided: list[tuple[Case, Sequence[Decision] | Why]] = []
        for case in cases:
            budget = Budget() if case.released else budgets.get(case.channel, Budget())
            found = self._decided(case, budget, now_ms, permitted)
            decided.append((case, found))
            if not isinstance(found, Why) and case.channel in budgets:
                for _ in (each for each in found if isinstance(each, Send)):
                    budgets[case.channel] = budgets[case.channel].less_one()
        made = self._deliveries.plan(decided, now_ms)
        self.made += made
        if made:
            self._planned()
        return len(cases)

    def _decided(
        self, case: Case, budget: Budget, now_ms: int, permitted: Permitted | None
    ) -> Sequence[Decision] | Why:
        try:
            # Asked outside of any transaction here: people may be asking us meanwhile.
            person = self._people.person(case.contact, now_ms)
        except VaultError as error:
            log.error("a person can't be read", extra={"contact": case.contact, "why": str(error)})  # noqa: TRY400 - the trace says no more
            return Why.FAULT
        return _decided(case, person, budget, now_ms, permitted, self._group_ms)

    def _budget(self, allowance: Allowance, now_ms: int) -> Budget:
        """What is spent, and what the deliveries that wait will cost by the month's mean."""
        if allowance.limit is None:
            return Budget()
        messages, parts = self._deliveries.spent(allowance.channel, now_ms)
        each = max(1, -(-parts // messages)) if messages else 1
        # Welcomes are sent from what the urgent leave, so they hold none of it back.
        waiting = self._deliveries.waiting(allowance.channel, welcomes=False)
        return Budget(parts + waiting * each, allowance.limit, each)

    def _forget(self) -> bool:
        now_ms = self._clock_ms()
        if abs(now_ms - self._forgotten_ms) < FORGET_EVERY_MS:
            return False
        gone = self._deliveries.forget(now_ms, GONE_MAX)
        if gone < GONE_MAX:
            self._forgotten_ms = now_ms
        return gone > 0


def _decided(
    case: Case,
    person: Person | None,
    budget: Budget,
    now_ms: int,
    permitted: Permitted | None,
    group_ms: int,
) -> Sequence[Decision] | Why:
    """What becomes of all that waits for a person."""
    # Who is about to leave, or has yet to confirm, is there for what answers him.
    if person is None or not person.follows:
        return Why.STOPPED
    old = tuple(each.notice for each in case.asked if now_ms - each.notice.at_ms > OLD_MS)
    asked = [each for each in case.asked if each.notice not in old]
    try:
        found = restraint.decide(person, asked, case.day, budget, now_ms, permitted, group_ms)
        named = sorted(notice.key for each in found for notice in each.notices)
        if named != sorted(each.notice.key for each in asked):
            raise ValueError("each notice stands in one decision")  # noqa: TRY301 - told as one
    except Exception as error:  # noqa: BLE001 - what one person's notices break must not stop all
        log.error(  # noqa: TRY400 - the text of an error may say what must not be logged
            "notices can't be thought about", extra={"contact": case.contact, "why": where(error)}
        )
        return Why.FAULT
    return [*found, Drop(old, restraint.Why.EXPIRED)] if old else found
