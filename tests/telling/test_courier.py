"""A courier on real files, a channel that answers as told, and a clock that is set."""

import logging
import sqlite3
from itertools import pairwise
from typing import Any

import pytest

from alerts.farmers.notice import Kind
from alerts.farmers.parcel import Answer, Parcel, Text, Verdict
from alerts.farmers.person import Follow, Quiet
from songtien.telling.breaker import Way
from tests.telling.conftest import Making
from tests.telling.world import (
    BEGIN_MS,
    HOUR_MS,
    LEVEL,
    MINUTE_MS,
    THERE,
    World,
    notice,
)

AGAIN = Answer(Verdict.AGAIN, "status 503")
TAKEN = Answer(Verdict.TAKEN, "")


def told(world: World, *kinds: Kind) -> None:
    """Notices of the moment, planned: they wait for the channel."""
    world.tell(*(notice(kind, world.now_ms) for kind in kinds))
    world.later(MINUTE_MS)
    world.plan()


def failing(times: int, answer: Answer = AGAIN) -> Any:
    """An answer for the first parcels, TAKEN for what comes after."""
    left = [times]

    def answers(parcel: Parcel) -> Answer:
        left[0] -= 1
        return answer if left[0] >= 0 else Answer(Verdict.TAKEN, "", f"ref-{parcel.key}")

    return answers


def test_a_notice_comes_to_its_person_once_with_the_way_to_stop(world: World) -> None:
    world.tell(notice(), people=[1, 2])
    world.minutes(3)
    assert world.channel.texts == ["1: salt xuan-hoa/river", "2: salt xuan-hoa/river"]
    first = world.channel.parcels[0]
    assert first.address == "+84900000001"
    assert first.stop_url == "https://tien.vn/nong-dan/toi/token-1"
    assert first.critical
    assert world.states() == [("sent", ""), ("sent", "")]
    assert len({each.key for each in world.channel.parcels}) == 2
    world.restart()
    world.minutes(3)
    assert len(world.channel.parcels) == 2


def test_an_answer_that_fails_is_tried_again_with_the_same_key_and_words(world: World) -> None:
    world.channel.answers = failing(3)
    told(world, Kind.SALT)
    world.minutes(5)
    assert len(world.channel.parcels) == 4
    assert len({(each.key, each.text.body) for each in world.channel.parcels}) == 1
    assert world.states() == [("sent", "")]
    assert world.courier.retries == 3


def test_waits_between_tries_grow(world: World) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    told(world, Kind.SALT)
    times = []
    for _ in range(1500):
        before = len(world.channel.parcels)
        world.send()
        if len(world.channel.parcels) > before:
            times.append(world.now_ms)
        world.later(1000)
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps[0] >= 5_000
    assert max(gaps) > 100_000, "the breaker leaves it alone"
    assert len(times) < 20


def test_retry_after_leaves_the_whole_channel_alone(world: World) -> None:
    world.channel.answers = failing(1, Answer(Verdict.AGAIN, "status 429", retry_after_s=120.0))
    world.tell(notice(), people=[1, 2])
    world.later(MINUTE_MS)
    world.plan()
    world.send()
    assert len(world.channel.parcels) == 1, "the second does not go either"
    world.later(119_000)
    world.send()
    assert len(world.channel.parcels) == 1
    world.later(2_000)
    world.send()
    assert len(world.channel.parcels) == 3


def test_a_dead_channel_is_asked_by_one_trial_at_a_time_and_recovers(world: World) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    world.tell(notice(), people=range(1, 101))
    world.later(MINUTE_MS)
    world.run()
    assert len(world.channel.parcels) == 5
    assert world.courier.breaker.way is Way.OPEN
    assert world.courier.trouble == "status 503"
    world.restart()
    world.send()
    assert len(world.channel.parcels) == 5, "a new life remembers"
    world.later(11_000)
    world.send()
    assert len(world.channel.parcels) == 6
    world.channel.answers = failing(0)
    world.later(30_000)
    world.send()
    world.minutes(1)
    assert world.courier.trouble is None
    assert {state for state, _ in world.states()} == {"sent"}
    assert len(world.channel.parcels) == 6 + 100


