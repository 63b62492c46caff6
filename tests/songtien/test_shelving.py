"""An alert on the shelf, through the processor: it comes back by the clock, and after a restart."""

from typing import Any

from ingest.journal import Action
from tests.songtien.feed import BEGIN_MS, REGISTRY, River, probe

MINUTE = 60_000
UNTIL_MS = BEGIN_MS + 20 * MINUTE

RULES = """
[[rule]]
id = "salt"
quantity = "salinity_g_l"
severity = "warning"
raise_above = 4.0
[escalation.warning]
remind_s = 600
"""


def shelved() -> tuple[River, str]:
    """A river with one alert on the shelf until `UNTIL_MS`, nothing heard after."""
    river = River(registry=REGISTRY, rules=RULES)
    raised = river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=4.5)).events
    raised += river.tick(BEGIN_MS + MINUTE).events
    (event,) = raised
    alert = event.alert["id"]
    put = Action("r1", "shelve", alert, 1, "An", "đang sửa đầu đo", UNTIL_MS)
    assert told(river.step(BEGIN_MS + 2 * MINUTE, put).events) == [("shelved", alert)]
    return river, alert


def told(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.type, event.alert["id"]) for event in events]


def test_the_end_of_shelving_comes_by_the_clock_alone() -> None:
    river, alert = shelved()
    assert river.tick(UNTIL_MS - 1).events == [], "no reminder from the shelf"
    assert river.processor.next_due_ms() == UNTIL_MS
    (back,) = river.tick(UNTIL_MS).events
    assert (back.type, back.alert["id"], back.notify) == ("unshelved", alert, True)
    assert "shelved_until" not in back.alert
    # The reminder goes on where it stood: a part of its ten minutes was over.
    due = river.processor.next_due_ms()
    assert due is not None
    assert told(river.tick(due).events) == [("reminded", alert)]
    assert UNTIL_MS < due <= UNTIL_MS + 10 * MINUTE


def test_an_end_that_passed_while_the_service_was_away_is_told_once() -> None:
    river, alert = shelved()
    river.restart(river.snapshot(), river.position)
    late_ms = UNTIL_MS + 3 * MINUTE
    assert told(river.tick(late_ms).events) == [("unshelved", alert)]
    assert river.tick(late_ms + 1).events == []
