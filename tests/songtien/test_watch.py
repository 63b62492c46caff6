"""What holds of the historian and of the disk, on a virtual clock."""

import pytest

from alerts.notices import DISK_LOW, HISTORIAN_BEHIND, HISTORIAN_TROUBLE
from songtien.board import ASK_AGAIN_S
from songtien.watch import Draining
from tests.songtien.watched import World

GIB = 2**30
BEHIND = [("raised", "historian-behind"), ("cleared", "historian-behind")]
TROUBLE = [("raised", "historian-trouble"), ("cleared", "historian-trouble")]
UNTOLD = [("raised", "telling-trouble"), ("cleared", "telling-trouble")]
LOW = [("raised", "disk-low"), ("cleared", "disk-low")]


def behind(age_s: float, trouble: str | None = None) -> Draining:
    return Draining(age_s, trouble)


def test_behind_is_told_beyond_the_limit_and_over_below_a_third_of_it() -> None:
    world = World(drain=behind(900.0)).after(5)
    assert world.said() == []
    world.drain = behind(900.5)
    world.after(200)
    assert world.said() == BEHIND[:1]
    alert = world.events[0].alert
    assert (alert["value"], alert["limit"], alert["unit"]) == (900.5, 900.0, "s")
    for age_s in (899.0, 301.0):
        world.drain = behind(age_s)
        world.after(5)
        assert world.said() == BEHIND[:1]
    world.drain = behind(299.0)
    world.after(5)
    assert world.said() == BEHIND
    world.drain = behind(901.0)
    world.after(5)
    assert world.said() == [*BEHIND, *BEHIND[:1]]


def test_trouble_is_told_when_it_lasts_with_what_to_mend_since_when() -> None:
    world = World(drain=behind(0.0)).after(5)
    begun_ms = world.now_ms + 1000
    world.drain = behind(0.0, "401: store.token_file")
    world.after(60)
    assert world.said() == []
    world.after(2)
    assert world.said() == TROUBLE[:1]
    alert = world.events[0].alert
    assert (alert["detail"], alert["t_since"]) == ("401: store.token_file", begun_ms)
    assert alert["message_vi"].endswith(". 401: store.token_file")
    world.drain = behind(0.0)
    world.after(80)
    assert world.said() == TROUBLE[:1], "it may just be asked again whether it was mended"
    world.after(15)
    assert world.said() == TROUBLE


def test_trouble_that_comes_and_goes_with_each_try_is_one() -> None:
    world = World(drain=behind(0.0)).after(5)
    for _ in range(10):
        world.drain = behind(0.0, "a wrong bucket")
        world.after(30)
        world.drain = behind(0.0)
        world.after(30)
    assert world.said() == TROUBLE[:1]


def test_a_hiccup_is_no_trouble() -> None:
    world = World(drain=behind(0.0)).after(5)
    for _ in range(5):
        world.drain = behind(0.0, "for a moment")
        world.after(10)
        world.drain = behind(0.0)
        world.after(120)
    assert world.said() == []


def test_a_drain_that_has_just_begun_clears_nothing_of_the_life_before() -> None:
    world = World(drain=behind(2000.0, "a wrong token")).after(120)
    assert sorted(world.said()) == sorted([*BEHIND[:1], *TROUBLE[:1]])
    world.start()
    world.drain = behind(0.0)  # it has not looked yet
    world.after(3)
    world.drain = behind(2003.0)
    world.after(5)
    world.drain = behind(2003.0, "a wrong token")
    world.after(200)
    assert len(world.events) == 2
    world.start()
    world.drain = behind(0.0)
    world.after(100)
    assert sorted(world.said()[2:]) == sorted([*BEHIND[1:], *TROUBLE[1:]])


def test_without_a_historian_nothing_of_it_stays() -> None:
    world = World(drain=behind(2000.0, "a wrong token")).after(120)
    world.drain = None
    world.start()
    world.after(2)
    assert sorted(world.said()[2:]) == sorted([*BEHIND[1:], *TROUBLE[1:]])


@pytest.mark.parametrize(
    ("size", "low"), [(64 * 2**20, 64 * 2**20 / 20), (20 * GIB, GIB), (4096 * GIB, GIB)]
)
def test_a_disk_is_low_below_a_twentieth_and_below_a_gibibyte(size: int, low: float) -> None:
    world = World(disk=(round(low) + 1, size)).after(5)
    assert world.said() == []
    world.disk = (round(low) - 1, size)
    world.after(5)
    assert world.said() == LOW[:1]
    world.disk = (round(2 * low) - 1, size)
    world.after(5)
    assert world.said() == LOW[:1]
    world.disk = (round(2 * low) + 1, size)
    world.after(5)
    assert world.said() == LOW


def test_a_disk_that_nobody_can_tell_of_changes_nothing() -> None:
    world = World(disk=(0, 20 * GIB)).after(2)
    world.disk = None
    world.after(100)
    assert world.said() == LOW[:1]


def test_what_the_journal_did_not_take_is_asked_for_again_but_not_all_the_time() -> None:
    world = World(cut="journal", disk=(0, 20 * GIB)).after(3 * ASK_AGAIN_S)
    assert [entry.notice for entry in world.entries] == [DISK_LOW.id] * 3
    world.cut = ""
    world.after(ASK_AGAIN_S)
    assert world.said() == LOW[:1]
    world.after(10 * ASK_AGAIN_S)
    assert len(world.entries) == 4


def test_a_channel_that_takes_no_messages_is_told_of_once_it_lasts() -> None:
    world = World(channels={"sms": "status 503"}).after(200)
    world.channels = {"zalo": "status 402"}
    world.after(200)
    assert world.said() == [], "neither has lasted"
    world.channels = {"sms": "status 503", "zalo": "status 402"}
    world.after(200)
    assert world.said() == UNTOLD[:1]
    assert world.events[0].alert["detail"] == "zalo: status 402"
    world.channels = {"sms": "status 503"}
    world.after(10)
    assert world.said() == UNTOLD[:1], "another one still is"
    world.start()
    world.after(10)
    assert world.said() == UNTOLD[:1], "a new life goes on"
    world.channels = {}
    world.after(10)
    assert world.said() == UNTOLD


def test_one_notice_is_none_of_anothers_business() -> None:
    world = World(drain=behind(2000.0, "a wrong token"), disk=(0, GIB)).after(70)
    assert {e.alert["rule"] for e in world.events} == {
        HISTORIAN_BEHIND.id,
        HISTORIAN_TROUBLE.id,
        DISK_LOW.id,
    }
    world.disk = (GIB, GIB)
    world.after(5)
    assert world.said()[3:] == LOW[1:]
