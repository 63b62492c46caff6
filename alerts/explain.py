"""Why a rule held for a series at a time, or which of its conditions was not met.

The stored samples are taken once more, one after the other, by the rule's own levels and holds
(`alerts.pairs`, `alerts.rise`, what `alerts.engine` runs over), and what each of them did to
the rule is said. Nothing here is what raised the alert: that stands in its evidence. Flags are
those that stand now: one that was suspect when it came may have passed since.

Pure: samples, records and times are given.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from alerts.explain_words import SAW, UNMET, Said, Unmet, duration, number
from alerts.pairs import LevelPairs, level_pairs
from alerts.retold import Step, replayed
from alerts.rise import SAME_TIDE_MS
from alerts.rules import RATES, Ask, GroupBy, Quality, Rule, RuleSet, Severity
from ingest.reading import QUANTITIES, Batch, Flag, Why
from ingest.registry import Registry
from ingest.series import Series, SeriesTable

STEPS_TOLD: Final = 60
"""The last samples up to the time asked about; what lies before them is taken, and not told."""

LOOKBACK_MS: Final = 6 * 3_600_000


def lookback_ms(rule: Rule, expected_ms: int) -> int:
    """How far back samples are needed to say what a rule saw at a time, ms."""
    hold_s = max(rule.for_s, rule.clear_for_s)
    memory_ms = round(rule.rise_window_s * 1000) if rule.ask in RATES else 0
    if rule.ask is Ask.SAME_TIDE:
        memory_ms = SAME_TIDE_MS
    gap_ms = rule.hold_gap_ms(expected_ms)
    return max(LOOKBACK_MS, round(hold_s * 1000) + memory_ms + 4 * gap_ms)


def explained(
    rule: Rule,
    one: Series,
    table: SeriesTable,
    registry: Registry,
    at_ms: int,
    samples: Mapping[int, Batch],
    alerts: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Why `rule` held for the series `one` at `at_ms`, or why it did not.

    samples : of that series, and of the others of its group, by number; each rising in time,
        from `lookback_ms` before `at_ms` on
    alerts : the records of that rule and series that held at any time of this stretch
    """
    held = _holding(alerts, at_ms)
    said = {
        "rule": rule.id,
        "rule_version": rule.version,
        "ask": rule.ask.value,
        "quantity": rule.quantity,
        "unit": rule.unit(one.unit),
        "series": one.key,
        "station": one.station,
        "at": at_ms,
        "holds": held is not None,
    }
    if rule.ask is Ask.NO_DATA:
        told = _silence(rule, one, at_ms, samples[one.id], held)
    else:
        pairs = level_pairs(RuleSet((rule,)), table, registry)
        pair = next((n for n, each in enumerate(pairs.keys) if _concerns(pairs, n, one)), None)
        if pair is None:
            told = _told(Unmet.NOT_WATCHED, {})
        elif rule.joint:
            told = _group(rule, pairs, pair, at_ms, samples, held)
        else:
            told = _threshold(rule, pairs, pair, at_ms, samples[one.id], alerts, held)
    return {**said, **told, **_record(held)}


def members(rule: Rule, one: Series, table: SeriesTable, registry: Registry) -> list[int]:
    """The numbers of the series that have a say in what a rule asks of one of them."""
    if not rule.joint:
        return [one.id]
    pairs = level_pairs(RuleSet((rule,)), table, registry)
    found = {one.id}
    for n in range(len(pairs)):
        if _concerns(pairs, n, one):
            found.update(each.id for each in pairs.groups[n - pairs.n_alone])
    return sorted(found)


def _concerns(pairs: LevelPairs, pair: int, one: Series) -> bool:
    if pair < pairs.n_alone:
        return int(pairs.series[pair]) == one.id
    return any(each.id == one.id for each in pairs.groups[pair - pairs.n_alone])


def _threshold(
    rule: Rule,
    pairs: LevelPairs,
    pair: int,
    at_ms: int,
    rows: Batch,
    alerts: Sequence[Mapping[str, Any]],
    held: Mapping[str, Any] | None,
) -> dict[str, Any]:
    begun = int(rows.t_ms[0]) if len(rows) else at_ms
    steps = replayed(pairs, pair, rows, active=_holding(alerts, begun - 1) is not None)
    steps = [step for step in steps if step.t_ms <= at_ms]
    unit = rule.unit(QUANTITIES[rule.quantity].unit)
    limits = {
        "raise_level": _level(pairs.raise_told[pair], rule),
        "clear_level": _level(pairs.clear_told[pair], rule),
        "for_s": rule.for_s,
        "clear_for_s": rule.clear_for_s,
        "hold_gap_s": int(pairs.gap_ms[pair]) / 1000,
    }
    shown = [_shown(step, limits, unit) for step in steps[-STEPS_TOLD:]]
    content = {"limits": limits, "steps": shown, "samples": len(steps)}
    unmet = None if held is not None else _unmet(steps, at_ms, int(pairs.gap_ms[pair]))
    facts: dict[str, Any] = {**limits, "unit": unit}
    if steps:
        last = steps[-1]
        facts |= {
            "value": last.compared,
            "flag": last.flag,
            "held_s": last.held_ms / 1000,
            "needed_s": last.needed_ms / 1000,
            "age_s": (at_ms - last.t_ms) / 1000,
        }
    conditions = _conditions(rule, steps, unmet, at_ms, int(pairs.gap_ms[pair]))
    return {**content, "conditions": conditions, **_told(unmet, facts)}


