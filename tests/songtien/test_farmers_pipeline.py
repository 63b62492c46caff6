"""Notices and whom to tell stand in the store with the readings that caused them, or not at all."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from alerts.farmers import outbox
from alerts.farmers.crops import LEVELS_MG_L
from alerts.farmers.notice import USUAL, Kind, Notice, Wants
from alerts.farmers.outbox import Audience, Follower
from alerts.farmers.place import Place
from api.people.file import PeopleFile
from ingest.journal import Config
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe
from tests.songtien.life import MINUTE, Clock, Life, life

INTAKE = """
[[intake]]
id = "my-tho"
name = "Cống Mỹ Tho"
stations = ["my-tho"]
gate = "my-tho"
limit_g_l = 0.5
lift = "pump"
rise_g_l_h = 0.3
"""
VALUES = (0.1, 0.1, 0.1, 0.1, 0.1, 0.8, 0.9, 1.2, 1.3, 0.2, 0.1)


def audience(notice: Notice) -> Sequence[Follower]:
    """Three of every limit of durian, one of any other."""
    return [(1, "sms"), (2, "zalo"), (9, "sms")] if notice.level_mg_l == 500 else [(4, "sms")]


def fed(one: Life) -> None:
    if one.journal.last_position:
        return
    one.append(Config(REGISTRY + INTAKE, RULES, 30.0), BEGIN_MS)
    for number, value in enumerate(VALUES, 1):
        at_ms = BEGIN_MS + number * 15 * MINUTE
        one.hear(at_ms, probe("mt-01", at_ms - 1000, seq=number, sal_g_l=value))


def undisturbed(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    with life(directory, audience=audience) as one:
        fed(one)
        one.run()
        return one.dump()


def test_each_who_follows_a_limit_has_a_row_and_nobody_else(tmp_path: Path) -> None:
    with life(tmp_path, audience=audience) as one:
        fed(one)
        told = one.run()
        notices = [each for news in told for each in news.outcome.notices]
        assert {n.level_mg_l for n in notices if n.kind is Kind.SALT} == {
            level for level in LEVELS_MG_L if level <= 1200
        }
        with one.store.transaction() as connection:
            rows = outbox.after(connection, 0, 1000)
            assert outbox.last_id(connection) == outbox.waiting(connection, 0) == len(rows)
    assert [row.notice.stored() for row in rows if row.contact in (1, 4)] == [
        n.stored() for n in notices
    ]
    durian = [row for row in rows if row.notice.level_mg_l == 500]
    assert [(row.contact, row.channel) for row in durian[:3]] == [
        (1, "sms"),
        (2, "zalo"),
        (9, "sms"),
    ]


@pytest.mark.parametrize("committed", [True, False], ids=["after the commit", "before it"])
@pytest.mark.parametrize("death", range(1, len(VALUES) + 2))
def test_killed_anywhere_the_outbox_is_that_of_a_life_without_an_end(
    tmp_path: Path, death: int, *, committed: bool
) -> None:
    whole = undisturbed(tmp_path)
    directory = tmp_path / "again"
    directory.mkdir()
    clock = Clock()
    with life(directory, clock, audience) as first:
        fed(first)
        first.run_until_killed(death, committed=committed)
    with life(directory, clock, audience) as second:
        second.run()
        found = second.dump()
    assert found["notice"] == whole["notice"]
    assert found["message"] == whole["message"]
    assert len(found["message"]) > 3


def test_a_notice_that_stands_there_is_not_written_again(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x")
    outbox.create(connection)
    notice = Notice(Kind.SALT, Place("my-tho", "river"), 500, 1, 1, "e", "", {})
    assert outbox.write(connection, [(notice, [(1, "sms")])]) == 1
    assert outbox.write(connection, [(notice, [(1, "sms"), (2, "sms")])]) == 0
    assert outbox.waiting(connection, 0) == 1
    connection.close()


def test_old_notices_are_let_go_of_a_few_at_a_time_and_numbers_are_not_given_again(
    tmp_path: Path,
) -> None:
    connection = sqlite3.connect(tmp_path / "x")
    outbox.create(connection)
    for at_ms in (10, 20):
        notice = Notice(Kind.SALT, Place("my-tho", "river"), 500, at_ms, 1, "e", "", {})
        outbox.write(connection, [(notice, [(n, "sms") for n in range(5)])])
    assert outbox.forget_before(connection, 20, 3) == 3
    assert outbox.forget_before(connection, 20, 4) == 3  # two messages and their notice
    assert outbox.forget_before(connection, 20, 4) == 0
    assert {told.at_ms for told in outbox.after(connection, 0, 99)} == {20}
    assert outbox.forget_before(connection, 21, 99) == 6
    assert outbox.last_id(connection) == 10
    connection.close()


def test_who_follows_is_read_from_the_file_of_people(tmp_path: Path) -> None:
    people = PeopleFile(tmp_path / "farmers.sqlite")
    with people.transaction() as connection:
        connection.executemany(
            "INSERT INTO contact (id, channel, kind, state, finger, address, lang, origin,"
            " officer, consent, created_ms, owed)"
            " VALUES (?, ?, 'phone', 'active', ?, x'00', 'vi', 'self', '', '', 0, '')",
            [(n, "sms", str(n).encode()) for n in range(1, 7)],
        )
        usual, windows = int(USUAL), int(Wants.WINDOWS)
        connection.executemany(
            "INSERT INTO follow VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                ("a", "river", 500, 1, "durian", usual, 1),
                ("a", "river", 500, 1, "longan", usual, 1),
                ("a", "river", 500, 2, "durian", windows, 1),
                ("a", "river", 1000, 3, "rice-seedling", usual, 1),
                ("a", "field", 500, 4, "durian", usual, 1),
                ("b", "river", 500, 5, "durian", usual, 1),
                ("a", "river", 500, 6, "durian", usual, 0),
            ],
        )
    audience = Audience(people.path)

    def of(kind: Kind, level_mg_l: int) -> list[int]:
        notice = Notice(kind, Place("a", "river"), level_mg_l, 1, 1, "e", "", {})
        return [contact for contact, _ in audience.of(notice)]

    assert of(Kind.SALT, 500) == [1], "each once, whoever follows it, and only who is active"
    assert of(Kind.OPEN, 500) == [2]
    assert of(Kind.SALT, 1000) == [3]
    assert of(Kind.SILENT, 0) == [1, 3]
    assert of(Kind.SALT, 2000) == []
    audience.close()
    people.close()
