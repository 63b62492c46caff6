"""The stations up and down the river from one, nearest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingest.registry import Registry
from ingest.stations import Station

EACH_WAY_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of them.

    up_km : along the water, above 0 upriver
    g_l, t_ms, flag, state : of its newest reading, as an item has them; None and "never"
    """

    name: str
    up_km: float
    g_l: float | None
    t_ms: int | None
    flag: int | None
    state: str


def near(registry: Registry, station_id: str) -> list[tuple[Station, float]]:
    """Up to so many each way that water of this station's way to a sea comes by, upriver first."""
    here = registry.stations.get(station_id)
    if here is None or here.reach is None:
        return []
    found: dict[str, tuple[Station, float]] = {}
    for mouth, km in here.km_from_mouth.items():
        for other in registry.stations.values():
            if other.id == here.id or other.kind != "salinity" or other.side == "field":
                continue
            if mouth in other.km_from_mouth and _on_one_way(registry, here, other):
                found.setdefault(other.id, (other, other.km_from_mouth[mouth] - km))
    apart = sorted(found.values(), key=lambda each: (abs(each[1]), each[0].id))
    up = [each for each in apart if each[1] > 0][:EACH_WAY_MAX]
    down = [each for each in apart if each[1] <= 0][:EACH_WAY_MAX]
    return [*reversed(up), *down]


def told(
    found: Sequence[tuple[Station, float]], items: Sequence[Mapping[str, Any]]
) -> list[Neighbour]:
    """With the newest reading of each, as the items of the state have it."""
    newest: dict[str, Mapping[str, Any]] = {}
    for item in items:
        if str(item["k"]).endswith("/salinity_g_l"):
            before = newest.get(item["station"])
            if before is None or item.get("t", 0) > before.get("t", 0):
                newest[item["station"]] = item
    return [_told(station, up_km, newest.get(station.id, {})) for station, up_km in found]


def _told(station: Station, up_km: float, item: Mapping[str, Any]) -> Neighbour:
    return Neighbour(
        station.name, up_km, item.get("v"), item.get("t"), item.get("q"), item.get("st", "never")
    )


def _on_one_way(registry: Registry, a: Station, b: Station) -> bool:
    if a.reach is None or b.reach is None:
        return False
    return a.reach in registry.reaches_below(b.reach) or b.reach in registry.reaches_below(a.reach)
