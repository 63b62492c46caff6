"""What never changes of an alert once it is raised, and what its events rest on."""

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.alert import Alert
from alerts.messages import Facts, local_time, render
from alerts.notices import ASK, SALT_UNKNOWN, NoticeRule
from alerts.rules import Ask, Rule
from alerts.topology import Common, Down, Group
from alerts.transition import Cause, Transition
from ingest.reading import Flag, Why
from ingest.registry import Registry
from ingest.series import Series, SeriesTable


def of_rule(
    rule: Rule,
    change: Transition,
    at_ms: int,
    series: SeriesTable,
    registry: Registry,
    hangs: Mapping[str, str],
) -> dict[str, Any]:
    """The fields of an alert that a rule has raised; absent is absent.

    hangs : see `alerts.topology.hanging`
    """
    one = series.entries[change.series]
    never = change.cause is Cause.NEVER_SEEN
    fixed = {
        "rule": rule.id,
        "rule_version": rule.version,
        "ask": "never_seen" if never else rule.ask.value,
        "severity": rule.severity.value,
        "permit": True if rule.permit else None,
        "sim": True if change.why & Why.SIMULATED else None,
        "k": one.key,
        "station": one.station or None,
        "device": one.device,
        "kind": one.kind,
        "branch": list(one.branches),
        "quantity": one.quantity,
        "direction": one.direction,
        "level": one.level,
        "unit": rule.unit(one.unit),
        "value": change.value,
        "limit": change.limit,
        "flag": change.flag,
        "suspect": change.worst_flag == Flag.SUSPECT,
        "other": None if change.other < 0 else series.entries[change.other].key,
        "members": [series.entries[each].key for each in change.members] or None,
        "t_since": change.t_since_ms,
        "t_event": change.t_event_ms,
        "t_detected": at_ms,
        **_texts(rule, change, one, registry, hangs),
    }
    return {name: value for name, value in fixed.items() if value is not None}


def _texts(
    rule: Rule,
    change: Transition,
    one: Series,
    registry: Registry,
    hangs: Mapping[str, str],
) -> dict[str, str]:
    station = registry.stations.get(one.station)
    if station is None:  # what is of a mouth, as the length of the salt, stands at no station
        reach = registry.reaches.get(one.device)
        place = one.device if reach is None else reach.name
    else:
        place = station.name
    by_clock = rule.ask is Ask.NO_DATA
    directions = {} if station is None else station.directions
    facts = Facts(
        station=place,
        device=hangs.get(one.device, one.device),
        value=change.value,
        limit=change.limit,
        unit=rule.unit(one.unit),
        since_ms=change.t_since_ms,
        direction={} if one.direction is None else directions.get(one.direction, {}),
        limit_is_s=by_clock,
    )
    never = change.cause is Cause.NEVER_SEEN
    return {
        "message_vi": render(rule.never_seen_vi if never else rule.message_vi, facts, "vi"),
        "message_en": render(rule.never_seen_en if never else rule.message_en, facts, "en"),
    }


def of_group(
    rule: NoticeRule,
    group: Group,
    members: Sequence[str],
    severity: str,
    since_ms: int,
    at_ms: int,
    registry: Registry,
) -> dict[str, Any]:
    """The fields of an alert that stands for many devices. `members` hang there now."""
    station = registry.stations.get(group.name) if group.common is Common.STATION else None
    own = [registry.devices[device] for device in group.devices]
    branches = [registry.stations[each.station].branches for each in own]
    kinds = sorted({each.kind for each in own})
    said = {
        "name": group.name if station is None else station.name,
        "count": len(members),
        "since": local_time(since_ms),
    }
    texts = {"message_vi": rule.message_vi, "message_en": rule.message_en}
    fixed = {
        "rule": rule.id,
        "rule_version": rule.version,
        "ask": ASK,
        "severity": severity,
        "k": group.k,
        "station": None if station is None else station.id,
        "stations": list(dict.fromkeys(each.station for each in own)) if station is None else None,
        "kind": kinds[0] if len(kinds) == 1 else None,
        "branch": list(dict.fromkeys(one for each in branches for one in each)) or None,
        "count": len(members),
        "members": list(members),
        "t_since": since_ms,
        "t_event": at_ms,
        "t_detected": at_ms,
        **{
            name: text.format(**said) + (SALT_UNKNOWN[name] if "salinity" in kinds else "")
            for name, text in texts.items()
        },
    }
    return {name: value for name, value in fixed.items() if value is not None}


def evidence(
    change: Transition, series: SeriesTable, rule: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a change rests on: the samples that proved it and, if raised, the whole rule."""
    found: dict[str, Any] = {
        "cause": change.cause.value,
        "t_since": change.t_since_ms,
        "t_event": change.t_event_ms,
        "value": change.value,
        "first_value": change.first_value,
        "reading": change.reading,
        "limit": change.limit,
        "flag": change.flag,
        "worst_flag": change.worst_flag,
        "why": change.why,
        "samples": change.samples,
        "other": None if change.other < 0 else series.entries[change.other].key,
        "members": [series.entries[each].key for each in change.members] or None,
        "rule": rule,
    }
    return {name: value for name, value in found.items() if value is not None}


def of_down(down: Down, alerts: Sequence[Alert]) -> dict[str, Any]:
    """What the alert of a group rests on: when each device was heard, and whose time is up."""
    heard = {device: at_ms for device, at_ms in down.heard_ms.items() if at_ms >= 0}
    return {
        "cause": "down",
        "heard": heard,
        "due": [f"{each.rule} {each.fixed['k']}" for each in alerts],
    }
