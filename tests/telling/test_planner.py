"""The planner on real files: batches, restarts and deaths change nothing of who is told what."""

import logging
import random
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from alerts.farmers import restraint
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.outbox import Told
from alerts.farmers.person import Quiet
from alerts.farmers.restraint import TOLD_MS, Asked, Budget, Day, Drop, Send, Wait
from songtien.telling import planner
from songtien.telling.delivery import day_of
from tests.e2e.running import eventually
from tests.telling.conftest import Making
from tests.telling.world import (
    BEGIN_MS,
    HERE,
    HOUR_MS,
    MINUTE_MS,
    THERE,
    Folk,
    World,
    notice,
)

STEP_MS = 5 * MINUTE_MS


@dataclass
class Twin:
    """The same in memory and without batches: everybody is thought about at each step."""

    people: Folk
    asked: dict[int, list[Asked]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[int, list[tuple[int, tuple[Notice, ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def step(self, now_ms: int) -> None:
        for contact in sorted(self.asked):
            person = self.people.person(contact, now_ms)
            assert person is not None
            messages = self.sent[contact]
            today = sum(day_of(at_ms) == day_of(now_ms) for at_ms, _ in messages)
            told = [each for at_ms, said in messages if at_ms > now_ms - TOLD_MS for each in said]
            waiting = self.asked.pop(contact)
            asked_ms = {each.notice.key: each.asked_ms for each in waiting}
            day = Day(today, tuple(told))
            for each in restraint.decide(person, waiting, day, Budget(), now_ms):
                match each:
                    case Send(notices):
                        messages.append((now_ms, notices))
                    case Wait(notices, until_ms, why):
                        self.asked[contact] += [
                            Asked(one, asked_ms[one.key], why, until_ms) for one in notices
                        ]
                    case Drop():
                        pass


def messages(world: World) -> dict[int, list[list[str]]]:
    """By person, the notices of each delivery in the order in which they were made."""
    found: dict[int, dict[int, list[str]]] = defaultdict(dict)
    for contact, delivery, key in world.rows(
        "SELECT m.contact, m.delivery, n.key FROM message m JOIN notice n ON n.id = m.notice"
        " WHERE m.state = 'handed' ORDER BY m.delivery, n.key"
    ):
        found[contact].setdefault(delivery, []).append(key)
    return {contact: list(each.values()) for contact, each in found.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_it_does_what_a_plain_twin_does_in_whatever_batches_and_lives(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    people = range(1, 13)
    for contact in people:
        if draw.random() < 0.5:
            urgent = draw.random() < 0.5
            world.people.quiet[contact] = Quiet(22 * 60, 5 * 60, urgent_passes=urgent)
    twin = Twin(world.people)
    kinds = [Kind.SALT, Kind.FRESH, Kind.OPEN, Kind.SHUT, Kind.SILENT, Kind.HEARD]
    for step in range(2 * 24 * 12):
        if draw.random() < 0.12:
            told = [
                notice(kind, world.now_ms, place, event=f"e{step}", reach="tien")
                for kind in draw.sample(kinds, draw.choice([1, 1, 2]))
                for place in draw.sample([HERE, THERE], draw.choice([1, 2]))
            ]
            who = sorted(draw.sample(people, draw.randrange(1, 13)))
            world.tell(*told, people=who)
            for each in told:
                for contact in who:
                    twin.asked[contact].append(Asked(each, each.at_ms))
        monkeypatch.setattr(planner, "TAKEN_MAX", draw.randrange(1, 30))
        monkeypatch.setattr(planner, "PEOPLE_MAX", draw.randrange(1, 5))
        if draw.random() < 0.1:
            world.planner.step()
            world.restart()
        world.run()
        twin.step(world.now_ms)
        world.later(STEP_MS)
    expected = {
        contact: [sorted(each.key for each in said) for _, said in sent]
        for contact, sent in twin.sent.items()
        if sent
    }
    assert messages(world) == expected
    assert sum(len(each) for each in expected.values()) > 50, "a lot was told"
    assert any(len(each) > 1 for sent in expected.values() for each in sent), "some together"
    assert sum(state == "sent" for state, _ in world.states()) == len(world.channel.parcels)


def test_what_comes_within_a_minute_is_one_message(world: World) -> None:
    world.tell(notice(Kind.SALT, place=HERE))
    world.plan()
    world.later(20_000)
    world.tell(notice(Kind.SALT, world.now_ms, place=THERE))
    world.minutes(5)
    assert world.channel.texts == ["1: salt xuan-hoa/river, salt long-hai/river"]


def test_beyond_a_days_number_a_digest_comes_in_place(world: World) -> None:
    for number in range(7):
        kind = Kind.SILENT if number % 2 == 0 else Kind.HEARD
        world.tell(notice(kind, world.now_ms, event=f"e{number}"))
        world.minutes(30)
    assert len(world.channel.parcels) == restraint.DAILY_MAX
    assert world.figures.held_by_why()["sms", "daily"] >= 1
    world.minutes(12 * 60)
    assert len(world.channel.parcels) == restraint.DAILY_MAX + 1
    assert world.rows("SELECT kind FROM delivery ORDER BY id DESC LIMIT 1") == [("digest",)]
    assert world.figures.held_by_why() == {}


def test_an_event_of_thousands_is_planned_in_bounded_batches(making: Making) -> None:
    world = making()
    world.tell(notice(), people=range(1, 2_001))
    assert world.planner.behind() == 2_000
    assert world.planner.step()
    assert world.figures.progress("spell-1").total == planner.TAKEN_MAX
    world.plan()
    world.later(MINUTE_MS)
    assert world.planner.step()
    waiting = world.figures.waiting()["sms"].number
    assert waiting == planner.PEOPLE_MAX, "to be seen while it goes on"
    world.plan()
    assert world.figures.waiting()["sms"].number == 2_000


def test_who_has_left_is_not_planned_for(world: World) -> None:
    world.people.left.add(1)
    world.tell(notice(), people=[1, 2])
    world.minutes(2)
    assert world.channel.texts == ["2: salt xuan-hoa/river"]
    assert [
        (each.state, each.why) for each in world.figures.counts(0, 10**6) if each.state != "sent"
    ] == [("dropped", "stopped")]


def test_a_death_before_the_commit_is_as_if_nothing_had_been(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tell(notice(), people=range(1, 6))
    real = world.deliveries.take

    def dies(told: list[Told], done: int, now_ms: int) -> None:
        real(told, done, now_ms)
        raise sqlite3.OperationalError("died after the commit")

    monkeypatch.setattr(world.deliveries, "take", dies)
    with pytest.raises(sqlite3.OperationalError):
        world.planner.step()
    world.restart()
    world.minutes(2)
    assert sorted(world.channel.texts) == [f"{n}: salt xuan-hoa/river" for n in range(1, 6)]


def test_a_disk_that_refuses_is_waited_for_and_a_file_that_is_closed_is_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is asked only how long there is nothing to do."""
    asked = 0
    real = world.deliveries.plan_ms

    def plan_ms() -> int | None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise sqlite3.OperationalError("disk I/O error")
        return real()

    monkeypatch.setattr(planner, "RETRY_S", 0.01)
    monkeypatch.setattr(world.deliveries, "plan_ms", plan_ms)
    thread = world.planner.thread
    thread.start()
    world.tell(notice())
    eventually(lambda: asked > 1 and world.planner.done == 1, "it goes on")
    eventually(lambda: world.planner.trouble is None, "and says so")
    world.deliveries.close()
    thread.wake()
    thread.join(10.0)
    assert not thread.alive


def test_notices_that_break_the_program_stop_no_other_person(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = restraint.decide

    def broken(person: object, *said: object, **named: object) -> object:
        if getattr(person, "id", 0) == 1:
            raise KeyError(getattr(person, "address", ""))
        return real(person, *said, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(restraint, "decide", broken)
    world.tell(notice(), people=[1, 2])
    with caplog.at_level(logging.ERROR):
        world.minutes(3)
    assert world.channel.texts == ["2: salt xuan-hoa/river"]
    assert "+8490" not in str([vars(each) for each in caplog.records])
    monkeypatch.setattr(restraint, "decide", real)
    world.minutes(12)
    assert world.channel.texts[-1] == "1: salt xuan-hoa/river", "a new version may"


def test_what_is_days_old_is_no_news(making: Making) -> None:
    world = making(budget_per_month=1)
    world.tell(notice(), people=[1, 2])
    world.minutes(3)
    assert world.figures.held_by_why() == {("sms", "budget"): 1}
    world.later(30 * 24 * HOUR_MS)
    world.minutes(3)
    assert len(world.channel.parcels) == 1
    assert world.now_ms > BEGIN_MS


def test_who_sets_no_moment_is_told_at_once(world: World) -> None:
    world.group_ms = 0
    world.restart()
    world.tell(notice())
    world.run()
    assert world.channel.texts == ["1: salt xuan-hoa/river"]


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it(world: World) -> None:
    """The journal's time never goes back: of an hour's notices all have that of the last."""
    ahead_ms = world.now_ms + HOUR_MS
    world.tell(notice(Kind.FRESH, ahead_ms), people=[1, 2])
    world.tell(notice(Kind.SALT, ahead_ms), people=[2])
    world.minutes(2)
    assert sorted(world.channel.texts) == ["1: fresh xuan-hoa/river", "2: salt xuan-hoa/river"]


def test_what_overtakes_is_known_by_its_place_in_the_outbox(world: World) -> None:
    world.tell(notice(Kind.SALT, world.now_ms))
    world.later(MINUTE_MS)
    world.plan()
    world.now_ms -= HOUR_MS
    world.tell(notice(Kind.FRESH, world.now_ms + HOUR_MS + 1))
    world.plan()
    [salt] = world.rows("SELECT id FROM delivery")
    assert salt is not None
    world.now_ms += HOUR_MS
    world.send()
    assert "1: salt xuan-hoa/river" not in world.channel.texts


def test_one_person_who_does_not_open_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.people.damaged = {2}
    world.tell(notice(), people=[1, 2, 3])
    world.minutes(3)
    assert world.channel.texts == ["1: salt xuan-hoa/river", "3: salt xuan-hoa/river"]
    assert "a person can't be read" in caplog.messages
    world.people.damaged = set()
    world.minutes(15)
    assert world.channel.texts[2:] == ["2: salt xuan-hoa/river"], "a key that was put back opens"
