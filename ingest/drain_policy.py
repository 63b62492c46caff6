"""What the drain does next, and what an answer of the historian makes of what it has taken.

No clock, no thread and no chance in here: times are arguments, and the jitter is drawn from
a function that is handed in. Two rules carry everything. A place in the log of changes counts
as settled once every line up to it is stored or is a dead letter, and both leave here
together. And a line is a dead letter only when it was refused alone twice, with another line
stored in between: a server that refuses everything says something about itself, not about
the readings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from ingest.influx_answers import Answer, Verdict


@dataclass(frozen=True, slots=True)
class Pace:
    """Sizes and waits of a drain.

    The body of a write stays below the 1 MiB at which nginx refuses by default.
    """

    lines_max: int = 5_000
    bytes_max: int = 1_000_000
    gather_s: float = 0.5  # after little was taken, so that writes are fewer and fuller
    first_s: float = 0.5  # the least wait before the same lines are written again
    longest_s: float = 60.0
    asked_longest_s: float = 600.0  # of a wait that the server asks for
    mend_s: float = 60.0  # between two looks at whether the configuration was mended
    refusals_max: int = 20  # in a row without a line stored between; then it is the server
    believe_s: float = 10.0  # of quiet, before refusals are believed without a line after them
    outage_s: float = 60.0  # what comes back after so long may be another server


class State(StrEnum):
    """What the drain is at, as metrics and people are told."""

    STARTING = "starting"  # the canary has not been read back yet
    DRAINING = "draining"
    AWAY = "away"  # the same lines again and again until they are taken
    MISCONFIGURED = "misconfigured"  # somebody must mend something
    REFUSED = "refused"  # everything is refused, which is taken for the same


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that the historian does not take, with its words."""

    line: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Write the canary and read it back."""


@dataclass(frozen=True, slots=True)
class Take:
    """Take the next stretch of the log behind a place."""

    after: int


@dataclass(frozen=True, slots=True)
class Write:
    """Write these lines, in one request."""

    lines: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so long; only the end of the service cuts it short."""

    left_s: float


Order = Probe | Take | Write | Wait
_Range = tuple[int, int]


class _Phase(Enum):
    """What the next write is about."""

    BATCH = auto()  # lines that were not written yet, or a part of some that were refused
    HEARING = auto()  # a line that was refused alone is written once more
    WITNESS = auto()  # a line that was stored just now: does the server still take it?
    NONE = auto()


