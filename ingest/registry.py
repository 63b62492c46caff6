"""The registry's file: stations.toml into a `Registry`, or every fault that it has.

`KEYS` is all that the file may say; docs/stations.md explains each of them.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ingest.bridges import check_crossings
from ingest.intakes import Intake, read_intake, read_risk
from ingest.registry_file import (
    KEYS,
    crossed,
    read_band,
    read_defaults,
    read_device,
    read_override,
    read_reach,
    read_station,
)
from ingest.stations import (
    Device,
    Lane,
    Level,
    LimitsByQuantity,
    QualityBand,
    QualityLimits,
    Reach,
    Registry,
    Station,
    chord_km,
)
from ingest.tables import Faults, Table, did_you_mean, load_toml

__all__ = [
    "KEYS",
    "Device",
    "Lane",
    "Level",
    "QualityBand",
    "QualityLimits",
    "Reach",
    "Registry",
    "Station",
    "chord_km",
    "parse_registry",
]

Named = TypeVar("Named", Reach, Station, Device, Intake)


def parse_registry(text: str, file: str) -> Registry:
    """Read the text of a registry file; `file` is its name in faults.

    Raises `ConfigError` with all faults of the file at once.
    """
    faults = Faults(file, text)
    top = Table(faults, "", load_toml(text, file), KEYS[""])
    found_reaches = [(table, read_reach(table)) for table in top.tables("reach", KEYS["reach"])]
    found_stations: list[tuple[Table, Station]] = []
    found_devices: list[tuple[Table, Device]] = []
    overrides: dict[str, LimitsByQuantity] = {}
    for table in top.tables("station", KEYS["station"]):
        station = read_station(table)
        found_stations.append((table, station))
        found_devices.extend(
            (each, read_device(each, station)) for each in table.tables("device", KEYS["device"])
        )
        overrides.setdefault(station.id, read_override(table, station.kind))
    quality = top.table("quality", KEYS["quality"])
    stations = _by_id(found_stations, "stations")
    found_intakes = [
        (table, read_intake(table, stations)) for table in top.tables("intake", KEYS["intake"])
    ]

    registry = Registry(
        reaches=_by_id(found_reaches, "reaches"),
        stations=stations,
        devices=_by_id(found_devices, "devices"),
        defaults=read_defaults(quality),
        bands=tuple(read_band(table) for table in quality.tables("band", KEYS["band"])),
        overrides={station: stated for station, stated in overrides.items() if stated},
        intakes=_by_id(found_intakes, "intakes"),
        risk_from_km=read_risk(top.table("risk", KEYS["risk"])),
    )
    for table, reach in found_reaches:
        _check_reach(table, reach, registry.reaches)
    for table, station in found_stations:
        _check_place(table, station, registry)
        _check_bridge(table, station, registry)
    for table, device in found_devices:
        _check_name(table, device, registry)
        _check_replaced(table, device, registry.devices)
    if not faults.found:
        _check_limits(registry, faults)
    faults.raise_if_any()
    return registry


def _by_id(found: Sequence[tuple[Table, Named]], many: str) -> dict[str, Named]:
    kept: dict[str, Named] = {}
    for table, each in found:
        if each.id and each.id in kept:
            table.fault("id", f"this id stands twice; the ids of {many} must differ")
        elif each.id:
            kept[each.id] = each
    return kept


def _check_reach(table: Table, reach: Reach, reaches: Mapping[str, Reach]) -> None:
    for below in reach.flows_into:
        if below not in reaches:
            table.fault(
                "flows_into", f"no such reach; {did_you_mean(below, tuple(reaches))}", below
            )
    if reach.closed and reach.flows_into:
        table.fault("closed", "only a mouth, whose flows_into is empty, can be closed by a dam")
    ahead, seen = list(reach.flows_into), set[str]()
    while ahead:
        here = ahead.pop()
        if here == reach.id:
            table.fault(
                "flows_into", "water doesn't flow in a circle: this reach flows into itself"
            )
            return
        if here not in seen and here in reaches:
            seen.add(here)
            ahead.extend(reaches[here].flows_into)


def _check_place(table: Table, station: Station, registry: Registry) -> None:
    """A station's reach, and the mouths from which its distance is measured."""
    known = tuple(registry.reaches)
    if station.reach is not None and station.reach not in registry.reaches:
        table.fault("reach", f"no such reach; {did_you_mean(station.reach, known)}")
    named = "branches" if table.has("branches") else "km_from_mouth"
    for branch in station.branches:
        reach = registry.reaches.get(branch)
        if reach is None:
            table.fault(named, f"no such reach; {did_you_mean(branch, known)}", branch)
        elif reach.flows_into:
            table.fault(named, "accepted are mouths: reaches whose flows_into is empty", branch)
        elif station.reach in registry.reaches:
            below = registry.mouths_below(station.reach or "")
            if branch not in below:
                accepted = f"water of {station.reach} comes to {', '.join(below)} alone"
                table.fault(named, accepted, branch)


