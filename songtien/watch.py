"""What the service finds wrong with itself: facts in, entries and messages out.

Pure: the facts bring their times. What holds is told by the book, so that a service that
comes back neither raises nor clears a second time what it has raised before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from alerts.alert import AlertEvent
from alerts.notices import DISK_LOW, HISTORIAN_BEHIND, HISTORIAN_TROUBLE, TELLING_TROUBLE
from ingest.journal import Notice
from songtien.board import Board
from songtien.outcome import Echo
from songtien.selftest import Say, SelfTest

CLEAR_SHARE: Final = 1 / 3
"""Of the limit: below it, what had fallen behind has caught up."""

TROUBLE_S: Final = 60.0
CALM_S: Final = 90.0
"""Without trouble for so long it is over: it is asked once a minute whether it was mended."""

TELLING_S: Final = 300.0
"""A gateway that starts anew is back by then, and nobody need be called for it."""

DISK_SHARE: Final = 0.05
DISK_BYTES: Final = 2**30


@dataclass(frozen=True, slots=True)
class Draining:
    """How it stands with the copy into InfluxDB.

    behind_s : age of the oldest change that waits, 0 where none does
    trouble : what somebody must mend, None where there is nothing
    """

    behind_s: float
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is looked at, as of one moment.

    mono_s : a clock that does not jump
    historian : None where there is none
    disk : bytes that are free where the data are, and its size; None where nobody can tell
    channels : those that take no messages to people, with why
    """

    now_ms: int
    mono_s: float
    ready: bool
    historian: Draining | None = None
    disk: tuple[int, int] | None = None
    channels: Mapping[str, str] = field(default_factory=dict)


class Watch:
    """All notices of a service.

    Parameters
    ----------
    behind_s : how long the oldest change may wait for the historian
    self_test_minute : of the day in Vietnam; None tests never
    test_topic, alert_topic : where the test's message and its alert are heard back
    said : the last word on each notice, from the checkpoint and the entries after it
    from_ms : since when the data directory is there
    """

    def __init__(
        self,
        *,
        behind_s: float,
        self_test_minute: int | None,
        test_topic: str,
        alert_topic: str,
        said: Mapping[str, tuple[bool, int]],
        from_ms: int,
    ) -> None:
        self._behind_s = behind_s
        self._test_topic = test_topic
        self._alert_topic = alert_topic
        self._board = Board(said)
        self.self_test = SelfTest(self_test_minute, self._board, said, from_ms)
        self._begun_s: float | None = None
        self._trouble_since: tuple[float, int] | None = None
        self._trouble_last_s = 0.0
        self._detail = ""
        self._untold_since: dict[str, tuple[float, int]] = {}

    def told(self, events: Iterable[AlertEvent]) -> None:
        """Take alert events, in order, once they are stored."""
        self._board.told(events)

    def heard(self, echoes: Iterable[Echo]) -> None:
        """Take what came back from the broker: the message of a test, and its recipient's ear."""
        for topic, payload in echoes:
            if topic == self._test_topic:
                self.self_test.came_round(payload)
            elif topic == self._alert_topic:
                if not payload:
                    self.self_test.received(None)
                elif (alert := _id_of(payload)) is not None:
                    self.self_test.received(alert)

    def connected(self) -> None:
        """The broker is there anew."""
        self.self_test.connected()

    def proven(self, now_ms: int) -> bool:
        """Whether nothing speaks against the way of alerts."""
        return self.self_test.proven(now_ms)

    def step(self, facts: Facts) -> list[Say | Notice]:
        """What is to be said and written down, in order."""
        self._begun_s = facts.mono_s if self._begun_s is None else self._begun_s
        found = self.self_test.step(facts.now_ms, facts.mono_s, ready=facts.ready)
        found += [*self._behind(facts), *self._trouble(facts), *self._disk(facts)]
        return [*found, *self._telling(facts)]

    def _settling(self, facts: Facts, *, holds: bool) -> bool:
        """A drain that has just begun knows of nothing yet: what holds is left as it is."""
        assert self._begun_s is not None
        return holds and facts.historian is not None and facts.mono_s - self._begun_s < CALM_S

    def _behind(self, facts: Facts) -> list[Notice]:
        holds = self._board.holds(HISTORIAN_BEHIND)
        age_s = 0.0 if facts.historian is None else facts.historian.behind_s
        hold = age_s > self._behind_s * (CLEAR_SHARE if holds else 1)
        return self._board.ask(
            HISTORIAN_BEHIND,
            facts.mono_s,
            facts.now_ms,
            hold=hold or self._settling(facts, holds=holds),
            value=round(age_s, 1),
            limit=self._behind_s,
        )

    def _trouble(self, facts: Facts) -> list[Notice]:
        holds = self._board.holds(HISTORIAN_TROUBLE)
        trouble = None if facts.historian is None else facts.historian.trouble
        if trouble is not None:
            self._trouble_last_s, self._detail = facts.mono_s, trouble
            if self._trouble_since is None:
                self._trouble_since = facts.mono_s, facts.now_ms
        elif facts.historian is None or facts.mono_s - self._trouble_last_s >= CALM_S:
            self._trouble_since = None
        since_s, since_ms = self._trouble_since or (facts.mono_s, facts.now_ms)
        lasting = self._trouble_last_s - since_s >= TROUBLE_S
        # Between its first word and the time after which it counts, what held before goes on.
        hold = self._trouble_since is not None and (holds or lasting)
        return self._board.ask(
            HISTORIAN_TROUBLE,
            facts.mono_s,
            since_ms if hold else facts.now_ms,
            hold=hold or self._settling(facts, holds=holds),
            detail=self._detail if hold else "",
        )

    def _disk(self, facts: Facts) -> list[Notice]:
        if facts.disk is None:
            return []
        free, size = facts.disk
        low = min(DISK_SHARE * size, DISK_BYTES)
        hold = free < low * (2 if self._board.holds(DISK_LOW) else 1)
        return self._board.ask(
            DISK_LOW,
            facts.mono_s,
            facts.now_ms,
            hold=hold,
            value=round(free / 2**30, 2),
            limit=round(low / 2**30, 2),
        )

    def _telling(self, facts: Facts) -> list[Notice]:
        """A channel is told of once it has been in trouble for some time, by itself."""
        now = facts.mono_s, facts.now_ms
        self._untold_since = {name: self._untold_since.get(name, now) for name in facts.channels}
        holds = self._board.holds(TELLING_TROUBLE)
        lasting = {
            name: since_ms
            for name, (since_s, since_ms) in self._untold_since.items()
            if holds or facts.mono_s - since_s >= TELLING_S
        }
        return self._board.ask(
            TELLING_TROUBLE,
            facts.mono_s,
            min(lasting.values(), default=facts.now_ms),
            hold=bool(lasting),
            detail="; ".join(f"{name}: {facts.channels[name]}" for name in sorted(lasting)),
        )


class _Told(msgspec.Struct):
    id: str


def _id_of(payload: bytes) -> str | None:
    """The id of the alert that stands on a topic; None where somebody wrote nonsense there."""
    try:
        return msgspec.json.decode(payload, type=_Told).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
