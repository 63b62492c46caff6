"""One table of the registry's file at a time: what each key may say."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from ingest.bridges import BRIDGE_KEYS, read_crossings
from ingest.intakes import INTAKE_KEYS, RISK_KEYS
from ingest.reading import MEASURED_QUANTITIES, QUANTITIES
from ingest.stations import (
    Device,
    Lane,
    Level,
    LimitsByQuantity,
    QualityBand,
    QualityLimits,
    Reach,
    Station,
)
from ingest.tables import ID, Table, did_you_mean, is_number

KINDS = ("salinity", "traffic")
SIDES: Final[Mapping[str, tuple[str, ...]]] = {
    "salinity": ("river", "field", "coast"),
    "traffic": ("bridge",),
}
MEASURES: Final[Mapping[str, tuple[str, ...]]] = {
    "salinity": (
        "ec_ms_cm",
        "ec25_ms_cm",
        "sal_g_l",
        "temp_c",
        "depth_m",
        "level_m",
        "battery_v",
    ),
    "traffic": ("count", "speed_km_h", "occupancy", "queue_m"),
}
USES = ("car", "motorbike", "mixed")

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("reach", "station", "intake", "risk", "quality"),
    "reach": ("id", "name", "flows_into", "closed", "source"),
    "station": (
        "id",
        "name",
        "kind",
        "reach",
        "branches",
        "km_from_mouth",
        "lat",
        "lon",
        "side",
        "gate",
        "unverified",
        "source",
        "directions",
        "length_m",
        "bridge",
        "device",
        "quality",
    ),
    **BRIDGE_KEYS,
    "intake": INTAKE_KEYS,
    "risk": RISK_KEYS,
    "direction": ("vi", "en"),
    "device": (
        "id",
        "expected_s",
        "measures",
        "model",
        "replaces",
        "gateway",
        "levels",
        "lanes",
        "position",
    ),
    "level": ("id", "depth_m"),
    "lane": ("direction", "lane", "use"),
    "quality": ("band", *MEASURED_QUANTITIES),
    "band": ("km", *MEASURED_QUANTITIES),
    "limits": tuple(each.name for each in fields(QualityLimits)),
}


def read_reach(table: Table) -> Reach:
    """A reach; what it flows into is checked when all reaches are known."""
    table.optional_text("source")
    return Reach(
        id=table.id("id"),
        name=table.text("name"),
        flows_into=table.texts("flows_into"),
        closed=table.boolean("closed", default=False),
    )


def read_station(table: Table) -> Station:
    """A station; its reach and mouths are checked when all reaches are known."""
    kind = table.choice("kind", KINDS)
    distances = _distances(table)
    branches = table.texts("branches") or tuple(distances)
    for mouth in distances:
        if mouth not in branches:
            table.fault("branches", f"{mouth} has a distance in km_from_mouth, so it must be named")
    directions = _directions(table)
    station = Station(
        id=table.id("id"),
        name=table.text("name"),
        kind=kind,
        branches=branches,
        km_from_mouth=distances,
        reach=table.optional_id("reach"),
        lat=table.number("lat", -90, 90, "degrees north"),
        lon=table.number("lon", -180, 180, "degrees east"),
        side=table.choice("side", SIDES[kind], default=SIDES[kind][0]),
        gate=table.optional_id("gate"),
        unverified=table.texts("unverified"),
        source=table.optional_text("source") or "",
        directions=directions,
        length_m=table.optional_number("length_m", 1, 100_000, "m"),
        crossings=read_crossings(table, directions),
    )
    _check_kind(table, station)
    _check_unverified(table, station)
    return station


def _distances(table: Table) -> dict[str, float]:
    given = table.content.get("km_from_mouth", {})
    mouths = table.table("km_from_mouth", tuple(given) if isinstance(given, dict) else ())
    found = {}
    for mouth in mouths.content:
        km = mouths.optional_number(mouth, 0, 1000, "km")
        if km is not None:
            found[mouth] = km
    return found


def _directions(table: Table) -> dict[str, Mapping[str, str]]:
    given = table.content.get("directions", {})
    names = tuple(given) if isinstance(given, dict) else ()
    directions = table.table("directions", names)
    found: dict[str, Mapping[str, str]] = {}
    for name in directions.content:
        if not ID.fullmatch(name):
            directions.fault(name, "a direction is named by 1 to 40 characters of a-z, 0-9 and -")
        words = directions.table(name, KEYS["direction"])
        found[name] = {"vi": words.text("vi"), "en": words.text("en")}
    return found


def _check_kind(table: Table, station: Station) -> None:
    if station.kind == "traffic":
        if not station.directions:
            table.fault("directions", "a traffic station needs at least one direction")
        for name in ("gate", "branches", "km_from_mouth"):
            if table.has(name):
                table.fault(name, "accepted at a salinity station alone")
    else:
        for name in ("directions", "length_m", "bridge"):
            if table.has(name):
                table.fault(name, "accepted at a traffic station alone")


def _check_unverified(table: Table, station: Station) -> None:
    unsaid = ("id", "kind", "unverified", "source")
    names = [name for name in KEYS["station"] if name not in unsaid]
    names.extend(f"km_from_mouth.{mouth}" for mouth in station.km_from_mouth)
    for name in station.unverified:
        if name not in names:
            table.fault("unverified", f"no such attribute; {did_you_mean(name, names)}", name)


def read_device(table: Table, station: Station) -> Device:
    """A device of a station, whose kind it has; what it replaces is checked later."""
    measures = table.texts("measures", required=True)
    accepted = MEASURES[station.kind]
    for name in measures:
        if name not in accepted:
            hint = did_you_mean(name, accepted)
            table.fault("measures", f"not measured at a {station.kind} station; {hint}", name)
    if table.content.get("measures") == []:
        table.fault("measures", f"accepted is at least one of {', '.join(accepted)}", [])
    return Device(
        id=table.id("id"),
        station=station.id,
        kind=station.kind,
        expected_s=table.number("expected_s", 1, 86_400, "s"),
        model=table.optional_text("model"),
        replaces=table.optional_id("replaces"),
        gateway=table.optional_id("gateway"),
        levels=_levels(table, station.kind),
        lanes=_lanes(table, station),
        announced=announced_by(frozenset(measures)),
        position=table.optional_id("position"),
    )


def _levels(table: Table, kind: str) -> tuple[Level, ...]:
    if kind != "salinity" and table.has("levels"):
        table.fault("levels", "accepted on a salinity device alone")
    found: dict[str, Level] = {}
    for each in table.tables("levels", KEYS["level"]):
        level = Level(each.id("id"), each.number("depth_m", 0, 200, "m"))
        if level.id in found:
            each.fault("id", "this level stands twice; the levels of a device must differ")
        found[level.id] = level
    return tuple(found.values())


def _lanes(table: Table, station: Station) -> tuple[Lane, ...]:
    if station.kind != "traffic":
        if table.has("lanes"):
            table.fault("lanes", "accepted on a traffic device alone")
        return ()
    found: dict[tuple[str, int], Lane] = {}
    for each in table.tables("lanes", KEYS["lane"], named_by=""):
        lane = Lane(
            direction=each.choice("direction", tuple(station.directions) or ("",)),
            lane=each.integer("lane", 1, 20),
            use=each.choice("use", USES),
        )
        if (lane.direction, lane.lane) in found:
            each.fault("lane", f"this lane of {lane.direction} stands twice")
        found[lane.direction, lane.lane] = lane
    if not found and not table.has("lanes"):
        table.fault("lanes", "it is missing; accepted is a list of at least one lane")
    elif table.content["lanes"] == []:
        table.fault("lanes", "accepted is a list of at least one lane", [])
    return tuple(found.values())


def announced_by(measures: frozenset[str]) -> frozenset[str]:
    """The quantities that follow from what a device measures.

    Salinity needs conductivity with temperature, conductivity at 25 °C, or the probe's own
    figure, which stands beside the derived one where there are both. Counts per class aren't
    announced: they show once a camera has sent them.
    """
    found = {quantity for measure, quantity in _DIRECT.items() if measure in measures}
    derived = "ec25_ms_cm" in measures or {"ec_ms_cm", "temp_c"} <= measures
    if "sal_g_l" in measures:
        found.add("salinity_probe_g_l" if derived else "salinity_g_l")
    if derived:
        found.add("salinity_g_l")
    if "count" in measures:
        found |= {"flow_veh_h", "flow_pcu_h"}
        if "speed_km_h" in measures:
            found |= {"density_pcu_km", "level_of_service"}
    return frozenset(found)


_DIRECT: Final[Mapping[str, str]] = {
    "ec_ms_cm": "conductivity_ms_cm",
    "ec25_ms_cm": "conductivity_25_ms_cm",
    "temp_c": "temperature_c",
    "depth_m": "depth_m",
    "level_m": "water_level_m",
    "battery_v": "battery_v",
    "speed_km_h": "speed_km_h",
    "occupancy": "occupancy",
    "queue_m": "queue_m",
}


def read_defaults(quality: Table) -> LimitsByQuantity:
    """The limits by quantity."""
    return _limits_by_quantity(quality, MEASURED_QUANTITIES)


def read_override(station: Table, kind: str) -> LimitsByQuantity:
    """The limits of one station, which override those by quantity and by distance."""
    accepted = tuple(each.name for each in QUANTITIES.values() if each.kind == kind)
    return _limits_by_quantity(station.table("quality", accepted), accepted)


def read_band(table: Table) -> QualityBand:
    """Limits for the salinity stations within `km = [from, to]` of their nearest mouth."""
    km = table.content.get("km")
    accepted = tuple(each.name for each in QUANTITIES.values() if each.kind == "salinity")
    for name in table.content:
        if name in MEASURED_QUANTITIES and name not in accepted:
            table.fault(name, "accepted in a band are the quantities of salinity stations")
    limits = _limits_by_quantity(table, accepted)
    if not isinstance(km, list) or len(km) != 2 or not all(is_number(each) for each in km):
        table.fault("km", "accepted is [from, to], two distances in km", km)
        return QualityBand(0.0, 0.0, limits)
    if not 0 <= km[0] < km[1]:
        table.fault("km", "accepted is [from, to] with 0 <= from < to", km)
    return QualityBand(float(km[0]), float(km[1]), limits)


def _limits_by_quantity(table: Table, quantities: tuple[str, ...]) -> LimitsByQuantity:
    return {
        quantity: _limits(table.table(quantity, KEYS["limits"]))
        for quantity in quantities
        if table.has(quantity)
    }


def _limits(table: Table) -> dict[str, float | None]:
    """Numbers, or false for a test that isn't asked for; a threshold of 0 is a threshold."""
    stated: dict[str, float | None] = {}
    for name, value in table.content.items():
        if name not in KEYS["limits"]:
            continue
        if value is False:
            stated[name] = None
        elif not is_number(value):
            table.fault(name, "accepted is a number, or false to switch the test off")
        elif value < 0 and name not in SIGNED:
            table.fault(name, "accepted is a number that isn't negative, or false")
        else:
            stated[name] = float(value)
    known = {name: value for name, value in stated.items() if value is not None}
    for low, high in crossed(QualityLimits(**known)):
        table.fault(low[0], f"it must not be above {high[0]} = {high[1]:g}")
    return stated


SIGNED = ("fail_min", "fail_max", "suspect_min", "suspect_max", "flat_above")
"""Limits on a value, which may be negative; the others are limits on a change or a time."""

ORDERED = (
    ("fail_min", "suspect_min"),
    ("fail_min", "suspect_max"),
    ("fail_min", "fail_max"),
    ("suspect_min", "suspect_max"),
    ("suspect_min", "fail_max"),
    ("suspect_max", "fail_max"),
    ("spike_suspect", "spike_fail"),
    ("rate_suspect_per_h", "rate_fail_per_h"),
    ("flat_suspect_s", "flat_fail_s"),
    ("flat_tolerance_fresh", "flat_tolerance"),
)


def crossed(limits: QualityLimits) -> list[tuple[tuple[str, float], tuple[str, float]]]:
    """The pairs of limits that stand in the wrong order, each as (name, value)."""
    found = []
    for low_name, high_name in ORDERED:
        low, high = getattr(limits, low_name), getattr(limits, high_name)
        if low is not None and high is not None and low > high:
            found.append(((low_name, low), (high_name, high)))
    return found
