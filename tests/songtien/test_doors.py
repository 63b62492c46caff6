"""The seams between the doors and the pipeline, with the real journal and pipeline between."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from alerts.alert import Act, Action, Outcome
from alerts.entries import EnteredOutcome, Entering, Verdict, What
from api.service import NotDurable
from ingest import journal
from ingest.faults import ConfigError, Fault
from songtien import doors
from songtien.doors import Actions, reloaded
from songtien.mailbox import Mailbox
from songtien.screens import Screens
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe
from tests.songtien.life import MINUTE, Life, life

WORK = Entering(
    What.MAINTENANCE,
    "my-tho",
    {"to": BEGIN_MS + 5 * MINUTE, "reason": "thay đầu dò"},
    "An",
    "gọi anh Ba",
)


def answering(opened: Life) -> Actions:
    """Actions whose entries are stepped and answered as soon as they are written down."""

    def take() -> None:
        for news in opened.pipeline.commit(opened.journal.after(opened.pipeline.position, 16)):
            opened.told.append(news)
            if news.outcome.reply is not None:
                actions.answer(*news.outcome.reply)

    actions = Actions(opened.journal, take)
    return actions


def test_an_entry_goes_through_the_journal_and_is_answered(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(journal.Config(REGISTRY, RULES, 30.0))
        opened.pipeline.commit(opened.journal.after(0, 1))
        entered = asyncio.run(answering(opened).enter(WORK))
        assert isinstance(entered, EnteredOutcome)
        assert (entered.outcome, entered.item and entered.item["id"]) == (Verdict.DONE, "m1")
        (_, _, entry) = opened.journal.after(1, 1)[0]
        assert isinstance(entry, journal.Entered)
        assert (entry.who, entry.note, entry.subject) == ("An", "gọi anh Ba", "my-tho")
    with life(tmp_path) as again:
        again.pipeline.catch_up()
        assert again.pipeline.parts().desk.maintenance(BEGIN_MS) == {"my-tho": "m1"}


def test_until_when_an_alert_is_shelved_comes_through(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(journal.Config(REGISTRY, RULES, 30.0))
        opened.pipeline.commit(opened.journal.after(0, 1))
        action = Action(Act.SHELVE, "0" * 16, 1, "An", "đang thay đầu dò", BEGIN_MS + MINUTE)
        acted = asyncio.run(answering(opened).act(action))
        assert acted.outcome is Outcome.NOT_FOUND
        (_, _, entry) = opened.journal.after(1, 1)[0]
        assert isinstance(entry, journal.Action)
        assert (entry.op, entry.until_ms) == ("shelve", BEGIN_MS + MINUTE)


def test_what_is_not_carried_out_in_time_is_told_and_waits_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "ACT_WITHIN_S", 0.01)
    with life(tmp_path) as opened:
        with pytest.raises(TimeoutError):
            asyncio.run(Actions(opened.journal, lambda: None).enter(WORK))
        assert opened.journal.last_position == 1


def test_what_the_disk_refuses_was_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: journal.Entry) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with life(tmp_path) as opened:
        monkeypatch.setattr(opened.journal, "append", full)
        with pytest.raises(NotDurable, match="full"):
            asyncio.run(answering(opened).enter(WORK))


def test_a_station_in_maintenance_is_shown_so_until_it_ends(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(journal.Config(REGISTRY, RULES, 30.0))
        opened.pipeline.commit(opened.journal.after(0, 1))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=1.0))
        opened.pipeline.commit(opened.journal.after(1, 1))
        screens = Screens.of_store(
            opened.store, opened.pipeline.parts(), opened.pipeline.pictures()
        )

        def shown(now_ms: int) -> str:
            screens.tick(now_ms)
            items, _ = screens.hub.items()
            return next(str(item["st"]) for item in items if item["k"] == "mt-01/salinity_g_l")

        async def story() -> None:
            mailbox = Mailbox(asyncio.get_running_loop(), screens.take)
            assert shown(BEGIN_MS) == "live"
            await answering(opened).enter(WORK)
            mailbox.tell(opened.told[-1])
            await asyncio.sleep(0)
            assert shown(BEGIN_MS) == "maintenance"
            assert shown(BEGIN_MS + 5 * MINUTE) == "live"

        asyncio.run(story())


def test_faults_of_a_file_are_told_by_the_reload() -> None:
    def faulty() -> None:
        raise ConfigError([Fault("rules.toml", "rule[0].severity", "x", "info, …", line=3)])

    def missing() -> None:
        raise FileNotFoundError(2, "No such file", "rules.toml")

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    assert asyncio.run(reloaded(lambda: None)) == ()
    assert asyncio.run(reloaded(faulty)) == ("rules.toml:3: rule[0].severity = 'x': info, …",)
    assert "rules.toml" in asyncio.run(reloaded(missing))[0]
    with pytest.raises(NotDurable):
        asyncio.run(reloaded(full))
