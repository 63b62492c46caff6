"""How one place is watched, and what its people are told: the machine of `lookout`. Pure.

Two layers. The *salt spell* of a limit begins with two samples of at least that much, and is over
when nothing above 0.8 of it was read for 25 h (the two high waters of a day differ) and water may
be taken. Within it are *windows*, in which water may be taken for a while. By default people hear
of spells; of windows those hear who asked. Whether water may be taken is the decision table's
word (`alerts.river.decision`), which needs readings that passed every test; a suspect reading may
begin a spell and never ends one. Silence ends nothing and is told as silence.

All figures here are expert judgement, unverified.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import Any, Final

from alerts.farmers.answer import PERMITS, trend
from alerts.farmers.notice import ANY_LEVEL, Kind, Notice
from alerts.farmers.place import Place
from alerts.river import decision
from alerts.river.advice import Found
from alerts.river.decision import near_g_l
from alerts.river.recent import HOUR_MS, Sample
from alerts.river.sight import GAP_INTERVALS, Asker, Sight, judge
from ingest.reading import Flag
from ingest.registry import Registry

SPELL_MS: Final = 25 * HOUR_MS
HOLE_MS: Final = 2 * HOUR_MS
"""A high water hides in a longer hole: the 25 h begin again after it."""

PROVED_WITHIN_MS: Final = 15 * 60_000
PROVED_INTERVALS: Final = 2
PROVED_SAMPLES: Final = 3
"""Two samples of too much salt no further apart than the longer of the first two prove a danger,
or so many however far apart they came within the hours on which it is decided."""

REOPEN_MS: Final = HOUR_MS
UNKNOWN_SHUT_MS: Final = HOUR_MS
UNKNOWN_SHUT_INTERVALS: Final = 1.25
"""Who was told that he may take is told to stop when nothing that can be trusted was measured
for the longer of these."""

HEARD_MS: Final = HOUR_MS // 2

WHY_SILENT: Final[Mapping[int, str]] = {
    decision.NO_STATION: "no-station",
    decision.SILENT: "silent",
    decision.BROKEN: "broken",
    decision.DOUBTFUL: "suspect",
}


@dataclass(slots=True)
class Watch:
    """One limit at one place; times are -1 where there is nothing.

    spell_ms : since when it has been too salty; `event` names the spell, also after its end
    owed : the spell is over, and nobody could say yet that water may be taken
    open_ms, shut_ms : when the window at hand opened, when the last one was shut
    answer, since_ms : what the page says, and since when
    """

    spell_ms: int = -1
    event: str = ""
    owed: bool = False
    open_ms: int = -1
    shut_ms: int = -1
    answer: str = ""
    since_ms: int = -1

    @property
    def within_ms(self) -> int | None:
        """Since when there has been a spell, None outside of one."""
        return None if self.spell_ms < 0 else self.spell_ms


@dataclass(slots=True)
class Hearing:
    """Whether anything is measured at a place.

    known_ms : the last figure that could be trusted; back_ms : the first one after a silence
    event : names the silence that people were told of, "" where there is none
    interval_ms : between the figures of the station that was heard last
    """

    known_ms: int = -1
    back_ms: int = -1
    event: str = ""
    interval_ms: int = 0

    @property
    def patience_ms(self) -> int:
        """How long after a figure a window stays open without a further one."""
        return max(UNKNOWN_SHUT_MS, round(UNKNOWN_SHUT_INTERVALS * self.interval_ms))

    @property
    def shut_ms(self) -> int:
        """When a window is shut, if nothing is heard until then."""
        return self.known_ms + self.patience_ms


@dataclass(slots=True)
class Told:
    """What is found out of a place at one time, and the notices that come of it."""

    place: Place
    registry: Registry
    now_ms: int
    notices: list[Notice] = field(default_factory=list)

    def tell(
        self, kind: Kind, level_mg_l: int, since_ms: int, event: str, found: Found, **more: Any
    ) -> None:
        station = self.registry.stations.get(found.station or "")
        facts, figure_ms = found.facts, found.figure_ms
        if facts is not None and (facts.maintained or not facts.live):
            # What a bucket holds, or nobody measured, is no figure of the river.
            facts = figure_ms = None
        body = {
            "place_vi": self.registry.intakes[self.place.intake].name,
            "station": "" if station is None else station.name,
            "figure_g_l": None if facts is None else facts.salinity_g_l,
            "figure_ms": figure_ms,
            "flag": None if facts is None else facts.flag,
            "trend": trend(facts),
        }
        reach = "" if station is None else station.reach or ""
        self.notices.append(
            Notice(kind, self.place, level_mg_l, self.now_ms, since_ms, event, reach, body | more)
        )

    def event(self, *of: object) -> str:
        """The name of something that began at this place."""
        said = "|".join(str(each) for each in (self.place, *of))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def listen(told: Told, hearing: Hearing, found: Found, lost_at_ms: int) -> None:
    """Whether anything is measured. `lost_at_ms`: when silence is told, if it still holds."""
    if found.row in WHY_SILENT:
        _silent(told, hearing, found, lost_at_ms)
        return
    figure_ms, facts = found.figure_ms, found.facts
    assert figure_ms is not None
    assert facts is not None
    if hearing.event:
        gap_ms = GAP_INTERVALS * hearing.interval_ms
        if hearing.back_ms < 0 or figure_ms - hearing.known_ms > gap_ms:
            hearing.back_ms = figure_ms
        if figure_ms - hearing.back_ms >= HEARD_MS:
            told.tell(Kind.HEARD, ANY_LEVEL, hearing.back_ms, hearing.event, found)
            hearing.event, hearing.back_ms = "", -1
    hearing.known_ms = max(hearing.known_ms, figure_ms)
    hearing.interval_ms = round(facts.interval_h * HOUR_MS)


def gone(told: Told, hearing: Hearing) -> None:
    """The place itself is no more: whoever follows it must not take that for fresh water."""
    listen(told, hearing, Found(decision.NO_STATION, None, None, None), told.now_ms)


def _silent(told: Told, hearing: Hearing, found: Found, lost_at_ms: int) -> None:
    why = _why(found)
    if why != WHY_SILENT[decision.SILENT]:
        # That a reading is old is known by the gap before the next one.
        hearing.back_ms = -1
    due = found.row == decision.NO_STATION or told.now_ms >= lost_at_ms
    if hearing.known_ms < 0 or hearing.event or not due:
        return
    hearing.event = told.event("silent", hearing.known_ms)
    told.tell(Kind.SILENT, ANY_LEVEL, hearing.known_ms, hearing.event, found, why=why)


def _why(found: Found) -> str:
    """Why nothing is known, "" where something is."""
    maintained = found.facts is not None and found.facts.maintained
    return "maintenance" if maintained else WHY_SILENT.get(found.row, "")


def watch(
    told: Told,
    one: Watch,
    level_mg_l: int,
    found: Found,
    sights: Sequence[Sight],
    asker: Asker,
    hearing: Hearing,
) -> None:
    """Spells and windows of one limit. `found` is what somebody hears who does not take yet."""
    if found.row == decision.TOO_SALT:
        _salt(told, one, level_mg_l, found, sights, asker)
    elif one.spell_ms >= 0 and _over(found, sights, asker.limit_g_l):
        one.spell_ms, one.open_ms, one.owed = -1, -1, True
    if one.owed and found.row in PERMITS:
        one.owed = False
        since_ms = _fresh_since_ms(found, sights, asker.limit_g_l)
        _permit(told, Kind.FRESH, one, level_mg_l, since_ms, found)
    if one.spell_ms >= 0:
        _window(told, one, level_mg_l, found, sights, asker, hearing)


def _salt(
    told: Told, one: Watch, level_mg_l: int, found: Found, sights: Sequence[Sight], asker: Asker
) -> None:
    if one.spell_ms >= 0 or not _proved(sights, asker.limit_g_l):
        return
    since_ms = salt_since_ms(found, sights, asker.limit_g_l)
    one.spell_ms, one.owed, one.event = since_ms, False, told.event("salt", level_mg_l, since_ms)
    told.tell(Kind.SALT, level_mg_l, since_ms, one.event, found)


def _window(
    told: Told,
    one: Watch,
    level_mg_l: int,
    found: Found,
    sights: Sequence[Sight],
    asker: Asker,
    hearing: Hearing,
) -> None:
    if one.open_ms < 0:
        if found.row in PERMITS and told.now_ms - one.shut_ms >= REOPEN_MS:
            one.open_ms = told.now_ms
            since_ms = _fresh_since_ms(found, sights, asker.limit_g_l)
            _permit(told, Kind.OPEN, one, level_mg_l, since_ms, found)
        return
    taking = Asker(asker.limit_g_l, taking=True, gravity=asker.gravity)
    now = judge(sights, taking)
    # A gate that closes ends no window: others pump in front of it, and it may open to salt.
    unknown = now.row == decision.NO_STATION or (
        now.row in decision.UNKNOWN and told.now_ms >= hearing.shut_ms
    )
    left_h = _left_h(now)
    if not unknown and left_h * HOUR_MS > hearing.patience_ms:
        return
    one.open_ms, one.shut_ms = -1, told.now_ms
    begun_ms = hearing.known_ms if unknown else now.figure_ms
    since_ms = told.now_ms if begun_ms is None or begun_ms < 0 else begun_ms
    stop_by_ms = None
    if now.row == decision.STOP and now.figure_ms is not None:
        stop_by_ms = now.figure_ms + round(left_h * HOUR_MS)
    why = _why(now) if unknown else ""
    told.tell(Kind.SHUT, level_mg_l, since_ms, one.event, now, stop_by_ms=stop_by_ms, why=why)


def _left_h(now: Found) -> float:
    """For how long after the reading who takes may go on: 0 where he must stop, or unbounded.

    Advice to a gate is said anew with each reading. This is said once: not hours before the salt
    can come near, at the pace that 95 of 100 hours stay under, and early enough that nothing is
    missed if no further reading comes.
    """
    if now.row in (decision.TOO_SALT, decision.MAY_BE_TOO_SALT):
        return 0.0
    if now.facts is not None and now.row == decision.STOP:
        return decision.stop_within_h(now.facts)
    doubted = now.row == decision.DOUBTFUL and now.facts is not None and now.facts.near
    return 0.0 if doubted else math.inf


def _permit(
    told: Told, kind: Kind, one: Watch, level_mg_l: int, since_ms: int, found: Found
) -> None:
    told.tell(
        kind,
        level_mg_l,
        since_ms,
        one.event,
        found,
        until_ms=found.until_ms,
        ends_ms=found.ends_ms,
        pump=found.row == decision.PUMP_ONLY,
    )


def _counts(sample: Sample) -> bool:
    """Whether a sample may speak of danger: a suspect one may."""
    return sample.flag in (Flag.PASS, Flag.SUSPECT) and not sample.simulated and not sample.bad


def _proved(sights: Sequence[Sight], limit_g_l: float) -> bool:
    """Two samples in a row, more where some are lost, or one that another station confirms."""
    confirmed = 0
    for sight in sights:
        last = [each for each in sight.samples if _counts(each)][-PROVED_SAMPLES:]
        if sight.facts is None or not last or last[-1] is not sight.samples[-1]:
            continue
        if last[-1].value < limit_g_l or sight.facts.age_h > sight.facts.age_max_h:
            continue
        confirmed += 1
        within_ms = max(PROVED_WITHIN_MS, PROVED_INTERVALS * sight.interval_ms)
        too_salt = len(list(takewhile(lambda each: each.value >= limit_g_l, reversed(last))))
        near = too_salt > 1 and last[-1].t_ms - last[-2].t_ms <= within_ms
        if near or too_salt == PROVED_SAMPLES:
            return True
    return confirmed > 1


def _sight(found: Found, sights: Sequence[Sight]) -> Sight:
    return next(each for each in sights if each.station == found.station)


def salt_since_ms(found: Found, sights: Sequence[Sight], limit_g_l: float) -> int:
    """The first sample of the run, without a hole, that has been too salty up to now."""
    sight = _sight(found, sights)
    return _run_ms(sight, [each for each in sight.fit if _counts(each)], limit_g_l, above=True)


def _fresh_since_ms(found: Found, sights: Sequence[Sight], limit_g_l: float) -> int:
    sight = _sight(found, sights)
    good = [each for each in sight.fit if each.good]
    return _run_ms(sight, good, near_g_l(limit_g_l), above=False)


def _run_ms(sight: Sight, samples: Sequence[Sample], level_g_l: float, *, above: bool) -> int:
    since_ms = before_ms = sight.samples[-1].t_ms
    for each in reversed(samples):
        held = each.value >= level_g_l if above else each.value <= level_g_l
        if not held or before_ms - each.t_ms > GAP_INTERVALS * sight.interval_ms:
            break
        since_ms = before_ms = each.t_ms
    return since_ms


def _over(found: Found, sights: Sequence[Sight], limit_g_l: float) -> bool:
    """Whether 25 h without a hole have shown nothing near the limit, and it is fresh now."""
    if found.row not in PERMITS and found.row != decision.GATE_CLOSED:
        return False
    sight = _sight(found, sights)
    begin_ms = sight.samples[-1].t_ms - SPELL_MS
    near = near_g_l(limit_g_l)
    if any(_counts(e) and e.value > near for s in sights for e in s.fit if e.t_ms > begin_ms):
        return False
    times = [each.t_ms for each in sight.fit if each.good and each.t_ms > begin_ms - HOLE_MS]
    covered = bool(times) and times[0] <= begin_ms + sight.interval_ms
    return covered and all(b - a <= HOLE_MS for a, b in pairwise(times))