def test_a_refused_one_is_given_up_and_the_next_goes_on(world: World) -> None:
    def answers(parcel: Parcel) -> Answer:
        bad = parcel.text.body.startswith("1:")
        return Answer(Verdict.REFUSED, "status 422") if bad else Answer(Verdict.TAKEN, "")

    world.channel.answers = answers
    world.tell(notice(), people=[1, 2])
    world.minutes(10)
    assert [each.text.body[0] for each in world.channel.parcels] == ["1", "2", "1", "1"]
    assert world.states() == [("undelivered", "refused"), ("sent", "")]
    lost = world.rows(
        "SELECT contact, kind, detail, tries FROM delivery WHERE state = 'undelivered'"
    )
    assert lost == [(1, "salt", "status 422", 3)]


def test_where_all_are_refused_it_is_the_channel_and_none_is_lost(world: World) -> None:
    world.channel.answers = lambda _parcel: Answer(Verdict.REFUSED, "status 400")
    world.tell(notice(), people=range(1, 51))
    world.minutes(20)
    assert world.courier.breaker.way is not Way.CLOSED
    world.channel.answers = failing(0)
    world.minutes(40)
    assert world.states() == [("sent", "")] * 50


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.GONE, Verdict.CLOSED, Verdict.AGAIN])
def test_codes_that_strangers_ask_for_in_vain_hold_up_no_warning(
    world: World, verdict: Verdict
) -> None:
    def answers(parcel: Parcel) -> Answer:
        asked_for = "code" in parcel.text.body
        return Answer(verdict, "status 400", retry_after_s=900.0) if asked_for else TAKEN

    world.channel.answers = answers
    for stranger in range(100, 140):
        asked_ms, said = world.now_ms, {"code": "123456"}
        world.deliveries.direct(stranger, "sms", "code", said, f"c-{stranger}", asked_ms)
        world.send()
        world.later(10_000)
    assert len(world.channel.parcels) >= 40
    assert (world.courier.trouble is None) == (verdict in (Verdict.REFUSED, Verdict.GONE))
    told(world, Kind.SALT)
    world.send()
    assert world.channel.texts[-1] == "1: salt xuan-hoa/river"
    assert world.courier.trouble is None
    assert world.people.gone_said == []


def test_codes_that_strangers_ask_for_leave_the_budget_to_farmers(making: Making) -> None:
    world = making(budget_per_month=100)
    for stranger in range(100, 200):
        asked_ms, said = world.now_ms, {"code": "123456"}
        world.deliveries.direct(stranger, "sms", "code", said, f"c-{stranger}", asked_ms)
    world.send()
    assert len(world.channel.parcels) == 25
    assert world.states().count(("undelivered", "budget")) == 75
    world.tell(notice(), people=range(1, 61))
    world.minutes(3)
    assert len(world.channel.parcels) == 25 + 60
    world.later(31 * 24 * HOUR_MS)
    world.deliveries.direct(300, "sms", "code", {"code": "123456"}, "c-300", world.now_ms)
    world.send()
    assert world.channel.texts[-1].startswith("300: code"), "another month"


def test_a_list_that_is_welcomed_leaves_the_last_fifth_to_those_who_are_warned(
    making: Making,
) -> None:
    world = making(budget_per_month=100)
    for person in range(1, 201):
        world.deliveries.direct(person, "sms", "welcome", {}, f"w-{person}", world.now_ms)
    # Two hundred that wait are more than the month has, and hold no warning back.
    world.tell(notice(), people=range(1, 6))
    world.plan()
    world.later(10 * MINUTE_MS)
    world.plan()
    world.send()
    assert sum("salt" in text for text in world.channel.texts) == 5
    assert len(world.channel.parcels) == 80
    assert world.states().count(("undelivered", "budget")) == 200 - 75

    def in_salt(*_said: object) -> Text:
        return Text("", "KHONG LAY NUOC", warns=True)

    world.deliveries.direct(7, "sms", "stopped", {}, "bye", world.now_ms)
    world.deliveries.direct(8, "sms", "trial", {}, "trial", world.now_ms)
    world.words = in_salt
    for person in range(300, 330):
        world.deliveries.direct(person, "sms", "welcome", {}, f"w-{person}", world.now_ms)
    world.send()
    assert len(world.channel.parcels) == 100, "who comes in the middle of a spell is warned"


