"""What officers enter, through the processor: time, snapshots, older checkpoints."""

import json
from typing import Any

from alerts.entries import EnteredOutcome
from ingest.journal import Entered
from ingest.snapshot import unpack
from songtien.outcome import Outcome
from songtien.processor import Processor
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, River, probe

MINUTE = 60_000


def enter(river: River, at_ms: int, **body: Any) -> Outcome:
    text = json.dumps({"reason": "thay đầu dò"} | body)
    return river.step(at_ms, Entered("r1", "maintenance", "my-tho", text, "An", ""))


def test_an_entry_is_answered_and_the_doors_get_a_copy_of_the_desk() -> None:
    river = River()
    outcome = enter(river, BEGIN_MS, to=BEGIN_MS + 5 * MINUTE)
    assert outcome.reply is not None
    request, reply = outcome.reply
    assert isinstance(reply, EnteredOutcome)
    assert (request, reply.outcome) == ("r1", "done")
    assert outcome.desk is not None
    assert outcome.desk is not river.processor.desk
    assert outcome.desk.maintenance(BEGIN_MS) == {"my-tho": "m1"}
    assert outcome.events == []


def test_time_is_asked_for_when_a_window_begins_and_when_it_ends() -> None:
    river = River()
    from_ms, to_ms = BEGIN_MS + MINUTE, BEGIN_MS + 2 * MINUTE
    enter(river, BEGIN_MS, **{"from": from_ms, "to": to_ms})
    assert river.processor.next_due_ms() == from_ms
    river.tick(from_ms)
    assert river.processor.next_due_ms() == to_ms
    river.tick(to_ms + 1)
    due = river.processor.next_due_ms()
    assert due is None or due > to_ms


def test_a_window_that_is_over_before_the_next_entry_stops_no_time() -> None:
    river = River()
    enter(river, BEGIN_MS, **{"from": BEGIN_MS + MINUTE, "to": BEGIN_MS + 2 * MINUTE})
    river.tick(BEGIN_MS + 10 * MINUTE)
    assert river.processor.desk.maintenance(BEGIN_MS + 10 * MINUTE) == {}


def test_the_desk_comes_back_from_a_checkpoint_and_through_a_configuration() -> None:
    river = River()
    enter(river, BEGIN_MS, to=BEGIN_MS + 50 * MINUTE)
    checkpoint, position = river.snapshot(), river.position
    config = river.processor.config
    assert config is not None
    river.step(BEGIN_MS + 1, config)
    enter(river, BEGIN_MS + 2, to=BEGIN_MS + 60 * MINUTE)
    before = river.snapshot()
    assert river.processor.desk.maintenance(BEGIN_MS + 2) == {"my-tho": "m2"}
    river.restart(checkpoint, position)
    assert river.snapshot() == before


def test_a_checkpoint_from_before_there_was_a_desk_has_an_empty_one() -> None:
    river = River()
    state = unpack(river.snapshot())
    del state["desk"]
    again = Processor(river.store, ROOT, state)
    assert again.desk.picture(BEGIN_MS) == River().processor.desk.picture(BEGIN_MS)


INTAKE = """
[[intake]]
id = "vuon"
name = "Vườn"
stations = ["my-tho"]
side = "river"
limit_g_l = 0.5
lift = "pump"
"""


def test_while_its_station_is_worked_on_an_intake_has_no_permission() -> None:
    river = River(registry=REGISTRY + INTAKE)
    said: dict[str, Any] = {}
    for n in range(6):
        at_ms = BEGIN_MS + n * 10 * MINUTE
        # Each reading waits for the reorder time, as it bears no number.
        said |= river.hear(at_ms, probe("mt-01", at_ms, sal_g_l=0.1)).advice
        said |= river.tick(at_ms + MINUTE).advice
    assert said["vuon"]["take"] is True
    begun = enter(river, at_ms + 2 * MINUTE, to=at_ms + 9 * MINUTE)
    assert begun.advice["vuon"]["take"] is False
    over = river.tick(at_ms + 9 * MINUTE)
    assert over.advice["vuon"]["take"] is False
