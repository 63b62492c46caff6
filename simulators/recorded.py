"""Rows of a table as columns of each device: what is good is taken, what is not is counted.

A file is held in memory, 8 bytes a value. What is bad never ends the reading: a cell that
can't be read is left out, a row without a time or without any value is skipped, and both are
counted by reason with the first examples in full.
"""

import csv
import gzip
import math
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ingest.faults import ConfigError, Fault
from ingest.reading import BoolArray, FloatArray, IntArray
from simulators.mapping import (
    CsvMapping,
    Source,
    Target,
    missing_columns,
    named_columns,
    parse_mapping,
)
from simulators.parquet import opened
from simulators.times import reader_of

EXAMPLES_MAX = 20


@dataclass(frozen=True, slots=True)
class Track:
    """What one device has recorded, in the order of time (of the file where times are equal).

    t_ms : int64[N], UTC; of a camera the start of each of its intervals
    columns : float64[N] by name, NaN where absent; a lane's names are `0/count/car`, `0/occupancy`
    labelled : bool[N], what people have marked as wrong; None where nobody has looked
    """

    target: Target
    t_ms: IntArray
    columns: Mapping[str, FloatArray]
    labelled: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A whole file. `skipped` counts rows by reason, `left_out` cells by column and reason."""

    tracks: tuple[Track, ...]
    rows: int
    skipped: Mapping[str, int]
    left_out: Mapping[str, int]
    examples: tuple[Fault, ...]


@dataclass(slots=True)
class _Tally:
    file: str
    unit: str
    rows: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[Fault] = field(default_factory=list)

    def example(self, line: int, column: str, value: object, accepted: str) -> None:
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(Fault(self.file, f"{self.unit} {line}, {column}", value, accepted))


class _Taken:
    """One device's rows as they come; `at` finds a column of the file by its name."""

    def __init__(self, target: Target, at: Mapping[str, int]) -> None:
        self.target = target
        self.where = [(at[c], frozenset(texts)) for c, texts in target.where.items()]
        self.above = [(at[c], c, limit) for c, limit in target.above.items()]
        self.sources = [(name, at[s.column], s) for name, s in sources_of(target)]
        self.labels = target.labels
        self.label_at = -1 if target.labels is None else at[target.labels.column]
        self.labelled = bytearray()
        self.t_ms = array("q")
        self.values = [array("d") for _ in self.sources]
        self.before_ms = 0

    def matches(self, row: Sequence[str]) -> bool:
        return all(row[index].strip() in texts for index, texts in self.where)

    def track(self) -> Track:
        t_ms = np.array(self.t_ms, dtype=np.int64)
        order = np.argsort(t_ms, kind="stable")
        columns = {
            name: np.array(values, dtype=np.float64)[order]
            for (name, _, _), values in zip(self.sources, self.values, strict=True)
        }
        labelled = np.frombuffer(bytes(self.labelled), dtype=np.bool_)
        return Track(
            self.target, t_ms[order], columns, labelled[order] if self.labels is not None else None
        )


def sources_of(target: Target) -> list[tuple[str, Source]]:
    """The columns of a device by the names that `Track` gives them."""
    if target.kind == "salinity":
        return list(target.columns.items())
    return [
        (f"{number}/{prefix}{name}", source)
        for number, lane in enumerate(target.lanes)
        for prefix, sources in (("count/", lane.count), ("", lane.fields))
        for name, source in sources.items()
    ]


def is_table(path: Path) -> bool:
    """Whether a file's name says that it is a CSV or Parquet."""
    return path.name.removesuffix(".gz").endswith(".csv") or is_parquet(path)


def is_parquet(path: Path) -> bool:
    return path.name.endswith(".parquet")


def read_table(path: Path, mapping: CsvMapping) -> Recorded:
    """Read a CSV (.csv, .csv.gz, in UTF-8) or a .parquet; raises `ConfigError` where it is none."""
    return (_read_parquet if is_parquet(path) else read_csv)(path, mapping)


def read_csv(path: Path, mapping: CsvMapping) -> Recorded:
    """Read a CSV, or a .csv.gz, in UTF-8; raises `ConfigError` where it can't be one."""
    rows = _rows(path, mapping.delimiter)
    _, header = next(rows, (0, []))
    header = [name.strip() for name in header]
    missing = missing_columns(mapping, header, str(path))
    if missing is not None:
        raise missing
    return _recorded(rows, header, mapping, _Tally(str(path), "line"))


def _read_parquet(path: Path, mapping: CsvMapping) -> Recorded:
    with opened(path) as table:
        missing = missing_columns(mapping, table.names, str(path))
        if missing is not None:
            raise missing
        named = named_columns(mapping)
        header = [name for name in table.names if name in named]
        # A column of times is read by its type, and what is absent stands as an empty text.
        time = mapping.time
        if time.column in table.times:
            time = replace(time, format="iso")
        how = replace(mapping, time=time, null=(*mapping.null, ""), decimal=".")
        return _recorded(table.rows(header), header, how, _Tally(str(path), "row"))


