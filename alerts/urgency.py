"""How soon people are reminded of an alert that nobody has acknowledged, and told of upwards.

In rules.toml, one table for each severity, all of it optional:

    [escalation.critical]
    remind_s = 600
    escalate_s = [900, 1800]

`remind_s` is the time between two reminders, 0 for none; `escalate_s` says after how long the
alert goes one level up each time, [] for never. Both count from when people were told, and end
with the acknowledgement. What a table leaves out keeps its default.

The defaults are expert judgement, unverified: no source was found that says how long a salinity
or traffic alert may wait. Their form is that of EEMUA 191 and IEC 62682 (alarms that nobody
answers are annunciated again and passed on).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from ingest.tables import Table, is_number

TABLE: Final = "escalation"
KEYS: Final[tuple[str, ...]] = ("remind_s", "escalate_s")

# Plain words, not `alerts.rules.Severity`: the set of rules holds an `Urgency`.
SEVERITIES: Final[tuple[str, ...]] = ("info", "warning", "major", "critical")

SHORTEST_S: Final = 10.0
LONGEST_S: Final = 30 * 86_400.0
LEVELS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """For one severity, ms: between two reminders (0: none), and of each level, rising."""

    remind_ms: int = 0
    escalate_ms: tuple[int, ...] = ()


DEFAULTS: Final[Mapping[str, Pace]] = MappingProxyType(
    {
        "info": Pace(),
        "warning": Pace(4 * 3_600_000),
        "major": Pace(1_800_000, (3_600_000,)),
        "critical": Pace(600_000, (900_000, 1_800_000)),
    }
)


@dataclass(frozen=True, slots=True)
class Urgency:
    """The pace of each severity."""

    paces: Mapping[str, Pace] = field(default_factory=lambda: DEFAULTS)

    def of(self, severity: str) -> Pace:
        return self.paces[severity]


NOBODY: Final = Urgency({name: Pace() for name in SEVERITIES})
"""Nobody is reminded of anything: for feeds that are run again, where nobody could answer."""


def read_urgency(top: Table) -> Urgency:
    """The tables under `escalation` of a rules file; `top` must accept that key."""
    given = top.table(TABLE, SEVERITIES)
    return Urgency({name: _pace(given.table(name, KEYS), DEFAULTS[name]) for name in SEVERITIES})


def _pace(table: Table, default: Pace) -> Pace:
    return Pace(
        _remind_ms(table) if table.has("remind_s") else default.remind_ms,
        _escalate_ms(table) if table.has("escalate_s") else default.escalate_ms,
    )


def _remind_ms(table: Table) -> int:
    value = table.content["remind_s"]
    if value == 0 and is_number(value):
        return 0
    found = table.optional_number("remind_s", SHORTEST_S, LONGEST_S, "s, or 0 for none")
    return round((found or 0) * 1000)


def _escalate_ms(table: Table) -> tuple[int, ...]:
    value = table.content["escalate_s"]
    accepted = (
        f"accepted are up to {LEVELS_MAX} rising numbers from {SHORTEST_S:g} to {LONGEST_S:g} s"
        " such as [900, 1800], or [] for never"
    )
    if not isinstance(value, list) or len(value) > LEVELS_MAX:
        table.fault("escalate_s", accepted)
        return ()
    found: list[int] = []
    for each in value:
        if not is_number(each) or not SHORTEST_S <= each <= LONGEST_S:
            table.fault("escalate_s", accepted)
            return ()
        found.append(round(each * 1000))
    if any(late <= early for early, late in pairwise(found)):
        table.fault("escalate_s", accepted)
        return ()
    return tuple(found)
