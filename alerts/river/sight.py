"""What stations have shown of one water, as of one time: from it, the answer for any limit. Pure.

Reading off a station costs more than deciding, and how fast it rises or how old it is does not
depend on who asks. So it is read off once, and decided for every crop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from alerts.river import decision
from alerts.river.advice import MS_PER_H, Found
from alerts.river.decision import Facts, decide
from alerts.river.recent import Sample, ahead, ends_ms, held

HIGH_WATER_MS = int(decision.HIGH_WATER_H * MS_PER_H)
GAP_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose water it is: what he bears, and whether he is taking at the moment.

    interrupted : since he began a row that stops has matched
    gravity : the water must run in by itself
    """

    limit_g_l: float
    taking: bool = False
    interrupted: bool = False
    gravity: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What one station has shown.

    facts : of nobody in particular (a limit of 0, nothing held); None: nothing remembered
    samples : on which it is decided, rising; `fit` all that may be laid over, of 30 hours
    """

    station: str
    now_ms: int
    facts: Facts | None = None
    samples: Sequence[Sample] = ()
    fit: Sequence[Sample] = ()
    interval_ms: int = 0
    high_ms: int | None = None
    _ahead: list[list[tuple[int, float]]] = field(default_factory=list)
    """What is ahead, once somebody has asked."""

    def facts_for(self, asker: Asker) -> Facts | None:
        if self.facts is None:
            return None
        near = decision.near_g_l(asker.limit_g_l)
        held_ms, held_samples = held(list(self.samples), near, GAP_INTERVALS * self.interval_ms)
        return replace(
            self.facts,
            limit_g_l=asker.limit_g_l,
            held_h=held_ms / MS_PER_H,
            held_samples=held_samples,
            taking=asker.taking,
            interrupted=asker.interrupted,
            gravity=asker.gravity,
        )

    def found(self, asker: Asker) -> Found:
        """The decision, with how long it stands."""
        facts = self.facts_for(asker)
        if facts is None:
            return Found(decision.SILENT, self.station, None, None)
        t_ms = self.samples[-1].t_ms
        row = decide(facts)
        if row == decision.SILENT:
            return Found(row, self.station, facts, t_ms)
        until_ms = t_ms + int(decision.lasts_h(facts) * MS_PER_H)
        stop_by_ms = ends = None
        if row == decision.STILL_RISING:
            # Three hours after high water are over at a time of their own.
            over_ms = 0 if self.high_ms is None else self.high_ms + HIGH_WATER_MS - 1
            until_ms = min(until_ms, over_ms) if over_ms >= self.now_ms else until_ms
        elif row == decision.STOP:
            within_ms = min(decision.stop_within_h(facts), facts.age_max_h) * MS_PER_H
            stop_by_ms = t_ms + int(within_ms)
            until_ms = min(until_ms, stop_by_ms) if stop_by_ms >= self.now_ms else until_ms
        elif row == decision.TAKE:
            ends = self.ends_ms(facts.near_g_l)
        return Found(row, self.station, facts, t_ms, until_ms, stop_by_ms, ends)

    def ends_ms(self, near_g_l: float) -> int | None:
        """When taking will have to end by the tide of the day before; None: it can't be said."""
        if not self._ahead:
            self._ahead.append(ahead(self.fit))
        ends = ends_ms(self._ahead[0], near_g_l)
        return ends if ends is not None and ends > self.now_ms else None


def judge(sights: Sequence[Sight], asker: Asker) -> Found:
    """By the first station that can tell; any that measures too much salt forbids.

    So does one that is near the limit, or would be if its suspect reading were true: a salt
    front that comes fast is suspect at first.
    """
    found = [sight.found(asker) for sight in sights]
    told = [each for each in found if each.facts is not None]
    if not told:
        row = decision.SILENT if found else decision.NO_STATION
        return Found(row, found[0].station if found else None, None, None)
    for each in told:
        if each.row == decision.TOO_SALT:
            return each
    said = next((each for each in told if each.row not in decision.UNKNOWN), told[0])
    if said.row < decision.GATE_CLOSED:
        return said
    heard = (each for each in told if each.row not in (decision.SILENT, decision.BROKEN))
    return next((each for each in heard if each.facts and each.facts.near), said)
