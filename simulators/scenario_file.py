"""A scenario as a TOML file: its grammar, with every fault found (docs/scenarios.md)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from ingest.tables import Faults, Table, load_toml
from simulators.estuary import River, Spell
from simulators.faults import FOREVER_MS, KINDS, Fault, SampleFault, fault, needs_end
from simulators.faults.choice import ACCEPTED as ACCEPTED_DEVICE
from simulators.faults.choice import is_choice
from simulators.road.network import ROADS, road_of
from simulators.road.traffic import (
    CLOSED,
    ONE_WAY,
    TOLL_OPEN,
    Bottleneck,
    Incident,
    Rain,
    Traffic,
    Working,
)
from simulators.weather import Weather

VIETNAM_MS: Final = 25_200_000
_SPAN = re.compile(r"(-?)((?:\d+(?:\.\d+)?\s*[dhms]\s*)+)")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*([dhms])")
_UNIT_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_WHEN: Final = (
    'accepted is a duration after the start such as "4h" or "1d 6h", or a time such as '
    "2024-03-10T04:00:00+07:00 (without an offset: in Vietnam)"
)
_SPAN_ACCEPTED: Final = 'accepted is a duration such as "90s", "6h" or "1d 12h"'
_MODES: Final[dict[str, Literal["one-way-batches", "closed", "toll-open"]]] = {
    ONE_WAY: "one-way-batches",
    CLOSED: "closed",
    TOLL_OPEN: "toll-open",
}
LONGEST_MS: Final = 3660 * 86_400_000

KEYS: Final = {
    "": ("about", "start", "duration", "river", "traffic", "rain", "fault"),
    "river": ("discharge_m3_s", "discharge_spread", "monsoon", "spell"),
    "spell": ("from", "to", "surge_m"),
    "traffic": ("demand", "bottleneck", "incident", "working"),
    "bottleneck": ("station", "direction", "from_h", "to_h", "capacity_veh_h"),
    "incident": ("station", "direction", "from", "to", "km", "share"),
    "working": ("station", "mode", "direction", "from", "to", "batch_s"),
    "rain": ("from", "to"),
    "fault": ("kind", "device", "devices", "from", "to", "quantity"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """A station, and perhaps its direction, that a file names, and where."""

    key: str
    station: str
    direction: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says. Times are ms UTC when the scenario begins at its own start.

    lines : of each fault
    named : stations that must be in a registry that it is played on
    """

    about: str
    start_ms: int
    duration_ms: int
    river: River
    traffic: Traffic
    faults: tuple[Fault, ...]
    lines: tuple[int | None, ...]
    named: tuple[Named, ...]


def parse(text: str, file: str) -> Content:
    """Read a scenario; raises `ConfigError` with every fault found."""
    faults = Faults(file, text)
    top = Table(faults, "", load_toml(text, file), KEYS[""])
    about = top.text("about")
    start_ms = _moment(top, "start")
    duration_ms = _span(top, "duration", _UNIT_MS["d"])
    reader = _Reader(faults, start_ms)
    river = reader.river(top.table("river", KEYS["river"]))
    rains = tuple(
        Rain(*reader.window(each)) for each in top.tables("rain", KEYS["rain"], named_by="")
    )
    traffic = reader.traffic(top.table("traffic", KEYS["traffic"]), rains)
    found = [each for table in _fault_tables(top) for each in reader.faults_of(table)]
    faults.raise_if_any()
    return Content(
        about,
        start_ms,
        duration_ms,
        river,
        traffic,
        tuple(each for each, _ in found),
        tuple(line for _, line in found),
        tuple(reader.named),
    )


def _fault_tables(top: Table) -> list[Table]:
    """Tables of faults, each with the keys that its own kind knows."""
    every = {each.name for kind in KINDS.values() for each in kind.parameters}
    tables = top.tables("fault", (*KEYS["fault"], *sorted(every)), named_by="")
    found = []
    for table in tables:
        kind = table.content.get("kind")
        known = KINDS.get(kind) if isinstance(kind, str) else None
        if known is None:
            found.append(table)
            continue
        plain = [key for key in KEYS["fault"] if key != "quantity"]
        if isinstance(known, SampleFault) and known.quantities:
            plain.append("quantity")
        keys = (*plain, *(each.name for each in known.parameters))
        strange = {key for key in table.content if key in table.accepted and key not in keys}
        for key in table.content:
            if key in strange:
                table.fault(key, f"{kind} knows no such key; accepted are {', '.join(keys)}")
        found.append(table)
    return found


