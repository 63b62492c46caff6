"""The file of deliveries: reports, counts, budgets, and what goes when it is old."""

import random
import sqlite3
import stat
from collections import Counter

import pytest

from alerts.farmers.notice import Kind
from alerts.farmers.parcel import Answer, Parcel, Verdict
from ingest.faults import ConfigError
from songtien.telling.deliveries import KEPT_MS, ClosedError, Deliveries
from songtien.telling.delivery import day_of, month_of
from tests.telling.conftest import Making
from tests.telling.world import (
    BEGIN_MS,
    HERE,
    HOUR_MS,
    MINUTE_MS,
    THERE,
    World,
    notice,
)

DAY_MS = 24 * HOUR_MS


def settled(world: World) -> Counter[tuple[str, ...]]:
    """What the rows say that the counts must say."""
    found: Counter[tuple[str, ...]] = Counter()
    for row in world.rows(
        "SELECT channel, place, kind, state, why FROM delivery"
        " WHERE state IN ('sent', 'delivered', 'undelivered')"
    ):
        found[row] += 1
    for row in world.rows(
        "SELECT m.channel, n.place, n.kind, m.state, m.why FROM message m"
        " JOIN notice n ON n.id = m.notice WHERE m.state = 'dropped'"
    ):
        found[row] += 1
    return found


def counted(world: World) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for each in world.figures.counts(0, 1_000_000):
        found[each.channel, each.place, each.kind, each.state, each.why] += each.number
    return found


def test_reports_say_what_became_of_what_was_sent(world: World) -> None:
    world.tell(notice(), people=[1, 2, 3])
    world.minutes(2)
    one, two, three = (f"ref-{each.key}" for each in world.channel.parcels)
    report = world.deliveries.reported
    report("sms", one, True, world.now_ms)
    report("sms", two, False, world.now_ms)
    assert world.states() == [("delivered", ""), ("undelivered", "reported"), ("sent", "")]
    report("sms", one, False, world.now_ms)
    report("sms", two, True, world.now_ms)
    report("zalo", three, True, world.now_ms)
    report("sms", "", True, world.now_ms)
    assert world.states() == [("delivered", ""), ("delivered", ""), ("sent", "")]
    assert counted(world) == settled(world)


def test_a_report_that_is_faster_than_our_own_note_is_not_lost(world: World) -> None:
    def answers(parcel: Parcel) -> Answer:
        world.deliveries.reported("sms", f"ref-{parcel.key}", True, world.now_ms)
        return Answer(Verdict.TAKEN, "", f"ref-{parcel.key}")

    world.channel.answers = answers
    world.tell(notice())
    world.minutes(2)
    assert world.states() == [("delivered", "")]
    assert world.rows("SELECT count(*) FROM report") == [(0,)]


def test_counts_are_those_of_the_rows_whatever_happens_and_outlive_them(world: World) -> None:
    draw = random.Random(7)
    verdicts = [Verdict.TAKEN] * 6 + [Verdict.AGAIN, Verdict.REFUSED, Verdict.GONE]
    world.channel.answers = lambda parcel: Answer(draw.choice(verdicts), "x", f"ref-{parcel.key}")
    for hour in range(60):
        kind = draw.choice([Kind.SALT, Kind.FRESH, Kind.OPEN, Kind.SHUT, Kind.SILENT])
        place = draw.choice([HERE, THERE])
        world.tell(notice(kind, world.now_ms, place, event=f"e{hour}"), people=range(1, 30))
        world.minutes(3)
        for parcel in draw.sample(world.channel.parcels, min(5, len(world.channel.parcels))):
            ref, delivered = f"ref-{parcel.key}", draw.random() < 0.7
            world.deliveries.reported("sms", ref, delivered, world.now_ms)
        world.people.left.discard(draw.randrange(1, 30))
        world.later(HOUR_MS)
    assert counted(world) == settled(world)
    assert len(settled(world)) > 10, "a lot has happened"
    (spent,) = world.figures.spent(0, 100_000)
    taken = world.rows("SELECT count(*), sum(parts), sum(cost) FROM delivery WHERE ref <> ''")
    assert (spent.number, spent.parts, spent.cost) == taken[0]
    before = counted(world)
    world.later(KEPT_MS)
    world.minutes(1)
    while world.deliveries.forget(world.now_ms, 100):
        pass
    assert world.rows("SELECT count(*) FROM notice") == [(0,)]
    assert world.rows("SELECT count(*) FROM message") == [(0,)]
    after = counted(world)
    assert sum(before.values()) <= sum(after.values())
    assert all(after[key] >= number for key, number in before.items())


