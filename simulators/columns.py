"""Samples of a device as columns, and as the JSON in which they are sent.

A season of a hundred probes is millions of samples: they are computed, spoiled by faults and
turned into text column by column. The bytes are those that msgspec gives for the same numbers,
since msgspec writes them: each column once, as a list, which is then cut at its commas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.reading import BoolArray, FloatArray, IntArray

Sample = dict[str, object]

COUNTS = ("count", "cumulative")
"""Objects of whole numbers by class of vehicle."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples of one device; a row is a sample, in the order of `at_ms`, then of `part`.

    at_ms : int64[N], when the sample was complete, by a clock that is right, ms UTC
    t_ms : int64[N], the same as the device says it: `t` of a probe, `t1` of a camera
    part : int64[N], which of the device's levels or lanes
    fields : float64[N] by the name on the wire, rounded to 1e-4; NaN is absent. `count.car` is
        `car` within the object `count`
    fixed : what each part says beside its times, such as lane and direction
    span_ms : the interval of a camera, 0 for a probe
    """

    at_ms: IntArray
    t_ms: IntArray
    part: IntArray
    fields: Mapping[str, FloatArray]
    fixed: tuple[tuple[tuple[str, object], ...], ...] = ((),)
    span_ms: int = 0

    def __len__(self) -> int:
        return len(self.at_ms)

    def take(self, rows: BoolArray | NDArray[np.intp]) -> "Columns":
        """The rows at these places."""
        return replace(
            self,
            at_ms=self.at_ms[rows],
            t_ms=self.t_ms[rows],
            part=self.part[rows],
            fields={name: values[rows] for name, values in self.fields.items()},
        )

    def having(self, fields: Mapping[str, FloatArray]) -> "Columns":
        """The same with other values of these fields; a new field stands behind the others."""
        return replace(self, fields={**self.fields, **fields})

    def saying(self, t_ms: IntArray) -> "Columns":
        """The same with other times said."""
        return replace(self, t_ms=t_ms)


def encoded(columns: Columns, *, sim: bool = False) -> list[bytes]:
    """One JSON object for each row, as msgspec writes it; `sim` marks it as simulated."""
    if not len(columns):
        return []
    pattern = columns.part.copy()
    for values in columns.fields.values():
        pattern = pattern * 2 + np.isfinite(values)
    kinds = np.unique(pattern)
    if len(kinds) == 1:
        return _alike(columns, sim=sim)
    found: list[bytes] = [b""] * len(columns)
    for kind in kinds.tolist():
        rows = np.flatnonzero(pattern == kind)
        for row, text in zip(rows.tolist(), _alike(columns.take(rows), sim=sim), strict=True):
            found[row] = text
    return found


def dictionaries(columns: Columns) -> list[Sample]:
    """One dictionary for each row, as it stands in a payload."""
    return [msgspec.json.decode(each) for each in encoded(columns)]


def _alike(columns: Columns, *, sim: bool) -> list[bytes]:
    """Rows of one part that have the same fields: one template for all of them."""
    said: dict[str, Any] = {}
    values: list[list[bytes]] = []
    if columns.span_ms:
        said |= {"t0": _HOLE, "t1": _HOLE}
        values += [_texts(columns.t_ms - columns.span_ms), _texts(columns.t_ms)]
    else:
        said["t"] = _HOLE
        values.append(_texts(columns.t_ms))
    said |= dict(columns.fixed[int(columns.part[0])])
    for name, column in columns.fields.items():
        if not np.isfinite(column[0]):
            continue
        whole, _, inner = name.partition(".")
        if inner:
            said.setdefault(whole, {})[inner] = _HOLE
        else:
            said[name] = _HOLE
        values.append(_texts(column.astype(np.int64) if whole in COUNTS else column))
    if sim:
        said["sim"] = True
    template = msgspec.json.encode(said).replace(b"%", b"%%").replace(_HOLE_TEXT, b"%b")
    return list(map(template.__mod__, zip(*values, strict=True)))


_HOLE = "\0"
_HOLE_TEXT = msgspec.json.encode(_HOLE)


def _texts(values: IntArray | FloatArray) -> list[bytes]:
    return msgspec.json.encode(values.tolist())[1:-1].split(b",")
