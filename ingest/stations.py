"""What is measured, where and by what: reaches, stations, devices and their quality limits.

The vocabulary of the registry alone; `ingest.registry` reads it from a file. Everything here
is immutable: a changed file makes a new `Registry`.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.bridges import Crossing
from ingest.intakes import Intake

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Reach:
    """A stretch of river between two junctions; `flows_into` names the reaches below it.

    Several names part (the Tiền into Cửa Tiểu and Cửa Đại), one name under two reaches joins,
    none makes it a mouth, whose id stands in `Station.km_from_mouth`. `closed`: a dam stands
    at its mouth, so it is no way for the sea.
    """

    id: str
    name: str
    flows_into: tuple[str, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane that a camera counts. `use` is "car", "motorbike" or "mixed"."""

    direction: str
    lane: int
    use: str


@dataclass(frozen=True, slots=True)
class Level:
    """A depth at which a device with several probes measures, metres below the surface."""

    id: str
    depth_m: float


@dataclass(frozen=True, slots=True)
class Station:
    """A place that people name. `km_from_mouth` is along the water, one figure per mouth.

    `unverified` names the attributes that rest on no public source (`"lat"`,
    `"km_from_mouth.cua-dai"`, …); screens and bulletins can say so.
    """

    id: str
    name: str
    kind: str
    branches: tuple[str, ...]
    km_from_mouth: Mapping[str, float]
    reach: str | None
    lat: float
    lon: float
    side: str
    gate: str | None
    unverified: tuple[str, ...] = ()
    source: str = ""
    directions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    length_m: float | None = None
    crossings: Mapping[str, Crossing] = field(default_factory=dict)

    @property
    def nearest_km(self) -> float | None:
        """Distance from the nearest mouth, km; 0 on the coast, None where it has no meaning."""
        if self.km_from_mouth:
            return min(self.km_from_mouth.values())
        return 0.0 if self.side == "coast" else None


@dataclass(frozen=True, slots=True)
class Device:
    """What sends: a probe or a camera. `announced` are the quantities shown before any value.

    `expected_s` is the interval between its samples. `gateway` is the account that may publish
    for it. `position` of a camera is the end of the bridge where it hangs.
    """

    id: str
    station: str
    kind: str
    expected_s: float
    model: str | None = None
    replaces: str | None = None
    gateway: str | None = None
    levels: tuple[Level, ...] = ()
    lanes: tuple[Lane, ...] = ()
    announced: frozenset[str] = frozenset()
    position: str | None = None

    def streams(self) -> list[tuple[str, str | None, str | None]]:
        """What it sends at one time: (stream, direction, level), in the order of the file.

        A probe is one stream, or one per level; a camera is one per direction of its lanes.
        """
        if self.lanes:
            directions = dict.fromkeys(lane.direction for lane in self.lanes)
            return [(f"{self.id}/{direction}", direction, None) for direction in directions]
        if self.levels:
            return [(f"{self.id}/{level.id}", None, level.id) for level in self.levels]
        return [(self.id, None, None)]


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of the quality tests for one quantity, in its unit; None: that test isn't asked for.

    Rates are per hour, times in seconds. The flat-line test applies only where the recent
    median is above `flat_above` (fresh water is legitimately flat for months), and there values
    at or below it must be flat within `flat_tolerance_fresh`; None means a
    hundredth of `flat_tolerance`. `gap_s` None means three expected intervals.
    """

    fail_min: float | None = None
    fail_max: float | None = None
    suspect_min: float | None = None
    suspect_max: float | None = None
    spike_suspect: float | None = None
    spike_fail: float | None = None
    rate_suspect_per_h: float | None = None
    rate_fail_per_h: float | None = None
    flat_suspect_s: float | None = None
    flat_fail_s: float | None = None
    flat_tolerance: float | None = None
    flat_tolerance_fresh: float | None = None
    flat_above: float | None = None
    gap_s: float | None = None


LimitsByQuantity = Mapping[str, Mapping[str, float | None]]
"""Quantity -> the limits stated for it; a limit stated as None switches its test off."""


@dataclass(frozen=True, slots=True)
class QualityBand:
    """Limits for the stations whose nearest mouth is `from_km` <= distance < `to_km`."""

    from_km: float
    to_km: float
    limits: LimitsByQuantity


@dataclass(frozen=True, slots=True)
class Registry:
    """All that is known of the network before the first reading. Dictionaries are by id.

    `defaults`, `bands` and `overrides` (by station) are the quality limits as stated;
    `limits` puts them together. `risk_from_km`: from which distance of 4 g/L each level of
    disaster risk is computed, for reference.
    """

    reaches: Mapping[str, Reach]
    stations: Mapping[str, Station]
    devices: Mapping[str, Device]
    defaults: LimitsByQuantity = field(default_factory=dict)
    bands: tuple[QualityBand, ...] = ()
    overrides: Mapping[str, LimitsByQuantity] = field(default_factory=dict)
    intakes: Mapping[str, Intake] = field(default_factory=dict)
    risk_from_km: tuple[float, ...] = ()

    def limits(self, station_id: str, quantity: str) -> QualityLimits:
        """Limits by quantity, overridden by the station's distance band, then by the station.

        A station that is no longer registered gets those by quantity alone.
        """
        stated = dict(self.defaults.get(quantity, {}))
        station = self.stations.get(station_id)
        km = None if station is None or station.kind != "salinity" else station.nearest_km
        for band in self.bands:
            if km is not None and band.from_km <= km < band.to_km:
                stated.update(band.limits.get(quantity, {}))
        stated.update(self.overrides.get(station_id, {}).get(quantity, {}))
        return QualityLimits(**stated)

    def root_device(self, device_id: str) -> Device:
        """The first device of its chain of `replaces`: the one whose series it goes on writing."""
        device = self.devices[device_id]
        while device.replaces is not None:
            device = self.devices[device.replaces]
        return device

    def current_device(self, device_id: str) -> Device:
        """The last device of its chain of `replaces`: the one that hangs in the water now."""
        successors = {d.replaces: d for d in self.devices.values() if d.replaces is not None}
        device = self.devices[device_id]
        while device.id in successors:
            device = successors[device.id]
        return device

    def mouths_below(self, reach_id: str) -> tuple[str, ...]:
        """The mouths that the water of a reach comes to, in the order of the file."""
        below = self.reaches_below(reach_id)
        return tuple(r.id for r in self.reaches.values() if not r.flows_into and r.id in below)

    def reaches_below(self, reach_id: str) -> frozenset[str]:
        """The reach itself and every reach that its water flows through."""
        found: set[str] = set()
        ahead = [reach_id]
        while ahead:
            here = ahead.pop()
            if here in found or here not in self.reaches:
                continue
            found.add(here)
            ahead.extend(self.reaches[here].flows_into)
        return frozenset(found)

    def warnings(self) -> list[str]:
        """What is likely a mistake but can be run: one sentence each, in a fixed order."""
        return [
            *_odd_places(self),
            *_short_distances(self),
            *_idle(self),
        ]


def chord_km(a: Station, b: Station) -> float:
    """Length of the straight line between two stations, km (haversine on the mean sphere)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


