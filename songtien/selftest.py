"""The daily test: an alert that goes the whole way, to a recipient who has to get it.

    message -> broker -> intake -> journal -> processor          (`came_round`)
            -> notice raised -> store -> broker -> recipient     (`received` its id)
            -> notice cleared -> store -> broker -> recipient    (`received` none any more)

Today's recipient is the service's own subscription to the alert's topic. A channel to people
will call `received` in its place, with what its gateway says of the test number.

No clock and no thread: times are given, and what is to be done is handed back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.notices import SELF_TEST, SELF_TEST_FAILED
from ingest.journal import Notice
from songtien.board import Board

WITHIN_S: Final = 60.0
SAY_AGAIN_S: Final = 10.0
"""A message that a broken link took with it is said once more."""

RETRY_S: Final = 60.0
RETRY_MAX_S: Final = 3600.0
FUTURE_MS: Final = 300_000
"""A success that lies further ahead is from a clock that was wrong, and proves nothing."""

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
VIETNAM_MS: Final = 7 * 3_600_000


class Stage(StrEnum):
    """What the test waits for."""

    IDLE = "idle"
    ROUND = "round"
    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the test's own topic."""

    payload: bytes


_MISSED: Final[Mapping[Stage, str]] = {
    Stage.ROUND: "the message did not come back from the broker",
    Stage.RAISED: "the alert did not reach its recipient",
    Stage.CLEARED: "the alert reached its recipient and was not taken back",
}


def last_due_ms(now_ms: int, at_minute: int) -> int:
    """When a test was due last: `at_minute` of the day in Vietnam, UTC+7."""
    midnight_ms = (now_ms + VIETNAM_MS) // DAY_MS * DAY_MS - VIETNAM_MS
    due_ms = midnight_ms + at_minute * MINUTE_MS
    return due_ms if due_ms <= now_ms else due_ms - DAY_MS


class SelfTest:
    """One test after another.

    Parameters
    ----------
    at_minute : of the day in Vietnam; None tests never
    board : which notices hold
    said : the last word on each notice, from earlier lives
    from_ms : since when there is anything to test; what was due before is not owed
    """

    def __init__(
        self,
        at_minute: int | None,
        board: Board,
        said: Mapping[str, tuple[bool, int]],
        from_ms: int,
    ) -> None:
        self._at_minute = at_minute
        self._board = board
        self._from_ms = from_ms
        failed, t_ms = said.get(SELF_TEST_FAILED.id, (True, 0))
        self.last_success_ms: int | None = None if failed else t_ms
        self.failed = at_minute is not None and board.holds(SELF_TEST_FAILED)
        self._failure = t_ms, ""
        self.stage = Stage.IDLE
        self._run_ms = 0
        self._begun_s = 0.0
        self._said_s = 0.0
        self._failures = 1 if self.failed else 0
        self._not_before_s = float("-inf")
        self._anew = False
        self._passed = False

    def proven(self, now_ms: int) -> bool:
        """Whether the last test that was due has passed, or runs right now."""
        return not self.failed and (not self._owed(now_ms) or self.stage is not Stage.IDLE)

    def connected(self) -> None:
        """The broker is there anew: what has failed, or fails just now, may pass."""
        self._not_before_s = float("-inf")
        self._anew = True

    def came_round(self, payload: bytes) -> None:
        """A message of a test has gone through broker, intake, journal and processor."""
        if self.stage is Stage.ROUND and payload == self._payload():
            self.stage = Stage.RAISED

    def received(self, alert: str | None) -> None:
        """The recipient has this alert now; None when he has none any more."""
        if self.stage is Stage.RAISED and alert == SELF_TEST.alert_id(self._run_ms):
            self.stage = Stage.CLEARED
        elif self.stage is Stage.CLEARED and alert is None:
            self.stage = Stage.IDLE
            self._passed = True

    def step(self, now_ms: int, mono_s: float, *, ready: bool) -> list[Say | Notice]:
        """What is to be done now."""
        if self._passed:
            return self._pass(now_ms)
        if self.stage is not Stage.IDLE and mono_s - self._begun_s >= WITHIN_S:
            self._give_up(now_ms, mono_s, ready=ready)
        found: list[Say | Notice] = []
        if self.stage is Stage.IDLE and not self._board.holds(SELF_TEST):
            due = self._owed(now_ms) and mono_s >= self._not_before_s
            if ready and due:
                self.stage = Stage.ROUND
                self._run_ms, self._begun_s, self._said_s = now_ms, mono_s, float("-inf")
                self._anew = False
        if self.stage is Stage.ROUND and mono_s - self._said_s >= SAY_AGAIN_S:
            self._said_s = mono_s
            found.append(Say(self._payload()))
        # What an interrupted test has left standing is cleared in the same way.
        raised = self.stage is Stage.RAISED
        t_ms = self._run_ms if raised else now_ms
        found.extend(self._board.ask(SELF_TEST, mono_s, t_ms, hold=raised))
        failed_ms, detail = self._failure if self.failed else (now_ms, "")
        found.extend(
            self._board.ask(SELF_TEST_FAILED, mono_s, failed_ms, hold=self.failed, detail=detail)
        )
        return found

    def _payload(self) -> bytes:
        return str(self._run_ms).encode()

    def _owed(self, now_ms: int) -> bool:
        if self._at_minute is None:
            return False
        done_ms = self._from_ms if self.last_success_ms is None else self.last_success_ms
        recent = last_due_ms(now_ms, self._at_minute) <= done_ms <= now_ms + FUTURE_MS
        return self.failed or not recent

    def _pass(self, now_ms: int) -> list[Say | Notice]:
        self._passed = self.failed = False
        self._failures = 0
        self.last_success_ms = now_ms
        # Also where nothing had failed: the next life reads from it that the test has passed.
        return [Notice(SELF_TEST_FAILED.id, False, None, None, now_ms, "")]

    def _give_up(self, now_ms: int, mono_s: float, *, ready: bool) -> None:
        missed = _MISSED[self.stage]
        self.stage = Stage.IDLE
        if not ready:
            return  # readiness tells what is wrong; the test is still owed
        if not self.failed:
            self._failure = now_ms, f"within {WITHIN_S:g} s {missed}"
        self.failed = True
        if not self._anew:
            self._not_before_s = mono_s + min(RETRY_MAX_S, RETRY_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
