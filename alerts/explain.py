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

from alerts.engine import REORDER_MS
from alerts.explain_words import SAW, UNMET, Said, Unmet, duration, number
from alerts.instants import LOST_AFTER
from alerts.joint import FRESH, beyond_own, usable
from alerts.messages import unit_in
from alerts.pairs import LevelPairs, expected_ms, level_pairs
from alerts.retold import Step, replayed, replayed_group
from alerts.rise import SAME_TIDE_MS
from alerts.rules import RATES, Ask, GroupBy, Quality, Rule, RuleSet, Severity
from ingest.reading import QUANTITIES, Batch, Why
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


def lookahead_ms(rule: Rule, expected_ms: int) -> int:
    """How far on samples are needed: an instant of a group is asked when its members are past
    it, or lost, ms.
    """
    return (LOST_AFTER + 1) * expected_ms + REORDER_MS if rule.joint else 0


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
        from `lookback_ms` before `at_ms` to `lookahead_ms` after it
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
            told = _group(rule, pairs, pair, table, at_ms, samples, alerts, held)
        else:
            rows = samples[one.id]
            steps = replayed(pairs, pair, rows, active=_before(rows, at_ms, alerts))
            steps = [step for step in steps if step.t_ms <= at_ms]
            told = _proved(rule, pairs, pair, steps, at_ms, held)
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


def anchor(rule: Rule, one: Series, table: SeriesTable, registry: Registry) -> Series:
    """The series under which the alerts of a rule on one of its series stand."""
    pairs = level_pairs(RuleSet((rule,)), table, registry)
    found = (int(pairs.series[n]) for n in range(len(pairs)) if _concerns(pairs, n, one))
    return table.entries[next(found, one.id)]


def _before(rows: Batch, at_ms: int, alerts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the rule held before the first of some samples."""
    begun = int(rows.t_ms[0]) if len(rows) else at_ms
    return _holding(alerts, begun - 1) is not None


def _proved(
    rule: Rule,
    pairs: LevelPairs,
    pair: int,
    steps: Sequence[Step],
    at_ms: int,
    held: Mapping[str, Any] | None,
) -> dict[str, Any]:
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
    needed = float(pairs.raise_told[pair]) if rule.shared else rule.raise_level
    conditions = _conditions(rule, needed, steps, unmet, at_ms, int(pairs.gap_ms[pair]))
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
    rule: Rule,
    level: float | None,
    steps: Sequence[Step],
    unmet: Unmet | None,
    at_ms: int,
    gap_ms: int,
) -> list[dict[str, Any]]:
    """Each condition in order with whether it was met; None for those not come to."""
    fails = None if unmet is None else _FAILS.get(unmet)
    last = steps[-1] if steps else None
    facts: dict[str, tuple[Any, Any]] = {
        "sample": (gap_ms / 1000, None if last is None else (at_ms - last.t_ms) / 1000),
        "evaluated": ([1, 3, 4] if rule.ask is Ask.FLAGGED else [1, 2, 3], last and last.flag),
        "beyond": (level, last and last.compared),
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
    table: SeriesTable,
    at_ms: int,
    samples: Mapping[int, Batch],
    alerts: Sequence[Mapping[str, Any]],
    held: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The instants of a group, and what each member had at the last of them."""
    group = pairs.groups[pair - pairs.n_alone]
    rows = Batch.concat([samples[each.id] for each in group])
    rows = rows.take(np.argsort(rows.t_ms, kind="stable"))
    active = _before(rows, at_ms, alerts)
    steps = replayed_group(pairs, pair, rows, table.expected_ms, active=active)
    steps = [step for step in steps if step.t_ms <= at_ms]
    told = _proved(rule, pairs, pair, steps, at_ms, held)
    then_ms = steps[-1].t_ms if steps else at_ms
    members_then = [_member(rule, each, samples[each.id], then_ms) for each in group]
    absent = sum("value" not in each for each in members_then)
    if not steps and absent < len(group):
        told |= _told(Unmet.WAITING, {})
    missing = told["unmet"] == Unmet.UNKNOWN
    if rule.shared:
        lacking = rule.needed(len(group)) - sum(each["beyond"] for each in members_then)
        missing |= told["unmet"] == Unmet.NOT_BEYOND and absent >= lacking
    if missing:
        told |= _told(Unmet.MEMBER_MISSING, {})
    return {**told, "members": members_then}


def _member(rule: Rule, one: Series, rows: Batch, then_ms: int) -> dict[str, Any]:
    """What a member of a group had at an instant: its newest sample, if the rule may see it."""
    seen = (rows.t_ms <= then_ms) & (then_ms - rows.t_ms <= FRESH * expected_ms(one))
    seen &= usable(rows.flag, np.full(len(rows), rule.flagged is not None))
    seen &= (rows.why & (Why.LATE | Why.FUTURE)) == 0
    newest = rows.take(np.flatnonzero(seen)[-1:])
    found: dict[str, Any] = {"series": one.key}
    if len(newest):
        t_ms, value, flag = int(newest.t_ms[0]), float(newest.value[0]), int(newest.flag[0])
        found |= {"t": t_ms, "value": value, "flag": flag}
    if rule.shared:
        found["beyond"] = bool(beyond_own(rule, newest).any())
    return found


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
        return unit_in(str(value), language)
    return number(float(value), language) if name != "flag" else str(value)


def _level(told: Any, rule: Rule) -> float | str | None:
    """A level as the rule's author would name it: of quality a word, of yes and no nothing."""
    if rule.flagged is not None and not rule.shared:
        return rule.flagged.value
    return 0.0 if rule.ask is Ask.INCIDENT and not rule.shared else float(told)


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
