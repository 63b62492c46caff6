"""What one camera saw of one direction: its last samples, its state, and whether it is heard.

Samples are kept by their time and taken up at instants, so that it does not matter in which
batches they came. Of those taken up the memory is a window; the medians of three minutes, or
of three intervals of a camera that reports more seldom, are what everything is judged by.
"""

from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from alerts.bridge.congestion import MINUTE_MS, TABLE, Latches, State, step_road
from alerts.bridge.incident import Watch
from ingest.bridges import CAR_LANE, Crossing
from ingest.reading import Flag, Why

COUNTS = tuple(f"count_{name}" for name in CAR_LANE)
TAKEN = (
    "speed_car_km_h",
    "occupancy_car",
    "flow_car_veh_h",
    "speed_motorbike_km_h",
    "level_of_service",
    *COUNTS,
)
"""The quantities of a camera's direction that are looked at."""

CARS_MIN = 5
"""Fewer vehicles in the window: speed and occupancy of so few are not evaluated, unless they
stand and keep the lane covered.
"""

LATE_UNITS = 3
LOST_UNITS = 10
GOOD_INTERVALS = 3
FLOW_UNITS = 10
LAPSE_UNITS = 30
"""In intervals of the camera, a minute at least: silent so long it is late, and lost; good
ones until it counts again; mean of a flow; nothing to evaluate so long and the road empty, and
no queue is left."""

EMPTY_OCCUPANCY = 0.15
FREE_KM_H = 35.0
FREE_OCCUPANCY = 0.12
"""Faster and emptier than this an end of the bridge runs free."""

GAP = 1.5


@dataclass(frozen=True, slots=True)
class Seen:
    """One sample of the car lane: km/h, share of 1, vehicles an hour, vehicles; None absent.

    `whole`: its counts are of all lanes and all of its interval.
    """

    t_ms: int
    speed_km_h: float | None
    occupancy: float | None
    flow_veh_h: float | None
    cars: int | None
    motorbike_km_h: float | None
    level_of_service: float | None
    whole: bool
    since_last: bool
    flag: int
    why: int


@dataclass(frozen=True, slots=True)
class View:
    """A camera at an instant. `status` is ok, few, blind, late, lost or returning.

    Only an ok one is evaluated; a blind one told neither speed nor occupancy. Speed and occupancy are medians, flow a mean of ten minutes;
    `came` are the cars counted since the last instant, `gap` that some may be missing.
    """

    status: str
    state: State
    speed_km_h: float | None
    occupancy: float | None
    flow_veh_h: float | None
    cars: int | None
    suspect: bool
    flag: int
    simulated: bool
    free: bool
    came: int
    gap: bool

    @property
    def evaluated(self) -> bool:
        return self.status == "ok"

    @property
    def told(self) -> bool:
        return self.status in ("ok", "few")


