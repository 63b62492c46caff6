"""A part of the processor that stays due: told, put off, and nothing else stands still."""

import logging
from pathlib import Path
from typing import Any

import pytest

from alerts.book import AlertBook
from alerts.desk import Desk
from alerts.engine import Engine
from alerts.farmers.lookout import Lookout
from alerts.river.advisor import Advisor
from ingest.journal import Config, Tick
from ingest.lanes import Lanes
from ingest.release import ReorderWindow
from ingest.sequence import Sequencer
from songtien.dues import PASSES_MAX, PUT_OFF_MS, Dues, Overdue
from songtien.processor import Processor
from songtien.trial import Trial
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, River, probe
from tests.songtien.life import Clock, Life

MINUTE = 60_000
PARTS: dict[str, type[Any]] = {
    "window": ReorderWindow,
    "lanes": Lanes,
    "sequencer": Sequencer,
    "silence": Engine,
    "advisor": Advisor,
    "lookout": Lookout,
    "desk": Desk,
    "book": AlertBook,
}


def break_part(patch: pytest.MonkeyPatch, part: str, due_ms: int = BEGIN_MS) -> None:
    """A real part that does all its work and says the same due for ever."""
    patch.setattr(PARTS[part], "next_due_ms", lambda *_: due_ms)


def feed(river: River) -> None:
    """Two hours: salt water, readings that wait for the window, and a probe that falls silent."""
    for n in range(6):
        at_ms = BEGIN_MS + (n + 1) * 10 * MINUTE
        river.hear(at_ms, probe("mt-01", at_ms, seq=n + 1, sal_g_l=1.0 + n))
        river.hear(at_ms + 1000, probe("mt-02", at_ms, sal_g_l=5.0))
        river.tick(at_ms + MINUTE)
    river.tick(BEGIN_MS + 130 * MINUTE)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_stays_due_is_named_and_readings_and_alerts_go_on(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = River()
    feed(sound)
    assert not sound.processor.overdue
    break_part(monkeypatch, part)
    river = River()
    feed(river)
    assert set(river.processor.overdue) == {part}
    assert river.processor.overdue[part].due_ms == BEGIN_MS
    assert river.readings() == sound.readings()
    assert [each[:4] for each in river.alerts()] == [each[:4] for each in sound.alerts()]
    counts = river.ledger.read()
    assert (counts.received, counts.stored, counts.in_flight) == (12, 12, 0)


def test_one_that_says_the_time_at_which_it_was_stepped_is_no_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Desk, "next_due_ms", lambda _, now_ms: now_ms)
    river = River()
    feed(river)
    assert set(river.processor.overdue) == {"desk"}


def test_its_steps_are_counted_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    river = River()
    steps: list[int] = []
    settle = Processor._settle

    def counted(self: Processor, work: Any, now_ms: int) -> None:
        steps.append(now_ms)
        settle(self, work, now_ms)

    monkeypatch.setattr(Processor, "_settle", counted)
    break_part(monkeypatch, "lanes")
    at_ms = BEGIN_MS + 30 * 24 * 60 * MINUTE
    river.tick(at_ms)
    assert steps.count(BEGIN_MS) == PASSES_MAX
    assert len(steps) < PASSES_MAX + 20, "a gap of a month is not gone through by the minute"
    assert river.processor.next_due_ms() == at_ms + PUT_OFF_MS, "ticks, once a minute"


def test_the_same_entries_give_the_same_also_from_any_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_part(monkeypatch, "lookout")
    river = River()
    taken: list[bytes] = []
    step = river.step

    def kept(*given: Any) -> Any:
        outcome = step(*given)
        taken.append(river.snapshot())
        return outcome

    monkeypatch.setattr(river, "step", kept)
    feed(river)
    again = River()
    feed(again)
    assert again.snapshot() == river.snapshot()
    assert again.alerts() == river.alerts()
    whole = river.snapshot()
    for position, body in enumerate(taken, start=2):
        river.restart(body, position)
        assert river.snapshot() == whole


