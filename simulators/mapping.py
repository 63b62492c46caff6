"""How a CSV is to be read: which column is what, of which device, in which unit and zone.

A mapping is a TOML file; docs/replay.md explains every key. Here is only what it says;
`simulators.recorded` reads a file by it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ingest.faults import ConfigError, Fault
from ingest.payload import SalinitySample, TrafficSample
from ingest.reading import VEHICLE_CLASSES
from ingest.tables import Faults, Table, load_toml

_CONDUCTIVITY = {"mS/cm": 1.0, "dS/m": 1.0, "uS/cm": 1e-3, "µS/cm": 1e-3, "S/m": 10.0}
_LENGTH = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "ft": 0.3048}
UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "ec_ms_cm": _CONDUCTIVITY,
    "ec25_ms_cm": _CONDUCTIVITY,
    # Practical salinity and g/kg count as g/L: 0.2 % less at 1, 2.3 % less at 30.
    "sal_g_l": {"g/L": 1.0, "psu": 1.0, "ppt": 1.0, "g/kg": 1.0, "mg/L": 1e-3},
    "temp_c": {"degC": 1.0, "degF": 5.0 / 9.0},
    "depth_m": _LENGTH,
    "level_m": _LENGTH,
    "battery_v": {"V": 1.0, "mV": 1e-3},
    "speed_km_h": {"km/h": 1.0, "mph": 1.609344, "m/s": 3.6},
    "occupancy": {"1": 1.0, "%": 1e-2},
    "queue_m": _LENGTH,
}
_OFFSETS = {"degF": -160.0 / 9.0}

SALINITY_FIELDS = tuple(
    name for name in UNITS if name in msgspec.structs.asdict(SalinitySample(t=0))
)
LANE_FIELDS = ("speed_km_h", "occupancy", "queue_m")

DEFAULT_NULL = ("", "NA", "NaN", "NULL", "-9999")
TIME_FORMATS = ("iso", "epoch_s", "epoch_ms")

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("delimiter", "decimal", "null", "time", "device"),
    "time": ("column", "format", "zone", "zone_names", "at"),
    "device": (
        "kind",
        "station",
        "device",
        "where",
        "above",
        "columns",
        "interval_s",
        "lane",
        "labels",
    ),
    "labels": ("column", "starts_with", "not_in"),
    "lane": ("direction", "lane", "count", *LANE_FIELDS),
    "column": ("column", "unit", "scale", "offset"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A column and what makes it the field's unit: value * scale + offset, within the range."""

    column: str
    scale: float
    offset: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of a camera: counts by class of vehicle, and the fields beside them."""

    direction: str
    lane: int
    count: Mapping[str, Source]
    fields: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Labels:
    """A column in which people have marked rows that are wrong.

    A row is marked if its text begins with one of `starts_with`, or if there are none of these,
    is not one of `not_in`.
    """

    column: str
    starts_with: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()

    def mark(self, text: str) -> bool:
        if self.starts_with:
            return text.startswith(self.starts_with)
        return text not in self.not_in


@dataclass(frozen=True, slots=True)
class Target:
    """The device that rows are published as.

    where : a row is its own if each of these columns holds one of the texts
    above : a row is skipped unless each of these columns is greater than the number
    columns : for a probe, field on the wire -> column
    lanes, interval_ms : for a camera
    labels : where people have marked rows, None where nobody has
    """

    kind: str
    station: str
    device: str
    where: Mapping[str, tuple[str, ...]]
    above: Mapping[str, float]
    columns: Mapping[str, Source]
    lanes: tuple[Lane, ...] = ()
    interval_ms: int = 0
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The column of times. `zone` is for local times; `zone_names` for names behind them.

    at_start : the time of a camera's row is the start of its interval, not its end
    """

    column: str
    format: str
    zone: tzinfo | None
    zone_names: Mapping[str, tzinfo]
    at_start: bool


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """Everything that a CSV needs to be read."""

    time: TimeColumn
    targets: tuple[Target, ...]
    null: tuple[str, ...] = DEFAULT_NULL
    delimiter: str = ","
    decimal: str = "."


