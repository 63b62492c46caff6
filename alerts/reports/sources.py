"""What reports are made of: series of a registry, with their past. Pure; it asks whoever keeps it.

Every reading of a report comes through `Sources`, which keeps account of whether anything could
not be had.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from alerts.river.network import network
from ingest.archive import Whence
from ingest.reading import VEHICLE_CLASSES, Batch
from ingest.registry import Registry, Station
from ingest.rollups import HOUR_MS, Windows
from ingest.series import Series, SeriesTable

DAY_MS: Final = 24 * HOUR_MS
LOCAL_OFFSET_MS: Final = 7 * HOUR_MS
POINTS_MAX: Final = 50_000
"""Of one series in one report: a month of values each minute."""

Points = Callable[[Series, int, int, int], tuple[Batch, Whence]]
Aggregates = Callable[[Series, int, int, int, int], tuple[Windows, Whence]]


@dataclass(slots=True)
class Sources:
    """The registry and series in force, and their past.

    points, windows : as of `ingest.archive.Archive`
    complete : whether all that was asked for so far could be read
    """

    registry: Registry
    table: SeriesTable
    points: Points
    windows: Aggregates
    complete: bool = True
    _speakers: dict[str, Series] = field(default_factory=dict)
    _missing_to_ms: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for probe in network(self.registry, self.table).probes:
            self._speakers[probe.station.id] = self.table.entries[probe.series]

    def read(self, series: Series, from_ms: int, to_ms: int) -> Batch:
        """Readings of [from, to), rising in time."""
        begin_ms = self._after_missing("points", from_ms, to_ms)
        rows, whence = self.points(series, begin_ms, to_ms, POINTS_MAX)
        self._note("points", whence)
        self.complete &= len(rows) < POINTS_MAX
        return rows

    def hours(self, series: Series, from_ms: int, to_ms: int) -> Windows:
        """Sums of hours, which outlive the readings."""
        begin_ms = self._after_missing("hours", from_ms, to_ms)
        found, whence = self.windows(series, begin_ms, to_ms, HOUR_MS, 0)
        self._note("hours", whence)
        return found

    def past(self, series: Series, from_ms: int, to_ms: int) -> tuple[Windows, Batch]:
        """Sums of hours and the readings themselves: fewer readings are there, some forgotten.

        The sums are read first. What comes in between would else look like something forgotten.
        """
        hours = self.hours(series, from_ms, to_ms)
        return hours, self.read(series, from_ms, to_ms)

    def day(self, series: Series, from_ms: int) -> Windows:
        """The sums of one of Vietnam's days."""
        to_ms = from_ms + DAY_MS
        begin_ms = self._after_missing("hours", from_ms, to_ms)
        found, whence = self.windows(series, begin_ms, to_ms, DAY_MS, -LOCAL_OFFSET_MS)
        self._note("hours", whence)
        return found

    def _note(self, kind: str, whence: Whence) -> None:
        if not whence.complete:
            self.complete = False
            end_ms = max(end for _, end in whence.missing)
            self._missing_to_ms[kind] = max(end_ms, self._missing_to_ms.get(kind, 0))

    def _after_missing(self, kind: str, from_ms: int, to_ms: int) -> int:
        """From where on to ask: a historian that is away is waited for once, not for each series.

        What the store itself may hold of before is late readings of a time that it has forgotten.
        """
        border_ms = self._missing_to_ms.get(kind, 0)
        if from_ms >= border_ms:
            return from_ms
        self.complete = False
        return min(border_ms, to_ms)

    def by_key(self, key: str) -> Series | None:
        number = self.table.by_key.get(key)
        return None if number is None else self.table.entries[number]

    def salinity(self, station: str) -> Series | None:
        """The series that speaks for a station: nearest to the surface."""
        return self._speakers.get(station)

    def salinities(self) -> Iterator[tuple[Station, Series]]:
        """All stations that have one, in the order of the registry."""
        for station in self.registry.stations.values():
            series = self._speakers.get(station.id)
            if series is not None:
                yield station, series

    def level(self, station: str) -> Series | None:
        """A station's water level, where its devices are known to send one."""
        for series in self._of(station, "water_level_m"):
            return series
        return None

    def at_depth(self, station: str, depth: str, quantity: str) -> Series | None:
        """The series of a quantity at the "surface" or the "bottom" of a station.

        A probe without a level hangs near the surface, so it speaks for that alone.
        """
        found = self._of(station, quantity)
        if not found:
            return None
        device = self.registry.devices[found[0].device]
        depths_m = {level.id: level.depth_m for level in device.levels}
        if quantity == "water_level_m":
            return found[0]
        levels = sorted(found, key=lambda each: depths_m.get(each.level or "", 0.0))
        if depth == "surface":
            return levels[0]
        return levels[-1] if len(levels) > 1 else None

    def _of(self, station: str, quantity: str) -> list[Series]:
        """The series of a quantity of a station's first device that is known to send it."""
        found = [
            each
            for each in self.table.entries
            if each.station == station and each.quantity == quantity and each.announced
        ]
        return [each for each in found if each.device == found[0].device]

    def directions(self) -> Iterator[tuple[Station, str, Series]]:
        """Bridges by direction, with the series of their crossing time."""
        for station in self.registry.stations.values():
            for direction in station.directions if station.kind == "traffic" else ():
                series = self.by_key(f"{station.id}/{direction}/crossing_time_min")
                if series is not None:
                    yield station, direction, series

    def counts(self, station: Station, direction: str) -> dict[str, Series]:
        """Counts by class of the camera at the entry of a direction, or of its first camera."""
        crossing = station.crossings.get(direction)
        wanted = None if crossing is None else crossing.entry
        cameras = [
            device
            for device in self.registry.devices.values()
            if device.station == station.id
            and any(lane.direction == direction for lane in device.lanes)
        ]
        cameras.sort(key=lambda device: wanted is None or device.position != wanted)
        for device in cameras:
            stream = f"{self.registry.root_device(device.id).id}/{direction}"
            columns = self.table.columns.get(stream, {})
            found = {
                name: self.table.entries[columns[f"count_{name}"]]
                for name in VEHICLE_CLASSES
                if f"count_{name}" in columns
            }
            if found:
                return found
        return {}

    def heartbeats(self) -> Iterator[tuple[str, Series]]:
        """Of each device the series by which one sees whether it is heard."""
        seen: dict[str, Series] = {}
        for series in self.table.entries:
            if series.announced and not series.retired and series.device in self.registry.devices:
                known = seen.get(series.device)
                if known is None or _rank(series) < _rank(known):
                    seen[series.device] = series
        for root, series in seen.items():
            yield self.registry.current_device(root).id, series


_HEARD_BY: Final = ("salinity_g_l", "water_level_m", "flow_veh_h", "flow_car_veh_h")


def _rank(series: Series) -> int:
    return _HEARD_BY.index(series.quantity) if series.quantity in _HEARD_BY else len(_HEARD_BY)
