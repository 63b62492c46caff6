"""History of one series, raw or over steps of time."""

import difflib
from typing import Annotated, Any, Final, Literal

import anyio
import anyio.to_thread
import numpy as np
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer
from api.http.formats import CSV, FORMATS, PARQUET, Table, chosen, written
from api.http.problem import Problem, documented, invalid
from api.http.shapes import SeriesShape
from api.http.times import LOCAL_OFFSET_MS, duration_ms, range_ms
from api.service import Service
from ingest.reading import rounded
from ingest.registry import Registry
from ingest.series import Series, SeriesTable

router = APIRouter()

POINTS_MAX: Final = 200_000
WINDOWS_MAX: Final = 50_000
KEY_LENGTH_MAX: Final = 130
AGGREGATES: Final = ("mean", "min", "max", "count", "last")
READERS_MAX: Final = 2
"""Histories read at one time. Others wait, and leave the worker threads to the rest."""

_EXAMPLE: Final[dict[str, Any]] = {
    "key": "vk-01/salinity_g_l",
    "unit": "g/L",
    "from": 1766999100000,
    "to": 1767085500000,
    "step": "raw",
    "columns": ["t", "value", "quality"],
    "points": [[1767000000000, 3.21, 1]],
    "source": "local",
    "complete": True,
}
_STEP_EXAMPLE: Final[dict[str, Any]] = {
    **_EXAMPLE,
    "step": "1h",
    "columns": ["t", "mean", "max", "n", "n_good"],
    "points": [[1767000000000, 3.18, 3.4, 4, 4]],
}
_CONTENT: Final[dict[str, Any]] = {
    "application/json": {
        "examples": {"raw": {"value": _EXAMPLE}, "aggregates": {"value": _STEP_EXAMPLE}}
    },
    CSV: {
        "schema": {"type": "string"},
        "example": "time,value,quality\n2025-12-29T09:20:00.000Z,3.21,1\n",
    },
    PARQUET: {"schema": {"type": "string", "format": "binary"}},
}

Time = Annotated[str | None, Query(max_length=64)]