def parse_mapping(text: str, file: str) -> CsvMapping:
    """Read a mapping; raises `ConfigError` with every fault found."""
    return mapping_of(load_toml(text, file), file)


def mapping_of(content: dict[str, Any], file: str) -> CsvMapping:
    """A mapping from what stands in its file; raises `ConfigError` with every fault found."""
    faults = Faults(file)
    top = Table(faults, "", content, KEYS[""])
    delimiter = top.optional_text("delimiter") if content.get("delimiter") != "\t" else "\t"
    if delimiter is not None and len(delimiter) != 1:
        top.fault("delimiter", 'accepted is one character such as ";"')
    decimal = top.choice("decimal", (".", ","), ".")
    null = top.texts("null") if top.has("null") else DEFAULT_NULL
    if not top.has("time"):
        top.fault("time", "it is missing; accepted is a table [time] with a column")
    time = _time(top.table("time", KEYS["time"]))
    targets = tuple(_target(t) for t in top.tables("device", KEYS["device"], named_by="device"))
    if not targets:
        top.fault("device", "at least one table [[device]] is needed")
    faults.raise_if_any()
    return CsvMapping(time, targets, null, delimiter or ",", decimal)


def _time(table: Table) -> TimeColumn:
    form = table.optional_text("format") or "iso"
    if form not in TIME_FORMATS and "%" not in form:
        accepted = f"accepted are {', '.join(TIME_FORMATS)}, or a pattern such as %d/%m/%Y %H:%M"
        table.fault("format", accepted)
    elif form not in TIME_FORMATS and (wrong := _wrong_in(form)):
        table.fault("format", f"{wrong}; accepted is a pattern such as %d/%m/%Y %H:%M")
    zone_name = table.optional_text("zone")
    zone = None if zone_name is None else _zone(table, "zone", zone_name)
    names: dict[str, tzinfo] = {}
    inner = table.table("zone_names", tuple(table.content.get("zone_names", {})))
    for name in inner.content:
        found = _zone(inner, name, inner.text(name))
        if found is not None:
            names[name] = found
    at = table.choice("at", ("start", "end"), "end")
    return TimeColumn(table.text("column"), form, zone, names, at == "start")


def _wrong_in(form: str) -> str:
    """Why a pattern can't read even what it has written itself, or nothing."""
    try:
        written = datetime(2024, 2, 29, 13, 5, tzinfo=UTC).strftime(form)
        datetime.strptime(written, form)  # noqa: DTZ007 - only whether it can be read
    except (ValueError, re.error) as error:
        return str(error)
    return ""


def _zone(table: Table, key: str, text: str) -> tzinfo | None:
    """An IANA zone, or a fixed offset such as +07:00."""
    if text[:1] in "+-" and len(text) == 6 and text[3] == ":":
        hours, minutes = text[1:3], text[4:]
        if hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:
            sign = -1 if text[0] == "-" else 1
            return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        table.fault(key, "accepted is a zone such as Asia/Ho_Chi_Minh, UTC or +07:00")
        return None


def _target(table: Table) -> Target:
    kind = table.choice("kind", ("salinity", "traffic"))
    lanes = tuple(_lane(lane) for lane in table.tables("lane", KEYS["lane"], named_by="direction"))
    fields = _sources(table.table("columns", SALINITY_FIELDS), SALINITY_FIELDS, SalinitySample)
    interval_s = table.optional_number("interval_s", 1, 86_400, "s", required=kind == "traffic")
    if kind == "salinity" and not fields:
        table.fault("columns", f"one or more are needed of {', '.join(SALINITY_FIELDS)}")
    if kind == "salinity" and lanes:
        table.fault("lane", "a salinity device has none")
    if kind == "traffic" and not lanes:
        table.fault("lane", "a traffic device needs one or more tables [[device.lane]]")
    if kind == "traffic" and fields:
        table.fault("columns", "of a traffic device they stand under [[device.lane]]")
    return Target(
        kind,
        table.id("station"),
        table.id("device"),
        _where(table.table("where", tuple(table.content.get("where", {})))),
        _above(table.table("above", tuple(table.content.get("above", {})))),
        fields,
        lanes,
        round((interval_s or 0.0) * 1000),
        _labels(table.table("labels", KEYS["labels"])) if table.has("labels") else None,
    )


