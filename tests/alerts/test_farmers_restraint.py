"""What one person is told, and what not, by scripts in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.person import Person, Quiet
from alerts.farmers.place import Place
from alerts.farmers.restraint import (
    DAILY_MAX,
    GROUP_MS,
    TOLD_MS,
    Asked,
    Budget,
    Day,
    Drop,
    Permitted,
    Send,
    Wait,
    Why,
    decide,
)
from alerts.farmers.restraint_times import (
    VIETNAM_MS,
    digest_after_ms,
    expires_ms,
    month_after_ms,
    quiet_end_ms,
)

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
    """A person whom notices reach as the planner would let them: asked when something comes and
    when a wait is over."""

    person: Person = field(default_factory=someone)
    budget: Budget = field(default_factory=Budget)
    permitted: Permitted | None = None
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
        decisions = decide(self.person, self.waiting, day, self.budget, now_ms, self.permitted)
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


def test_a_moment_makes_one_message_of_one_event_at_two_places() -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 8), notice(Kind.SALT, 8.01, B, event="f"))
    phone.until(at(9))
    assert phone.messages() == [(8.02, [Kind.SALT, Kind.SALT], Why.DUE)]
    assert phone.waits[0].until_ms == at(8) + GROUP_MS


def test_the_same_event_at_a_second_place_goes_with_the_digest() -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 8), notice(Kind.SALT, 10, B, event="f"))
    phone.until(at(30))
    assert phone.messages() == [(8.02, [Kind.SALT], Why.DUE), (18.0, [Kind.SALT], Why.DIGEST)]
    assert phone.waits[-1].why is Why.SAME_EVENT


@pytest.mark.parametrize(
    "second",
    [
        notice(Kind.SALT, 10, B, event="f", reach=""),
        notice(Kind.SALT, 10, B, event="f", reach="ham-luong"),
        notice(Kind.SALT, 10, B, event="f", level_mg_l=1000),
        notice(Kind.SALT, 20.5, B, event="f"),
    ],
)
def test_another_water_level_or_tide_is_another_event(second: Notice) -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 8, reach=second.reach and "tien"), second)
    phone.until(at(24))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SALT], [Kind.SALT]]
    assert phone.sent[-1][0] == second.at_ms + GROUP_MS


def test_what_was_permitted_is_taken_back_even_in_the_same_event() -> None:
    phone = Phone()
    phone.come(notice(Kind.FRESH, 6, B), notice(Kind.SALT, 8), notice(Kind.SALT, 10, B))
    phone.until(at(11))
    assert phone.messages()[-1] == (10.02, [Kind.SALT], Why.DUE)


def test_salt_wakes_him_and_silence_does_not() -> None:
    phone = Phone(someone(NIGHT))
    phone.come(notice(Kind.SALT, 23), notice(Kind.SILENT, 25))
    phone.until(at(30))
    assert phone.messages() == [(23.02, [Kind.SALT], Why.DUE), (29.0, [Kind.SILENT], Why.DUE)]


def test_who_wants_to_sleep_is_told_in_the_morning() -> None:
    phone = Phone(someone(SOUND_NIGHT))
    phone.come(notice(Kind.SALT, 23))
    phone.until(at(30))
    assert phone.messages() == [(29.0, [Kind.SALT], Why.DUE)]


def test_a_window_that_came_and_went_at_night_is_not_told() -> None:
    phone = Phone(someone(NIGHT))
    phone.come(notice(Kind.SALT, 10), notice(Kind.OPEN, 22), notice(Kind.SHUT, 24))
    phone.until(at(40))
    assert phone.messages() == [(10.02, [Kind.SALT], Why.DUE)]
    assert [why for _, why in phone.dropped] == [Why.OVERTAKEN, Why.MOOT] or [
        why for _, why in phone.dropped
    ] == [Why.EXPIRED, Why.MOOT]


def test_the_end_of_a_window_he_was_told_of_wakes_him() -> None:
    phone = Phone(someone(NIGHT))
    phone.come(notice(Kind.OPEN, 20.5), notice(Kind.SHUT, 24))
    phone.until(at(40))
    assert phone.messages()[-1] == (24.02, [Kind.SHUT], Why.DUE)


def test_a_silence_that_is_over_is_not_told() -> None:
    phone = Phone(someone(NIGHT))
    phone.come(notice(Kind.SILENT, 22), notice(Kind.HEARD, 23))
    phone.until(at(40))
    assert phone.messages() == []
    assert [why for _, why in phone.dropped] == [Why.OVERTAKEN, Why.MOOT]


def test_the_end_of_a_silence_he_was_told_of_is_told() -> None:
    phone = Phone()
    phone.come(notice(Kind.SILENT, 9), notice(Kind.HEARD, 50))
    phone.until(at(60))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SILENT], [Kind.HEARD]]


def test_a_permission_that_waited_needs_the_newest_answer() -> None:
    for permitted, told in ((None, False), (lambda *_: False, False), (lambda *_: True, True)):
        phone = Phone(someone(NIGHT), permitted=permitted)
        phone.come(notice(Kind.FRESH, 22))
        phone.until(at(40))
        assert bool(phone.sent) is told


def test_a_permission_after_which_it_fell_silent_is_not_told() -> None:
    phone = Phone(someone(NIGHT), permitted=lambda *_: True)
    phone.come(notice(Kind.FRESH, 22), notice(Kind.SILENT, 23))
    phone.until(at(40))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SILENT]]


def test_a_window_is_not_told_after_its_end() -> None:
    one = notice(Kind.OPEN, 22, ends_ms=at(26))
    assert expires_ms(one) == at(26)
    phone = Phone(someone(NIGHT), permitted=lambda *_: True)
    phone.come(one)
    phone.until(at(40))
    assert [why for _, why in phone.dropped] == [Why.EXPIRED]


def test_a_message_with_a_permission_says_until_when_it_may_be_sent() -> None:
    phone = Phone()
    phone.come(notice(Kind.FRESH, 9))
    phone.until(at(10))
    phone.come(notice(Kind.FRESH, 10, B, until_ms=at(10.2)))
    phone.until(at(11))
    assert [send.expires_ms for _, send in phone.sent] == [at(9.5), at(10.2)]


def test_the_fifth_of_a_day_goes_with_the_evenings_digest() -> None:
    phone = Phone()
    for hour in range(6, 16):
        kind = Kind.SILENT if hour % 2 == 0 else Kind.HEARD
        phone.come(notice(kind, hour, event=f"s{hour}"))
    phone.until(at(24))
    kinds = [why for _, _, why in phone.messages()]
    assert kinds[:DAILY_MAX] == [Why.DUE] * DAILY_MAX
    # What followed cancelled out, pair by pair: he knows that it is measured.
    assert len(kinds) == DAILY_MAX


def test_the_digest_holds_what_is_left() -> None:
    phone = Phone()
    places = [Place(f"p{i}", "river") for i in range(7)]
    phone.come(*(notice(Kind.SILENT, 8 + i, place) for i, place in enumerate(places)))
    phone.until(at(24))
    assert phone.messages()[-1] == (18.0, [Kind.SILENT] * 3, Why.DIGEST)


def test_after_the_evenings_digest_the_rest_waits_for_the_morning() -> None:
    phone = Phone()
    places = [Place(f"p{i}", "river") for i in range(6)]
    phone.come(*(notice(Kind.SILENT, 18.5 + i / 4, place) for i, place in enumerate(places)))
    phone.until(at(48))
    assert phone.messages()[-1] == (30.0, [Kind.SILENT] * 2, Why.DIGEST)


def test_a_new_spell_is_never_put_off_by_the_number() -> None:
    phone = Phone()
    places = [Place(f"p{i}", "river") for i in range(5)]
    phone.come(*(notice(Kind.SILENT, 8 + i, place) for i, place in enumerate(places)))
    phone.come(notice(Kind.SALT, 14))
    phone.until(at(15))
    assert phone.messages()[-1] == (14.02, [Kind.SALT], Why.DUE)


def test_several_kinds_at_once_are_one_message() -> None:
    phone = Phone(someone(NIGHT), permitted=lambda *_: True)
    phone.come(notice(Kind.FRESH, 22), notice(Kind.SILENT, 23, B))
    phone.until(at(40))
    assert phone.messages() == [(29.0, [Kind.FRESH, Kind.SILENT], Why.DIGEST)]


def test_salt_and_open_are_not_told_together() -> None:
    phone = Phone(someone(SOUND_NIGHT), permitted=lambda *_: True)
    phone.come(notice(Kind.SALT, 22), notice(Kind.OPEN, 28.9), notice(Kind.SHUT, 28.95))
    phone.until(at(40))
    assert phone.messages() == [(29.0, [Kind.SALT], Why.DUE)]
    assert [why for _, why in phone.dropped] == [Why.UNTOLD, Why.MOOT]


def test_the_last_fifth_of_a_budget_is_for_what_is_urgent() -> None:
    phone = Phone(budget=Budget(spent=8, limit=10))
    phone.come(notice(Kind.SILENT, 8), notice(Kind.SALT, 9), notice(Kind.SHUT, 9.5, B))
    phone.until(at(12))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SALT]]
    assert {wait.why for wait in phone.waits} >= {Why.BUDGET}
    phone.come(notice(Kind.SALT, 12, Place("c", "river"), reach=""))
    phone.come(notice(Kind.SALT, 13, Place("d", "river"), reach=""))
    phone.until(at(14))
    assert phone.budget.spent == 10
    assert phone.waits[-1].until_ms == month_after_ms(at(13))


def test_a_bulletin_for_several_places_is_one() -> None:
    phone = Phone()
    phone.come(notice(Kind.BULLETIN, 8), notice(Kind.BULLETIN, 8, B), notice(Kind.BULLETIN, 9, B))
    phone.until(at(12))
    assert phone.messages() == [(8.02, [Kind.BULLETIN], Why.DUE)]
    assert [why for _, why in phone.dropped] == [Why.TWICE, Why.TWICE]


def test_times_are_those_of_vietnam() -> None:
    assert quiet_end_ms(NIGHT, at(20.99)) is None
    assert quiet_end_ms(NIGHT, at(21)) == at(29)
    assert quiet_end_ms(NIGHT, at(28.999)) == at(29)
    assert quiet_end_ms(NIGHT, at(29)) is None
    assert digest_after_ms(None, at(5)) == at(6)
    assert digest_after_ms(None, at(6)) == at(18)
    assert digest_after_ms(None, at(18)) == at(30)
    assert digest_after_ms(Quiet(17 * 60, 19 * 60), at(10)) == at(19)
    assert month_after_ms(at(0)) == 1_743_440_400_000
    assert month_after_ms(1_767_200_399_999) == 1_767_200_400_000