def test_a_budget_holds_what_is_beyond_it_and_an_officer_lets_it_go(making: Making) -> None:
    world = making(budget_per_month=10)
    world.tell(notice(), people=range(1, 21))
    world.minutes(5)
    assert len(world.channel.parcels) == 10
    assert world.figures.held_by_why() == {("sms", "budget"): 10}
    found = world.rows("SELECT id, contact FROM message WHERE state = 'held' ORDER BY id DESC")
    assert [contact for _, contact in found] == list(range(20, 10, -1))
    held = [message for message, _ in found]
    assert world.deliveries.release([*held[:2], 10_000]) == 2
    world.minutes(2)
    assert [each.text.body[:2] for each in world.channel.parcels[10:]] == ["19", "20"]
    assert world.deliveries.drop(held, world.now_ms) == 8
    assert world.figures.held_by_why() == {}
    assert counted(world) == settled(world)
    assert world.figures.progress("spell-1").states == {"sent": 12, "dropped": 8}
    (spent,) = world.figures.spent(month_of(BEGIN_MS), month_of(BEGIN_MS) + 1)
    assert (spent.parts, spent.cost) == (12, 12 * 300)


def test_who_asks_for_codes_without_end_spends_no_more_than_a_quarter(making: Making) -> None:
    world = making(budget_per_month=20)
    for number in range(10):
        world.deliveries.direct(number, "sms", "code", {"code": "1"}, f"c{number}", world.now_ms)
    world.deliveries.direct(11, "sms", "stopped", {"lang": "vi"}, "bye", world.now_ms)
    world.minutes(1)
    assert len(world.channel.parcels) == 6
    assert world.channel.parcels[-1].key == "bye", "who stops is told so"
    assert Counter(world.states())["undelivered", "budget"] == 5


def test_days_and_months_are_those_of_vietnam() -> None:
    # 2026-03-31 23:59:59.999 and midnight in Vietnam.
    midnight_ms = 1_774_976_400_000
    assert month_of(midnight_ms) - month_of(midnight_ms - 1) == 1
    assert month_of(midnight_ms) == 12 * 2026 + 3
    assert day_of(midnight_ms) - day_of(midnight_ms - 1) == 1


def test_the_file_is_its_owners_and_of_no_later_version(world: World) -> None:
    path = world.directory / "telling.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    later = world.directory / "later.sqlite"
    connection = sqlite3.connect(later)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer songtien"):
        Deliveries(later)


def test_what_is_told_after_its_end_is_not_kept(world: World) -> None:
    world.end()
    with pytest.raises(ClosedError):
        world.deliveries.direct(1, "sms", "code", {}, "c", BEGIN_MS)
    world.start()
    assert world.states() == []


def test_an_older_store_that_was_restored_tells_nothing_anew_and_loses_nothing(
    world: World,
) -> None:
    world.tell(notice(), notice(Kind.SILENT), people=range(1, 4))
    world.minutes(5)
    sent = len(world.channel.parcels)
    with world.store.transaction() as connection:
        connection.execute("DELETE FROM message WHERE id > 2")
        connection.execute("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'message'")
    world.restart()
    world.minutes(5)
    assert len(world.channel.parcels) == sent
    world.tell(notice(Kind.FRESH, world.now_ms), people=[1, 2, 3])
    world.minutes(5)
    assert len(world.channel.parcels) == sent + 3, "rows of the same number are others now"


def test_a_new_file_begins_at_the_end_of_the_outbox(world: World) -> None:
    world.tell(notice())
    world.end()
    for path in world.directory.glob("telling.sqlite*"):
        path.unlink()
    world.start()
    world.minutes(3)
    assert world.channel.parcels == []
    world.tell(notice(Kind.FRESH, world.now_ms))
    world.minutes(3)
    assert len(world.channel.parcels) == 1


def test_progress_tells_of_one_event(making: Making) -> None:
    world = making(rate_per_s=1.0)
    world.tell(notice(event="e1"), people=range(1, 101))
    world.tell(notice(Kind.SILENT, event="e2"), people=[1])
    assert world.figures.progress("e1").total == 0
    world.plan()
    assert world.figures.progress("e1").states == {"waiting": 100}
    world.later(MINUTE_MS)
    world.plan()
    for _ in range(10):
        world.courier.step()
        world.later(1_000)
    progress = world.figures.progress("e1")
    assert progress.states == {"waiting": 90, "sent": 10}
    assert progress.by_channel == {"sms": 90}
    assert world.figures.waiting()["sms"].number == 91


def test_the_highest_number_of_a_person_is_known(world: World) -> None:
    assert world.deliveries.last_contact() == 0
    world.tell(notice(), people=[3, 9])
    world.plan()
    assert world.deliveries.last_contact() == 9
    world.deliveries.direct(12, "sms", "welcome", {}, "w-12", BEGIN_MS)
    assert world.deliveries.last_contact() == 12