def _recorded(
    rows: Iterator[tuple[int, list[str]]],
    header: Sequence[str],
    mapping: CsvMapping,
    tally: _Tally,
) -> Recorded:
    at = {name: index for index, name in reversed(list(enumerate(header)))}
    taken = [_Taken(target, at) for target in mapping.targets]
    _take(rows, taken, mapping, at[mapping.time.column], len(header), tally)
    return Recorded(
        tuple(each.track() for each in taken),
        tally.rows,
        dict(tally.skipped),
        dict(tally.left_out),
        tuple(tally.examples),
    )


def mapping_of_file(file: Path, mapping_file: Path | None) -> CsvMapping:
    """The mapping that is named, or else the one beside the file; raises `ConfigError`."""
    path = mapping_file
    if path is None:
        path = file.with_name(_stem(file.name) + ".toml")
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        accepted = (
            "no such text; accepted is a mapping of columns in TOML and UTF-8 (docs/replay.md), "
            "beside the table or named by --mapping, or --station, --device and --column instead"
        )
        raise ConfigError([Fault("recording", "mapping", str(path), accepted)]) from None
    return parse_mapping(text, str(path))


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".csv").removesuffix(".parquet")


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Numbers of lines and their cells; blank lines are passed over."""
    opened = gzip.open if path.name.endswith(".gz") else open
    reader = None
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            for row in reader:
                if row:
                    yield reader.line_num, row
    except FileNotFoundError:
        raise ConfigError([Fault("recording", "file", str(path), "a file that exists")]) from None
    except (OSError, UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        line = f"after line {reader.line_num if reader else 0}"
        told = "accepted is a whole CSV in UTF-8, plain or as .gz"
        raise ConfigError([Fault(str(path), line, str(error), told)]) from error


def _take(
    rows: Iterator[tuple[int, list[str]]],
    taken: Sequence[_Taken],
    mapping: CsvMapping,
    time_index: int,
    width: int,
    tally: _Tally,
) -> None:
    read_time = reader_of(mapping.time)
    read_cell = _CellReader(mapping, tally)
    for line, row in rows:
        tally.rows += 1
        if len(row) != width:
            tally.skipped["wrong number of cells"] += 1
            tally.example(line, "the row", len(row), f"accepted are {width} cells")
            continue
        owners = [each for each in taken if each.matches(row)]
        if not owners:
            tally.skipped["of no device"] += 1
        for owner in owners:
            refused = read_cell.below(owner, row)
            if refused is not None:
                tally.skipped[refused] += 1
                continue
            values = read_cell.values(owner, row, line)
            if all(math.isnan(value) for value in values):
                tally.skipped["no value"] += 1
                continue
            text = row[time_index].strip()
            try:
                t_ms = read_time(text, owner.before_ms)
            except ValueError as error:
                tally.skipped["bad time"] += 1
                tally.example(line, f"column {mapping.time.column}", text, str(error))
                continue
            owner.before_ms = t_ms
            owner.t_ms.append(t_ms if mapping.time.at_start else t_ms - owner.target.interval_ms)
            if owner.labels is not None:
                owner.labelled.append(owner.labels.mark(row[owner.label_at].strip()))
            for held, value in zip(owner.values, values, strict=True):
                held.append(value)


class _CellReader:
    """Cells into numbers; NaN is absent, and a cell that is no number is noted."""

    def __init__(self, mapping: CsvMapping, tally: _Tally) -> None:
        self._null = frozenset(mapping.null)
        # 7999 in the mapping also means 7999.0 in the file.
        numbers = map(_number, mapping.null)
        self._null_numbers = frozenset(number for number in numbers if number is not None)
        self._comma = mapping.decimal == ","
        self._tally = tally

    def values(self, owner: _Taken, row: Sequence[str], line: int) -> list[float]:
        found = []
        for _, index, source in owner.sources:
            text = row[index].strip()
            value = math.nan if text in self._null else self._value(text, source, line)
            found.append(value)
        return found

    def below(self, owner: _Taken, row: Sequence[str]) -> str | None:
        """Why a row doesn't count for its device, or None."""
        for index, column, limit in owner.above:
            number = self._read(row[index].strip())
            if number is None or not number > limit:
                return f"{column} not above {limit:g}"
        return None

    def _read(self, text: str) -> float | None:
        return _number(text.replace(",", ".") if self._comma else text)

    def _value(self, text: str, source: Source, line: int) -> float:
        number = self._read(text)
        if number is None:
            self._note(line, source.column, "not a number", text, "accepted is a finite number")
            return math.nan
        if number in self._null_numbers:
            return math.nan
        value = number * source.scale + source.offset
        if not source.low <= value <= source.high:
            accepted = f"accepted is {source.low:g} to {source.high:g} after scaling"
            self._note(line, source.column, "out of range", text, accepted)
            return math.nan
        return value

    def _note(self, line: int, column: str, reason: str, value: str, accepted: str) -> None:
        self._tally.left_out[f"{column}: {reason}"] += 1
        self._tally.example(line, f"column {column}", value, accepted)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