@dataclass(slots=True)
class Camera:
    """One stream of a camera. `unit_ms` is its interval, a minute at least."""

    stream: str
    expected_ms: int
    watch: Watch
    latches: Latches = field(default_factory=Latches)
    pending: dict[int, dict[str, tuple[float, int, int]]] = field(default_factory=dict)
    recent: list[Seen] = field(default_factory=list)
    good: int = 0
    evaluated_ms: int | None = None
    unit_ms: int = field(init=False)
    waiting_ms: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.unit_ms = max(self.expected_ms, MINUTE_MS)
        self.waiting_ms = sorted(self.pending, reverse=True)

    @property
    def newest_ms(self) -> int | None:
        return self.recent[-1].t_ms if self.recent else None

    def take(self, t_ms: int, quantity: str, value: float, flag: int, why: int) -> None:
        """A released value; what is not newer than all that was taken up decides nothing.

        What waits is bounded: an instant is complete at the latest when one camera is two
        intervals and the reorder time behind the other (`alerts.instants`).
        """
        if self.recent and t_ms <= self.recent[-1].t_ms:
            return
        self.pending.setdefault(t_ms, {})[quantity] = (value, flag, why)

    def look(self, t_ms: int) -> View:
        """Take up what was seen until an instant, and judge it."""
        came, gap = self._take_up(t_ms)
        return self._judge(t_ms, came, gap=gap)

    def skip(self, t_ms: int) -> None:
        """The direction is closed: what is seen now decides nothing afterwards."""
        self._take_up(t_ms)
        self.recent = self.recent[-1:]
        self.good = 0
        self.latches.clear()
        self.watch.forget()
        self.evaluated_ms = None

    def _take_up(self, t_ms: int) -> tuple[int, bool]:
        """Cars that were counted since the last instant, and whether some may be missing."""
        came, gap = 0, False
        if len(self.waiting_ms) != len(self.pending):
            # Newest first, so that a long backlog is sorted once and taken from its end.
            self.waiting_ms = sorted(self.pending, reverse=True)
        while self.waiting_ms and self.waiting_ms[-1] <= t_ms:
            at = self.waiting_ms.pop()
            seen = _seen(at, self.pending.pop(at))
            before = self.newest_ms
            apart_ms = None if before is None else at - before
            if apart_ms is not None and apart_ms >= LOST_UNITS * self.unit_ms:
                self.good = 0
                self.latches.clear()
            contiguous = apart_ms is not None and apart_ms <= GAP * self.unit_ms
            self.good = min(self.good + 1, GOOD_INTERVALS) if contiguous or not self.good else 1
            gap = gap or not seen.whole or not (contiguous or seen.since_last)
            came += seen.cars or 0
            self.recent.append(seen)
            cars = self._cars(at)
            covers_ms = self.expected_ms if apart_ms is None else min(apart_ms, self.expected_ms)
            self.watch.step(at, covers_ms, seen.speed_km_h, seen.occupancy, cars)
            keep_ms = at - FLOW_UNITS * self.unit_ms
            while self.recent[0].t_ms <= keep_ms:
                del self.recent[0]
        return came, gap

    def _window(self, t_ms: int, units: int) -> list[Seen]:
        after_ms = t_ms - units * self.unit_ms
        return [s for s in self.recent if after_ms < s.t_ms <= t_ms]

    def _cars(self, t_ms: int) -> int | None:
        counts = [seen.cars for seen in self._window(t_ms, LATE_UNITS) if seen.cars is not None]
        return sum(counts) if counts else None

    def _judge(self, t_ms: int, came: int, *, gap: bool) -> View:
        window = self._window(t_ms, LATE_UNITS)
        speed = _middle([s.speed_km_h for s in window])
        occupancy = _middle([s.occupancy for s in window])
        cars = self._cars(t_ms)
        flags = [s.flag for s in window]
        suspect = int(Flag.SUSPECT) in flags
        status = self._status(t_ms, window, cars, speed, occupancy)
        self._step(t_ms, status, speed, occupancy, suspect=suspect)
        flows = [s.flow_veh_h for s in self._window(t_ms, FLOW_UNITS) if s.flow_veh_h is not None]
        newest = self.newest_ms
        # Medians lag: where traffic breaks down, the last sample says it first.
        last = (window[-1].speed_km_h, window[-1].occupancy) if window else (None, None)
        told = status in ("ok", "few")
        return View(
            status=status,
            state=self.latches.state,
            speed_km_h=speed,
            occupancy=occupancy,
            flow_veh_h=fmean(flows) if flows else None,
            cars=cars,
            suspect=suspect,
            flag=_flag(flags),
            simulated=any(s.why & Why.SIMULATED for s in window),
            free=told and _is_free(speed, occupancy) and _is_free(*last),
            came=came,
            gap=gap or newest is None or t_ms - newest > GAP * self.unit_ms,
        )

    def _status(
        self,
        t_ms: int,
        window: list[Seen],
        cars: int | None,
        speed: float | None,
        occupancy: float | None,
    ) -> str:
        newest = self.newest_ms
        if newest is None or t_ms - newest >= LOST_UNITS * self.unit_ms:
            return "lost"
        if not window:
            return "late"
        if self.good < GOOD_INTERVALS:
            return "returning"
        if speed is None and occupancy is None:
            return "blind"
        few = cars is not None and cars < CARS_MIN
        return "few" if few and not _stands(occupancy) else "ok"

    def _step(
        self,
        t_ms: int,
        status: str,
        speed: float | None,
        occupancy: float | None,
        *,
        suspect: bool,
    ) -> None:
        last_ms = self.evaluated_ms
        if status == "ok":
            if last_ms is None or t_ms - last_ms > 2 * self.unit_ms:
                self.latches.pause()
            step_road(self.latches, t_ms, speed, occupancy, suspect=suspect, unit_ms=self.unit_ms)
            self.evaluated_ms = t_ms
            return
        self.latches.pause()
        if status == "lost":
            self.latches.clear()
        elif status == "few" and last_ms is not None:
            waited = t_ms - last_ms >= LAPSE_UNITS * self.unit_ms
            if waited and occupancy is not None and occupancy < EMPTY_OCCUPANCY:
                self.latches.clear()

    def snapshot(self) -> dict[str, Any]:
        return {
            "watch": self.watch.snapshot(),
            "latches": self.latches.snapshot(),
            "pending": [
                [t_ms, [[name, *fields] for name, fields in sorted(values.items())]]
                for t_ms, values in sorted(self.pending.items())
            ],
            "recent": [[getattr(s, name) for name in Seen.__slots__] for s in self.recent],
            "good": self.good,
            "evaluated_ms": self.evaluated_ms,
        }


