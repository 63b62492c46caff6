"""Traffic samples into readings of a direction: lanes come together, counters become counts.

A sample is of one lane; a series is of a direction, at the end of the interval. The lanes'
intervals are stored as they come. The direction's reading is made when all registered
lanes are there in order, or when the reorder window has passed: then what is missing is
said (`Why.LANE_MISSING`), and taken in when it comes. Intervals of counters that only rise
are differences from their predecessor, so they too are made in order of time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ingest.known import Known
from ingest.payload import TrafficSample
from ingest.probes import round_one
from ingest.reading import FUTURE_TOLERANCE_MS, Why
from ingest.refusal import Reason, Refusal
from ingest.registry import Registry
from ingest.release import NEVER
from ingest.store import LaneRow
from ingest.traffic import LaneInterval, counts_between, direction_values


class LaneBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lane's interval as it is stored, its values rounded."""

    count: dict[str, int] | None = None
    cumulative: dict[str, int] | None = None
    speed_km_h: float | None = None
    occupancy: float | None = None
    queue_m: float | None = None
    sim: bool = False


@dataclass(frozen=True, slots=True)
class DirectionReading:
    """All quantities of a stream at one time. `late`: decides nothing any more."""

    stream: str
    t_ms: int
    values: Mapping[str, float]
    why: int
    late: bool


@dataclass(slots=True)
class _Group:
    """Lanes of one interval's end that have come, and when they are let go at the latest."""

    due_ms: int
    ready: bool = True
    lanes: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Direction:
    """A direction of a camera: its registered lanes with their uses, and what has come of them."""

    lanes: frozenset[int]
    uses: dict[int, str] = field(default_factory=dict)
    newest_ms: int = NEVER
    released_ms: int = NEVER
    open: dict[int, _Group] = field(default_factory=dict)


_BODY = msgspec.msgpack.Decoder(LaneBody)


class Lanes:
    """The directions of all cameras. `made` collects readings until `drain`."""

    def __init__(
        self, registry: Registry, reorder_ms: int, snapshot: Mapping[str, Any] | None = None
    ) -> None:
        self._reorder_ms = reorder_ms
        self._directions: dict[str, _Direction] = {}
        self._made: list[DirectionReading] = []
        for device in registry.devices.values():
            root = registry.root_device(device.id).id
            for lane in device.lanes:
                stream = f"{root}/{lane.direction}"
                found = self._directions.setdefault(stream, _Direction(frozenset()))
                found.lanes |= {lane.lane}
                found.uses[lane.lane] = lane.use
        for stream, (newest, released, groups) in (snapshot or {}).items():
            if stream in self._directions:
                direction = self._directions[stream]
                direction.newest_ms, direction.released_ms = newest, released
                direction.open = {
                    t1: _Group(due, ready, set(lanes)) for t1, due, ready, lanes in groups
                }

    def take(
        self, root_device: str, sample: TrafficSample, known: Known, *, ready: bool, now_ms: int
    ) -> Refusal | bool:
        """Take a sample: True if it is stored, False for a duplicate, or why it is refused."""
        unknown = self.unknown(root_device, sample)
        if unknown is not None:
            return unknown
        stream = f"{root_device}/{sample.dir}"
        direction = self._directions[stream]
        body = body_of(sample)
        for row in known.intervals(stream, sample.t1):
            if (row.lane, row.t0_ms) == (sample.lane, sample.t0):
                stands = _BODY.decode(row.body)
                refused = clash(stands, body)
                if refused is not None:
                    return refused
                body = merged(stands, body)
                if body == stands:
                    return False
        known.put_interval(
            LaneRow(stream, sample.lane, sample.t1, sample.t0, msgspec.msgpack.encode(body))
        )
        if sample.t1 > now_ms + FUTURE_TOLERANCE_MS:
            self._make(stream, sample.t1, known, late=False, why=Why.FUTURE)
        elif sample.t1 <= direction.released_ms:
            self._remake(stream, sample, known)
        else:
            self._gather(stream, direction, sample, known, ready=ready, now_ms=now_ms)
        return True

    def release(self, now_ms: int, known: Known) -> None:
        """Make what has waited long enough."""
        for stream, direction in self._directions.items():
            due = [t1 for t1, group in direction.open.items() if group.due_ms <= now_ms]
            if due:
                self._release_up_to(stream, direction, max(due), known)

    def next_due_ms(self) -> int | None:
        return min(
            (group.due_ms for d in self._directions.values() for group in d.open.values()),
            default=None,
        )

    def drain(self) -> list[DirectionReading]:
        made, self._made = self._made, []
        return made

    def snapshot(self) -> dict[str, Any]:
        return {
            stream: [
                d.newest_ms,
                d.released_ms,
                [[t1, g.due_ms, g.ready, sorted(g.lanes)] for t1, g in sorted(d.open.items())],
            ]
            for stream, d in self._directions.items()
        }

    def _gather(
        self,
        stream: str,
        direction: _Direction,
        sample: TrafficSample,
        known: Known,
        *,
        ready: bool,
        now_ms: int,
    ) -> None:
        group = direction.open.setdefault(sample.t1, _Group(now_ms + self._reorder_ms))
        group.ready = group.ready and ready
        group.lanes.add(sample.lane)
        direction.newest_ms = max(direction.newest_ms, sample.t1)
        if group.ready and group.lanes >= direction.lanes:
            self._release_up_to(stream, direction, sample.t1, known)
        self._release_up_to(stream, direction, direction.newest_ms - self._reorder_ms, known)

    def _release_up_to(self, stream: str, direction: _Direction, t_ms: int, known: Known) -> None:
        for t1 in sorted(t1 for t1 in direction.open if t1 <= t_ms):
            del direction.open[t1]
            direction.released_ms = t1
            self._make(stream, t1, known, late=False)

    def _remake(self, stream: str, sample: TrafficSample, known: Known) -> None:
        """A lane that comes late changes what was made, and what was counted from before it."""
        self._make(stream, sample.t1, known, late=True)
        after = known.neighbour(stream, sample.lane, sample.t1, later=True)
        if after is None or after.t1_ms > self._directions[stream].released_ms:
            return
        if _counts_since(_BODY.decode(after.body)):
            self._make(stream, after.t1_ms, known, late=True)

    def _make(self, stream: str, t1_ms: int, known: Known, *, late: bool, why: int = 0) -> None:
        intervals = []
        present = set()
        for row in known.intervals(stream, t1_ms):
            if row.lane in present:
                continue  # a second interval to the same end: the longest stands
            present.add(row.lane)
            body = _BODY.decode(row.body)
            interval, gap = _interval(row, body, known)
            intervals.append(interval)
            why |= Why.COUNTER_GAP if gap else 0
            why |= Why.SIMULATED if body.sim else 0
        counted = [interval.counts is not None for interval in intervals]
        if present != self._directions[stream].lanes or any(counted) != all(counted):
            why |= Why.LANE_MISSING
        values = direction_values(intervals, self._directions[stream].uses)
        self._made.append(DirectionReading(stream, t1_ms, values, why, late))

    def unknown(self, root_device: str, sample: TrafficSample) -> Refusal | None:
        """Why a sample is refused whose lane or direction is not registered, else None."""
        direction = self._directions.get(f"{root_device}/{sample.dir}")
        if direction is not None and sample.lane in direction.lanes:
            return None
        accepted = [
            f"{stream.rpartition('/')[2]} {sorted(direction.lanes)}"
            for stream, direction in self._directions.items()
            if stream.startswith(f"{root_device}/")
        ]
        return Refusal(
            Reason.UNKNOWN_DEVICE,
            f"lane = {sample.lane} of dir = {sample.dir!r}: registered are {', '.join(accepted)}",
        )


