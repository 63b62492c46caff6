"""Intakes: where water is taken, for which crop, and which stations measure that water.

A part of the registry's vocabulary, with the reading of its tables. A farmer chooses an
intake, not the nearest dot on the map: behind a closed gate the river's figure doesn't matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ingest.tables import Table, did_you_mean, is_number

if TYPE_CHECKING:
    from ingest.stations import Station

INTAKE_KEYS: Final[tuple[str, ...]] = (
    "id",
    "name",
    "stations",
    "inside",
    "side",
    "gate",
    "crop",
    "limit_g_l",
    "lift",
    "rise_g_l_h",
    "head_offset_m",
    "unverified",
    "source",
)

RISK_KEYS: Final = ("from_km", "unverified", "source")

SIDES: Final = ("river", "field")
LEVELS_MAX: Final = 5
LIFTS: Final = ("gravity", "pump")

CROP_LIMITS_G_L: Final[Mapping[str, float]] = {
    "durian": 0.5,
    "rice-seedling": 1.0,
    "rice-booting": 1.0,
    "rice": 2.0,
}
"""What a crop bears at its stage, g/L. Durian: nongnghiep.vn d353660, baomoi.com c48559487.
Rice up to 2: baodongkhoi.vn; it is most sensitive as a seedling and before flowering, where
loss begins at 1.9 dS/m, about 1 g/L (Zeng, California Agriculture 56(6), 2002, p. 189)."""

RISES_G_L_H: Final = ((35.0, 1.9), (50.0, 1.0), (1000.0, 0.3))
"""Below km, the rise per hour that 95 of 100 ordinary hours stay under. The first two are of
February to April 2024 at Long Uông and Xuân Hòa; above km 50 it is judgement, unverified."""


@dataclass(frozen=True, slots=True)
class Intake:
    """A place where water is taken.

    `stations` measure the water that is taken, the most trusted first; `inside` the level
    behind the gate. `side` is the side of the gate on which that water lies. `gate` is the
    gate through which it comes. `lift` is "gravity" or "pump". `rise_g_l_h` is the 95th
    percentile of the station's rise. `head_offset_m` is the zero of the outer gauge minus
    that of the inner one; None: it isn't known, and neither is the head.
    """

    id: str
    name: str
    stations: tuple[str, ...]
    side: str
    limit_g_l: float
    lift: str
    rise_g_l_h: float
    inside: str | None = None
    gate: str | None = None
    crop: str | None = None
    head_offset_m: float | None = None
    unverified: tuple[str, ...] = ()
    source: str = ""


def read_intake(table: Table, stations: "Mapping[str, Station]") -> Intake:
    """An intake; without `rise_g_l_h` it has that of its first station's distance."""
    listed = _stations(table, stations)
    inside = table.optional_id("inside")
    if inside is not None:
        _known(table, "inside", inside, stations)
    crop = None
    if table.has("crop"):
        crop = table.choice("crop", tuple(CROP_LIMITS_G_L), "durian")
    limit = table.optional_number("limit_g_l", 0.1, 40, "g/L", required=crop is None)
    if limit is None:
        limit = CROP_LIMITS_G_L[crop or "durian"]
    rise = table.optional_number("rise_g_l_h", 0, 20, "g/L per hour")
    unverified = table.texts("unverified")
    for name in unverified:
        if name not in INTAKE_KEYS:
            table.fault("unverified", f"no such key; {did_you_mean(name, INTAKE_KEYS)}", name)
    return Intake(
        id=table.id("id"),
        name=table.text("name"),
        stations=listed,
        side=table.choice("side", SIDES, SIDES[0]),
        limit_g_l=limit,
        lift=table.choice("lift", LIFTS, LIFTS[0]),
        rise_g_l_h=_usual_rise(listed, stations) if rise is None else rise,
        inside=inside,
        gate=table.optional_id("gate"),
        crop=crop,
        head_offset_m=table.optional_number("head_offset_m", -10, 10, "m"),
        unverified=unverified,
        source=table.optional_text("source") or "",
    )


def _stations(table: Table, stations: "Mapping[str, Station]") -> tuple[str, ...]:
    """Of the side of the gate or not: what lies on the other one is no station of its water."""
    listed = table.texts("stations")
    for name in listed:
        _known(table, "stations", name, stations)
    return listed


def _known(table: Table, key: str, name: str, stations: "Mapping[str, Station]") -> None:
    station = stations.get(name)
    if station is None:
        table.fault(key, f"no such station; {did_you_mean(name, tuple(stations))}", name)
    elif station.kind != "salinity":
        table.fault(key, "accepted is a salinity station", name)


def _usual_rise(listed: tuple[str, ...], stations: "Mapping[str, Station]") -> float:
    first = stations.get(listed[0]) if listed else None
    km = None if first is None else first.nearest_km
    return next((rise for below, rise in RISES_G_L_H if km is not None and km < below), 1.9)


def read_risk(table: Table) -> tuple[float, ...]:
    """From how far 4 g/L a level of disaster risk is computed, km: the first is of level 1."""
    table.boolean("unverified", default=False)
    table.optional_text("source")
    given = table.content.get("from_km", [])
    if not isinstance(given, list) or not all(is_number(each) for each in given):
        table.fault("from_km", "accepted is a list of distances in km")
        return ()
    found = tuple(float(each) for each in given)
    if len(found) > LEVELS_MAX or any(b <= a for a, b in pairwise((0.0, *found))):
        table.fault("from_km", f"accepted are up to {LEVELS_MAX} distances above 0 that rise")
    return found
