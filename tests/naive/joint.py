"""The slow twin of alerts.joint: every sample by itself, all instants asked for each time."""

from collections.abc import Sequence

from alerts.rules import Ask, Rule
from tests.naive.alerts import Asked, Sample, beyond, calm, counts, matches

SUSPECT = 3


def instants(
    rows: Sequence[tuple[int, Sample]], expected_ms: dict[int, int], reorder_ms: int
) -> list[tuple[int, int]]:
    """(T, how many of the rows had come by then), of one group, in order."""
    step_ms = max(expected_ms.values())
    newest: dict[int, int] = {}
    waiting: set[int] = set()
    told: list[tuple[int, int]] = []
    for place, (series, sample) in enumerate(rows, 1):
        newest[series] = max(newest.get(series, -1), sample.t_ms)
        at_ms = -(-sample.t_ms // step_ms) * step_ms
        if not told or at_ms > told[-1][0]:
            waiting.add(at_ms)
        ahead = max(newest.values())
        for t_ms in sorted(waiting):
            patient = True
            for member, interval_ms in expected_ms.items():
                seen = newest.get(member)
                lost = seen is None or ahead - seen > 2 * interval_ms + reorder_ms
                complete = seen is not None and seen >= t_ms
                patient &= complete or (lost and ahead > t_ms + reorder_ms)
            if patient:
                told.append((t_ms, place))
                waiting.discard(t_ms)
    return told


def asked(
    rule: Rule,
    rows: Sequence[tuple[int, Sample]],
    expected_ms: dict[int, int],
    reorder_ms: int,
) -> list[Asked]:
    """What a rule is asked about one group; the order of `expected_ms` is that of `between`."""
    found = []
    for ordinal, (t_ms, come) in enumerate(instants(rows, expected_ms, reorder_ms), 1):
        present: dict[int, Sample] = {}
        for member, interval_ms in expected_ms.items():
            seen = [s for n, s in rows[:come] if n == member and counts(rule, s)]
            before = [s for s in seen if s.t_ms <= t_ms]
            if before and t_ms - before[-1].t_ms <= 2 * interval_ms:
                present[member] = before[-1]
        question = (share if rule.shared else difference)(rule, expected_ms, present, t_ms, ordinal)
        if question is not None:
            found.append(question)
    return found


def difference(
    rule: Rule, expected_ms: dict[int, int], present: dict[int, Sample], t_ms: int, ordinal: int
) -> Asked | None:
    del rule
    if len(present) < 2:
        return None
    first, second = (present[member] for member in expected_ms)
    gap = round(first.value - second.value, 4) + 0.0
    flag = max(first.flag, second.flag)
    other = list(expected_ms)[1]
    return Asked(t_ms, ordinal, gap, gap, (gap, gap), (flag, flag), other=other)


def share(
    rule: Rule, expected_ms: dict[int, int], present: dict[int, Sample], t_ms: int, ordinal: int
) -> Asked | None:
    if not present:
        return None
    falling = rule.ask is Ask.BELOW
    up, quiet = [], []
    for member, sample in present.items():
        value = float(matches(rule, sample)) if rule.ask is Ask.FLAGGED else sample.value
        if beyond(rule, value, falling=falling):
            up.append(member)
        if calm(rule, value, falling=falling) and sample.flag < SUSPECT:
            quiet.append(member)
    uncalm = [member for member in expected_ms if member not in quiet]
    flags = tuple(max([1, *(present[m].flag for m in some)]) for some in (up, quiet))
    return Asked(
        t_ms,
        ordinal,
        len(up),
        len(uncalm),
        (float(len(up)), float(len(uncalm))),
        (flags[0], flags[1]),
        (tuple(sorted(up)), tuple(sorted(uncalm))),
    )