def test_put_right_it_is_asked_as_ever_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    river = River()
    with monkeypatch.context() as broken:
        break_part(broken, "window")
        river.tick(BEGIN_MS + MINUTE)
        assert set(river.processor.overdue) == {"window"}
    at_ms = BEGIN_MS + MINUTE + PUT_OFF_MS
    assert river.processor.next_due_ms() == at_ms
    river.tick(at_ms)
    assert not river.processor.overdue
    river.hear(at_ms, probe("mt-01", at_ms, sal_g_l=5.0))
    assert river.processor.next_due_ms() == at_ms + 30_000


def test_parts_that_wake_each_other_at_one_instant_are_sound() -> None:
    dues = Dues()
    for _ in range(PASSES_MAX - 1):
        dues.stepped({"one": 5, "two": None}, 5, 9)
    dues.stepped({"one": 6, "two": 5}, 5, 9)
    dues.stepped({"one": 6, "two": None}, 5, 9)
    dues.stepped({"one": 6, "two": None}, 6, 9)
    assert not dues.overdue
    assert dues.next_ms({"one": 10, "two": None}) == 10


def test_since_when_stays_and_when_it_is_asked_again_goes_on() -> None:
    dues = Dues()
    for _ in range(PASSES_MAX):
        dues.stepped({"one": 4}, 5, 9)
    assert dues.overdue == {"one": Overdue("one", 4, 5, 9 + PUT_OFF_MS)}
    dues.stepped({"one": 4}, 20, 20)
    assert dues.overdue == {"one": Overdue("one", 4, 5, 9 + PUT_OFF_MS)}, "others were due"
    again_ms = dues.next_ms({"one": 4, "two": 10**9})
    assert again_ms == 9 + PUT_OFF_MS
    dues.stepped({"one": 7}, again_ms, again_ms)
    assert dues.overdue == {"one": Overdue("one", 7, 5, again_ms + PUT_OFF_MS)}
    assert Dues(dues.snapshot()).overdue == dues.overdue


def test_the_pipeline_stores_and_tells_and_so_does_its_next_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_part(monkeypatch, "book")
    clock = Clock()
    for n, told in ((1, ["ERROR"]), (2, ["ERROR"])):
        caplog.clear()
        life = Life(tmp_path, clock)
        at_ms = BEGIN_MS + n * 10 * MINUTE
        with caplog.at_level(logging.WARNING):
            life.append(Config(REGISTRY, RULES, 30.0), at_ms - 1000)
            life.hear(at_ms, probe("mt-01", at_ms, seq=n, sal_g_l=5.0))
            life.append(Tick(), at_ms + 5 * MINUTE)
            life.run()
        assert [record.levelname for record in caplog.records] == told
        assert "'book' is due at 2025-12-29T09:20:00.000+00:00 however often" in caplog.text
        assert life.pipeline.defects.trouble is not None
        assert len(life.dump()["reading"]) == n
        assert life.dump()["alert"]
        life.close()


def test_it_is_told_by_readiness_and_metrics_and_the_service_goes_on(
    songtien: Trial, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    songtien.scenario("dry-season", devices=["xh-01"])
    songtien.at("1h")
    health = songtien.service.health

    def defects() -> list[str]:
        return [each.detail for each in health.not_ready() if each.code == "defect"]

    assert not defects()
    with monkeypatch.context() as broken:
        break_part(broken, "advisor", songtien.now_ms)
        songtien.at("2h")
        (detail,) = defects()
        assert detail.startswith("'advisor' is due at ")
        found = health.accounting()
        assert found.gauges["processor_overdue_parts"][1] == 1
        assert found.counters["processor_put_off"][1] >= 1
        assert songtien.now_ms - songtien.expect("xh-01/salinity_g_l")["t"] <= 600_000
    songtien.at("2.5h")
    assert not defects()
    assert health.accounting().gauges["processor_overdue_parts"][1] == 0
    assert "a part that stayed due goes on" in caplog.text
