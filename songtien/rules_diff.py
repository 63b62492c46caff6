"""Which alerts two sets of rules make of the same recording, and where they differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.alert import AlertEvent

COMPARED: Final = ("severity", "t_event", "t_cleared", "told", "suppressed")
"""What may differ of an alert that both have raised: its id is that of rule, series and begin."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Alerts of each side, in the order of their begin, as `Row`s.

    A row has `id`, `rule`, `k`, `severity`, `t_since`, `t_event`, `t_cleared` (absent while it
    holds), `told`, `value`, `limit` and `unit`.
    moved : (of A, of B) of one rule and series that overlap in time and begin at another time
    """

    a: tuple[Row, ...]
    b: tuple[Row, ...]
    only_a: tuple[Row, ...]
    only_b: tuple[Row, ...]
    changed: tuple[tuple[Row, Row], ...]
    moved: tuple[tuple[Row, Row], ...]

    @property
    def differs(self) -> bool:
        return bool(self.only_a or self.only_b or self.changed or self.moved)

    def by_rule(self) -> dict[str, tuple[int, int]]:
        """How many alerts each rule has raised, (A, B)."""
        names = dict.fromkeys(row["rule"] for row in (*self.a, *self.b))
        return {
            name: (
                sum(row["rule"] == name for row in self.a),
                sum(row["rule"] == name for row in self.b),
            )
            for name in sorted(names)
        }


def difference(a: Iterable[AlertEvent], b: Iterable[AlertEvent]) -> Difference:
    """Compare the alert logs of two runs of one recording."""
    of_a, of_b = _alerts(a), _alerts(b)
    alone_a = [row for key, row in of_a.items() if key not in of_b]
    alone_b = [row for key, row in of_b.items() if key not in of_a]
    moved = _moved(alone_a, alone_b)
    gone_a = {left["id"] for left, _ in moved}
    gone_b = {right["id"] for _, right in moved}
    changed = [
        (row, of_b[key])
        for key, row in of_a.items()
        if key in of_b and any(row.get(name) != of_b[key].get(name) for name in COMPARED)
    ]
    return Difference(
        tuple(of_a.values()),
        tuple(of_b.values()),
        tuple(row for row in alone_a if row["id"] not in gone_a),
        tuple(row for row in alone_b if row["id"] not in gone_b),
        tuple(changed),
        tuple(moved),
    )


def _alerts(events: Iterable[AlertEvent]) -> dict[str, Row]:
    """Each alert as the last of its events left it."""
    found: dict[str, Row] = {}
    for event in events:
        alert = event.alert
        names = ("id", "rule", "k", "severity", "t_since", "t_event", "t_cleared")
        row = {name: alert[name] for name in names if name in alert}
        row["told"] = not alert["historic"]
        more = ("value", "limit", "unit", "suppressed")
        found[alert["id"]] = row | {name: alert[name] for name in more if name in alert}
    ordered = sorted(found.values(), key=lambda row: (row["t_since"], row["rule"], row["k"]))
    return {row["id"]: row for row in ordered}


def _moved(alone_a: Sequence[Row], alone_b: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pair what is the same spell with another begin: each alert at most once, oldest first."""
    waiting: dict[tuple[str, str], list[Row]] = {}
    for row in alone_b:
        waiting.setdefault((row["rule"], row["k"]), []).append(row)
    found = []
    for row in alone_a:
        others = waiting.get((row["rule"], row["k"]), [])
        match = next((other for other in others if _overlap(row, other)), None)
        if match is not None:
            others.remove(match)
            found.append((row, match))
    return found


def _overlap(one: Row, other: Row) -> bool:
    return bool(
        one["t_since"] < other.get("t_cleared", one["t_since"] + 1)
        and other["t_since"] < one.get("t_cleared", other["t_since"] + 1)
    )
