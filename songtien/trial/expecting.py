"""Whether what there is fits what a test expects, and what to say where it does not. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from alerts.notices import NOTICES, STATION_DOWN, UPLINK_DOWN
from ingest.tables import did_you_mean

SHOWN_MAX = 12

_ALERT_FIELDS: Final = (
    "id ver state historic rule rule_version ask severity permit sim test k station stations "
    "device kind branch quantity direction level unit value limit flag suspect other members "
    "count detail t_since t_event t_detected t_told t_cleared t_acked t_ended t_escalated "
    "message_vi message_en shelved_until shelved_why suppressed flapping reminders escalation "
    "timeline evidence"
)
ALERT_FIELDS: Final = frozenset(_ALERT_FIELDS.split())
"""All that an alert may have (`alerts.particulars`, `notices`, `alert.alert_body`)."""

_BUILT_IN: Final = (*NOTICES, UPLINK_DOWN.id, STATION_DOWN.id)

Wanted = Mapping[str, object]
"""Field by field: a value, anything that compares equal such as `pytest.approx`, or a function of
the value that says whether it will do.
"""


def fits(found: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether every wanted field is there and is as wanted."""
    return all(_fits(found.get(name), value) for name, value in wanted.items())


def check_alert(
    name: str,
    wanted: Wanted,
    *,
    rules: Collection[str],
    keys: Collection[str],
    there: Iterable[Mapping[str, Any]],
) -> None:
    """Raise ValueError for a rule, a series or a field that no alert can have: to expect that
    there is none would hold whatever happens.

    rules, keys : of the rules in force, and of all series; there : the alerts that there are
    """
    known = [*rules, *_BUILT_IN]
    if name not in {"*", *known, *(each["rule"] for each in there)}:
        raise ValueError(f"{name!r} is no rule: {did_you_mean(name, known)}")
    for field in wanted:
        if field not in ALERT_FIELDS:
            instead = did_you_mean(field, sorted(ALERT_FIELDS))
            raise ValueError(f"an alert has no field {field!r}: {instead}")
    key = wanted.get("k")
    if isinstance(key, str) and not key.startswith("songtien/") and key not in keys:
        raise ValueError(f"k={key!r} is no series: {did_you_mean(key, list(keys))}")


def told(what: str, wanted: Wanted, there: Iterable[Mapping[str, Any]], now: str) -> str:
    """The message of a failing test: what was expected, when, and what there is instead, what
    comes nearest first.
    """
    asked = ", ".join(f"{name}={_shown(value)}" for name, value in wanted.items())
    nearest = sorted(there, key=lambda each: -_fitting(each, wanted))
    lines = [_line(each, wanted) for each in nearest]
    shown = lines[:SHOWN_MAX]
    if len(lines) > SHOWN_MAX:
        shown.append(f"  … and {len(lines) - SHOWN_MAX} more")
    instead = "\n".join(["there is", *shown]) if lines else "there is none at all"
    return f"at {now}: expected {what}{' with ' if asked else ''}{asked}; {instead}"


def _fitting(found: Mapping[str, Any], wanted: Wanted) -> int:
    return sum(_fits(found.get(name), value) for name, value in wanted.items())


def _fits(value: object, wanted: object) -> bool:
    if callable(wanted):
        judge: Callable[[object], object] = wanted
        return value is not None and bool(judge(value))
    return bool(value == wanted)


def _shown(wanted: object) -> str:
    if callable(wanted):
        return getattr(wanted, "__name__", repr(wanted))
    return repr(wanted)


def _line(found: Mapping[str, Any], wanted: Wanted) -> str:
    """The fields that tell one from another, and those that were asked for."""
    names = [
        name
        for name in ("k", "rule", "state", "severity", "reason", "n", "v", "q", "st")
        if name in found
    ]
    names += [name for name in wanted if name in found and name not in names]
    return "  " + ", ".join(f"{name}={found[name]!r}" for name in names)
