"""What one person is told, and what not, by scripts in time."""

import pytest

from alerts.farmers.notice import USUAL, Kind, Notice, Wants
from alerts.farmers.person import Follow, Person, Quiet
from alerts.farmers.place import Place
from alerts.farmers.restraint import (
    DAILY_MAX,
    GROUP_MS,
    Budget,
    Why,
)
from alerts.farmers.restraint_times import (
    digest_after_ms,
    expires_ms,
    month_after_ms,
    quiet_end_ms,
)
from tests.alerts.farmers_phone import NIGHT, SOUND_NIGHT, A, B, Phone, at, notice, someone


def test_a_moment_makes_one_message_of_one_event_at_two_places() -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 8), notice(Kind.SALT, 8.01, B, event="f"))
    phone.until(at(9))
    assert phone.messages() == [(8.02, [Kind.SALT, Kind.SALT], Why.DUE)]
    assert phone.waits[0].until_ms == at(8) + GROUP_MS


def test_the_same_event_at_a_second_place_goes_with_the_digest() -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 8), notice(Kind.SALT, 8.9, B, event="f"))
    phone.until(at(30))
    assert phone.messages() == [(8.02, [Kind.SALT], Why.DUE), (18.0, [Kind.SALT], Why.DIGEST)]
    assert phone.waits[-1].why is Why.SAME_EVENT


@pytest.mark.parametrize(
    "second",
    [
        notice(Kind.SALT, 8.9, B, event="f", reach=""),
        notice(Kind.SALT, 8.9, B, event="f", reach="ham-luong"),
        notice(Kind.SALT, 8.9, B, event="f", level_mg_l=1000),
        notice(Kind.SALT, 9.1, B, event="f"),
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


def test_who_may_have_been_told_long_ago_is_told_to_stop() -> None:
    phone = Phone()
    phone.come(notice(Kind.SHUT, 9))
    phone.until(at(10))
    assert phone.messages() == [(9.02, [Kind.SHUT], Why.DUE)]


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


def test_the_end_of_a_spell_waits_for_water_that_may_be_taken_and_a_window_does_not() -> None:
    """At five in the morning the tide is in; it is fresh all the same."""
    phone = Phone(someone(NIGHT), permitted=lambda _place, _level, now_ms: now_ms >= at(31))
    window = notice(Kind.OPEN, 28.8, B, until_ms=at(28.9), ends_ms=at(40))
    phone.come(notice(Kind.FRESH, 22), window)
    phone.until(at(30))
    phone.come(notice(Kind.SILENT, 30, Place("c", "river")))
    phone.until(at(40))
    assert phone.messages() == [(30.02, [Kind.SILENT], Why.DUE), (31.0, [Kind.FRESH], Why.DUE)]
    assert phone.dropped == [(window, Why.EXPIRED)]


def test_the_end_of_a_spell_that_waits_is_ended_by_the_next_spell() -> None:
    phone = Phone(someone(NIGHT))
    phone.come(notice(Kind.FRESH, 22), notice(Kind.SALT, 31, event="f"))
    phone.until(at(40))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SALT]]
    assert [why for _, why in phone.dropped] == [Why.OVERTAKEN]


def test_a_permission_that_the_budget_held_is_asked_again_before_it_goes() -> None:
    phone = Phone(budget=Budget(spent=8, limit=10))
    phone.come(notice(Kind.OPEN, 8, ends_ms=at(20)))
    phone.until(at(10))
    phone.budget = Budget()
    phone.come(notice(Kind.SILENT, 12, B))
    phone.until(at(13))
    assert [kinds for _, kinds, _ in phone.messages()] == [[Kind.SILENT]]


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


def test_salt_that_waited_for_the_mornings_digest_is_not_put_off_by_the_number() -> None:
    phone = Phone()
    phone.come(notice(Kind.SALT, 18.5), notice(Kind.SALT, 19, B, event="f"))
    places = [Place(f"p{i}", "river") for i in range(DAILY_MAX)]
    phone.come(*(notice(Kind.SHUT, 25 + i, place) for i, place in enumerate(places)))
    phone.until(at(48))
    assert phone.messages()[-1] == (30.0, [Kind.SALT], Why.DIGEST)


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
    phone.come(notice(Kind.SILENT, 8), notice(Kind.SALT, 9), notice(Kind.HEARD, 9.5, B))
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


def test_what_is_followed_no_more_is_not_told() -> None:
    follows = (Follow(A, "durian", 500, Wants.SALT), Follow(B, "rice", 2000, USUAL))
    phone = Phone(Person(1, "sms", "", "vi", "token", None, follows))
    phone.come(
        notice(Kind.SALT, 8),
        notice(Kind.SALT, 8, level_mg_l=2000, event="f"),
        notice(Kind.SILENT, 8),
        notice(Kind.SILENT, 8, B),
    )
    phone.until(at(9))
    told = [(each.kind, each.place) for _, send in phone.sent for each in send.notices]
    assert told == [(Kind.SALT, A), (Kind.SILENT, B)]
    assert {why for _, why in phone.dropped} == {Why.UNFOLLOWED}