def test_one_whose_address_is_gone_is_told_nothing_more(world: World) -> None:
    world.channel.answers = lambda _parcel: Answer(Verdict.GONE, "status 410")
    told(world, Kind.SALT)
    world.send()
    assert world.people.gone_said == [1]
    assert world.states() == [("undelivered", "gone")]
    world.tell(notice(Kind.FRESH, world.now_ms))
    world.minutes(3)
    assert len(world.channel.parcels) == 1


def test_a_gateway_that_says_gone_of_everybody_is_not_believed(world: World) -> None:
    world.channel.answers = lambda _parcel: Answer(Verdict.GONE, "status 404")
    world.tell(notice(), people=range(1, 101))
    world.minutes(10)
    assert len(world.people.gone_said) < 20
    assert world.courier.trouble == "status 404"


def test_a_closed_channel_is_left_alone_at_once_and_told_of_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.channel.answers = lambda _parcel: Answer(Verdict.CLOSED, "status 402")
    world.tell(notice(), people=range(1, 21))
    with caplog.at_level(logging.ERROR):
        world.minutes(10)
    assert len(world.channel.parcels) <= 4
    assert [each.message for each in caplog.records].count(
        "a channel takes no messages, they wait"
    ) == 1
    assert {state for state, _ in world.states()} == {"waiting"}


def test_who_has_left_meanwhile_gets_nothing(world: World) -> None:
    told(world, Kind.SALT)
    world.people.left.add(1)
    world.send()
    assert world.channel.parcels == []
    assert world.states() == [("dropped", "stopped")]


def test_who_follows_it_no_more_gets_nothing(world: World) -> None:
    told(world, Kind.SALT)
    world.people.follows[1] = (Follow(THERE, "durian", LEVEL),)
    world.send()
    assert world.channel.parcels == []


def test_who_is_about_to_leave_is_told_that_and_nothing_else(world: World) -> None:
    world.people.follows[1] = ()
    told(world, Kind.SALT)
    world.deliveries.direct(1, "sms", "stopped", {"lang": "vi", "place": ""}, "bye", world.now_ms)
    world.minutes(3)
    assert [each.key for each in world.channel.parcels] == ["bye"]


def test_an_answer_to_a_person_goes_first_then_danger_then_the_rest(world: World) -> None:
    world.tell(notice(Kind.FRESH), people=[1])
    world.tell(notice(Kind.SALT, place=THERE), people=[2])
    world.later(MINUTE_MS)
    world.plan()
    world.deliveries.direct(3, "sms", "code", {"code": "123456"}, "c-3", world.now_ms)
    world.send()
    assert [each.text.body[0] for each in world.channel.parcels] == ["3", "2", "1"]


