"""When a channel is asked, and when it is left alone. Pure: times are arguments.

Closed lets all through. After so many failures in a row it opens, and nothing goes; after a
wait it is half open and lets one message through as a trial: taken, it closes; failed, it opens
for twice as long. M. Nygard, "Release It!", 2nd edition, 2018, chapter 5.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Way(StrEnum):
    """Whether messages go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Patience:
    """How soon a channel is left alone, and for how long. Usual figures, unverified.

    failures_max : in a row, without an answer or overloaded
    refusals_max : different messages in a row that were refused: it is not the message then
    first_s, longest_s : waits before a trial; they double
    closed_first_s : the first wait where the channel itself says that somebody has to look
    asked_longest_s : no gateway is left alone for longer than that, whatever it asks
    """

    failures_max: int = 5
    refusals_max: int = 20
    first_s: float = 10.0
    longest_s: float = 900.0
    closed_first_s: float = 120.0
    asked_longest_s: float = 3600.0


USUAL: Final = Patience()
WAIT_MAX_MS: Final = 3_600_000
"""No wait is longer, by any patience."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state, which is kept on disk.

    failures, refused : in a row, while closed
    opened : how often in a row it was opened, a trial having failed
    until_ms : while open or half open: when the next trial is due; while closed: up to when
        the gateway has asked to be left alone
    why : of the failure that opened it; "" while closed
    """

    way: Way = Way.CLOSED
    failures: int = 0
    refused: int = 0
    opened: int = 0
    until_ms: int = 0
    why: str = ""

    def wait_ms(self, now_ms: int) -> int:
        """How long nothing may be sent; 0 where a message may go now, as a trial or not."""
        wait_ms = max(0, self.until_ms - now_ms)
        # A clock that was set back must not make a pause of hours.
        return wait_ms if wait_ms <= WAIT_MAX_MS else 0

    def trying(self) -> "Breaker":
        """A message goes out. Only asked where `wait_ms` is 0."""
        return replace(self, way=Way.HALF_OPEN) if self.way is Way.OPEN else self

    def taken(self) -> "Breaker":
        """The channel works."""
        return Breaker()

    def failed(
        self, why: str, now_ms: int, asked_s: float | None = None, patience: Patience = USUAL
    ) -> "Breaker":
        """No answer, or one that says to come again, after `asked_s` if it is said."""
        pause_ms = 0
        if asked_s is not None:
            pause_ms = round(1000 * min(max(0.0, asked_s), patience.asked_longest_s))
        failures = self.failures + 1
        if self.way is Way.CLOSED and failures < patience.failures_max:
            until_ms = max(self.until_ms, now_ms + pause_ms)
            return replace(self, failures=failures, until_ms=until_ms)
        opened = self._open(why, now_ms, patience.first_s, patience)
        return replace(opened, until_ms=max(opened.until_ms, now_ms + pause_ms))

    def refused_one(
        self, why: str, now_ms: int, *, first: bool, patience: Patience = USUAL
    ) -> "Breaker":
        """It does not take this message, so it is there; unless it takes none at all.

        first : this message was not refused before
        """
        refused = self.refused + first
        if refused >= patience.refusals_max:
            opened = self._open(why, now_ms, patience.first_s, patience)
            return replace(opened, refused=refused)
        # Of a half-open one a refusal says that it answers, and not yet that it takes messages.
        return Breaker(refused=refused)

    def closed(self, why: str, now_ms: int, patience: Patience = USUAL) -> "Breaker":
        """The channel says that it takes nothing until somebody has looked."""
        return self._open(why, now_ms, patience.closed_first_s, patience)

    def doubted(self, why: str, patience: Patience = USUAL, *, closed: bool) -> "Breaker":
        """As `failed` or, if `closed`, as `closed`, of a message by which a channel is not judged:
        what comes next is a trial of it, and waits no longer than it would have.
        """
        failures = self.failures + 1
        if self.way is Way.CLOSED and not closed and failures < patience.failures_max:
            return replace(self, failures=failures)
        return replace(self, way=Way.OPEN, why=why)

    def _open(self, why: str, now_ms: int, first_s: float, patience: Patience) -> "Breaker":
        opened = self.opened + 1
        # Beyond 2**16 the longest has long been reached.
        wait_s = min(patience.longest_s, first_s * 2.0 ** min(opened - 1, 16))
        until_ms = now_ms + round(1000 * wait_s)
        return Breaker(Way.OPEN, self.failures, self.refused, opened, until_ms, why)
