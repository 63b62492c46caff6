"""The mapping of one probe's CSV, from the words of a command line."""

from collections.abc import Sequence
from typing import Any

from ingest.tables import Faults
from simulators.mapping import DEFAULT_NULL, CsvMapping, mapping_of


def mapping_of_options(
    *,
    kind: str,
    station: str,
    device: str,
    time_column: str,
    columns: Sequence[str],
    time_format: str = "iso",
    zone: str | None = None,
    where: Sequence[str] = (),
    null: Sequence[str] = DEFAULT_NULL,
    delimiter: str = ",",
) -> CsvMapping:
    """The mapping of one probe, from the words of a command line.

    columns : `FIELD=COLUMN` or `FIELD=COLUMN:UNIT`, such as `ec25_ms_cm=cond:uS/cm`
    where : `COLUMN=TEXT`
    """
    faults = Faults("options")
    fields: dict[str, Any] = {}
    for field, column in _pairs(columns, faults, "column", "FIELD=COLUMN or FIELD=COLUMN:UNIT"):
        name, _, unit = column.partition(":")
        fields[field] = {"column": name, "unit": unit} if unit else name
    time: dict[str, Any] = {"column": time_column, "format": time_format}
    if zone is not None:
        time["zone"] = zone
    content: dict[str, Any] = {
        "delimiter": delimiter,
        "null": list(null),
        "time": time,
        "device": [
            {
                "kind": kind,
                "station": station,
                "device": device,
                "where": dict(_pairs(where, faults, "where", "COLUMN=TEXT")),
                "columns": fields,
            }
        ],
    }
    faults.raise_if_any()
    return mapping_of(content, "options")


def _pairs(words: Sequence[str], faults: Faults, key: str, accepted: str) -> list[tuple[str, str]]:
    found = []
    for word in words:
        left, equals, right = word.partition("=")
        if not (left and equals and right):
            faults.add(key, word, f"accepted is {accepted}")
        found.append((left, right))
    return found
