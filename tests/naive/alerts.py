"""The slow twin of alerts.engine: one pair at a time, by the sentences of the contract.

Nothing is remembered but the list of samples that count; every hold is found by walking back
over them. No state machine, no ring, no columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.rise import REMEMBERED, SAME_TIDE_MS, TIDE_REMEMBERED
from alerts.rules import RATES, Ask, Quality, Rule

PASS, NOT_EVALUATED, SUSPECT, FAIL = 1, 2, 3, 4
FLAT_LINE, DRY = 8, 32
MS_PER_H = 3_600_000


@dataclass(frozen=True)
class Sample:
    t_ms: int
    value: float
    flag: int
    why: int = 0


@dataclass(frozen=True)
class Told:
    """What a transition says, as far as the twin goes."""

    kind: str
    t_since_ms: int
    t_event_ms: int
    value: float
    limit: float | None
    worst_flag: int
    samples: int
    ordinal: int
    members: tuple[int, ...] = ()
    other: int = -1


@dataclass(frozen=True)
class Asked:
    """One question to a rule: what it compares while idle and while raised, and what it tells.

    Falling rules compare as they are written: `falling` turns the comparison round.
    """

    t_ms: int
    ordinal: int
    idle: float
    held: float
    told: tuple[float, float]
    flags: tuple[int, int]
    members: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    other: int = -1


def transitions(rule: Rule, samples: Sequence[Sample], expected_ms: int) -> list[Told]:
    """All transitions of one rule with levels over the samples of one series."""
    return told_of(rule, asked(rule, samples, expected_ms), expected_ms, members=1)


def told_of(rule: Rule, questions: Sequence[Asked], step_ms: int, members: int) -> list[Told]:
    """All transitions of one rule over what it is asked, each pair of samples `step_ms` apart."""
    told: list[Told] = []
    changed = 0  # only samples from here on count for the next change
    for place, now in enumerate(questions):
        active = bool(told) and told[-1].kind == "raised"
        first = place + 1
        while (
            first > changed
            and proves(rule, questions[first - 1], members, active=active)
            and (
                first - 1 == place
                or questions[first].t_ms - questions[first - 1].t_ms <= rule.hold_gap_ms(step_ms)
            )
        ):
            first -= 1
        run = questions[first : place + 1]
        hold_s = rule.clear_for_s if active else rule.for_s
        if run and now.t_ms - run[0].t_ms >= round(hold_s * 1000):
            told.append(
                Told(
                    "cleared" if active else "raised",
                    run[0].t_ms,
                    now.t_ms,
                    now.told[active],
                    limit(rule, members, active=active),
                    max(each.flags[active] for each in run),
                    len(run),
                    now.ordinal,
                    now.members[active],
                    now.other,
                )
            )
            changed = place + 1
    return told


def limit(rule: Rule, members: int, *, active: bool) -> float | None:
    if rule.at_least is not None:
        return float(rule.at_least)
    if rule.share_above is not None:
        return float(next(n for n in range(members + 2) if n > rule.share_above * members))
    if rule.ask in (Ask.FLAGGED, Ask.INCIDENT):
        return None
    return rule.clear_level if active else rule.raise_level


def proves(rule: Rule, each: Asked, members: int, *, active: bool) -> bool:
    """Whether it speaks for the change that would come next."""
    if rule.shared:
        needed = limit(rule, members, active=active)
        assert needed is not None
        return each.held < needed if active else each.idle >= needed
    flag = each.flags[active]
    falling = rule.ask in (Ask.BELOW, Ask.DIFFERENCE_BELOW)
    if active:
        return calm(rule, each.held, falling=falling) and (rule.permit or flag not in (3, 4))
    return beyond(rule, each.idle, falling=falling) and (not rule.permit or flag == PASS)


def beyond(rule: Rule, value: float, *, falling: bool) -> bool:
    if rule.ask is Ask.CONGESTION:
        assert rule.raise_level is not None
        return value >= rule.raise_level
    if rule.ask in (Ask.FLAGGED, Ask.INCIDENT):
        return value == 1
    assert rule.raise_level is not None
    return value < rule.raise_level if falling else value > rule.raise_level


def calm(rule: Rule, value: float, *, falling: bool) -> bool:
    if rule.ask is Ask.CONGESTION:
        assert rule.clear_level is not None
        return value < rule.clear_level
    if rule.ask in (Ask.FLAGGED, Ask.INCIDENT):
        return value == 0
    assert rule.clear_level is not None
    return value > rule.clear_level if falling else value < rule.clear_level


def asked(rule: Rule, samples: Sequence[Sample], expected_ms: int) -> list[Asked]:
    """What the levels are held against: values, slopes per hour, tides, or the quality."""
    seen = [sample for sample in samples if counts(rule, sample)]
    found: list[Asked] = []
    for place, sample in enumerate(seen):
        compared = of_past(rule, seen[: place + 1], expected_ms)
        if compared is not None:
            value, flag = compared
            told = sample.value if rule.ask is Ask.FLAGGED else value
            found.append(
                Asked(sample.t_ms, place + 1, value, value, (told, told), (flag, flag)),
            )
    return found


def counts(rule: Rule, sample: Sample) -> bool:
    """Whether a rule sees a sample at all."""
    tested = (PASS, SUSPECT, FAIL)
    valued = (PASS, NOT_EVALUATED, SUSPECT)
    return sample.flag in (tested if rule.ask is Ask.FLAGGED else valued)


def matches(rule: Rule, sample: Sample) -> bool:
    """Whether a sample has the quality that a rule asks for."""
    if rule.flagged is Quality.SUSPECT:
        return sample.flag in (SUSPECT, FAIL)
    if rule.flagged is Quality.FAIL:
        return sample.flag == FAIL
    return bool(sample.why & (FLAT_LINE if rule.flagged is Quality.STUCK else DRY))


def of_past(rule: Rule, seen: Sequence[Sample], expected_ms: int) -> tuple[float, int] | None:
    """What the newest of `seen` compares, with the worst flag of what that rests on."""
    sample = seen[-1]
    if rule.ask is Ask.FLAGGED:
        return float(matches(rule, sample)), sample.flag
    if rule.ask in RATES:
        return slope(rule, seen)
    if rule.ask is Ask.SAME_TIDE:
        return above_same_tide(seen, rule.hold_gap_ms(expected_ms))
    return sample.value, sample.flag


def thinned(samples: Sequence[Sample], step_ms: int) -> list[Sample]:
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.t_ms - kept[-1].t_ms >= step_ms:
            kept.append(sample)
    return kept


def slope(rule: Rule, seen: Sequence[Sample]) -> tuple[float, int] | None:
    sample, window_ms = seen[-1], round(rule.rise_window_s * 1000)
    kept = thinned(seen[:-1], -(-window_ms // REMEMBERED))
    within = [old for old in kept if old.t_ms >= sample.t_ms - window_ms]
    if not within or 2 * (sample.t_ms - within[0].t_ms) < window_ms:
        return None
    base = within[0]
    per_h = round((sample.value - base.value) / ((sample.t_ms - base.t_ms) / MS_PER_H), 4)
    return (-per_h if rule.ask is Ask.FALL else per_h) + 0.0, max(sample.flag, base.flag)


def above_same_tide(seen: Sequence[Sample], near_ms: int) -> tuple[float, int] | None:
    sample = seen[-1]
    step_ms = -(-(SAME_TIDE_MS + near_ms) // (TIDE_REMEMBERED - 2))
    near_ms = max(near_ms, 2 * step_ms)
    then_ms = sample.t_ms - SAME_TIDE_MS
    kept = thinned(seen[:-1], step_ms)
    for old in kept:
        if old.t_ms == then_ms:
            return round(sample.value - old.value, 4) + 0.0, max(sample.flag, old.flag)
    early = [old for old in kept if then_ms - near_ms <= old.t_ms < then_ms]
    late = [old for old in kept if then_ms < old.t_ms <= then_ms + near_ms]
    if not early or not late:
        return None
    a, b = early[-1], late[0]
    then = a.value + (b.value - a.value) * ((then_ms - a.t_ms) / (b.t_ms - a.t_ms))
    return round(sample.value - then, 4) + 0.0, max(sample.flag, a.flag, b.flag)
