from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.known import Known
from ingest.lanes import DirectionReading, Lanes
from ingest.payload import TrafficSample
from ingest.reading import Why
from ingest.refusal import Reason, Refusal
from ingest.registry import parse_registry
from ingest.snapshot import pack, unpack
from ingest.store import Store
from tests.songtien.feed import BEGIN_MS, REGISTRY

REORDER_MS = 30_000
MINUTE = 60_000
SOUTH, NORTH = "cam-01/southbound", "cam-01/northbound"


class Bridge:
    """Lanes over a store; each `take` is one entry of the journal."""

    def __init__(self) -> None:
        self.registry = parse_registry(REGISTRY, "stations.toml")
        self.store = Store(Path(":memory:"))
        self.lanes = Lanes(self.registry, REORDER_MS)
        self.position = 0
        self.now_ms = BEGIN_MS

    def take(
        self,
        minute: int,
        lane: int = 1,
        direction: str = "southbound",
        *,
        ready: bool = True,
        **fields: Any,
    ) -> Refusal | bool:
        t1 = BEGIN_MS + minute * MINUTE
        return self.sample(TrafficSample(t1 - MINUTE, t1, lane, direction, **fields), ready=ready)

    def sample(self, sample: TrafficSample, *, ready: bool = True) -> Refusal | bool:
        self.position += 1
        known = Known(self.store, self.position)
        taken = self.lanes.take("cam-01", sample, known, ready=ready, now_ms=self.now_ms)
        self.store.put_lane_intervals(known.new_intervals, self.position)
        return taken

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        self.position += 1
        self.lanes.release(self.now_ms, Known(self.store, self.position))

    def restart(self) -> None:
        assert self.lanes.drain() == []
        self.lanes = Lanes(self.registry, REORDER_MS, unpack(pack(self.lanes.snapshot())))

    def made(self) -> list[tuple[str, int, float | None, int, bool]]:
        """(stream, minute, cars, why, late)."""
        return [
            (
                reading.stream,
                (reading.t_ms - BEGIN_MS) // MINUTE,
                reading.values.get("count_car"),
                reading.why,
                reading.late,
            )
            for reading in self.lanes.drain()
        ]


def test_a_direction_is_made_when_all_its_lanes_are_there_in_order() -> None:
    bridge = Bridge()
    assert bridge.take(-1, 1, count={"car": 6}) is True
    assert bridge.made() == []
    assert bridge.lanes.next_due_ms() == BEGIN_MS + REORDER_MS
    bridge.take(-1, 2, count={"car": 3})
    assert bridge.made() == [(SOUTH, -1, 9.0, 0, False)]
    assert bridge.lanes.next_due_ms() is None
    bridge.take(-1, 1, "northbound", count={"car": 5})
    assert bridge.made() == [(NORTH, -1, 5.0, 0, False)]


def test_what_is_not_in_order_waits_for_what_may_still_come() -> None:
    bridge = Bridge()
    bridge.take(-1, 1, "northbound", ready=False, count={"car": 5})
    assert bridge.made() == []
    bridge.take(-2, 1, "northbound", ready=False, count={"car": 4})
    # A minute is more than the reorder window: what is so much older can go.
    assert [row[1] for row in bridge.made()] == [-2]
    bridge.wait(REORDER_MS)
    assert [row[1] for row in bridge.made()] == [-1]


def test_a_lane_missing_is_told_and_taken_in_when_it_comes() -> None:
    bridge = Bridge()
    bridge.take(-1, 1, count={"car": 6})
    bridge.wait(REORDER_MS - 1)
    assert bridge.made() == []
    bridge.wait(1)
    assert bridge.made() == [(SOUTH, -1, 6.0, Why.LANE_MISSING, False)]
    bridge.take(-1, 2, count={"car": 3})
    assert bridge.made() == [(SOUTH, -1, 9.0, 0, True)]


def test_a_later_interval_takes_the_earlier_with_it_in_order() -> None:
    bridge = Bridge()
    bridge.take(-2, 1, count={"car": 1})
    bridge.take(-1, 1, count={"car": 2})
    assert [row[1:4] for row in bridge.made()] == [(-2, 1.0, Why.LANE_MISSING)]
    bridge.take(-1, 2, count={"car": 3})
    assert [row[1:4] for row in bridge.made()] == [(-1, 5.0, 0)]


def test_what_ends_in_the_future_holds_nothing_up() -> None:
    bridge = Bridge()
    bridge.take(5, 1, "northbound", count={"car": 9})
    assert bridge.made() == [(NORTH, 5, 9.0, Why.FUTURE, False)]
    bridge.take(0, 1, "northbound", count={"car": 1})
    assert bridge.made() == [(NORTH, 0, 1.0, 0, False)]