def _unmet(steps: Sequence[Step], at_ms: int, gap_ms: int) -> Unmet | None:
    """Which condition was not met at a time; None where all were."""
    if not steps:
        return Unmet.NO_SAMPLE
    if at_ms - steps[-1].t_ms > gap_ms:
        return Unmet.OLD_SAMPLE
    return UNMET[steps[-1].saw]


_ORDER: Final = ("sample", "evaluated", "beyond", "good", "held")
_FAILS: Final[Mapping[Unmet, str]] = {
    Unmet.NO_SAMPLE: "sample",
    Unmet.OLD_SAMPLE: "sample",
    Unmet.LATE: "evaluated",
    Unmet.FUTURE: "evaluated",
    Unmet.FLAG: "evaluated",
    Unmet.UNKNOWN: "evaluated",
    Unmet.SIMULATED: "evaluated",
    Unmet.NOT_BEYOND: "beyond",
    Unmet.BETWEEN: "beyond",
    Unmet.BROKEN: "beyond",
    Unmet.CANNOT_PERMIT: "good",
    Unmet.NOT_HELD: "held",
    Unmet.GAP: "held",
    Unmet.CLEARED: "beyond",
}


def _conditions(
    rule: Rule, steps: Sequence[Step], unmet: Unmet | None, at_ms: int, gap_ms: int
) -> list[dict[str, Any]]:
    """Each condition in order with whether it was met; None for those not come to."""
    fails = None if unmet is None else _FAILS.get(unmet)
    last = steps[-1] if steps else None
    facts: dict[str, tuple[Any, Any]] = {
        "sample": (gap_ms / 1000, None if last is None else (at_ms - last.t_ms) / 1000),
        "evaluated": ([1, 3, 4] if rule.ask is Ask.FLAGGED else [1, 2, 3], last and last.flag),
        "beyond": (rule.raise_level, last and last.compared),
        "good": (1, last and last.flag),
        "held": (rule.for_s, last and last.held_ms / 1000),
    }
    found = []
    met: bool | None = True
    for name in _ORDER:
        if name == "good" and not rule.permit:
            continue
        if name == fails:
            met = False
        needed, seen = facts[name]
        found.append({"name": name, "met": met, "needed": needed, "found": seen})
        met = met or None
    return found


def _silence(
    rule: Rule, one: Series, at_ms: int, rows: Batch, held: Mapping[str, Any] | None
) -> dict[str, Any]:
    """No data goes by the newest time that was measured; future and simulated ones are no sign."""
    signs = rows.take((rows.why & (Why.FUTURE | Why.SIMULATED)) == 0)
    signs = signs.take(signs.t_ms <= at_ms)
    expected_ms = round(one.expected_s * 1000)
    after_ms = rule.no_data_after_ms(expected_ms)
    limits = {"no_data_s": after_ms / 1000, "expected_s": one.expected_s}
    if not len(signs):
        unmet = None if held is not None else Unmet.NEVER_SEEN
        return {"limits": limits, "steps": [], "samples": 0, **_told(unmet, dict(limits))}
    newest_ms = int(signs.t_ms[-1])
    facts = {**limits, "age_s": (at_ms - newest_ms) / 1000}
    due = at_ms - newest_ms >= after_ms
    unmet = None if held is not None else (Unmet.SILENT_UNRAISED if due else Unmet.HEARD)
    condition = {
        "name": "silent",
        "met": due or held is not None,
        "needed": after_ms / 1000,
        "found": (at_ms - newest_ms) / 1000,
    }
    return {
        "limits": limits,
        "newest": newest_ms,
        "steps": [],
        "samples": len(signs),
        "conditions": [condition],
        **_told(unmet, facts),
    }


