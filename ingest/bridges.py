"""The directions of a bridge: where their vehicles enter and leave, and what the road carries.

A part of the registry's vocabulary, with the reading of its tables. What a queue's length
is computed from (free speed, capacity, spacing) stands here beside the dated bans of trucks,
which change the mixture of vehicles and so the spacing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ingest.tables import Table, is_number

CAR_LANE: Final = ("car", "bus", "truck", "trailer")
DAY_MS = 86_400_000
LOCAL_MS = 25_200_000
"""Vietnam is seven hours ahead of UTC all year."""

BRIDGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "bridge": (
        "direction",
        "entry",
        "exit",
        "free_km_h",
        "capacity_veh_h",
        "spacing_m",
        "mix",
        "approach",
        "truck_ban",
        "baseline_from",
        "source",
    ),
    "approach": ("device", "km"),
    "truck_ban": ("from", "until", "hours", "axles", "source"),
}


@dataclass(frozen=True, slots=True)
class TruckBan:
    """Hours of the local day in which trucks of `axles` and more may not enter.

    `from_day` and `until_day` are days of Vietnam's calendar counted from 1970-01-01, both
    included; no `until_day`: in force until further notice. `hours` are [from, to) each.
    """

    from_day: int
    until_day: int | None
    hours: tuple[tuple[float, float], ...]
    axles: int
    source: str = ""

    def in_force(self, t_ms: int) -> bool:
        day, within_ms = divmod(t_ms + LOCAL_MS, DAY_MS)
        hour = within_ms / 3_600_000
        last = day if self.until_day is None else self.until_day
        return self.from_day <= day <= last and any(a <= hour < b for a, b in self.hours)


@dataclass(frozen=True, slots=True)
class Approach:
    """A camera before the bridge, `km` before its entry, on the same direction."""

    device: str
    km: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """One direction of a bridge. `entry` and `exit` are positions of cameras, None if unknown.

    `spacing_m` is from vehicle to vehicle in a standing queue by class, `mix` the share of
    each class among the vehicles of the car lane. What was before `baseline_from_ms` is not
    learnt as usual: traffic was another before the second bridge was opened.
    """

    direction: str
    entry: str | None
    exit: str | None
    free_km_h: float
    capacity_veh_h: float
    spacing_m: Mapping[str, float]
    mix: Mapping[str, float]
    approach: tuple[Approach, ...] = ()
    truck_bans: tuple[TruckBan, ...] = ()
    baseline_from_ms: int | None = None
    source: str = ""

    def mean_spacing_m(self, t_ms: int) -> float:
        """Mean spacing of the mixture; while a ban is in force there are no trailers in it.

        A camera's `truck` is the truck of two axles, which a ban leaves on the road.
        """
        banned = self.ban(t_ms) is not None
        kept = {c: share for c, share in self.mix.items() if not (banned and c == "trailer")}
        total = sum(kept.values())
        return sum(share * self.spacing_m[c] for c, share in kept.items()) / total

    def ban(self, t_ms: int) -> TruckBan | None:
        """The ban of trucks in force at a time, the first of the file if there are several."""
        return next((ban for ban in self.truck_bans if ban.in_force(t_ms)), None)


def read_crossings(table: Table, directions: Iterable[str]) -> dict[str, Crossing]:
    """The `[[station.bridge]]` tables of a traffic station, by direction."""
    found: dict[str, Crossing] = {}
    names = tuple(directions) or ("",)
    for each in table.tables("bridge", BRIDGE_KEYS["bridge"], named_by="direction"):
        crossing = _crossing(each, names)
        if crossing.direction in found:
            each.fault("direction", "this direction stands twice")
        found[crossing.direction] = crossing
    return found


def _crossing(table: Table, directions: tuple[str, ...]) -> Crossing:
    entry, leaving = table.optional_id("entry"), table.optional_id("exit")
    if entry is not None and entry == leaving:
        table.fault("exit", "a direction enters at one end and leaves at the other")
    return Crossing(
        direction=table.choice("direction", directions),
        entry=entry,
        exit=leaving,
        free_km_h=table.number("free_km_h", 5, 150, "km/h"),
        capacity_veh_h=table.number("capacity_veh_h", 50, 20_000, "vehicles an hour"),
        spacing_m=_by_class(table, "spacing_m", 2, 100),
        mix=_by_class(table, "mix", 0, 1),
        approach=_approaches(table),
        baseline_from_ms=_midnight_ms(table, "baseline_from"),
        truck_bans=tuple(_ban(each) for each in table.tables("truck_ban", _KEYS_OF_BAN)),
        source=table.optional_text("source") or "",
    )


_KEYS_OF_BAN = BRIDGE_KEYS["truck_ban"]


def _by_class(table: Table, name: str, low: float, high: float) -> dict[str, float]:
    """A figure for each class of the car lane; all four are needed."""
    if not table.has(name):
        table.fault(name, f"it is missing; accepted is a figure for each of {', '.join(CAR_LANE)}")
    each = table.table(name, CAR_LANE)
    if not table.has(name):
        return dict.fromkeys(CAR_LANE, 1.0)
    found = {vehicle: each.number(vehicle, low, high) for vehicle in CAR_LANE}
    if sum(found.values()) == found["trailer"]:
        table.fault(name, "accepted is more than 0 for a class other than trailer")
        found["car"] = 1.0
    return found


def _approaches(table: Table) -> tuple[Approach, ...]:
    found = [
        Approach(each.id("device"), each.number("km", 0.1, 50, "km"))
        for each in table.tables("approach", BRIDGE_KEYS["approach"], named_by="device")
    ]
    return tuple(sorted(found, key=lambda each: (each.km, each.device)))


def _ban(table: Table) -> TruckBan:
    from_day = _day(table, "from")
    until_day = _day(table, "until") if table.has("until") else None
    if until_day is not None and until_day < from_day:
        table.fault("until", "it must not be before `from`")
    return TruckBan(
        from_day,
        until_day,
        _hours(table),
        table.integer("axles", 2, 10),
        table.optional_text("source") or "",
    )


def _day(table: Table, name: str) -> int:
    """A date of the file as a day counted from 1970-01-01."""
    value = table.content.get(name)
    if isinstance(value, date) and not isinstance(value, datetime):
        return (value - date(1970, 1, 1)).days
    table.fault(name, "accepted is a date such as 2024-06-10, without quotes")
    return 0


def _midnight_ms(table: Table, name: str) -> int | None:
    """The beginning of a day in Vietnam, None where the file says none."""
    return _day(table, name) * DAY_MS - LOCAL_MS if table.has(name) else None


def _hours(table: Table) -> tuple[tuple[float, float], ...]:
    given = table.content.get("hours")
    found: list[tuple[float, float]] = []
    for each in given if isinstance(given, list) else []:
        pair = isinstance(each, list) and len(each) == 2 and all(is_number(x) for x in each)
        if not pair or not 0 <= each[0] < each[1] <= 24:
            found = []
            break
        found.append((float(each[0]), float(each[1])))
    if not found:
        table.fault("hours", "accepted is a list of [from, to] in hours, such as [[9, 11]]")
    return tuple(found)


def check_crossings(
    table: Table,
    crossings: Mapping[str, Crossing],
    ends: Mapping[str, frozenset[str]],
    counted: Mapping[str, frozenset[str]],
) -> None:
    """Faults of a station's crossings that show only when all devices are known.

    `ends` are the directions that the cameras of each position of this station count,
    `counted` those of every camera of the registry by its id.
    """
    for direction, crossing in crossings.items():
        path = f"{table.key('bridge')}[{direction}]"
        for name, position in (("entry", crossing.entry), ("exit", crossing.exit)):
            if position is not None and direction not in ends.get(position, ()):
                known = ", ".join(sorted(ends)) or "none"
                told = f"no camera at this end counts {direction}; positions are {known}"
                table.faults.add(f"{path}.{name}", position, told)
        for approach in crossing.approach:
            if direction not in counted.get(approach.device, ()):
                told = f"no camera of this id counts {direction}"
                table.faults.add(f"{path}.approach", approach.device, told)