DELTA_LAT = (8.4, 11.2)
DELTA_LON = (104.3, 107.3)
"""The Mekong delta, degrees: what lies outside is a typing error."""

CHORD_TOLERANCE_KM = 0.5
"""Published distances are whole kilometres, and gates stand off the river's middle."""


def _odd_places(registry: Registry) -> list[str]:
    """Places outside the delta, and two stations at one place."""
    told = []
    seen: dict[tuple[float, float, str], Station] = {}
    for station in registry.stations.values():
        at = f"({station.lat:g}, {station.lon:g})"
        in_lat = DELTA_LAT[0] <= station.lat <= DELTA_LAT[1]
        if not in_lat or not DELTA_LON[0] <= station.lon <= DELTA_LON[1]:
            told.append(f"station {station.id} at {at} lies outside the Mekong delta")
        here = (round(station.lat, 4), round(station.lon, 4), station.side)
        other = seen.setdefault(here, station)
        if other is not station:
            told.append(f"stations {other.id} and {station.id} stand at one place, {at}")
    return told


def _short_distances(registry: Registry) -> list[str]:
    """Neighbours whose distances differ by less than the straight line between them.

    Water does not take a way shorter than the chord, so a distance or a coordinate is wrong.
    Told once for neighbours of which one lies below the other.
    """
    told: dict[tuple[str, str], str] = {}
    for mouth in registry.reaches:
        along = sorted(
            (s for s in registry.stations.values() if mouth in s.km_from_mouth),
            key=lambda s: (s.km_from_mouth[mouth], s.id),
        )
        for lower, upper in itertools.pairwise(along):
            if upper.reach is None or lower.reach not in registry.reaches_below(upper.reach):
                continue
            apart = upper.km_from_mouth[mouth] - lower.km_from_mouth[mouth]
            chord = chord_km(lower, upper)
            if apart < chord - CHORD_TOLERANCE_KM:
                sentence = (
                    f"{lower.id} and {upper.id} are {apart:.1f} km apart by their distances from "
                    f"{mouth}, but {chord:.1f} km in a straight line"
                )
                told.setdefault((lower.id, upper.id), sentence)
    return list(told.values())


def _idle(registry: Registry) -> list[str]:
    """What stands in the file without effect."""
    told = [] if registry.stations else ["no station is registered: every reading will be refused"]
    used = {device.station for device in registry.devices.values()}
    for station in registry.stations.values():
        if station.id not in used:
            told.append(f"station {station.id} has no device")
        if station.kind == "salinity" and station.nearest_km is None:
            told.append(f"station {station.id} has no distance: limits and rules by km pass it by")
        counted = {
            lane.direction
            for device in registry.devices.values()
            if device.station == station.id
            for lane in device.lanes
        }
        told.extend(
            f"no lane of station {station.id} counts its direction {direction}"
            for direction in station.directions
            if station.id in used and direction not in counted
        )
    told.extend(
        f"device {device.id} sends conductivity without temperature, which gives no salinity"
        for device in registry.devices.values()
        if "conductivity_ms_cm" in device.announced and "salinity_g_l" not in device.announced
    )
    announced = {quantity for device in registry.devices.values() for quantity in device.announced}
    told.extend(
        f"no quality limit is stated for {quantity}: its values will be flagged 2, not evaluated"
        for quantity in ("salinity_g_l", "speed_km_h")
        if quantity in announced and not _limited(registry, quantity)
    )
    return told


def _limited(registry: Registry, quantity: str) -> bool:
    everywhere = [registry.defaults, *registry.overrides.values()]
    everywhere.extend(band.limits for band in registry.bands)
    return any(stated.get(quantity) for stated in everywhere)
