"""The bridges of a registry: readings of their cameras in, series of their own out.

Figures of a direction are formed at whole minutes of observed time (`alerts.instants`), so
that they are the same in any split of a feed into batches. Bridges are few, so each direction
is evaluated by itself; what is vectorised is the sorting out of readings that do not matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alerts.bridge import picture
from alerts.bridge.camera import TAKEN, Camera, camera
from alerts.bridge.congestion import MINUTE_MS
from alerts.bridge.direction import Direction
from alerts.bridge.modes import Mode
from alerts.instants import Instants
from ingest.reading import Batch, BoolArray, IntArray, rounded
from ingest.registry import Device, Registry, Station
from ingest.series import SeriesTable

Modes = Mapping[tuple[str, str], Mode]
"""(station, direction) -> how the police let it be used; what is absent is open both ways."""

_HEARD = TAKEN[:3]


class Bridges:
    """All directions of all bridges. Pure: the same readings give the same series."""

    def __init__(
        self,
        registry: Registry,
        series: SeriesTable,
        reorder_ms: int,
        snapshot: Mapping[str, Any] | None = None,
    ) -> None:
        self._set_up(registry, series, reorder_ms, snapshot or {"directions": {}, "instants": None})

    def _set_up(
        self,
        registry: Registry,
        series: SeriesTable,
        reorder_ms: int,
        state: Mapping[str, Any],
    ) -> None:
        self._registry = registry
        self._series = series
        self._places: list[tuple[str, str]] = []
        self._directions: list[Direction] = []
        for station in registry.stations.values():
            for name in station.directions if station.kind == "traffic" else ():
                found = _direction(station, name, registry, series, state["directions"])
                if found.cameras:
                    self._places.append((station.id, name))
                    self._directions.append(found)
        self._index(reorder_ms, state["instants"])

    def reconfigure(self, registry: Registry, series: SeriesTable, reorder_ms: int) -> None:
        """Another registry; what is known of directions and cameras that stay is kept."""
        self._set_up(registry, series, reorder_ms, self.snapshot())

    def push(self, rows: Batch, modes: Modes) -> Batch:
        """Take flagged, released readings of any series; gives readings of kind "bridge".

        Parameters
        ----------
        rows : each series rising in time
        modes : what officers have entered, as of now

        Returns
        -------
        Batch in order of time, each series at most once for a time, flagged
        """
        watched = np.flatnonzero(self._watched[rows.series])
        if not len(watched):
            return Batch.empty()
        kept = rows.take(watched)
        for number, t_ms, value, flag, why in zip(
            kept.series.tolist(),
            kept.t_ms.tolist(),
            kept.value.tolist(),
            kept.flag.tolist(),
            kept.why.tolist(),
            strict=True,
        ):
            for each, quantity in self._takers[number]:
                each.take(t_ms, quantity, value, flag, why)
        # A value that failed its test is no value, but its camera has been heard.
        heard = self._heard[kept.series]
        made: list[tuple[int, int, float, int, int]] = []
        for t_ms, group in self._instants.due(kept.series[heard], kept.t_ms[heard]):
            place = self._places[group]
            told = self._directions[group].evaluate(t_ms, modes.get(place, Mode.TWO_WAY))
            columns = self._columns[group]
            made.extend(
                (columns[name], t_ms, value, flag, why) for name, value, flag, why in told.rows()
            )
        if not made:
            return Batch.empty()
        numbers, times, values, flags, whys = zip(*made, strict=True)
        figures = rounded(np.array(values, dtype=np.float64))
        return Batch.of(numbers, times, figures, flags, whys)

    def picture(self, now_ms: int, modes: Modes) -> dict[str, Any]:
        """What people see: for each bridge its directions, and why a figure is missing."""
        return picture.of_bridges(
            self._registry, dict(zip(self._places, self._directions, strict=True)), now_ms, modes
        )

    def snapshot(self) -> dict[str, Any]:
        """All that a restart needs; it shares nothing with what goes on."""
        return {
            "directions": {each.key: each.snapshot() for each in self._directions},
            "instants": self._instants.snapshot(),
        }

    def _index(self, reorder_ms: int, instants: Mapping[str, Any] | None) -> None:
        """Which series goes to which camera, and which ones an instant waits for."""
        size = len(self._series)
        self._takers: dict[int, list[tuple[Camera, str]]] = {}
        self._watched: BoolArray = np.zeros(size, dtype=np.bool_)
        self._heard: BoolArray = np.zeros(size, dtype=np.bool_)
        members: list[IntArray] = []
        for direction in self._directions:
            waited = []
            for _, each in direction.cameras:
                columns = self._series.columns[each.stream]
                for quantity in TAKEN:
                    number = columns[quantity]
                    self._takers.setdefault(number, []).append((each, quantity))
                    self._watched[number] = True
                waited += [columns[quantity] for quantity in _HEARD]
            members.append(np.array(waited, dtype=np.int64))
            self._heard[waited] = True
        self._columns = [self._series.columns[each.key] for each in self._directions]
        self._instants = Instants(
            members,
            [MINUTE_MS] * len(members),
            self._series.expected_ms,
            reorder_ms,
            instants,
            keys=[each.key for each in self._directions],
        )


def _direction(
    station: Station,
    name: str,
    registry: Registry,
    series: SeriesTable,
    snapshots: Mapping[str, Any],
) -> Direction:
    key = f"{station.id}/{name}"
    old = snapshots.get(key)
    crossing = station.crossings.get(name)

    def made(device: Device) -> Camera:
        stream = f"{device.id}/{name}"
        expected_ms = int(series.expected_ms[series.columns[stream]["flow_car_veh_h"]])
        known = None if old is None else old["cameras"].get(stream)
        return camera(stream, expected_ms, crossing, known)

    here = _roots(registry, [d for d in registry.devices.values() if d.station == station.id], name)
    positions = {position: device for device, position in reversed(here)}
    entry = leaving = None
    if crossing is not None:
        entry = positions.get(crossing.entry) if crossing.entry else None
        leaving = positions.get(crossing.exit) if crossing.exit else None
    ends = [device for device in (entry, leaving) if device is not None]
    approach = [] if crossing is None else crossing.approach
    before = [
        (each.km, registry.root_device(each.device))
        for each in approach
        if registry.root_device(each.device) not in [device for device, _ in here]
    ]
    found = Direction(
        key=key,
        crossing=crossing,
        length_km=None if station.length_m is None else station.length_m / 1000.0,
        entry=None if entry is None else made(entry),
        leaving=None if leaving is None else made(leaving),
        along=[made(device) for device, _ in here if device not in ends],
        approach=[(km, made(device)) for km, device in before],
    )
    if old is not None:
        found.restore(old)
    return found


def _roots(
    registry: Registry, devices: Sequence[Device], direction: str
) -> list[tuple[Device, str | None]]:
    """The cameras of a direction whose series are written, with where they hang now."""
    found: dict[str, tuple[Device, str | None]] = {}
    for device in devices:
        if any(lane.direction == direction for lane in device.lanes):
            root = registry.root_device(device.id)
            if any(lane.direction == direction for lane in root.lanes):
                found[root.id] = (root, registry.current_device(root.id).position)
    return list(found.values())