def _group(
    rule: Rule,
    pairs: LevelPairs,
    pair: int,
    at_ms: int,
    samples: Mapping[int, Batch],
    held: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What each member of a group had at a time: its newest evaluated sample up to then."""
    group = pairs.groups[pair - pairs.n_alone]
    rows = [_newest(samples[each.id], at_ms) for each in group]
    told = [
        {"series": each.key, **({} if row is None else row)}
        for each, row in zip(group, rows, strict=True)
    ]
    values = [None if row is None else float(row["value"]) for row in rows]
    limits = {"raise_level": rule.raise_level, "clear_level": rule.clear_level, "for_s": rule.for_s}
    facts: dict[str, Any] = {**limits, "unit": rule.unit(group[0].unit)}
    if rule.shared:
        below = rule.ask is Ask.BELOW
        level = rule.raise_level if rule.raise_level is not None else 0.5
        beyond = [
            value is not None and (value < level if below else value > level) for value in values
        ]
        for each, is_beyond in zip(told, beyond, strict=True):
            each["beyond"] = is_beyond
        facts |= {"value": float(sum(beyond)), "raise_level": rule.needed(len(group))}
        enough = sum(beyond) >= rule.needed(len(group))
    else:
        first, second = values
        known = first is not None and second is not None
        facts["value"] = None if not known else round((first or 0.0) - (second or 0.0), 4)
        sign = -1.0 if rule.ask is Ask.DIFFERENCE_BELOW else 1.0
        enough = known and sign * facts["value"] > sign * (rule.raise_level or 0.0)
    unmet = None
    if held is None:
        if any(value is None for value in values) and not enough:
            unmet = Unmet.MEMBER_MISSING
        else:
            unmet = Unmet.GROUP_NOT_HELD if enough else Unmet.GROUP_NOT_BEYOND
    return {"limits": limits, "members": told, "steps": [], **_told(unmet, facts)}


def _newest(rows: Batch, at_ms: int) -> dict[str, Any] | None:
    seen = (rows.t_ms <= at_ms) & (rows.flag >= Flag.PASS) & (rows.flag <= Flag.SUSPECT)
    seen &= (rows.why & (Why.LATE | Why.FUTURE)) == 0
    places = np.flatnonzero(seen)
    if not len(places):
        return None
    n = int(places[-1])
    return {"t": int(rows.t_ms[n]), "value": float(rows.value[n]), "flag": int(rows.flag[n])}


def _holding(alerts: Sequence[Mapping[str, Any]], at_ms: int) -> Mapping[str, Any] | None:
    """The alert that held at a time, by the records."""
    for alert in alerts:
        if alert["t_event"] <= at_ms < alert.get("t_cleared", at_ms + 1):
            return alert
    return None


def _record(held: Mapping[str, Any] | None) -> dict[str, Any]:
    if held is None:
        return {}
    names = ("id", "state", "historic", "t_since", "t_event", "t_detected", "t_told", "t_cleared")
    beside = ("suppressed", "shelved_until", "shelved_why", "flapping", "rule_version")
    return {"alert": {name: held[name] for name in (*names, *beside) if name in held}}


def _shown(step: Step, limits: Mapping[str, Any], unit: str) -> dict[str, Any]:
    facts = {
        **limits,
        "unit": unit,
        "value": step.compared,
        "flag": step.flag,
        "held_s": step.held_ms / 1000,
        "needed_s": step.needed_ms / 1000,
    }
    return {
        "t": step.t_ms,
        "value": step.value,
        "flag": step.flag,
        "why": step.why,
        "compared": step.compared,
        "saw": step.saw.value,
        "held_s": step.held_ms / 1000,
        "needed_s": step.needed_ms / 1000,
        **_texts(SAW[step.saw], facts),
    }


def _told(unmet: Unmet | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    said = Said.of(unmet)
    return {"unmet": None if unmet is None else unmet.value, **_texts(said, facts)}


def _texts(said: Said, facts: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for language in ("vi", "en"):
        words = {name: _word(name, value, language) for name, value in facts.items()}
        found[f"text_{language}"] = getattr(said, language).format_map(_Facts(words))
    return found


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def _word(name: str, value: Any, language: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, str) and name != "unit":
        return f"“{value}”"
    if name.endswith("_s"):
        return duration(float(value), language)
    if name == "unit":
        return "" if value in ("1", "count") else str(value)
    return number(float(value), language) if name != "flag" else str(value)


def _level(told: Any, rule: Rule) -> float | str | None:
    """A level as the rule's author would name it: of quality a word, of yes and no nothing."""
    if rule.flagged is not None:
        return rule.flagged.value
    return 0.0 if rule.ask is Ask.INCIDENT else float(told)


def rule_of(described: Mapping[str, Any]) -> Rule:
    """The rule that an alert's evidence holds, as it was when it raised the alert."""
    kinds: dict[str, Any] = {
        "severity": Severity,
        "ask": Ask,
        "flagged": Quality,
        "group_by": GroupBy,
        "km": lambda km: tuple(np.inf if end is None else float(end) for end in km),
    }
    known = {
        name: kinds[name](value) if name in kinds else _tuple(value)
        for name, value in described.items()
        if name in Rule.__dataclass_fields__ and name != "version"
    }
    return Rule(**known)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
