"""A series as JSON, CSV and Parquet.

Times in CSV are RFC 3339 in UTC with milliseconds; in JSON they are epoch milliseconds, as
on the other wires; Parquet has a real timestamp.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from api.http.answer import JSON, encoded
from api.http.problem import Problem
from ingest.archive import Whence

CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
FORMATS: Final[Mapping[str, str]] = {"json": JSON, "csv": CSV, "parquet": PARQUET}
PARQUET_EXTRA: Final = "songtien[parquet]"
ROWS_AT_A_TIME: Final = 4096
_WEIGHT: Final = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one series over a range, ready to be written.

    t_ms : int64[N]
    names : of the further columns, for people and programs
    columns : those columns, int64 or float64 or uint8, each [N]
    whence : where the rows come from, and which ranges may lack some
    """

    key: str
    unit: str
    from_ms: int
    to_ms: int
    step: str
    t_ms: NDArray[np.int64]
    names: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]
    whence: Whence


def chosen(accept: str | None, asked: str | None) -> str:
    """The format, by `?format=` (a link can't set a header) or else by `Accept`.

    Raises
    ------
    Problem
        `not-acceptable`, where none is accepted.
    """
    if asked is not None:
        return asked
    if not accept:
        return "json"
    ranges = _ranges(accept)
    best, best_weight = None, 0.0
    for name, media_type in FORMATS.items():
        weight = _weight_of(media_type, ranges)
        if weight > best_weight:
            best, best_weight = name, weight
    if best is None:
        available = list(FORMATS.values())
        raise Problem(
            "not-acceptable",
            f"Accept: {accept[:200]} names none of {', '.join(available)}",
            more={"available": available},
        )
    return best


def _ranges(accept: str) -> dict[str, float]:
    found = {}
    for part in accept.lower().replace(" ", "").split(","):
        media_range, *parameters = part.split(";")
        weights = [p[2:] for p in parameters if p.startswith("q=")]
        valid = not weights or _WEIGHT.fullmatch(weights[0])
        if media_range and valid:
            found[media_range] = float(weights[0]) if weights else 1.0
    return found


def _weight_of(media_type: str, ranges: Mapping[str, float]) -> float:
    """The most precise range that fits decides (RFC 9110, 12.5.1)."""
    whole = media_type.partition("/")[0] + "/*"
    for fitting in (media_type, whole, "*/*"):
        if fitting in ranges:
            return ranges[fitting]
    return 0.0


def written(table: Table, name: str) -> bytes:
    """The table in the format `name`, one of `FORMATS`."""
    if name == "csv":
        return _csv(table)
    if name == "parquet":
        return _parquet(table)
    return _json(table)


def _json(table: Table) -> bytes:
    parts = [encoded(list(rows))[1:-1] for rows in _slices(table)]
    head = {
        "key": table.key,
        "unit": table.unit,
        "from": table.from_ms,
        "to": table.to_ms,
        "step": table.step,
        "columns": ["t", *table.names],
        "source": table.whence.source,
        "complete": table.whence.complete,
        **({"missing": table.whence.missing} if table.whence.missing else {}),
    }
    return encoded(head)[:-1] + b',"points":[' + b",".join(parts) + b"]}"


def _csv(table: Table) -> bytes:
    lines = [",".join(("time", *table.names))]
    for rows in _slices(table):
        t_ms, *columns = zip(*rows, strict=True)
        times = np.datetime_as_string(np.array(t_ms, dtype="datetime64[ms]")).tolist()
        texts = zip(*(map(str, column) for column in columns), strict=True)
        lines.extend("Z,".join((t, ",".join(v))) for t, v in zip(times, texts, strict=True))
    return "\n".join([*lines, ""]).encode()


def _slices(table: Table) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rows, a few thousand at a time: no single call into C then keeps the other
    threads, and with them every live screen, waiting for longer than a few milliseconds.
    """
    for start in range(0, len(table.t_ms), ROWS_AT_A_TIME):
        stop = start + ROWS_AT_A_TIME
        columns = (table.t_ms, *table.columns)
        yield zip(*(column[start:stop].tolist() for column in columns), strict=True)


def _parquet(table: Table) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 - a large optional dependency
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise Problem(
            "not-acceptable",
            f"this service was installed without Parquet; the extra {PARQUET_EXTRA} brings it",
            more={"available": [JSON, CSV]},
        ) from None
    t = pa.array(table.t_ms, type=pa.timestamp("ms", tz="UTC"))
    columns = {"time": t, **dict(zip(table.names, map(pa.array, table.columns), strict=True))}
    said = {"key": table.key, "unit": table.unit, "step": table.step}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(said), sink)
    return sink.getvalue()
