"""The past before any record, made of what is stored."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import records
from alerts.alert import AlertEvent, EventType
from api.live.where import EVERYTHING
from ingest.reading import Batch, Flag, Why
from ingest.store import Store
from songtien.rewind.scene import Change
from songtien.rewind.walk import Walk
from songtien.rewind.wall_file import WallWriter
from tests.songtien.feed import BEGIN_MS
from tests.songtien.past import Past, alert, shown

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
ROWS = [
    (n % 7, BEGIN_MS - DAY + n * 97 * SECOND, float(n), Flag.PASS, Why.FUTURE if n % 31 == 0 else 0)
    for n in range(800)
]


def stored(directory: Path) -> None:
    store = Store(directory / "store.sqlite")
    store.prepare(records.create)
    raised = {
        **alert(1, "unacked"),
        "t_since": BEGIN_MS - 20 * HOUR,
        "t_event": BEGIN_MS - 20 * HOUR,
        "historic": True,
    }
    over = {**raised, "state": "normal", "t_cleared": BEGIN_MS - 10 * HOUR}
    with store.transaction():
        store.put_readings(Batch.of(*zip(*ROWS, strict=True)), 1)
        # Both were found when the data came, a day later.
        kinds = (EventType.RAISED, raised), (EventType.CLEARED, over)
        events = [AlertEvent(kind, body, BEGIN_MS, told=False) for kind, body in kinds]
        records.write(store.connection, events)
    store.close()


def newest(at_ms: int) -> dict[int, tuple[float, int]]:
    """Of each series, by a loop."""
    found: dict[int, tuple[float, int]] = {}
    for series, t_ms, value, _, why in ROWS:
        if t_ms <= at_ms and not why and t_ms >= found.get(series, (0.0, -1))[1]:
            found[series] = value, t_ms
    return found


def held(walk: Walk) -> dict[int, tuple[float, int]]:
    state = walk.screens.hub.state
    return {
        int(n): (float(state.value[n]), int(state.t_ms[n]))
        for n in state.shown.nonzero()[0]
        if state.t_ms[n] >= 0
    }


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    directory = tmp_path_factory.mktemp("rebuilt")
    stored(directory)
    found = Past(directory)
    with closing(WallWriter(found.path)):
        return found  # without any record


@settings(max_examples=15)
@given(moments=st.lists(st.integers(-26 * HOUR, -MINUTE), min_size=1, max_size=5).map(sorted))
def test_newest_by_observed_time_at_any_moment_and_played_up_to_it(
    past: Past, moments: list[int]
) -> None:
    first = past.timeline.open(BEGIN_MS + moments[0])
    assert first.source == ("rebuilt" if newest(BEGIN_MS + moments[0]) else "none")
    walk = Walk(first.first, "w")
    for moment in moments:
        at_ms = BEGIN_MS + moment
        assert held(past.at(at_ms)) == newest(at_ms)
        while walk.loaded_ms < at_ms and (piece := first.next()) is not None:
            walk.feed(piece)
        walk.advance(at_ms)
        assert held(walk) == newest(at_ms)
        holds = BEGIN_MS - 20 * HOUR <= at_ms < BEGIN_MS - 10 * HOUR
        assert bool(walk.screens.hub.alerts.active(EVERYTHING)) == holds
        assert shown(walk.screens, at_ms) == shown(past.at(at_ms).screens, at_ms)


def test_it_goes_on_as_recorded_from_where_a_record_begins(tmp_path: Path) -> None:
    stored(tmp_path)
    past = Past(tmp_path)
    with past.recording():
        past.now_ms += SECOND
        past.show(Change(Batch.of([0], [BEGIN_MS - 3 * HOUR], [0.5], Flag.PASS)))
        past.now_ms += SECOND
    pieces = past.timeline.open(BEGIN_MS - HOUR)
    assert pieces.source == "rebuilt"
    walk = Walk(pieces.first, "w")
    while (piece := pieces.next()) is not None:
        walk.feed(piece)
    walk.advance(BEGIN_MS - 1)
    assert len(held(walk)) == 7
    walk.advance(past.now_ms)
    # What the screens showed was older than what is stored, and it is shown.
    assert held(walk) == {0: (0.5, BEGIN_MS - 3 * HOUR)}
    assert shown(walk.screens, past.now_ms) == shown(past.screens, past.now_ms)
