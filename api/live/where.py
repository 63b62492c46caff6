"""Filters of subscriptions: an AND of fields, each an OR over its list of values."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.series import Series

STATE_FIELDS = ("kind", "station", "branch", "device", "quantity")
ALERT_FIELDS = (*STATE_FIELDS, "severity", "rule")
VALUES_MAX = 2000

Facets = Mapping[str, tuple[str, ...]]
"""What a thing is, by field; several values where it is several (a station of two mouths)."""


def facets_of_series(series: Series) -> Facets:
    return {
        "kind": (series.kind,),
        "station": (series.station,),
        "branch": series.branches,
        "device": (series.device,),
        "quantity": (series.quantity,),
    }


class WhereError(ValueError):
    """A filter that is not accepted; the reason says what is."""


@dataclass(frozen=True, slots=True)
class Where:
    """A filter in its one canonical form, so that equal filters share what is encoded."""

    terms: tuple[tuple[str, frozenset[str]], ...] = ()

    def matches(self, facets: Facets) -> bool:
        return all(not wanted.isdisjoint(facets.get(field, ())) for field, wanted in self.terms)


EVERYTHING = Where()


def parse_where(raw: object, fields: tuple[str, ...] = STATE_FIELDS) -> Where:
    """Read a filter, absent meaning everything.

    Only what never changes about a thing may be filtered on: a thing would otherwise enter
    and leave a subscription with each of its values.

    Raises
    ------
    WhereError
        Not an object, a field not in `fields`, or a value that is not a list of texts.
    """
    if raw is None:
        return EVERYTHING
    if not isinstance(raw, dict):
        raise WhereError("where must be an object of lists")
    terms = []
    for field, values in sorted(raw.items()):
        if field not in fields:
            raise WhereError(f"where.{field}: filters are on {', '.join(fields)}")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise WhereError(f"where.{field} must be a list of texts")
        if len(values) > VALUES_MAX:
            raise WhereError(f"where.{field} may list {VALUES_MAX} values")
        terms.append((field, frozenset(values)))
    return Where(tuple(terms))