def test_a_code_is_never_late_and_nowhere_kept(world: World) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    world.deliveries.direct(1, "sms", "code", {"code": "483920"}, "c-1", world.now_ms)
    world.minutes(9)
    tries = len(world.channel.parcels)
    assert tries > 1
    world.channel.answers = failing(0)
    world.later(MINUTE_MS)
    world.minutes(20)
    assert world.states() == [("undelivered", "late")]
    assert len(world.channel.parcels) == tries
    assert world.rows("SELECT said FROM delivery") == [("{}",)]
    world.deliveries.direct(2, "sms", "code", {"code": "483921"}, "c-2", world.now_ms)
    world.run()
    assert world.states()[-1] == ("sent", "")
    with sqlite3.connect(world.directory / "telling.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    found = (world.directory / "telling.sqlite").read_bytes()
    assert b"483920" not in found
    assert b"483921" not in found


def test_a_direct_message_is_taken_once(world: World) -> None:
    direct = world.deliveries.direct
    assert direct(1, "sms", "welcome", {"lang": "vi"}, "w-1", BEGIN_MS)
    assert not direct(1, "sms", "welcome", {"lang": "vi"}, "w-1", BEGIN_MS)
    with pytest.raises(ValueError, match="accepted are code, stopped, trial, welcome"):
        direct(1, "sms", "salt", {}, "s-1", BEGIN_MS)
    world.minutes(1)
    assert len(world.channel.parcels) == 1


def test_water_that_turned_salt_while_fresh_waited_is_not_told_to_be_fresh(world: World) -> None:
    """The queue was held up; danger goes first; what it contradicts must not come after it."""
    world.channel.answers = lambda _parcel: Answer(Verdict.CLOSED, "status 402")
    world.permits = lambda _place, _level: True
    told(world, Kind.FRESH)
    world.send()
    world.later(2 * MINUTE_MS)
    told(world, Kind.SALT)
    world.channel.answers = failing(0)
    world.channel.parcels.clear()
    world.minutes(15)
    assert world.channel.texts == ["1: salt xuan-hoa/river"]
    assert ("dropped", "superseded") in world.states()


def test_the_end_of_a_spell_that_waited_too_long_waits_until_water_may_be_taken(
    world: World,
) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    world.permits = lambda _place, _level: False
    told(world, Kind.FRESH)
    world.minutes(60)
    world.channel.parcels.clear()
    world.channel.answers = failing(0)
    world.minutes(40)
    assert world.channel.parcels == []
    # That the spell is over is told as soon as water may be taken again.
    world.permits = lambda _place, _level: True
    world.minutes(16)
    assert world.channel.texts == ["1: fresh xuan-hoa/river"]


def test_a_window_that_waited_too_long_is_not_told(world: World) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    world.permits = lambda _place, _level: False
    told(world, Kind.OPEN)
    world.minutes(60)
    world.channel.parcels.clear()
    world.channel.answers = failing(0)
    world.minutes(40)
    assert world.channel.parcels == []
    assert world.figures.counts(0, 100_000)[-1].why == "expired"


def test_a_permission_that_still_holds_is_told_late_with_its_key(world: World) -> None:
    """Its answer may have been lost: what is made anew of it has the key of the first."""
    world.channel.answers = lambda _parcel: AGAIN
    world.permits = lambda _place, _level: True
    told(world, Kind.FRESH)
    world.minutes(60)
    key = world.channel.parcels[0].key
    world.channel.parcels.clear()
    world.channel.answers = failing(0)
    world.minutes(40)
    assert [each.key for each in world.channel.parcels] == [key]


def test_a_danger_is_tried_for_three_days(world: World) -> None:
    world.channel.answers = lambda _parcel: AGAIN
    told(world, Kind.SALT)
    for _ in range(73 * 2):
        world.run()
        world.later(30 * MINUTE_MS)
    assert world.states() == [("undelivered", "late")]
    assert world.rows("SELECT detail FROM delivery") == [("status 503",)]
    assert world.now_ms - BEGIN_MS > 72 * HOUR_MS


def test_quiet_hours_that_begin_while_it_waits_hold_it_back(making: Making) -> None:
    world = making(rate_per_s=1 / 60)
    # From 09:30 to 12:00 here, so that it begins while the queue goes at a message a minute.
    for person in range(1, 61):
        world.people.quiet[person] = Quiet(9 * 60 + 30, 12 * 60)
    world.tell(notice(Kind.SILENT), people=range(1, 61))
    for _ in range(12 * 60):
        world.plan()
        world.courier.step()
        world.later(10_000)
    assert 20 < len(world.channel.parcels) < 31
    world.now_ms = BEGIN_MS + 3 * HOUR_MS
    for _ in range(60 * 8):
        world.plan()
        world.courier.step()
        world.later(10_000)
    assert len(world.channel.parcels) == 60
    assert len({each.key for each in world.channel.parcels}) == 60


def test_a_message_without_words_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    usual = world.words

    def broken(*said: Any) -> Any:
        if said[2].id == 1:
            raise KeyError(said[2].address)
        return usual(*said)

    world.words = broken
    world.tell(notice(), people=[1, 2])
    world.minutes(2)
    assert world.states() == [("undelivered", "fault"), ("sent", "")]
    assert "+8490" not in caplog.text + str([vars(each) for each in caplog.records])
    ((detail,),) = world.rows("SELECT detail FROM delivery WHERE state = 'undelivered'")
    assert "KeyError in test_courier.py" in detail


def test_a_channel_that_raises_is_one_that_did_not_answer(world: World) -> None:
    def broken(parcel: Parcel) -> Answer:
        raise RuntimeError(parcel.address)

    world.channel.answers = broken
    told(world, Kind.SALT)
    world.send()
    assert world.states() == [("waiting", "")]
    assert "+8490" not in str(world.rows("SELECT * FROM delivery"))


def test_the_rate_is_kept_whatever_waits(making: Making) -> None:
    world = making(rate_per_s=2.0)
    world.tell(notice(), people=range(1, 501))
    world.later(MINUTE_MS)
    world.plan()
    begun_ms = world.now_ms
    while world.now_ms < begun_ms + 60_000:
        world.later(max(1, round(1000 * world.courier.step())))
    assert 118 <= len(world.channel.parcels) <= 121
    assert world.figures.progress("spell-1").states == {
        "sent": len(world.channel.parcels),
        "waiting": 500 - len(world.channel.parcels),
    }
    assert world.courier.per_s == pytest.approx(2.0, rel=0.05)


def test_two_lives_on_the_same_file_see_the_same(world: World) -> None:
    """Killed after the answer and before its note: once more, with the same key."""
    world.tell(notice())
    world.later(MINUTE_MS)
    world.plan()
    delivery = world.deliveries.next_due("sms", world.now_ms)
    assert delivery is not None
    assert world.deliveries.claim(delivery, frozenset(), world.now_ms)
    world.restart()
    world.minutes(2)
    assert [each.key for each in world.channel.parcels] == [delivery.key]


def test_a_list_that_is_welcomed_stands_before_no_danger(world: World) -> None:
    for number in range(2, 52):
        world.deliveries.direct(number, "sms", "welcome", {}, f"w{number}", world.now_ms)
    told(world, Kind.SALT)
    world.send(1)
    assert world.channel.texts == ["1: salt xuan-hoa/river"]
    world.deliveries.direct(60, "sms", "code", {"code": "1"}, "c", world.now_ms)
    world.send(2)
    assert world.channel.parcels[1].key == "c"


def test_one_person_who_does_not_open_ends_no_courier(world: World) -> None:
    told(world, Kind.SALT)
    world.deliveries.direct(2, "sms", "welcome", {}, "w", world.now_ms)
    world.people.damaged = {1}
    world.send()
    assert [each.key for each in world.channel.parcels] == ["w"]
    assert world.states()[0] == ("undelivered", "fault")


def test_what_was_due_before_the_clock_was_set_back_goes_at_once(world: World) -> None:
    world.channel.answers = failing(1)
    told(world, Kind.SALT)
    world.send()
    world.now_ms -= 6 * HOUR_MS
    world.send()
    assert world.states() == [("sent", "")]


def test_a_gateway_that_was_away_for_a_day_brings_the_danger_all_the_same(world: World) -> None:
    world.channel.answers = lambda _: AGAIN
    told(world, Kind.SALT, Kind.SILENT)
    world.minutes(10)
    world.later(26 * HOUR_MS)
    world.channel.answers = lambda _: TAKEN
    world.minutes(20)
    assert sorted(world.states()) == [("sent", ""), ("undelivered", "late")]
    assert world.channel.texts[-1] == "1: salt xuan-hoa/river"