class _Reader:
    """Reads the tables of one file, whose times count from `start_ms`."""

    def __init__(self, faults: Faults, start_ms: int) -> None:
        self._faults = faults
        self._start_ms = start_ms
        self.named: list[Named] = []

    def window(
        self, table: Table, *, first_ms: int | None = None, last_ms: int | None = None
    ) -> tuple[int, int]:
        """`from` and `to`; each required where there is no other value for it."""
        begin = self._when(table, "from", first_ms)
        end = self._when(table, "to", last_ms)
        if begin is None or end is None:
            return 0, 1
        if begin >= end:
            table.fault("to" if table.has("to") else "from", "accepted is a `to` behind `from`")
            return 0, 1
        return begin, end

    def river(self, table: Table) -> River:
        spread = table.optional_number("discharge_spread", 0.0, 1.0)
        monsoon = table.optional_number("monsoon", 0.0, 5.0)
        weather = None
        if spread is not None or monsoon is not None:
            weather = Weather(0, spread or 0.0, monsoon or 0.0)
        spells = tuple(
            Spell(*self.window(each), each.number("surge_m", -2.0, 3.0, "m"))
            for each in table.tables("spell", KEYS["spell"], named_by="")
        )
        discharge = table.optional_number("discharge_m3_s", 100.0, 60_000.0, "m3/s")
        return River(discharge_m3_s=discharge, spells=spells, weather=weather)

    def traffic(self, table: Table, rains: tuple[Rain, ...]) -> Traffic:
        demand = table.optional_number("demand", 0.0, 10.0)
        return Traffic(
            demand=1.0 if demand is None else demand,
            bottlenecks=tuple(map(self._bottleneck, self._lists(table, "bottleneck"))),
            incidents=tuple(map(self._incident, self._lists(table, "incident"))),
            workings=tuple(map(self._working, self._lists(table, "working"))),
            rains=rains,
        )

    def faults_of(self, table: Table) -> list[tuple[Fault, int | None]]:
        """The fault of a table, for each device that it names."""
        kind = table.choice("kind", tuple(KINDS))
        of = KINDS[kind]
        begin, end = self.window(
            table, first_ms=self._start_ms, last_ms=None if needs_end(kind) else FOREVER_MS
        )
        known = {each.name: each for each in of.parameters}
        given = {
            name: table.optional_number(name, each.low, each.high, each.unit)
            for name, each in known.items()
            if table.has(name)
        }
        quantity = ""
        if isinstance(of, SampleFault) and of.quantities and table.has("quantity"):
            quantity = table.choice("quantity", of.quantities)
        numbers = {name: value for name, value in given.items() if value is not None}
        line = self._faults.line(table.place)
        return [
            (fault(kind, device, begin, end, quantity=quantity, **numbers), line)
            for device in self._devices(table)
        ]

    def _devices(self, table: Table) -> Sequence[str]:
        if table.has("device") == table.has("devices"):
            table.fault("device", f"one of `device` and `devices` is needed; {ACCEPTED_DEVICE}")
            return ()
        if table.has("device"):
            given: Sequence[str] = (table.text("device"),)
        else:
            given = table.texts("devices")
            if table.content["devices"] == []:
                table.fault("devices", f"names none; {ACCEPTED_DEVICE}")
        for each in given:
            if each and not is_choice(each):
                table.fault("device" if table.has("device") else "devices", ACCEPTED_DEVICE, each)
        return given

    def _lists(self, table: Table, name: str) -> list[Table]:
        return table.tables(name, KEYS[name], named_by="")

    def _at(self, table: Table, *, any_direction: bool = False) -> tuple[str, str]:
        station = table.id("station")
        direction = table.optional_id("direction", required=not any_direction) or ""
        line = self._faults.line((*table.place, "station"))
        self.named.append(Named(table.path, station, direction, line))
        return station, direction

    def _bottleneck(self, table: Table) -> Bottleneck:
        begin, end = table.number("from_h", 0.0, 24.0, "h"), table.number("to_h", 0.0, 24.0, "h")
        if table.has("from_h") and table.has("to_h") and begin >= end:
            table.fault("to_h", "accepted is an hour behind `from_h`, of the same day")
        capacity = table.number("capacity_veh_h", 0.0, 20_000.0, "veh/h")
        return Bottleneck(*self._at(table), begin, end, capacity)

    def _incident(self, table: Table) -> Incident:
        station, direction = self._at(table)
        first, last = road_of(station).ends_km
        km, share = table.number("km", first, last, "km"), table.number("share", 0.0, 1.0)
        return Incident(station, direction, *self.window(table), km, share)

    def _working(self, table: Table) -> Working:
        mode = _MODES[table.choice("mode", tuple(_MODES))]
        station, direction = self._at(table, any_direction=True)
        if table.content.get("mode") == ONE_WAY and not direction and station not in ROADS:
            table.fault("direction", "accepted is the direction that goes first over this bridge")
        batch_s = table.optional_number("batch_s", 60.0, 86_400.0, "s")
        begin, end = self.window(table)
        return Working(station, mode, begin, end, direction, 1800.0 if batch_s is None else batch_s)

    def _when(self, table: Table, name: str, default: int | None) -> int | None:
        if not table.has(name):
            if default is None:
                table.fault(name, f"it is missing; {_WHEN}")
            return default
        value = table.content[name]
        span = _span_ms(value)
        if span is not None:
            return self._start_ms + span
        moment = _moment_ms(value)
        if moment is None:
            table.fault(name, _WHEN)
        return moment


def _span(table: Table, name: str, default: int) -> int:
    if not table.has(name):
        return default
    found = _span_ms(table.content[name])
    if found is None or not 0 < found <= LONGEST_MS:
        table.fault(name, f"{_SPAN_ACCEPTED}, up to {LONGEST_MS // _UNIT_MS['d']} days")
        return default
    return found


def _moment(table: Table, name: str) -> int:
    accepted = "accepted is a day such as 2024-03-10 (in Vietnam), or a time with it"
    if not table.has(name):
        table.fault(name, f"it is missing; {accepted}")
        return 0
    found = _moment_ms(table.content[name])
    if found is None:
        table.fault(name, accepted)
    return found or 0


def _span_ms(value: object) -> int | None:
    """`4h`, `1d 6h`, `-30m` in ms; None where it is no duration."""
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    total = sum(float(number) * _UNIT_MS[unit] for number, unit in _PIECE.findall(found[2]))
    return round(-total if found[1] else total) if total <= LONGEST_MS else None


def _moment_ms(value: object) -> int | None:
    """A day or a time in ms UTC; without an offset it is Vietnam's."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime) or not 2000 <= value.year <= 2200:
        return None
    if value.tzinfo is None:
        return (value.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND - VIETNAM_MS
    return (value - _EPOCH) // _MILLISECOND


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
