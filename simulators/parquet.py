"""A Parquet file as rows of text, as a CSV would have them. Needs pyarrow, the extra `parquet`."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from ingest.faults import ConfigError, Fault

ROWS_TOGETHER: Final = 10_000


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is open. `times` are the columns that hold times by their type."""

    file: Any
    names: Sequence[str]
    times: frozenset[str]

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Rows with their numbers from 1; the text of what is absent, or NaN, is empty."""
        import pyarrow as pa  # noqa: PLC0415 - whoever replays CSV needs none

        number = 0
        for batch in self.file.iter_batches(ROWS_TOGETHER, columns=list(columns)):
            lists = []
            for column in columns:
                # Of two columns of one name the first, as in a CSV.
                values = batch.column(batch.schema.names.index(column))
                if pa.types.is_timestamp(values.type):
                    # Finer than a microsecond is beyond what Python's times hold.
                    values = values.cast(pa.timestamp("us", values.type.tz), safe=False)
                lists.append([_text(value) for value in values.to_pylist()])
            for row in zip(*lists, strict=True):
                number += 1
                yield number, list(row)


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """Raises ConfigError where there is no pyarrow, and where the file is not Parquet."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - the same
        import pyarrow.parquet as pq  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        accepted = "Parquet needs pyarrow: install songtien[parquet], or replay a CSV"
        raise ConfigError([Fault("recording", "file", str(path), accepted)]) from error
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            times = (
                field.name
                for field in schema
                if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)
            )
            yield Table(file, schema.names, frozenset(times))
    except FileNotFoundError:
        raise ConfigError([Fault("recording", "file", str(path), "a file that exists")]) from None
    except (OSError, pa.ArrowException) as error:
        told = "accepted is a whole Parquet file with columns of numbers, texts and times"
        raise ConfigError([Fault(str(path), "the file", str(error).strip(), told)]) from error


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
