"""The slow twin of alerts.engine: one pair at a time, by the sentences of the contract.

Nothing is remembered but the list of samples that count; every hold is found by walking back
over them. No state machine, no ring, no columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.rise import REMEMBERED
from alerts.rules import Ask, Rule

PASS, NOT_EVALUATED, SUSPECT = 1, 2, 3
MS_PER_H = 3_600_000


@dataclass(frozen=True)
class Sample:
    t_ms: int
    value: float
    flag: int


@dataclass(frozen=True)
class Told:
    """What a transition says, as far as the twin goes."""

    kind: str
    t_since_ms: int
    t_event_ms: int
    value: float
    limit: float
    worst_flag: int
    samples: int


def transitions(rule: Rule, samples: Sequence[Sample], expected_ms: int) -> list[Told]:
    """All transitions of one rule with levels over the samples of one series."""
    counted = compared(rule, [s for s in samples if s.flag in (PASS, NOT_EVALUATED, SUSPECT)])
    told: list[Told] = []
    changed = 0  # only samples from here on count for the next change
    for place, sample in enumerate(counted):
        active = bool(told) and told[-1].kind == "raised"
        first = place + 1
        while (
            first > changed
            and proves(rule, counted[first - 1], active=active)
            and (
                first - 1 == place
                or counted[first].t_ms - counted[first - 1].t_ms <= rule.hold_gap_ms(expected_ms)
            )
        ):
            first -= 1
        run = counted[first : place + 1]
        hold_s = rule.clear_for_s if active else rule.for_s
        if run and sample.t_ms - run[0].t_ms >= round(hold_s * 1000):
            level = rule.clear_level if active else rule.raise_level
            assert level is not None
            told.append(
                Told(
                    "cleared" if active else "raised",
                    run[0].t_ms,
                    sample.t_ms,
                    sample.value,
                    level,
                    max(s.flag for s in run),
                    len(run),
                )
            )
            changed = place + 1
    return told


def proves(rule: Rule, sample: Sample, *, active: bool) -> bool:
    """Whether a sample speaks for the change that would come next."""
    assert rule.raise_level is not None
    assert rule.clear_level is not None
    if active:
        calm = (
            sample.value > rule.clear_level
            if rule.ask is Ask.BELOW
            else sample.value < rule.clear_level
        )
        return calm and (rule.permit or sample.flag != SUSPECT)
    breach = (
        sample.value < rule.raise_level
        if rule.ask is Ask.BELOW
        else sample.value > rule.raise_level
    )
    return breach and (not rule.permit or sample.flag == PASS)


def compared(rule: Rule, samples: Sequence[Sample]) -> list[Sample]:
    """What the levels are held against: the samples themselves, or their slopes per hour."""
    if rule.ask is not Ask.RISE:
        return list(samples)
    window_ms = round(rule.rise_window_s * 1000)
    step_ms = -(-window_ms // REMEMBERED)
    kept: list[Sample] = []
    slopes: list[Sample] = []
    for sample in samples:
        within = [old for old in kept if old.t_ms >= sample.t_ms - window_ms]
        if within and 2 * (sample.t_ms - within[0].t_ms) >= window_ms:
            base = within[0]
            slope = (sample.value - base.value) / ((sample.t_ms - base.t_ms) / MS_PER_H)
            flag = max(sample.flag, base.flag)
            slopes.append(Sample(sample.t_ms, round(slope, 4) + 0.0, flag))
        if not kept or sample.t_ms - kept[-1].t_ms >= step_ms:
            kept.append(sample)
    return slopes