def camera(
    stream: str,
    expected_ms: int,
    crossing: Crossing | None,
    snapshot: dict[str, Any] | None,
) -> Camera:
    """A camera, as new or as an earlier life has left it."""
    watch = Watch(
        None if crossing is None else crossing.free_km_h,
        None if snapshot is None else snapshot["watch"],
        baseline_from_ms=None if crossing is None else crossing.baseline_from_ms,
    )
    if snapshot is None:
        return Camera(stream, expected_ms, watch)
    return Camera(
        stream,
        expected_ms,
        watch,
        Latches(snapshot["latches"]),
        {
            t_ms: {name: (value, flag, why) for name, value, flag, why in values}
            for t_ms, values in snapshot["pending"]
        },
        [Seen(*each) for each in snapshot["recent"]],
        snapshot["good"],
        snapshot["evaluated_ms"],
    )


def _seen(t_ms: int, values: dict[str, tuple[float, int, int]]) -> Seen:
    """A sample out of its values; what failed a test counts as absent."""
    good = {name: found for name, found in values.items() if found[1] < Flag.FAIL}
    flags = [found[1] for name, found in good.items() if name in TAKEN[:3]]
    why = 0
    for _, _, each in values.values():
        why |= each
    counted = [name for name in COUNTS if name in values]
    cars = round(sum(good[name][0] for name in counted if name in good)) if counted else None
    return Seen(
        t_ms=t_ms,
        speed_km_h=_value(good, "speed_car_km_h"),
        occupancy=_value(good, "occupancy_car"),
        flow_veh_h=_value(good, "flow_car_veh_h"),
        cars=cars,
        motorbike_km_h=_value(good, "speed_motorbike_km_h"),
        level_of_service=_value(good, "level_of_service"),
        whole=bool(counted) and all(n in good for n in counted) and not why & Why.LANE_MISSING,
        since_last=bool(why & Why.COUNTER_GAP),
        flag=_flag(flags),
        why=why,
    )


def _stands(occupancy: float | None) -> bool:
    """Whether the lane is as covered as in a jam, in which no car may pass for minutes."""
    return occupancy is not None and occupancy > TABLE[State.JAMMED].enter_occupancy


def _is_free(speed_km_h: float | None, occupancy: float | None) -> bool:
    """Fast and empty, as far as both are measured; a camera that saw nobody told no speed."""
    if speed_km_h is None and occupancy is None:
        return False
    fast = speed_km_h is None or speed_km_h > FREE_KM_H
    return fast and (occupancy is None or occupancy < FREE_OCCUPANCY)


def _value(values: dict[str, tuple[float, int, int]], name: str) -> float | None:
    return values[name][0] if name in values else None


def _middle(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _flag(flags: list[int]) -> int:
    """The worst of flags 1 to 3, 2 where nothing was tested."""
    if Flag.SUSPECT in flags:
        return int(Flag.SUSPECT)
    return int(Flag.PASS if Flag.PASS in flags else Flag.NOT_EVALUATED)
