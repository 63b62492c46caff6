"""A person whom notices reach as the planner would let them, in a time that a test chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.person import Person, Quiet
from alerts.farmers.place import Place
from alerts.farmers.restraint import (
    TOLD_MS,
    Asked,
    Budget,
    Day,
    Drop,
    Send,
    Wait,
    Why,
    decide,
)
from alerts.farmers.restraint_times import VIETNAM_MS

MIN = 60_000
H = 60 * MIN
DAY = 24 * H
MIDNIGHT = 1_741_798_800_000
"""13 March 2025, 0:00 in Vietnam."""

A, B = Place("xuan-hoa", "river"), Place("vam-giong", "river")
NIGHT = Quiet(21 * 60, 5 * 60)
SOUND_NIGHT = Quiet(21 * 60, 5 * 60, urgent_passes=False)


def at(hours: float) -> int:
    return MIDNIGHT + round(hours * H)


def notice(kind: Kind, hours: float, place: Place = A, *, event: str = "e", **more: Any) -> Notice:
    level = more.pop("level_mg_l", 0 if kind in (Kind.SILENT, Kind.HEARD, Kind.BULLETIN) else 500)
    reach = more.pop("reach", "tien")
    return Notice(kind, place, level, at(hours), at(hours), event, reach, more)


def someone(quiet: Quiet | None = None) -> Person:
    return Person(1, "sms", "+84900000000", "vi", "token", quiet)


@dataclass
class Phone:
    """Asked when something comes and when a wait is over.

    permitted : whether an answer at a place lets water be taken for a level at a time
    """

    person: Person = field(default_factory=someone)
    budget: Budget = field(default_factory=Budget)
    permitted: Callable[[Place, int, int], bool] | None = None
    waiting: list[Asked] = field(default_factory=list)
    sent: list[tuple[int, Send]] = field(default_factory=list)
    dropped: list[tuple[Notice, Why]] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    def come(self, *notices: Notice) -> None:
        """Each at its time, the waits before it first."""
        for each in notices:
            self.until(each.at_ms)
            self.waiting.append(Asked(each, each.at_ms))
            self.ask(each.at_ms)

    def come_together(self, notices: Sequence[Notice], now_ms: int) -> None:
        self.until(now_ms)
        self.waiting += [Asked(each, now_ms) for each in notices]
        self.ask(now_ms)

    def until(self, t_ms: int) -> None:
        while self.waiting:
            next_ms = min(each.until_ms for each in self.waiting)
            if next_ms > t_ms:
                return
            self.ask(next_ms)

    def ask(self, now_ms: int) -> None:
        today = (now_ms + VIETNAM_MS) // DAY
        sent_today = sum((t_ms + VIETNAM_MS) // DAY == today for t_ms, _ in self.sent)
        told = tuple(
            each for t_ms, send in self.sent if now_ms - t_ms < TOLD_MS for each in send.notices
        )
        day = Day(sent_today, told)
        asked_ms = {each.notice.key: each.asked_ms for each in self.waiting}
        before = sorted(each.notice.key for each in self.waiting)
        permitted = self.permitted

        def now_permitted(place: Place, level_mg_l: int) -> bool:
            return permitted is not None and permitted(place, level_mg_l, now_ms)

        decisions = decide(self.person, self.waiting, day, self.budget, now_ms, now_permitted)
        assert before == sorted(each.key for told in decisions for each in told.notices)
        self.waiting = []
        for each in decisions:
            if isinstance(each, Send):
                self.sent.append((now_ms, each))
                self.budget = self.budget.less_one()
            elif isinstance(each, Drop):
                self.dropped += [(one, each.why) for one in each.notices]
            else:
                assert each.until_ms > now_ms, "it would be asked without end"
                self.waits.append(each)
                self.waiting += [
                    Asked(one, asked_ms[one.key], each.why, each.until_ms) for one in each.notices
                ]

    def messages(self) -> list[tuple[float, list[Kind], Why]]:
        return [
            (round((t_ms - MIDNIGHT) / H, 2), [each.kind for each in send.notices], send.why)
            for t_ms, send in self.sent
        ]
