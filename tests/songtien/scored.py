"""A small river whose probes say their salinity, as recordings that a test spoils by hand."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ingest.journal import Config
from simulators.label import Label
from songtien.recordings import Piece
from songtien.score import Run, run, undone
from songtien.score_alerts import Scored
from songtien.scorecard import Kind, Score, score

ROOT = "tiengiang"
T0 = 1_767_000_000_000
STEP_MS = 600_000
HOUR_MS = 3_600_000
DAY = 144
REGISTRY = """
[[reach]]
id = "song"
name = "Sông"
flows_into = []
[[station]]
id = "tram"
name = "Trạm"
kind = "salinity"
reach = "song"
km_from_mouth = { song = 40 }
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-1"
expected_s = 600
measures = ["sal_g_l"]
[[station]]
id = "tram-2"
name = "Trạm 2"
kind = "salinity"
reach = "song"
km_from_mouth = { song = 42 }
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-2"
expected_s = 600
measures = ["sal_g_l"]
"""
LIMITS = """
[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
spike_suspect = 3.0
spike_fail = 4.0
flat_suspect_s = 7200
flat_fail_s = 14400
flat_tolerance = 0.001
"""
TEXTS = 'message_vi = "{station}"\nmessage_en = "{station}"\nsource = "a test"\n'
NEVER = 'never_seen_vi = "{station}"\nnever_seen_en = "{station}"\n'
SALT = f"""
[[rule]]
id = "salt"
quantity = "salinity_g_l"
severity = "critical"
raise_above = 4.0
clear_below = 3.6
for_s = 600
clear_for_s = 600
{TEXTS}
"""
SILENT = f"""
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
no_data_s = 3600
{NEVER}{TEXTS}
"""
STUCK = f"""
[[rule]]
id = "stuck"
quantity = "salinity_g_l"
severity = "warning"
flagged = "stuck"
{TEXTS}
"""
RISE = f"""
[[rule]]
id = "rise"
quantity = "salinity_g_l"
severity = "warning"
rise_above_per_h = 20.0
clear_below_per_h = 10.0
{TEXTS}
"""

Value = Callable[[int], float | None]
Arrival = tuple[int, str, bytes]


def at(number: int) -> int:
    """When sample `number` is measured, ms UTC."""
    return T0 + number * STEP_MS


def topic(device: str, leaf: str = "obs") -> str:
    station = {"p-1": "tram", "p-2": "tram-2"}[device]
    return f"{ROOT}/v1/salinity/{station}/{device}/{leaf}"


def calm(number: int) -> float:
    """Below all levels, and never the same twice."""
    return round(2.0 + 0.01 * (number % 7) + 0.0003 * number, 4)


def body(number: int, value: float) -> bytes:
    sample = {"t": at(number), "sal_g_l": value}
    return json.dumps({"v": 1, "boot": 1, "seq": number + 1, "samples": [sample]}).encode()


def feed(device: str, value: Value = calm, count: int = DAY) -> list[Arrival]:
    """A sample each ten minutes, half a second on the way; None is not sent."""
    return [
        (at(n) + 500, topic(device), body(n, round(found, 4)))
        for n in range(count)
        if (found := value(n)) is not None
    ]


def piece(arrivals: Iterable[Arrival]) -> Piece:
    ordered = sorted(arrivals, key=lambda each: each[0])
    return Piece.of(*([each[n] for each in ordered] for n in range(3)))  # type: ignore[arg-type]


def ran(arrivals: Iterable[Arrival], rules: str = SALT + SILENT, limits: str = LIMITS) -> Run:
    found = run([piece(arrivals)], Config(REGISTRY + limits, rules, 30.0), root=ROOT)
    assert found is not None
    return found


@dataclass
class Scene:
    """A recording with its labels, judged; `of` and `rule` find a line of the result."""

    arrivals: list[Arrival]
    labels: list[Label] = field(default_factory=list)
    rules: str = SALT + SILENT
    limits: str = LIMITS
    simulated: bool = True
    _kept: Score | None = None

    def score(self) -> Score:
        if self._kept is None:
            self._kept = self._judged()
        return self._kept

    def _judged(self) -> Score:
        clean = undone([piece(self.arrivals)], self.labels)
        without = None
        if clean is not None:
            config = Config(REGISTRY + self.limits, self.rules, 30.0)
            without = run([clean], config, root=ROOT)
        found = ran(self.arrivals, self.rules, self.limits)
        return score(found, self.labels, simulated=self.simulated, without=without)

    def of(self, label: str) -> Kind:
        return next(each for each in self.score().kinds if each.label == label)

    def rule(self, name: str) -> Scored:
        return next(each for each in self.score().rules if each.rule == name)


def fault(kind: str, begin: int, end: int, device: str = "p-1", quantity: str = "") -> Label:
    return Label(label=kind, from_ms=at(begin), to_ms=at(end), device=device, quantity=quantity)


def above(begin: int, end: int, level: float = 4.0, station: str = "tram") -> Label:
    return Label(
        label="above",
        from_ms=at(begin),
        to_ms=at(end),
        station=station,
        quantity="salinity_g_l",
        level=level,
    )