class Plan:
    """The state of a drain between two of its steps.

    `order` says what to do; `probed`, `taken` and `answered` take what came of it. Where
    the configuration is in doubt what is in hand is let go, and taken again from the last
    settled place: writing a point twice changes nothing.

    Parameters
    ----------
    begin : the place in the log up to which everything is settled
    chance : uniform in [0, 1)
    """

    def __init__(self, begin: int, chance: Callable[[], float], pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.settled = begin
        self.state = State.STARTING
        self.trouble: str | None = None
        self.retries = 0
        self.points_written = 0
        self.points_refused = 0
        self._chance = chance
        self._letters: list[Refused] = []
        self._not_before_s = 0.0
        self._attempts = 0
        self._away_since_s: float | None = None
        self._trusted = False
        self._believing = False
        self._tripped = False
        # What is in hand: the last stretch, what of it is ahead (the next one last), and of
        # all stretches since the settled place the lines refused once, and twice.
        self._taken = begin
        self._lines: Sequence[bytes] = ()
        self._ahead: list[_Range] = []
        self._doubts: list[Refused] = []
        self._guilty: list[Refused] = []
        self._in_a_row = 0
        self._last_refusal_s = 0.0
        self._witness: bytes | None = None
        self._vouched = 0

    @property
    def next_after(self) -> int:
        """Behind which place the next stretch begins, unless what is in hand is let go."""
        return self._taken

    def order(self, now_s: float) -> Order:
        if now_s < self._not_before_s:
            return Wait(self._not_before_s - now_s)
        since_s = self._away_since_s
        if not self._trusted or (since_s is not None and now_s - since_s >= self.pace.outage_s):
            return Probe()
        phase = self._phase()
        if phase is _Phase.BATCH:
            low, high = self._ahead[-1]
            return Write(self._lines[low:high])
        if phase is _Phase.HEARING:
            return Write([self._doubts[-1].line])
        if phase is _Phase.WITNESS:
            assert self._witness is not None
            return Write([self._witness])
        return Take(self._taken)

    def letters(self) -> list[Refused]:
        """The refused lines up to `settled` that were not given out yet."""
        letters, self._letters = self._letters, []
        return letters

    def taken(
        self, position: int, lines: Sequence[bytes], now_s: float, beyond: Sequence[Refused] = ()
    ) -> None:
        """The next stretch of the log reaches up to `position` and gives these lines.

        beyond : lines that no historian could take, which are not written at all
        """
        nothing = position == self._taken
        self._taken = position
        self._lines = lines
        self._ahead = parts(lines, self.pace.lines_max, self.pace.bytes_max)[::-1]
        self._guilty += beyond
        self._vouched = 0
        self._settle_if_clear()
        if nothing and not self._tripped:
            self._rest(now_s)

    def probed(self, answer: Answer, now_s: float) -> None:
        """The canary was written, and read back or not."""
        if answer.verdict is Verdict.RETRY:
            self._away(answer, now_s)
        elif answer.verdict is not Verdict.STORED:
            self._doubt(State.MISCONFIGURED, f"canary: {answer.detail}", now_s)
        else:
            # Not so `_attempts`: it may take a canary, and yet not what waits.
            self._away_since_s = None
            self._trusted = True
            if self.state is State.STARTING:
                self._well()
            if self._believing:
                self._believing = False
                self._vouched = self.pace.refusals_max

    def answered(self, answer: Answer, now_s: float) -> None:
        """The lines of the last `Write` were answered so."""
        phase, verdict = self._phase(), answer.verdict
        stored = verdict is Verdict.STORED
        if verdict is Verdict.RETRY or (phase is _Phase.WITNESS and verdict is Verdict.REJECTED):
            # What refuses a line that it took a moment ago is not to be asked about others.
            self._away(answer, now_s)
            return
        if verdict is Verdict.MISCONFIGURED:
            self._doubt(State.MISCONFIGURED, answer.detail, now_s)
            return
        self._heard()
        if stored:
            self._in_a_row = 0
            self._tripped = False
            self._well()
        if phase is _Phase.WITNESS:
            self._vouched = self.pace.refusals_max
        elif phase is _Phase.HEARING:
            doubt = self._doubts.pop()
            self._vouched -= 1
            if stored:
                self.points_written += 1
            else:
                self._guilty.append(doubt)
        else:
            self._split(answer, now_s)
        self._settle_if_clear()

    def _phase(self) -> _Phase:
        if self._ahead:
            return _Phase.BATCH
        if self._doubts and self._vouched:
            return _Phase.HEARING
        if self._doubts and self._witness is not None:
            return _Phase.WITNESS
        return _Phase.NONE

    def _split(self, answer: Answer, now_s: float) -> None:
        """Stored lines are done with, refused ones are halved down to the guilty."""
        low, high = self._ahead.pop()
        if answer.verdict is Verdict.STORED:
            self.points_written += high - low
            self._witness = self._lines[high - 1]
        elif high - low > 1:
            middle = (low + high) // 2
            self._ahead += [(middle, high), (low, middle)]
        else:
            self._doubts.append(Refused(self._lines[low], answer.detail))
            self._last_refusal_s = now_s
            self._in_a_row += 1
            if self._in_a_row > self.pace.refusals_max:
                self._tripped = True
                count = f"{self._in_a_row} points in a row were refused"
                words = f"{count}, so none of them is thrown away: {answer.detail}"
                self._doubt(State.REFUSED, words, now_s)

    def _settle_if_clear(self) -> None:
        """What is in hand is settled when nothing of it is ahead or in doubt."""
        if self._ahead or self._doubts:
            return
        self.settled = self._taken
        self.points_refused += len(self._guilty)
        self._letters += self._guilty
        self._guilty = []
        self._let_go()

    def _let_go(self) -> None:
        self._lines, self._ahead = (), []
        self._witness, self._vouched = None, 0

    def _rest(self, now_s: float) -> None:
        """Nothing waits. After a while of it a canary stands in for the line in between."""
        if not self._doubts:
            self._well()
        elif now_s - self._last_refusal_s >= self.pace.believe_s:
            self._believing = True
            self._trusted = False

    def _well(self) -> None:
        self.state = State.DRAINING
        self.trouble = None

    def _heard(self) -> None:
        """The server is there."""
        self._attempts = 0
        self._away_since_s = None

    def _away(self, answer: Answer, now_s: float) -> None:
        """The same again, later and later; as late as the server asks for where it asks."""
        self.retries += 1
        asked_s = answer.retry_after_s
        if asked_s is None:
            wait_s = backoff_s(self._attempts, self._chance(), self.pace)
        else:
            wait_s = min(max(asked_s, self.pace.first_s), self.pace.asked_longest_s)
        self._attempts += 1
        self._not_before_s = now_s + wait_s
        if self._away_since_s is None:
            self._away_since_s = now_s
        self.state = State.AWAY
        self.trouble = answer.detail

    def _doubt(self, state: State, trouble: str, now_s: float) -> None:
        """Keep everything, and begin again at the settled place when it may be mended."""
        self.retries += 1
        self._not_before_s = now_s + self.pace.mend_s
        self._trusted = self._believing = False
        self._taken = self.settled
        self._doubts, self._guilty = [], []
        self._in_a_row = 0
        self._let_go()
        self._heard()
        self.state = state
        self.trouble = trouble


def backoff_s(attempts: int, chance: float, pace: Pace) -> float:
    """Exponential with full jitter, within [first, longest]; `attempts` have failed before.

    Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # Beyond 2**16 the ceiling has long been reached, and a float would overflow some day.
    ceiling_s = min(pace.longest_s, pace.first_s * 2.0 ** min(attempts + 1, 16))
    return pace.first_s + chance * max(0.0, ceiling_s - pace.first_s)


def parts(lines: Sequence[bytes], lines_max: int, bytes_max: int) -> list[_Range]:
    """[low, high) of each request, in order; a line longer than `bytes_max` goes alone."""
    found: list[_Range] = []
    low = size = 0
    for at, line in enumerate(lines):
        more = len(line) + 1
        if at > low and (at - low == lines_max or size + more > bytes_max):
            found.append((low, at))
            low, size = at, 0
        size += more
    if len(lines) > low:
        found.append((low, len(lines)))
    return found
