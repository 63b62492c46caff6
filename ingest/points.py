"""Readings as InfluxDB's points: one line for each (stream, time), with all its quantities.

A point is a function of the readings and the registry alone: nothing of arrival is in it, so
that what is written again overwrites itself. docs/historian.md has the schema.

    salinity,device=vk-01 salinity_g_l=3.21,salinity_g_l_q=1i,station="vam-kenh" 1767000000000
"""

from functools import lru_cache

import numpy as np

from ingest import line_protocol
from ingest.reading import Batch, BoolArray, IntArray
from ingest.series import Series, SeriesTable

SHAPES_MAX = 50_000
"""Sets of quantities of one stream that are kept escaped; far above what devices send."""


def part_tag(kind: str) -> str:
    """The tag of what a device sends for several of: a depth level, or a direction of a bridge."""
    return "level" if kind == "salinity" else "dir"


def tags(series: Series) -> dict[str, str]:
    """The tags of the points in which a series is a field.

    They are its identity alone, which stands in its key for good: another tag would make a
    second point at the same time.
    """
    found = {"device": series.device}
    _, _, part = series.stream.partition("/")
    if part:
        found[part_tag(series.kind)] = part
    return found


def flag_field(quantity: str) -> str:
    """The field that holds the flag of a quantity."""
    return f"{quantity}_q"


def storable(readings: Batch) -> BoolArray:
    """bool[N]: which readings InfluxDB has a time for. It ends in April 2262; clocks do not."""
    latest = line_protocol.LATEST_MS
    return (readings.t_ms >= -latest) & (readings.t_ms <= latest)


def lines(readings: Batch, table: SeriesTable) -> list[bytes]:
    """One line for each (stream, time) of `readings`, by rising stream and time.

    Times are milliseconds; the write must say so. Raises `ValueError` for a value that is not
    finite and for a (series, time) that stands twice; neither can come out of the store.
    """
    n = len(readings)
    if n == 0:
        return []
    if not np.isfinite(readings.value).all():
        raise ValueError("a reading whose value is not finite")
    shapes = _shapes(table)
    point = shapes.point[readings.series]
    order = np.lexsort((readings.series, readings.t_ms, point))
    series, t_ms, point = readings.series[order], readings.t_ms[order], point[order]
    goes_on = (point[1:] == point[:-1]) & (t_ms[1:] == t_ms[:-1])
    if bool(np.any(goes_on & (series[1:] == series[:-1]))):
        raise ValueError("a reading that stands twice: one series, one time")
    starts = np.flatnonzero(np.r_[True, ~goes_on])

    numbers = series.tolist()
    cells: list[object] = [None] * (2 * n)
    cells[0::2] = line_protocol.floats(readings.value[order].tolist())
    cells[1::2] = readings.flag[order].tolist()
    low = starts.tolist()
    found = []
    for a, b, t in zip(low, [*low[1:], n], t_ms[starts].tolist(), strict=True):
        shape = shapes.of(tuple(numbers[a:b]))
        found.append((shape % (*cells[2 * a : 2 * b], t)).encode())
    return found


class _Shapes:
    """The lines of a table's points with blanks for numbers, each escaped when first asked for."""

    def __init__(self, table: SeriesTable) -> None:
        self._entries = table.entries
        self._known: dict[tuple[int, ...], str] = {}
        numbers: dict[tuple[str, str], int] = {}
        # A device that became one of another kind has had two points under one name.
        points = [numbers.setdefault((s.stream, s.kind), len(numbers)) for s in table.entries]
        self.point: IntArray = np.array(points, dtype=np.int64)

    def of(self, series: tuple[int, ...]) -> str:
        """The line of a point that holds these series, with the blanks of `%`."""
        shape = self._known.get(series)
        if shape is None:
            if len(self._known) >= SHAPES_MAX:
                self._known.clear()
            shape = self._known[series] = _shape([self._entries[number] for number in series])
        return shape


def _shape(entries: list[Series]) -> str:
    first = entries[0]
    head = line_protocol.head(first.kind, tags(first)).replace("%", "%%")
    fields = []
    for each in entries:
        value = line_protocol.field_key(each.quantity).replace("%", "%%")
        flag = line_protocol.field_key(flag_field(each.quantity)).replace("%", "%%")
        fields.append(f"{value}=%s,{flag}=%di")
    # A registry may move a device, so its station is no tag. It is unknown once the device left.
    if first.station:
        station = line_protocol.field_value(first.station).replace("%", "%%")
        fields.append(f"station={station}")
    return f"{head} {','.join(fields)} %d"


@lru_cache(maxsize=2)
def _shapes(table: SeriesTable) -> _Shapes:
    # A table is never changed: a new registry makes a new one.
    return _Shapes(table)
