"""One direction of a bridge at an instant: minutes, state, queue, incident.

What can be told depends on the cameras. One at each end: all of it. Cameras at one end or
without a place: the state alone. A queue that reaches back past the entry hides its length:
then a bound is told, unless cameras before the bridge see where it ends.
"""

from dataclasses import dataclass, field
from math import isinf
from statistics import fmean
from typing import Any

from alerts.bridge.balance import Balance
from alerts.bridge.camera import Camera, View
from alerts.bridge.congestion import MINUTE_MS, Latches, State, step_crossing
from alerts.bridge.incident import Held, between_the_ends, held
from alerts.bridge.modes import Mode
from alerts.bridge.queue import MIN_PER_H, Queue, Road, queue_of
from ingest.bridges import Crossing
from ingest.reading import Flag, Why

SPILLED_KM_H = 15.0
"""Slower than this at its entry the queue has spilled back beyond the bridge."""

CROSSING_MAX_MIN = 300.0
"""Longer than any wait that was reported (Tết: four to five hours); beyond it a bound is told."""

CHECK_SHARE = 0.3
CHECK_MIN = 3.0
"""By how much the minutes and N / q_out may differ before the minutes are suspect."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure between `least` and `most`; both alike: it is known. `most` None has no end."""

    least: float
    most: float | None

    @property
    def known(self) -> bool:
        return self.most == self.least


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a direction at an instant; None: not known, and `why` says it.

    minutes, km : Figure; `why` is a word of `alerts.bridge.words`
    """

    t_ms: int
    mode: Mode
    state: State | None
    minutes: Figure | None
    km: Figure | None
    vehicles: float | None
    incident: bool | None
    spilled: bool
    why: str
    flag: int
    simulated: bool
    suspect_minutes: bool
    views: dict[str, View]

    def rows(self) -> list[tuple[str, float, int, int]]:
        """(quantity, value, flag, why) of what is known, a bound for what has only one."""
        if self.mode is Mode.CLOSED:
            return []
        why = int(Why.SIMULATED) if self.simulated else 0
        why |= int(Why.INPUT) if self.flag == Flag.SUSPECT else 0
        found = []
        if self.state is not None:
            found.append(("traffic_state", float(self.state), self.flag, why))
        for quantity, figure in (
            ("crossing_time_min", self.minutes),
            ("queue_length_km", self.km),
        ):
            if figure is None:
                continue
            suspect = quantity == "crossing_time_min" and self.suspect_minutes
            if figure.known and not suspect:
                found.append((quantity, figure.least, self.flag, why))
            else:
                bound = int(Why.INPUT if figure.known else Why.BOUND)
                found.append((quantity, figure.least, int(Flag.SUSPECT), why | bound))
        if self.vehicles is not None:
            found.append(("vehicles_on_bridge", self.vehicles, self.flag, why))
        if self.incident is not None:
            found.append(("incident", float(self.incident), self.flag, why))
        return found


@dataclass(slots=True)
class Direction:
    """The cameras of one direction with all that is remembered of it.

    `crossing` and `length_km` are None where the registry does not tell them. `approach` are
    cameras before the bridge with their distance from its entry in km, nearest first.
    """

    key: str
    crossing: Crossing | None
    length_km: float | None
    entry: Camera | None
    leaving: Camera | None
    along: list[Camera]
    approach: list[tuple[float, Camera]]
    minutes: Latches = field(default_factory=Latches)
    apart: Held = field(default_factory=Held)
    balance: Balance = field(default_factory=Balance)
    told_ms: int | None = None
    told: Told | None = None
    cameras: list[tuple[str, Camera]] = field(init=False)
    here: list[Camera] = field(init=False)

    def __post_init__(self) -> None:
        """Each camera with its place: entry, exit, along, or km before the bridge."""
        ends = [("entry", self.entry), ("exit", self.leaving)]
        places = [(place, each) for place, each in ends if each is not None]
        places += [("along", each) for each in self.along]
        self.here = [each for _, each in places]
        self.cameras = places + [(f"-{km:g} km", each) for km, each in self.approach]

    @property
    def paired(self) -> bool:
        """Whether vehicles can be counted on and off."""
        ends = self.entry is not None and self.leaving is not None
        return ends and self.crossing is not None and self.length_km is not None

    def evaluate(self, t_ms: int, mode: Mode) -> Told:
        """Judge the direction at an instant; instants come in order of time."""
        if mode is Mode.CLOSED:
            return self._closed(t_ms)
        views = {each.stream: each.look(t_ms) for _, each in self.cameras}
        here = [views[each.stream] for each in self.here]
        spilled = self.entry is not None and _stands(views[self.entry.stream])
        minutes, km, why, suspect = None, None, "one-end", False
        if self.paired:
            free = self._count(t_ms, views)
            minutes, km, why, suspect = self._figures(t_ms, views, free=free, spilled=spilled)
        flag = _flag(here)
        self._step_minutes(t_ms, minutes, suspect=suspect or flag == Flag.SUSPECT)
        told = [view for view in here if view.told]
        state = max((view.state for view in told), default=None)
        if state is not None or minutes is not None:
            state = max(state or State.FREE, self.minutes.state)
        if not any(view.evaluated for view in here):
            # What nobody tested tells of neither danger nor rest.
            flag = int(Flag.NOT_EVALUATED) if flag != Flag.SUSPECT else flag
        self.told = Told(
            t_ms=t_ms,
            mode=mode,
            state=state,
            minutes=minutes,
            km=km,
            vehicles=self.balance.vehicles if self.balance.trusted else None,
            incident=self._incident(t_ms, views) if mode is not Mode.ONE_WAY and told else None,
            spilled=spilled,
            why=why,
            flag=flag,
            simulated=any(view.simulated for view in views.values()),
            suspect_minutes=suspect,
            views=views,
        )
        self.told_ms = t_ms
        return self.told

    def _closed(self, t_ms: int) -> Told:
        for _, each in self.cameras:
            each.skip(t_ms)
        self.minutes.clear()
        self.apart.forget()
        self.balance.drop("closed")
        self.told_ms = t_ms
        self.told = Told(
            t_ms,
            Mode.CLOSED,
            state=None,
            minutes=None,
            km=None,
            vehicles=None,
            incident=None,
            spilled=False,
            why="closed",
            flag=int(Flag.NOT_EVALUATED),
            simulated=False,
            suspect_minutes=False,
            views={},
        )
        return self.told

    def road(self, t_ms: int) -> Road:
        """The figures of a paired direction; a ban of trucks changes the spacing."""
        assert self.crossing is not None
        assert self.length_km is not None
        return Road(
            self.length_km,
            self.crossing.free_km_h,
            self.crossing.capacity_veh_h,
            self.crossing.mean_spacing_m(t_ms),
        )

    def _ends(self, views: dict[str, View]) -> tuple[View, View]:
        assert self.entry is not None
        assert self.leaving is not None
        return views[self.entry.stream], views[self.leaving.stream]

    def _count(self, t_ms: int, views: dict[str, View]) -> bool:
        """Count on and off; gives whether both ends run free."""
        entry, leaving = self._ends(views)
        road = self.road(t_ms)
        free = entry.free and leaving.free
        flows = [v.flow_veh_h for v in (entry, leaving) if v.flow_veh_h is not None]
        usual = fmean(flows) * road.length_km / _speed(entry, leaving, road) if flows else None
        if entry.gap or leaving.gap:
            self.balance.drop("gap" if self.balance.reset_ms is not None else "never")
        assert self.entry is not None
        assert self.leaving is not None
        self.balance.step(
            t_ms,
            entry.came,
            leaving.came,
            free=free and not (entry.gap or leaving.gap),
            free_vehicles=usual,
            full_veh=road.full_veh,
            hold_gap_ms=2 * max(self.entry.unit_ms, self.leaving.unit_ms),
        )
        return free

    def _figures(
        self, t_ms: int, views: dict[str, View], *, free: bool, spilled: bool
    ) -> tuple[Figure | None, Figure | None, str, bool]:
        """Minutes, kilometres, why one of them is missing, and whether minutes are suspect."""
        entry, leaving = self._ends(views)
        road = self.road(t_ms)
        out_veh_h = leaving.flow_veh_h
        if spilled:
            # Who stands is not over sooner than who drives freely, whatever the counts say.
            least = road.length_km / road.free_km_h * MIN_PER_H
            queued = None if out_veh_h is None else road.queued_min(road.length_km, out_veh_h)
            minutes = None if queued is None else _capped(max(least, queued), None)
            return minutes, self._beyond(views, road), "spilled", False
        if free:
            crossing_min = road.length_km / _speed(entry, leaving, road) * MIN_PER_H
            return Figure(crossing_min, crossing_min), Figure(0.0, 0.0), "", False
        if entry.flow_veh_h is None or out_veh_h is None:
            return None, None, "gap", False
        return self._counted(road, entry.flow_veh_h, out_veh_h)

    def _counted(
        self, road: Road, in_veh_h: float, out_veh_h: float
    ) -> tuple[Figure | None, Figure | None, str, bool]:
        """The same out of the vehicles counted on and off."""
        between = self.balance.between(road.full_veh)
        if between is None:
            return None, None, self.balance.why, False
        if not self.balance.trusted:
            low, high = (queue_of(road, n, in_veh_h, out_veh_h) for n in between)
            most = None if high.full else high.crossing_min
            return _capped(low.crossing_min, most), None, "withdrawn", False
        assert self.balance.vehicles is not None
        found = queue_of(road, self.balance.vehicles, in_veh_h, out_veh_h)
        if found.full:
            return _capped(found.crossing_min, None), Figure(road.length_km, None), "spilled", False
        minutes = _capped(found.crossing_min, found.crossing_min)
        if found.length_km is None:
            return minutes, None, "alike", _disagree(found)
        return minutes, Figure(found.length_km, found.length_km), "", _disagree(found)

    def _beyond(self, views: dict[str, View], road: Road) -> Figure:
        """Where a queue ends that has left the bridge, as far as cameras before it see."""
        least = road.length_km
        for km, each in self.approach:
            view = views[each.stream]
            if _stands(view):
                least = road.length_km + km
            elif view.evaluated:
                return Figure(least, road.length_km + km)
        return Figure(least, None)

    def _step_minutes(self, t_ms: int, minutes: Figure | None, *, suspect: bool) -> None:
        if minutes is None:
            self.minutes.pause()
            return
        if self.told_ms is None or t_ms - self.told_ms > self._hold_gap_ms():
            self.minutes.pause()
        step_crossing(self.minutes, t_ms, minutes.least, minutes.most, suspect=suspect)

    def _hold_gap_ms(self) -> int:
        return 2 * max((each.unit_ms for _, each in self.cameras), default=MINUTE_MS)

    def _incident(self, t_ms: int, views: dict[str, View]) -> bool:
        if self.paired:
            entry, leaving = self._ends(views)
            both = entry.told and leaving.told
            sign = both and between_the_ends(entry.speed_km_h, entry.occupancy, leaving.occupancy)
            lasted_ms = MINUTE_MS if self.told_ms is None else t_ms - self.told_ms
            if lasted_ms > self._hold_gap_ms():
                self.apart.forget()
            self.apart.step(t_ms, min(lasted_ms, MINUTE_MS), sign=sign)
        return self.apart.on or any(each.watch.on for each in self.here)

    def snapshot(self) -> dict[str, Any]:
        return {
            "cameras": {each.stream: each.snapshot() for _, each in self.cameras},
            "minutes": self.minutes.snapshot(),
            "apart": self.apart.snapshot(),
            "balance": self.balance.snapshot(),
            "told_ms": self.told_ms,
            "told": None if self.told is None else _packed(self.told),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """All but the cameras, which are made with theirs."""
        self.minutes = Latches(snapshot["minutes"])
        self.apart = held(snapshot["apart"])
        self.balance = Balance(snapshot["balance"])
        self.told_ms = snapshot["told_ms"]
        told = snapshot["told"]
        self.told = None if told is None else _unpacked(told)


def _stands(view: View) -> bool:
    return view.evaluated and view.speed_km_h is not None and view.speed_km_h < SPILLED_KM_H


def _speed(entry: View, leaving: View, road: Road) -> float:
    """Mean speed of both ends, free speed where neither knows one."""
    known = [v.speed_km_h for v in (entry, leaving) if v.speed_km_h is not None]
    return max(fmean(known), 1.0) if known else road.free_km_h


def _capped(least: float, most: float | None) -> Figure:
    """Minutes with both ends within `CROSSING_MAX_MIN`; what lies beyond has no end."""
    open_ended = most is None or isinf(most) or most > CROSSING_MAX_MIN
    return Figure(min(least, CROSSING_MAX_MIN), None if open_ended else most)


def _disagree(found: Queue) -> bool:
    apart = abs(found.crossing_min - found.check_min)
    return apart > max(CHECK_MIN, CHECK_SHARE * found.check_min)


def _flag(views: list[View]) -> int:
    flags = [view.flag for view in views if view.told]
    if Flag.SUSPECT in flags:
        return int(Flag.SUSPECT)
    return int(Flag.PASS if Flag.PASS in flags else Flag.NOT_EVALUATED)


def _packed(told: Told) -> dict[str, Any]:
    packed = {name: getattr(told, name) for name in Told.__slots__}
    for name in ("minutes", "km"):
        figure = packed[name]
        packed[name] = None if figure is None else [figure.least, figure.most]
    packed["mode"] = told.mode.value
    packed["state"] = None if told.state is None else int(told.state)
    packed["views"] = {
        stream: [getattr(view, name) for name in View.__slots__]
        for stream, view in told.views.items()
    }
    return packed


def _unpacked(packed: dict[str, Any]) -> Told:
    fields = dict(packed)
    for name in ("minutes", "km"):
        fields[name] = None if packed[name] is None else Figure(*packed[name])
    fields["mode"] = Mode(packed["mode"])
    fields["state"] = None if packed["state"] is None else State(packed["state"])
    fields["views"] = {
        stream: View(values[0], State(values[1]), *values[2:])
        for stream, values in packed["views"].items()
    }
    return Told(**fields)