def _interval(row: LaneRow, body: LaneBody, known: Known) -> tuple[LaneInterval, bool]:
    """The interval with its counts, and whether they are of more than the interval."""
    counts, t0_ms = body.count, row.t0_ms
    if body.cumulative is not None and _counts_since(body):
        before = known.neighbour(row.stream, row.lane, row.t1_ms, later=False)
        previous = _BODY.decode(before.body).cumulative if before is not None else None
        if before is not None and previous is not None:
            counts, t0_ms = counts_between(previous, body.cumulative), before.t1_ms
    return (
        LaneInterval(
            row.lane, t0_ms, row.t1_ms, counts, body.speed_km_h, body.occupancy, body.queue_m
        ),
        t0_ms != row.t0_ms,
    )


def _counts_since(body: LaneBody) -> bool:
    """Whether an interval's counts are differences from its predecessor."""
    return body.count is None and body.cumulative is not None


def body_of(sample: TrafficSample) -> LaneBody:
    """A sample as it is stored."""
    return LaneBody(
        count=dict(sorted(sample.count.items())) if sample.count is not None else None,
        cumulative=dict(sorted(sample.cumulative.items())) if sample.cumulative else None,
        speed_km_h=_rounded(sample.speed_km_h),
        occupancy=_rounded(sample.occupancy),
        queue_m=_rounded(sample.queue_m),
        sim=sample.sim,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round_one(value)


_MEASURED = ("count", "cumulative", "speed_km_h", "occupancy", "queue_m")


def clash(stands: LaneBody, sent: LaneBody) -> Refusal | None:
    """Why what is sent again is refused: another value stands at its identity."""
    for name in _MEASURED:
        old, new = getattr(stands, name), getattr(sent, name)
        if old is not None and new is not None and old != new:
            return Refusal(Reason.CONFLICT, f"{name} = {new}: {old} stands at this time")
    return None


def merged(stands: LaneBody, sent: LaneBody) -> LaneBody:
    """What stands, with the quantities that it had not."""
    new = {name: getattr(sent, name) for name in _MEASURED if getattr(stands, name) is None}
    return msgspec.structs.replace(stands, **new)
