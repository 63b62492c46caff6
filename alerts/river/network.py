"""Which probe speaks for which station, and which stations lie on each way up from a mouth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.reading import FloatArray, IntArray
from ingest.registry import Registry, Station
from ingest.series import SeriesTable, stations_along

QUANTITY = "salinity_g_l"


@dataclass(frozen=True, slots=True)
class Probe:
    """The salinity series that speaks for a station."""

    station: Station
    series: int


@dataclass(frozen=True, slots=True)
class Mouth:
    """An open mouth, and the probes on the river up from it.

    slots : int64[M], places in `Network.probes`, nearest to the sea first
    km : float64[M], their distances from the mouth
    ways : places in `slots`, for each way up from the mouth, from the sea to the land
    columns : the derived series of the mouth, by quantity
    """

    id: str
    slots: IntArray
    km: FloatArray
    ways: tuple[IntArray, ...]
    columns: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Network:
    """Probes in the order of the registry, and its open mouths."""

    probes: tuple[Probe, ...]
    mouths: tuple[Mouth, ...]

    def ways(self) -> tuple[IntArray, FloatArray]:
        """The slots, -1 where there are fewer, and km of all ways of all mouths: [W, G, M].

        There is one way and one station at least, so that nothing need ask for none.
        """
        count = max((len(mouth.ways) for mouth in self.mouths), default=1)
        width = max((len(mouth.slots) for mouth in self.mouths), default=1)
        slots = np.full((count, len(self.mouths), width), -1, dtype=np.int64)
        km = np.zeros(slots.shape)
        for at, mouth in enumerate(self.mouths):
            for number, way in enumerate(mouth.ways):
                slots[number, at, : len(way)] = mouth.slots[way]
                km[number, at, : len(way)] = mouth.km[way]
        return slots, km


def network(registry: Registry, series: SeriesTable) -> Network:
    """The network of a registry.

    Only stations in the river itself count for its mouths: the sea coast is no distance up a
    river, and the water behind a gate is not the river's.
    """
    probes = tuple(
        Probe(station, number)
        for station in registry.stations.values()
        if (number := _speaker(registry, series, station.id)) is not None
    )
    slot = {probe.station.id: at for at, probe in enumerate(probes)}
    mouths = []
    for reach in registry.reaches.values():
        columns = series.columns.get(reach.id, {})
        along = [
            station
            for station in stations_along(registry, reach.id)
            if station.side == "river" and station.id in slot
        ]
        if reach.flows_into or reach.closed or not along or "salt_1_km" not in columns:
            continue
        mouths.append(
            Mouth(
                id=reach.id,
                slots=np.array([slot[station.id] for station in along], dtype=np.int64),
                km=np.array([station.km_from_mouth[reach.id] for station in along]),
                ways=_ways(registry, reach.id, along),
                columns=columns,
            )
        )
    return Network(probes, tuple(mouths))


def _speaker(registry: Registry, series: SeriesTable, station: str) -> int | None:
    """The first device's salinity; of several levels the one nearest to the surface.

    So the depth is the same at all stations, as far as it is known: a probe without a level
    hangs near the surface, where the salt comes last.
    """
    for device in registry.devices.values():
        if device.station != station or device.replaces or QUANTITY not in device.announced:
            continue
        depth_m = {level.id: level.depth_m for level in device.levels}
        streams = sorted(device.streams(), key=lambda each: depth_m.get(each[2] or "", 0.0))
        return series.columns[streams[0][0]][QUANTITY]
    return None


def _ways(registry: Registry, mouth: str, along: list[Station]) -> tuple[IntArray, ...]:
    """The stations of each way up; one whose stations all lie on another is no way of its own."""
    found: list[tuple[int, ...]] = []
    for reaches in _up(registry, mouth):
        way = tuple(
            at
            for at, station in enumerate(along)
            if station.reach is None or station.reach in reaches
        )
        if way:
            found.append(way)
    distinct = list(dict.fromkeys(found))
    return tuple(
        np.array(way, dtype=np.int64)
        for way in distinct
        if not any(set(way) < set(other) for other in distinct)
    )


def _up(registry: Registry, mouth: str) -> list[frozenset[str]]:
    """The reaches of every way from a mouth to where a river begins."""
    done: list[frozenset[str]] = []
    ahead = [(mouth, frozenset([mouth]))]
    while ahead:
        here, way = ahead.pop()
        above = [each.id for each in registry.reaches.values() if here in each.flows_into]
        if not above:
            done.append(way)
        ahead.extend((each, way | {each}) for each in above)
    return done
