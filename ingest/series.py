"""The series that a registry gives rise to, each with a small number that stays its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.reading import QUANTITIES, IntArray
from ingest.registry import Device, Registry, Station


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one device, or of one direction or level of it.

    `announced` series stand in snapshots before their first value (a device that has never
    been heard must show); the others appear when the device first sends them.
    `retired` series belong to devices no longer in the registry: history alone.
    Derived series (`ingest.reading.DERIVED_KINDS`) have no device: `device` is the mouth or
    the bridge that they are of. A mouth is no station, so `station` is then empty.
    """

    id: int
    key: str
    stream: str
    station: str
    device: str
    kind: str
    branches: tuple[str, ...]
    quantity: str
    unit: str
    direction: str | None
    level: str | None
    expected_s: float
    announced: bool
    retired: bool = False


class SeriesTable:
    """All series, `entries[i].id == i`. Numbers once given never change their meaning.

    A stream is what a device sends at one time: `vk-01`, `vk-02/bottom`, `cam-01/southbound`.
    `columns[stream]` maps a quantity to its series.
    """

    def __init__(self, entries: Sequence[Series]) -> None:
        self.entries = tuple(entries)
        self.by_key = {series.key: series.id for series in entries}
        self.columns: dict[str, dict[str, int]] = {}
        for series in entries:
            self.columns.setdefault(series.stream, {})[series.quantity] = series.id
        self.expected_ms: IntArray = np.array(
            [round(series.expected_s * 1000) for series in entries], dtype=np.int64
        )

    def __len__(self) -> int:
        return len(self.entries)

    @classmethod
    def of(cls, registry: Registry, known_keys: Sequence[str] = ()) -> "SeriesTable":
        """Number the series of a registry; `known_keys[i]` keeps the number i."""
        wanted = {series.key: series for series in _series_of(registry)}
        entries = [
            _with_id(wanted.pop(key), number) if key in wanted else _retired(key, number)
            for number, key in enumerate(known_keys)
        ]
        entries.extend(
            _with_id(series, number) for number, series in enumerate(wanted.values(), len(entries))
        )
        return cls(entries)


RIVER_EXPECTED_S = 900.0
BRIDGE_EXPECTED_S = 60.0
"""How often the derived series get a value, s: the usual intervals of probes and cameras."""


def _series_of(registry: Registry) -> list[Series]:
    return [*_measured(registry), *_of_mouths(registry), *_of_bridges(registry)]


def _measured(registry: Registry) -> list[Series]:
    found: list[Series] = []
    for device in registry.devices.values():
        if device.replaces is not None:
            continue  # it goes on writing the series of the device that it replaced
        station = registry.stations[device.station]
        for stream, direction, level in device.streams():
            found.extend(
                _series(device, station, stream, direction, level, quantity.name)
                for quantity in QUANTITIES.values()
                if quantity.kind == device.kind
            )
    return found


def _of_mouths(registry: Registry) -> list[Series]:
    """How far the salt has come, for each open mouth along which two stations stand."""
    return [
        _derived(mouth.id, "river", quantity.name, RIVER_EXPECTED_S, branches=(mouth.id,))
        for mouth in registry.reaches.values()
        if not mouth.flows_into and not mouth.closed and len(stations_along(registry, mouth.id)) > 1
        for quantity in QUANTITIES.values()
        if quantity.kind == "river"
    ]


def stations_along(registry: Registry, mouth: str) -> list[Station]:
    """The salinity stations with a distance from a mouth, nearest first."""
    along = [
        station
        for station in registry.stations.values()
        if station.kind == "salinity" and mouth in station.km_from_mouth
    ]
    return sorted(along, key=lambda station: (station.km_from_mouth[mouth], station.id))


def _of_bridges(registry: Registry) -> list[Series]:
    """What the cameras of a bridge tell together, for each of its directions."""
    return [
        _derived(
            f"{station.id}/{direction}",
            "bridge",
            quantity.name,
            BRIDGE_EXPECTED_S,
            station=station.id,
            direction=direction,
        )
        for station in registry.stations.values()
        if station.kind == "traffic"
        for direction in station.directions
        for quantity in QUANTITIES.values()
        if quantity.kind == "bridge"
    ]


def _derived(
    stream: str,
    kind: str,
    quantity: str,
    expected_s: float,
    *,
    station: str = "",
    branches: tuple[str, ...] = (),
    direction: str | None = None,
) -> Series:
    return Series(
        id=-1,
        key=f"{stream}/{quantity}",
        stream=stream,
        station=station,
        device=stream.partition("/")[0],
        kind=kind,
        branches=branches,
        quantity=quantity,
        unit=QUANTITIES[quantity].unit,
        direction=direction,
        level=None,
        expected_s=expected_s,
        announced=False,
    )


def _series(
    device: Device,
    station: Station,
    stream: str,
    direction: str | None,
    level: str | None,
    quantity: str,
) -> Series:
    return Series(
        id=-1,
        key=f"{stream}/{quantity}",
        stream=stream,
        station=station.id,
        device=device.id,
        kind=device.kind,
        branches=station.branches,
        quantity=quantity,
        unit=QUANTITIES[quantity].unit,
        direction=direction,
        level=level,
        expected_s=device.expected_s,
        announced=quantity in device.announced,
    )


def _with_id(series: Series, number: int) -> Series:
    fields = {name: getattr(series, name) for name in Series.__slots__}
    return Series(**{**fields, "id": number})


def _retired(key: str, number: int) -> Series:
    stream, _, quantity = key.rpartition("/")
    known = QUANTITIES[quantity]
    return Series(
        id=number,
        key=key,
        stream=stream,
        station="",
        device=stream.partition("/")[0],
        kind=known.kind,
        branches=(),
        quantity=quantity,
        unit=known.unit,
        direction=None,
        level=None,
        expected_s=0.0,
        announced=False,
        retired=True,
    )
