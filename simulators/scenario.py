"""Named scenarios: the same messages for the same scenario, seed, registry and start.

No clock and no order of hashing goes in. A sample depends on (scenario, seed, device, time)
alone; when a scenario is moved to another start, its season, its events and its faults move with
it, and only tides and days of the week are those of the date.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ingest import faults as told
from ingest.faults import ConfigError
from ingest.registry import Registry
from ingest.tables import did_you_mean
from simulators.estuary import River, Spell
from simulators.faults import FOREVER_MS, Fault
from simulators.faults.choice import chosen
from simulators.grid import offset_ms, probe_times_ms
from simulators.labels import labels
from simulators.road.traffic import Bottleneck, Incident, Rain, Traffic, Working
from simulators.scenario_file import Content, parse
from simulators.stream import messages
from simulators.world import World

__all__ = [
    "HOUR_MS",
    "SCENARIOS",
    "Scenario",
    "demo_world",
    "labels",
    "load",
    "messages",
    "offset_ms",
    "probe_times_ms",
]

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played, and when by itself; its own times are those of `start_ms`.

    file : where it was read from, as faults in it are told
    shipped : it comes with the program, so it leaves out what a registry has not
    added : faults beside those of its file, ms UTC of its own start too
    """

    name: str
    content: Content
    file: str
    shipped: bool = False
    added: tuple[Fault, ...] = ()

    @property
    def about(self) -> str:
        return self.content.about

    @property
    def start_ms(self) -> int:
        return self.content.start_ms

    @property
    def duration_ms(self) -> int:
        return self.content.duration_ms

    def with_faults(self, *faults: Fault) -> "Scenario":
        """The same with more that goes wrong; see `simulators.faults.fault`."""
        return replace(self, added=(*self.added, *faults))

    def world(self, registry: Registry, seed: int, start_ms: int | None = None) -> World:
        """The devices of a registry in this scenario, as it begins at `start_ms`, UTC.

        Raises ConfigError, with file and line, for devices and stations that are not there.
        """
        begin_ms = self.start_ms if start_ms is None else start_ms
        by_ms = begin_ms - self.start_ms
        river, traffic = self.content.river, self.content.traffic
        world = World(
            registry,
            self.name,
            seed,
            replace(
                river,
                season_shift_ms=-by_ms,
                spells=tuple(_moved(each, by_ms) for each in river.spells),
                weather=None if river.weather is None else replace(river.weather, seed=seed),
            ),
            replace(
                traffic,
                incidents=tuple(_moved(each, by_ms) for each in traffic.incidents),
                workings=tuple(_moved(each, by_ms) for each in traffic.workings),
                rains=tuple(_moved(each, by_ms) for each in traffic.rains),
                date_shift_ms=-by_ms,
            ),
            begin_ms,
        )
        wrong = [] if self.shipped else self._strange_stations(registry)
        faults = self._faults(world, by_ms, wrong)
        if wrong:
            raise ConfigError(wrong)
        return replace(world, faults=faults)

    def _faults(self, world: World, by_ms: int, wrong: list[told.Fault]) -> tuple[Fault, ...]:
        """The faults of the devices that there are; what names others goes to `wrong`."""
        found: list[Fault] = []
        devices = world.devices()
        lines = (*self.content.lines, *(None for _ in self.added))
        for fault, line in zip((*self.content.faults, *self.added), lines, strict=True):
            try:
                found.extend(_moved(each, by_ms) for each in chosen(fault, world.registry, devices))
            except ValueError as error:
                if line is None or not self.shipped:
                    key = f"fault {fault.kind}: device"
                    wrong.append(told.Fault(self.file, key, fault.device, str(error), line))
        return tuple(found)

    def _strange_stations(self, registry: Registry) -> list[told.Fault]:
        """What happens on a road at a station that has no cameras for that direction."""
        seen: dict[str, set[str]] = {}
        for device in registry.devices.values():
            if device.kind == "traffic":
                seen.setdefault(device.station, set()).update(
                    lane.direction for lane in device.lanes
                )
        wrong = []
        for each in self.content.named:
            if each.station not in seen:
                accepted = did_you_mean(each.station, sorted(seen))
                key, value = f"{each.key}.station", each.station
            elif each.direction and each.direction not in seen[each.station]:
                accepted = did_you_mean(each.direction, sorted(seen[each.station]))
                key, value = f"{each.key}.direction", each.direction
            else:
                continue
            wrong.append(told.Fault(self.file, key, value, accepted, each.line))
        return wrong


Event = TypeVar("Event", Spell, Incident, Working, Rain, Fault)


def _moved(event: Event, by_ms: int) -> Event:
    """The same event so much later; what lasts for ever goes on doing so."""
    to_ms = event.to_ms if event.to_ms >= FOREVER_MS else event.to_ms + by_ms
    return replace(event, from_ms=event.from_ms + by_ms, to_ms=to_ms)


def _read(path: Path, *, shipped: bool) -> Scenario:
    file = path.name if shipped else str(path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        accepted = "accepted is a TOML file in UTF-8 that can be read"
        raise ConfigError([told.Fault(file, "the file", str(error), accepted)]) from error
    return Scenario(path.stem, parse(text, file), file, shipped)


_SHIPPED = ("dry-season", "quiet", "bad-day", "gio-chuong", "tet", "rough-week")

SCENARIOS: Mapping[str, Scenario] = {
    name: _read(Path(__file__).parent / "scenarios" / f"{name}.toml", shipped=True)
    for name in _SHIPPED
}
"""Those that come with the program."""


def load(name_or_path: str | Path) -> Scenario:
    """A scenario by its name, or out of a TOML file of one's own.

    Raises ConfigError with file and line of everything that is wrong.
    """
    text = str(name_or_path)
    if text in SCENARIOS:
        return SCENARIOS[text]
    if text.endswith(".toml"):
        return _read(Path(text), shipped=False)
    accepted = f"{did_you_mean(text, list(SCENARIOS))}; a file of your own ends in .toml"
    raise ConfigError([told.Fault("simulate", "scenario", text, accepted)])


def demo_world(registry: Registry, seed: int) -> World:
    """The dry season at any date, and every afternoon a queue on Rạch Miễu 1 to the south.

    Only on mùng 1, when few drive, there is none.
    """
    # Since the second bridge was opened at 560 some afternoons have next to no queue.
    narrow = Bottleneck("rach-mieu-1", "southbound", 15.5, 18.5, 480.0)
    return World(
        registry,
        "demo",
        seed,
        River(discharge_m3_s=2700.0),
        Traffic(bottlenecks=(narrow,)),
    )
