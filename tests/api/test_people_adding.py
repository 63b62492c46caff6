"""What people add to what they follow, on a real file: how often, and what is told of it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from alerts.farmers.person import Follow
from alerts.farmers.roll import Done, Entry, read_roll
from api.people import Changes, ChangeWhy
from api.people.limits import ADDS_PER_DAY, ADDS_PER_HOUR, Adders
from api.people.replies import StopAt
from tests.api.people_world import FIELD, NOW_MS, PHONE, RIVER, Household

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Household]:
    house = Household(tmp_path)
    yield house
    house.close()


def test_what_was_added_is_welcomed_once_and_over_a_restart(house: Household) -> None:
    token = house.joins()
    house.sent.clear()
    assert house.people.add(token, [FIELD], NOW_MS) is ChangeWhy.DONE
    other = Follow(RIVER.place, "rice", 2000)
    assert house.people.add(token, [other], NOW_MS + 1) is ChangeWhy.DONE
    house.again()
    for minute in range(2):
        house.people.sweep(NOW_MS + minute * 60_000)
    assert [one.kind for one in house.sent] == ["welcome"]
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert set(stored.follows) == {RIVER, FIELD, other}

    # Another time it is another message.
    assert house.people.change(token, Changes((RIVER,)), NOW_MS + HOUR_MS) is ChangeWhy.DONE
    assert house.people.add(token, [FIELD], NOW_MS + HOUR_MS) is ChangeWhy.DONE
    house.people.sweep(NOW_MS + HOUR_MS)
    assert [one.kind for one in house.sent] == ["welcome"] * 2


def test_another_limit_and_less_are_no_news(house: Household) -> None:
    token = house.joins(PHONE, RIVER, FIELD)
    house.sent.clear()
    lower = Follow(RIVER.place, RIVER.crop, 400)
    assert house.people.add(token, [lower], NOW_MS) is ChangeWhy.DONE
    assert house.people.change(token, Changes((lower,)), NOW_MS) is ChangeWhy.DONE
    house.people.sweep(NOW_MS)
    assert house.sent == []
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert stored.follows == (lower,)


def test_who_adds_is_changed_by_no_list_any_more(house: Household) -> None:
    roll = "so_dien_thoai;noi;phia;cay;dong_y\n0912345678;xuan-hoa;{};Lúa, lúc khác;04/01/2026\n"

    def brought(side: str) -> Done:
        read = read_roll(roll.format(side).encode(), [RIVER.place, FIELD.place], date(2026, 1, 5))
        (line,) = house.people.roster.take(read.entries, "sms", "truc", NOW_MS, dry_run=False)
        return line.done

    assert brought("ngoài sông") is Done.DONE
    house.people.sweep(NOW_MS)
    person = house.people.person(house.sent[0].contact, NOW_MS)
    assert person is not None
    assert house.people.add(person.stop_token, [RIVER], NOW_MS) is ChangeWhy.DONE
    stored = house.people.by_token(person.stop_token, NOW_MS)
    assert stored is not None
    assert stored.origin == "self"
    assert brought("trong đồng") is Done.ALREADY


def test_a_place_that_was_stopped_by_a_reply_is_brought_back_by_no_list(house: Household) -> None:
    two = [Entry(2, "+84912345678", (RIVER, FIELD), None, "vi", "2026-01-04")]
    assert house.people.roster.take(two, "sms", "truc", NOW_MS, dry_run=False)[0].done == "done"
    house.people.sweep(NOW_MS)
    contact = house.sent[0].contact
    at = StopAt(RIVER.place.intake, RIVER.place.side)
    assert house.people.stop_from("sms", PHONE, at, NOW_MS) == 1
    (line,) = house.people.roster.take(two, "sms", "truc", NOW_MS + DAY_MS, dry_run=False)
    assert line.done is Done.ALREADY
    person = house.people.person(contact, NOW_MS)
    assert person is not None
    assert person.follows == (FIELD,)


def test_nobody_adds_by_a_token_that_is_not_known(house: Household) -> None:
    assert house.people.add("x" * 43, [RIVER], NOW_MS) is ChangeWhy.UNKNOWN
    assert house.people.add_wait_s("x" * 43, NOW_MS) == 0
    token = house.joins()
    house.people.stop(token, NOW_MS)
    assert house.people.add(token, [FIELD], NOW_MS) is ChangeWhy.UNKNOWN


def test_so_often_in_an_hour_and_in_a_day_and_each_by_himself() -> None:
    adders = Adders()
    for n in range(ADDS_PER_HOUR):
        assert adders.wait_ms(1, NOW_MS + n) == 0
        adders.count(1, NOW_MS + n)
    assert adders.wait_ms(1, NOW_MS + 1000) == HOUR_MS - 1000
    assert adders.wait_ms(2, NOW_MS + 1000) == 0
    later = NOW_MS + 2 * HOUR_MS
    for n in range(ADDS_PER_DAY - ADDS_PER_HOUR):
        assert adders.wait_ms(1, later + n) == 0
        adders.count(1, later + n)
    assert adders.wait_ms(1, NOW_MS + 4 * HOUR_MS) == 20 * HOUR_MS
    assert adders.wait_ms(1, NOW_MS + DAY_MS) == 0
    assert adders.wait_ms(1, NOW_MS - DAY_MS) == 0  # a clock that was set back
