"""What the service makes of a sample, in words: so that its sender sees whether units are right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ingest.lint_finding import number
from ingest.payload import SalinitySample, TrafficSample
from ingest.reading import QUANTITIES
from ingest.traffic import LaneInterval, direction_values

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VIETNAM: Final = timedelta(hours=7)
_LAST_LOCAL: Final = datetime(9999, 12, 31, tzinfo=UTC)
_OF_LANE: Final = ("flow_veh_h", "flow_pcu_h", "speed_km_h", "occupancy", "queue_m")
_CALLED: Final = {
    "conductivity_ms_cm": "conductivity",
    "conductivity_25_ms_cm": "conductivity at 25 °C",
    "temperature_c": "temperature",
    "water_level_m": "level",
    "salinity_probe_g_l": "the probe's own salinity",
    "depth_m": "depth",
    "battery_v": "battery",
}


@dataclass(frozen=True, slots=True)
class Last:
    """A sample that would be taken; `values` are the quantities that a probe's gives."""

    device: str
    sample: SalinitySample | TrafficSample
    values: Mapping[str, float]

    def __str__(self) -> str:
        told = self._probe() if isinstance(self.sample, SalinitySample) else self._lane()
        return f"{self.device}, {', '.join(told)}"

    def _probe(self) -> Iterator[str]:
        assert isinstance(self.sample, SalinitySample)
        yield _time(self.sample.t)
        salinity = self.values.get("salinity_g_l")
        if salinity is None:
            yield "no salinity follows"
        else:
            own = "the probe's own" if self._is_own() else "derived"
            yield f"salinity {own}: {salinity:.2f} g/L"
        for name, value in self.values.items():
            if name != "salinity_g_l":
                yield f"{_CALLED[name]} {_amount(name, value)}"

    def _is_own(self) -> bool:
        assert isinstance(self.sample, SalinitySample)
        beside = "salinity_probe_g_l" in self.values
        return self.sample.sal_g_l is not None and not beside

    def _lane(self) -> Iterator[str]:
        sample = self.sample
        assert isinstance(sample, TrafficSample)
        yield f"{sample.dir} lane {sample.lane}"
        yield f"{(sample.t1 - sample.t0) / 1000:g} s up to {_time(sample.t1)}"
        interval = LaneInterval(
            sample.lane,
            sample.t0,
            sample.t1,
            sample.count,
            sample.speed_km_h,
            sample.occupancy,
            sample.queue_m,
        )
        values = direction_values([interval])
        if sample.count is None and sample.cumulative is not None:
            yield "counts follow from the totals before"
        for name in _OF_LANE:
            if name in values:
                yield f"{name.split('_')[0]} {_amount(name, values[name])}"


def _amount(name: str, value: float) -> str:
    unit = QUANTITIES[name].unit
    return f"{number(value)} {unit}" if unit != "1" else number(value)


def _time(t_ms: int) -> str:
    time = _EPOCH + timedelta(milliseconds=t_ms)
    if time >= _LAST_LOCAL:
        return f"{time:%Y-%m-%d %H:%M:%S} UTC"
    return f"{time:%Y-%m-%d %H:%M:%S} UTC ({time + _VIETNAM:%H:%M} in Vietnam)"