def _labels(table: Table) -> Labels:
    starts_with = tuple(table.texts("starts_with")) if table.has("starts_with") else ()
    not_in = tuple(table.texts("not_in")) if table.has("not_in") else ()
    if bool(starts_with) == bool(not_in):
        table.fault("starts_with", "accepted is one of starts_with and not_in, with some text")
    return Labels(table.text("column"), starts_with, not_in)


def _where(table: Table) -> dict[str, tuple[str, ...]]:
    found = {}
    for column, value in table.content.items():
        one = (value,) if isinstance(value, str) else table.texts(column)
        found[column] = tuple(one)
    return found


def _above(table: Table) -> dict[str, float]:
    return {column: table.number(column, -1e12, 1e12) for column in table.content}


def _lane(table: Table) -> Lane:
    counts = table.table("count", VEHICLE_CLASSES)
    return Lane(
        table.id("direction"),
        table.integer("lane", 0, 99) if table.has("lane") else 1,
        {
            name: _source(counts, name, {"veh": 1.0}, 0, 1_000_000)
            for name in VEHICLE_CLASSES
            if counts.has(name)
        },
        _sources(table, LANE_FIELDS, TrafficSample),
    )


def _sources(
    table: Table, fields: Sequence[str], sample: type[msgspec.Struct]
) -> dict[str, Source]:
    return {
        name: _source(table, name, UNITS[name], *_range(sample, name))
        for name in fields
        if table.has(name)
    }


def _source(table: Table, name: str, units: Mapping[str, float], low: float, high: float) -> Source:
    """A column by its name, or `{column, unit}` or `{column, scale, offset}`."""
    given = table.content[name]
    if isinstance(given, str):
        return Source(table.text(name), 1.0, 0.0, low, high)
    inner = table.table(name, KEYS["column"])
    unit = inner.choice("unit", tuple(units), next(iter(units)))
    if inner.has("unit") and (inner.has("scale") or inner.has("offset")):
        inner.fault("unit", "accepted is either a unit, or a scale with an offset")
    scale = inner.optional_number("scale", -1e9, 1e9)
    offset = inner.optional_number("offset", -1e9, 1e9)
    return Source(
        inner.text("column"),
        units[unit] if scale is None else scale,
        _OFFSETS.get(unit, 0.0) if offset is None else offset,
        low,
        high,
    )


def _range(sample: type[msgspec.Struct], name: str) -> tuple[float, float]:
    """The range that the payload's own type accepts for a field."""
    info = msgspec.inspect.type_info(sample)
    assert isinstance(info, msgspec.inspect.StructType)
    field = next(each for each in info.fields if each.name == name)
    kinds = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
    for kind in kinds:
        inner = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
        if isinstance(inner, msgspec.inspect.FloatType):
            assert inner.ge is not None
            assert inner.le is not None
            return float(inner.ge), float(inner.le)
    raise AssertionError(f"{name} has no range")


def named_columns(mapping: CsvMapping) -> dict[str, str]:
    """The columns that a mapping names, and the key that does."""
    wanted: dict[str, str] = {mapping.time.column: "time.column"}
    for target in mapping.targets:
        at = f"device[{target.device}]"
        wanted |= dict.fromkeys(target.where, f"{at}.where")
        wanted |= dict.fromkeys(target.above, f"{at}.above")
        wanted |= {source.column: f"{at}.{name}" for name, source in target.columns.items()}
        if target.labels is not None:
            wanted[target.labels.column] = f"{at}.labels"
        for lane in target.lanes:
            sources = {**lane.count, **lane.fields}
            wanted |= {s.column: f"{at}.lane.{name}" for name, s in sources.items()}
    return wanted


def missing_columns(mapping: CsvMapping, header: Sequence[str], file: str) -> ConfigError | None:
    """The columns that the mapping names and the file has not, as faults of the file."""
    accepted = f"accepted are this file's columns: {', '.join(header)}"
    faults = [
        Fault(file, key, name, accepted)
        for name, key in named_columns(mapping).items()
        if name not in header
    ]
    return ConfigError(faults) if faults else None
