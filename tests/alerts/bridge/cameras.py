"""A bridge with a camera at each end, told minute by minute what its cameras see.

Minutes count from 16:40 in Vietnam on a day without a ban of trucks. What `saw` gives are
readings as the processor lets them through: all quantities of a stream at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from alerts.bridge.bridges import Bridges
from alerts.bridge.modes import Mode
from ingest.reading import Batch
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable

MINUTE_MS = 60_000
START_MS = int(datetime(2026, 1, 2, 9, 40, tzinfo=UTC).timestamp() * 1000)
REORDER_MS = 30_000
PLACE = ("rach-mieu-1", "southbound")

BRIDGE = """
[[station.bridge]]
direction = "southbound"
entry = "north"
exit = "south"
free_km_h = 45
capacity_veh_h = 900
spacing_m = { car = 7.0, bus = 13.0, truck = 11.0, trailer = 18.0 }
mix = { car = 0.60, bus = 0.10, truck = 0.25, trailer = 0.05 }
"""

CAMERA = """
[[station.device]]
id = "{id}"
position = "{position}"
expected_s = 60
measures = ["count", "speed_km_h", "occupancy"]
lanes = [{{ direction = "southbound", lane = 1, use = "car" }}]
"""


ROAD = """
[[station]]
id = "quoc-lo-60"
name = "Quốc lộ 60"
kind = "traffic"
lat = 10.36
lon = 106.35
side = "bridge"
directions.southbound = { vi = "Mỹ Tho → Bến Tre", en = "Mỹ Tho → Bến Tre" }
"""


def _devices(cameras: str) -> str:
    pairs = [each.partition(":") for each in cameras.split()]
    return "".join(CAMERA.format(id=name, position=position) for name, _, position in pairs)


def registry_of(
    bridge: str = BRIDGE, cameras: str = "cam-01:north cam-02:south", before: str = ""
) -> Registry:
    """A registry of one bridge; `before` are cameras on the road that leads to it."""
    text = """
[[station]]
id = "rach-mieu-1"
name = "Cầu Rạch Miễu"
kind = "traffic"
lat = 10.334
lon = 106.342
side = "bridge"
length_m = 2868
directions.southbound = { vi = "Mỹ Tho → Bến Tre", en = "Mỹ Tho → Bến Tre" }
"""
    text += bridge + _devices(cameras)
    if before:
        text += ROAD + _devices(before)
    return parse_registry(text, "stations.toml")


@dataclass(frozen=True, slots=True)
class Sight:
    """One minute of one camera: cars that passed, their speed, share of time occupied."""

    cars: int = 14
    km_h: float | None = 45.0
    occupancy: float | None = 0.10
    flag: int = 1
    why: int = 0


FREE = Sight()
JAM = Sight(cars=8, km_h=6.0, occupancy=0.55)


class Told:
    """`Bridges` over a registry, told of sights at minutes."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or registry_of()
        self.series = SeriesTable.of(self.registry)
        self.bridges = Bridges(self.registry, self.series, REORDER_MS)
        self.modes: dict[tuple[str, str], Mode] = {}

    def rows(
        self, minute: float, camera: str, sight: Sight
    ) -> list[tuple[int, int, float, int, int]]:
        columns = self.series.columns[f"{camera}/southbound"]
        values: dict[str, float | None] = {
            "flow_car_veh_h": sight.cars * 60.0,
            "count_car": float(sight.cars),
            "speed_car_km_h": sight.km_h,
            "occupancy_car": sight.occupancy,
        }
        t_ms = START_MS + round(minute * MINUTE_MS)
        return [
            (columns[name], t_ms, value, sight.flag, sight.why)
            for name, value in values.items()
            if value is not None
        ]

    def push(self, rows: Sequence[tuple[int, int, float, int, int]]) -> Batch:
        return self.bridges.push(Batch.of(*zip(*rows, strict=True)), self.modes)

    def saw(self, minute: float, **sights: Sight) -> dict[str, tuple[float, int, int]]:
        """Tell what cameras saw; gives the newest of each quantity as (value, flag, why)."""
        rows = [
            row
            for camera, sight in sights.items()
            for row in self.rows(minute, camera.replace("_", "-"), sight)
        ]
        return self.named(self.push(rows))

    def both(
        self, minutes: Sequence[int], entry: Sight = FREE, leaving: Sight = FREE
    ) -> dict[str, tuple[float, int, int]]:
        """The same at each of some minutes; gives what the last of them made."""
        found: dict[str, tuple[float, int, int]] = {}
        for minute in minutes:
            found = self.saw(minute, cam_01=entry, cam_02=leaving)
        return found

    def named(self, made: Batch) -> dict[str, tuple[float, int, int]]:
        return {
            self.series.entries[number].quantity: (value, flag, why)
            for number, value, flag, why in zip(
                made.series.tolist(),
                made.value.tolist(),
                made.flag.tolist(),
                made.why.tolist(),
                strict=True,
            )
        }

    def picture(self, minute: float) -> Mapping[str, object]:
        now_ms = START_MS + round(minute * MINUTE_MS)
        found = self.bridges.picture(now_ms, self.modes)
        direction: Mapping[str, object] = found["bridges"][0]["directions"][0]
        return direction