@router.get(
    "/api/v1/series/{key:path}",
    tags=["readings"],
    summary="History of one series",
    response_model=SeriesShape,
    responses={
        200: {"content": _CONTENT},
        **documented("unauthorized", "not-found", "not-acceptable", "invalid", "too-many-points"),
    },
)
async def series(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    key: str,
    from_: Annotated[
        str | None,
        Query(alias="from", max_length=64, description="inclusive; RFC 3339 or epoch ms"),
    ] = None,
    to: Annotated[
        str | None,
        Query(max_length=64, description="exclusive; the default lets in a minute of the future"),
    ] = None,
    step: Annotated[
        str, Query(max_length=16, description="`raw`, or a duration as 30s, 15m, 1h, 1d")
    ] = "raw",
    agg: Annotated[
        str | None,
        Query(
            max_length=40,
            description="with a step: mean (default), min, max, count, last; several by commas",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the name in the URL
        Literal["json", "csv", "parquet"] | None,
        Query(description="in place of `Accept`, for links"),
    ] = None,
) -> Response:
    """The last 24 hours, unless `from` and `to` say otherwise. Raw points are
    `[t, value, QARTOD flag]`. With a step, values with flags 1 to 3 are used and `n` and
    `n_good` (flag 1) stand beside; steps begin at 00:00 of Vietnam's day (UTC+7), and a step
    without a usable value is left out. A probe that was replaced is asked for by either name.

    What the service no longer holds itself comes from InfluxDB, where one is configured;
    `source` says whence, and where InfluxDB could not be asked `complete` is false and
    `missing` lists the ranges of which a part may be absent. For CSV and Parquet the headers
    `Songtien-Source` and `Songtien-Complete` say it.
    """
    del principal
    found = found_series(key, service.series(), service.registry())
    name = chosen(request.headers.get("accept"), format)
    from_ms, to_ms = range_ms(from_, to, service.now_ms())
    aggregates = _aggregates(step, agg)

    def read() -> Response:
        if aggregates is None:
            table = _raw(service, found, from_ms, to_ms)
        else:
            table = _stepped(service, found, from_ms, to_ms, step, aggregates)
        headers = {
            "Vary": "Accept, Accept-Encoding",
            "Cache-Control": "no-cache",
            "Songtien-Source": table.whence.source,
            "Songtien-Complete": str(table.whence.complete).lower(),
        }
        if name != "json":
            stem = found.key.replace("/", "_")
            headers["Content-Disposition"] = f'attachment; filename="{stem}.{name}"'
        encoding = request.headers.get("accept-encoding") if name != "parquet" else None
        return answer(
            written(table, name),
            media_type=FORMATS[name],
            accept_encoding=encoding,
            headers=headers,
        )

    return await anyio.to_thread.run_sync(read, limiter=readers(request))


def readers(request: Request) -> anyio.CapacityLimiter:
    """How many may read history at a time: reports and the past share it."""
    limiter = request.app.state.history_readers
    assert isinstance(limiter, anyio.CapacityLimiter)
    return limiter


def found_series(key: str, table: SeriesTable, registry: Registry) -> Series:
    """The series of that key, also by the name of a device that replaced another."""
    if key in table.by_key:
        return table.entries[table.by_key[key]]
    device, _, rest = key.partition("/")
    if device in registry.devices:
        root = f"{registry.root_device(device).id}/{rest}"
        if root in table.by_key:
            return table.entries[table.by_key[root]]
    near = (
        difflib.get_close_matches(key, table.by_key, n=3, cutoff=0.6)
        if len(key) <= KEY_LENGTH_MAX
        else []
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else "; /api/v1/stations lists them"
    raise Problem(
        "not-found",
        f"there is no series {key[:KEY_LENGTH_MAX]!r}{hint}",
        more={"did_you_mean": near},
    )


def _aggregates(step: str, agg: str | None) -> tuple[str, ...] | None:
    """The aggregates asked for, in the order asked; None for raw."""
    if step == "raw":
        if agg is not None:
            raise invalid("agg", f"{agg!r} needs a step; with step=raw agg is left out")
        return None
    names = tuple(dict.fromkeys((agg or "mean").split(",")))
    for name in names:
        if name not in AGGREGATES:
            raise invalid("agg", f"{name!r} is not accepted: {', '.join(AGGREGATES)}")
    return names


def _raw(service: Service, found: Series, from_ms: int, to_ms: int) -> Table:
    batch, whence = service.points(found, from_ms, to_ms, POINTS_MAX + 1)
    if len(batch) > POINTS_MAX:
        raise invalid(
            "from",
            f"the range holds more than {POINTS_MAX} points; ask for a shorter one, or for "
            "aggregates with step=15m",
            kind="too-many-points",
        )
    columns = (batch.value, batch.flag)
    names = ("value", "quality")
    return Table(found.key, found.unit, from_ms, to_ms, "raw", batch.t_ms, names, columns, whence)


def _stepped(
    service: Service, found: Series, from_ms: int, to_ms: int, step: str, names: tuple[str, ...]
) -> Table:
    step_ms = duration_ms("step", step)
    if (to_ms - from_ms) // step_ms >= WINDOWS_MAX:
        raise invalid(
            "step",
            f"{step} makes more than {WINDOWS_MAX} steps of the range; ask for a longer step "
            "or a shorter range",
            kind="too-many-points",
        )
    # A local day begins at k days minus 7 h of UTC.
    windows, whence = service.windows(found, from_ms, to_ms, step_ms, -LOCAL_OFFSET_MS)
    columns: dict[str, NDArray[Any]] = {
        "mean": rounded(windows.mean),
        "min": windows.low,
        "max": windows.high,
        "count": windows.n,
        "last": windows.last,
    }
    chosen_columns: tuple[NDArray[Any], ...] = tuple(columns[name] for name in names)
    return Table(
        found.key,
        found.unit,
        from_ms,
        to_ms,
        step,
        windows.start_ms.astype(np.int64),
        (*names, "n", "n_good"),
        (*chosen_columns, windows.n, windows.n_good),
        whence,
    )