def _check_bridge(table: Table, station: Station, registry: Registry) -> None:
    """The cameras that a bridge's directions name."""
    if not station.crossings:
        return  # nearly all stations, of which there may be thousands
    ends: dict[str, frozenset[str]] = {}
    counted: dict[str, frozenset[str]] = {}
    for device in registry.devices.values():
        directions = frozenset(lane.direction for lane in device.lanes)
        counted[device.id] = directions
        if device.station == station.id and device.position is not None:
            ends[device.position] = ends.get(device.position, frozenset()) | directions
    check_crossings(table, station.crossings, ends, counted)


def _check_name(table: Table, device: Device, registry: Registry) -> None:
    """Mouths and bridges have series of their own, whose keys begin with their ids."""
    reach = registry.reaches.get(device.id)
    station = registry.stations.get(device.id)
    if reach is not None and not reach.flows_into:
        table.fault("id", "a mouth has this id, and series of its own; accepted is another id")
    elif station is not None and station.kind == "traffic":
        table.fault("id", "a bridge has this id, and series of its own; accepted is another id")


def _check_replaced(table: Table, device: Device, devices: Mapping[str, Device]) -> None:
    """A chain of `replaces` is one line at one station: each device joins the first's series."""
    if device.replaces is None or devices.get(device.id) is not device:
        return
    old = devices.get(device.replaces)
    if old is None:
        hint = did_you_mean(device.replaces, [each for each in devices if each != device.id])
        table.fault("replaces", f"no such device (the old one stays in the file); {hint}")
        return
    if old.station != device.station:
        table.fault("replaces", f"accepted is a device of the same station; it is at {old.station}")
        return
    rivals = [d.id for d in devices.values() if d.replaces == old.id]
    if rivals[0] != device.id:
        table.fault("replaces", f"{rivals[0]} replaces it already; name {rivals[0]} instead")
        return
    seen = {device.id}
    while old.replaces is not None and old.replaces in devices:
        if old.id in seen:
            table.fault("replaces", "accepted is an older device: these replace each other")
            return
        seen.add(old.id)
        old = devices[old.replaces]
    if old.id in seen:
        table.fault("replaces", "accepted is an older device: these replace each other")
        return
    kept = {stream[1:] for stream in old.streams()}
    for _, direction, level in device.streams():
        if (direction, level) not in kept:
            told = f"the direction {direction}" if direction else f"the level {level or 'none'}"
            accepted = f"{old.id}, whose series it would join, hasn't {told}; give it no replaces"
            table.fault("replaces", accepted)


def _check_limits(registry: Registry, faults: Faults) -> None:
    """Limits that are in order where each is stated can still cross once put together."""
    for station in registry.stations.values():
        quantities = {
            quantity
            for device in registry.devices.values()
            if device.station == station.id
            for quantity in device.announced
        }
        for quantity in sorted(quantities):
            for low, high in crossed(registry.limits(station.id, quantity)):
                faults.add(
                    f"station[{station.id}].quality.{quantity}.{low[0]}",
                    low[1],
                    f"with the limits by quantity and distance it must not be above "
                    f"{high[0]} = {high[1]:g}",
                )