def test_the_same_is_a_duplicate_another_a_conflict_and_more_is_taken_in() -> None:
    bridge = Bridge()
    assert bridge.take(0, 1, "northbound", count={"car": 6, "bus": 0}) is True
    assert bridge.take(0, 1, "northbound", count={"bus": 0, "car": 6}) is False
    clash = bridge.take(0, 1, "northbound", count={"car": 7})
    assert isinstance(clash, Refusal)
    assert clash.reason is Reason.CONFLICT
    bridge.made()
    assert bridge.take(0, 1, "northbound", speed_km_h=31.00001) is True
    (reading,) = bridge.lanes.drain()
    assert (reading.values["count_car"], reading.values["speed_km_h"]) == (6.0, 31.0)
    assert reading.late
    assert bridge.take(0, 1, "northbound", speed_km_h=31.0) is False


@pytest.mark.parametrize(("lane", "direction"), [(3, "southbound"), (2, "northbound"), (1, "up")])
def test_a_lane_that_nobody_registered_is_refused_with_those_there_are(
    lane: int, direction: str
) -> None:
    refused = Bridge().take(0, lane, direction, count={"car": 1})
    assert isinstance(refused, Refusal)
    assert "southbound [1, 2]" in refused.detail
    assert "northbound [1]" in refused.detail


def test_counters_over_a_gap_count_more_than_their_interval_and_say_so() -> None:
    bridge = Bridge()
    bridge.take(-5, 1, "northbound", cumulative={"car": 10})
    bridge.take(-2, 1, "northbound", cumulative={"car": 40})
    bridge.made()
    bridge.take(-1, 1, "northbound", cumulative={"car": 46})
    assert bridge.made() == [(NORTH, -1, 6.0, 0, False)]
    bridge.take(-3, 1, "northbound", cumulative={"car": 22})
    # It changes itself, late, and what was counted over it.
    late = bridge.made()
    assert [row[1:3] for row in late] == [(-3, 12.0), (-2, 18.0)]
    assert late[0][3] & Why.COUNTER_GAP
    assert not late[1][3] & Why.COUNTER_GAP


def test_simulated_lanes_mark_their_direction() -> None:
    bridge = Bridge()
    bridge.take(0, 1, count={"car": 1}, sim=True)
    bridge.take(0, 2, count={"car": 1})
    assert bridge.made()[0][3] == Why.SIMULATED


def test_lanes_that_wait_outlive_a_restart() -> None:
    bridge = Bridge()
    bridge.take(0, 1, count={"car": 6})
    bridge.restart()
    assert bridge.lanes.next_due_ms() == BEGIN_MS + REORDER_MS
    bridge.take(0, 2, count={"car": 3})
    assert bridge.made() == [(SOUTH, 0, 9.0, 0, False)]
    bridge.restart()
    bridge.take(0, 2, speed_km_h=30.0)
    assert bridge.made()[0][4], "what was released stays released"


ARRIVALS = st.lists(
    st.tuples(
        st.integers(-4, 0),
        st.sampled_from([(1, "southbound"), (2, "southbound"), (1, "northbound")]),
        st.sampled_from(["count", "cumulative"]),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from([0, 5_000, 40_000]),
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(ARRIVALS, st.integers(0, 20))
def test_in_any_order_the_last_word_is_what_all_lanes_together_say(
    arrivals: list[tuple[int, tuple[int, str], str, int, bool, int]], restart: int
) -> None:
    """Each direction's last reading is the one that is made with everything known."""
    bridge = Bridge()
    last: dict[tuple[str, int], DirectionReading] = {}
    decided: dict[str, list[int]] = {SOUTH: [], NORTH: []}

    def hear() -> None:
        for reading in bridge.lanes.drain():
            last[reading.stream, reading.t_ms] = reading
            if not reading.late:
                decided[reading.stream].append(reading.t_ms)

    for number, (minute, (lane, direction), kind, cars, ready, wait_ms) in enumerate(arrivals):
        bridge.take(minute, lane, direction, ready=ready, **{kind: {"car": cars}})
        bridge.wait(wait_ms)
        hear()
        if number == restart:
            bridge.restart()
    bridge.wait(REORDER_MS)
    hear()
    for times in decided.values():
        assert times == sorted(set(times)), "decided once each, in order of time"
    for stream, t_ms in last:
        bridge.lanes._make(stream, t_ms, Known(bridge.store, bridge.position + 1), late=True)
    for reading in bridge.lanes.drain():
        told = last[reading.stream, reading.t_ms]
        assert (told.values, told.why) == (reading.values, reading.why)
    bridge.store.close()
