"""What is no fault of a rules file, and still can't work with the stations that there are.

A level beyond which every value is flagged as failed (4000 mg/L where g/L are meant), a hold
that no two samples can prove, a group that is too small: the file is right, the rule is quiet
for ever. Whoever checks a file is told; a service starts all the same, since stations come.
"""

from collections.abc import Iterator, Sequence

from alerts.pairs import groups_of
from alerts.rules import RATES, Ask, Rule, RuleSet, watched
from ingest.registry import Registry
from ingest.series import Series, SeriesTable


def doubts(rules: RuleSet, series: SeriesTable, registry: Registry) -> list[str]:
    """One sentence each, which begins with the rule's id; in the order of the rules."""
    return [
        f"{rule.id} {why}"
        for rule in rules.rules
        for why in _of(rule, list(watched(rule, series, registry)), series, registry)
    ]


def _of(
    rule: Rule, found: Sequence[Series], series: SeriesTable, registry: Registry
) -> Iterator[str]:
    if not found:
        yield "watches no series of these stations"
        return
    if rule.joint:
        largest = max((len(group) for group in groups_of(rule, series, registry)), default=0)
        if not largest:
            yield "finds no two series to compare"
        elif rule.shared and rule.needed(largest) > largest:
            yield f"can't be raised: at_least = {rule.at_least}, of {largest} series at most"
    if rule.notify_max_age_s == 0:
        yield "tells nobody: notify_max_age_s = 0, and every sample is older when it comes"
    yield from _of_times(rule, max(found, key=lambda one: one.expected_s))
    if not rule.shared:
        yield from _of_levels(rule, found, registry)


def _of_times(rule: Rule, slowest: Series) -> Iterator[str]:
    interval_s = slowest.expected_s
    of = f"and {slowest.key} comes every {interval_s:g} s"
    gap_s, held = rule.hold_gap_s, max(rule.for_s, rule.clear_for_s) > 0
    if gap_s is not None and gap_s < interval_s and held:
        yield f"can prove no hold: hold_gap_s = {gap_s:g}, {of}"
    if rule.ask in RATES and rule.rise_window_s < interval_s:
        yield f"can tell no slope: rise_window_s = {rule.rise_window_s:g}, {of}"
    if rule.no_data_s is not None and rule.no_data_s < interval_s:
        yield f"is raised between any two samples: no_data_s = {rule.no_data_s:g}, {of}"


def _of_levels(rule: Rule, found: Sequence[Series], registry: Registry) -> Iterator[str]:
    """Levels that only a failed value could pass, which no rule sees."""
    if rule.ask not in (Ask.ABOVE, Ask.BELOW):
        return
    above = rule.ask is Ask.ABOVE
    limits = [registry.limits(one.station, one.quantity) for one in found if one.station]
    highest = [each.fail_max for each in limits if each.fail_max is not None]
    lowest = [each.fail_min for each in limits if each.fail_min is not None]
    unit = "" if found[0].unit == "1" else f" {found[0].unit}"
    for level, upward, verb in (
        (rule.raise_level, above, "raised"),
        (rule.clear_level, not above, "cleared"),
    ):
        assert level is not None
        if upward and len(highest) == len(found) and level >= max(highest):
            yield f"can't be {verb} at {level:g}{unit}: beyond {max(highest):g} values are failed"
        if not upward and len(lowest) == len(found) and level <= min(lowest):
            yield f"can't be {verb} at {level:g}{unit}: below {min(lowest):g} values are failed"
