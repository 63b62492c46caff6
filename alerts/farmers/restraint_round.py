"""One asking of restraint: its rule, step by step, as `alerts.farmers.restraint` has it. Pure."""

from collections.abc import Sequence
from typing import Final

from alerts.farmers.notice import ANY_LEVEL, CRITICAL, WANTED, Kind, Notice
from alerts.farmers.person import Person
from alerts.farmers.restraint_times import (
    DAILY_MAX,
    DIGEST_H,
    PERMISSIONS,
    SAME_EVENT_MS,
    SECONDED_MS,
    digest_after_ms,
    expires_ms,
    minute_of_day,
    month_after_ms,
    quiet_end_ms,
    unseconded_until_ms,
)
from alerts.farmers.restraint_types import (
    PUT_OFF,
    Asked,
    Budget,
    Day,
    Decision,
    Drop,
    Permitted,
    Send,
    Wait,
    Why,
)

_WATER: Final = frozenset({Kind.SALT, Kind.FRESH, Kind.OPEN, Kind.SHUT})
_MEASURED: Final = frozenset({Kind.SILENT, Kind.HEARD})

_ENDS: Final = {
    Kind.SALT: _WATER,
    Kind.FRESH: _WATER,
    Kind.OPEN: frozenset({Kind.OPEN, Kind.SHUT}),
    Kind.SHUT: frozenset({Kind.OPEN, Kind.SHUT}),
    Kind.SILENT: _MEASURED,
    Kind.HEARD: _MEASURED,
    Kind.BULLETIN: frozenset[Kind](),
}


def _same_water(one: Notice, other: Notice) -> bool:
    if one.place != other.place:
        return False
    return one.level_mg_l == other.level_mg_l or ANY_LEVEL in (one.level_mg_l, other.level_mg_l)


class Round:
    """One asking: what is left of the day's number and the budget goes down as it decides."""

    def __init__(
        self, person: Person, day: Day, budget: Budget, now_ms: int, group_ms: int
    ) -> None:
        self.decisions: list[Decision] = []
        self._person = person
        self._told = sorted(day.told, key=lambda each: (each.at_ms, each.key))
        self._sent_today = day.sent_today
        self._budget = budget
        self._now_ms = now_ms
        self._group_ms = group_ms

    def once(self, asked: Sequence[Asked]) -> list[Asked]:
        """In order of time; without what has been told, or is followed no more."""
        known = {each.key for each in self._told}
        known |= {each.event for each in self._told if each.kind is Kind.BULLETIN}
        kept = []
        for each in sorted(asked, key=lambda each: (each.notice.at_ms, each.notice.key)):
            notice = each.notice
            name = notice.event if notice.kind is Kind.BULLETIN else notice.key
            if name in known:
                self._drop(notice, Why.TWICE)
            elif not self._follows(notice):
                self._drop(notice, Why.UNFOLLOWED)
            else:
                known.add(name)
                kept.append(each)
        return kept

    def not_overtaken(self, waiting: Sequence[Asked]) -> list[Asked]:
        """Looks only backwards from each notice, so that batches make no difference."""
        kept: list[Asked] = []
        for each in waiting:
            notice = each.notice
            here = [other for other in kept if _same_water(other.notice, notice)]
            spell_untold = any(other.notice.kind is Kind.SALT for other in here)
            if notice.kind is Kind.OPEN and spell_untold:
                self._drop(notice, Why.UNTOLD)
                continue
            gone = [other for other in here if other.notice.kind in _ENDS[notice.kind]]
            for other in gone:
                self._drop(other.notice, Why.OVERTAKEN)
            kept = [other for other in kept if other not in gone]
            silence_untold = any(other.notice.kind is Kind.SILENT for other in gone)
            if (notice.kind is Kind.HEARD and silence_untold) or (
                notice.kind is Kind.SHUT and (spell_untold or self._forbidden_last(notice))
            ):
                self._drop(notice, Why.MOOT)
            else:
                kept.append(each)
        return kept

    def not_expired(self, waiting: Sequence[Asked], permitted: Permitted | None) -> list[Asked]:
        kept = []
        for each in waiting:
            notice = each.notice
            ends_ms = expires_ms(notice)
            if ends_ms is not None and self._now_ms >= ends_ms:
                self._drop(notice, Why.EXPIRED)
            elif each.why is Why.ANSWER and self._now_ms < each.until_ms:
                self._wait([each], each.until_ms, Why.ANSWER)
            elif notice.kind not in PERMISSIONS or not self._is_due(each):
                kept.append(each)
            elif self._silent_since(notice, waiting):
                self._drop(notice, Why.OVERTAKEN)
            elif self._now_ms < unseconded_until_ms(notice) or (
                permitted is not None and permitted(notice.place, notice.level_mg_l)
            ):
                kept.append(each)
            elif notice.kind is Kind.FRESH:
                self._wait([each], self._now_ms + SECONDED_MS, Why.ANSWER)
            else:
                self._drop(notice, Why.EXPIRED)
        return kept

    def urgent(self, waiting: Sequence[Asked], riders: Sequence[Asked]) -> list[Asked]:
        """Send or put off what is urgent, a message to a kind; gives the riders that went."""
        gone: list[Asked] = []
        for kind in (Kind.SHUT, Kind.SALT):
            lane = [each for each in waiting if each.notice.kind is kind]
            due = self._due(lane, urgent=True)
            same = [each for each in due if self._same_event(each.notice)]
            new = [each for each in due if each not in same]
            along = [*riders, *same] if kind is Kind.SALT else []
            if new and self._send([*new, *along], Why.DUE, urgent=True, due=new):
                gone += [each for each in riders if each in along]
            elif same:
                until_ms = digest_after_ms(self._person.quiet, self._now_ms)
                self._wait(same, until_ms, Why.SAME_EVENT)
        return gone

    def ordinary(self, waiting: Sequence[Asked]) -> None:
        """One message, or several kinds in one; a bulletin is always a message of its own."""
        lanes: dict[str, list[Asked]] = {}
        for each in waiting:
            if not each.notice.critical:
                lane = each.notice.event if each.notice.kind is Kind.BULLETIN else ""
                lanes.setdefault(lane, []).append(each)
        for _, asked in sorted(lanes.items()):
            due = self._due(asked, urgent=False)
            if due and self._sent_today >= DAILY_MAX:
                until_ms = digest_after_ms(self._person.quiet, self._now_ms)
                self._wait(due, until_ms, Why.DAILY)
            elif due:
                kinds = {each.notice.kind for each in due}
                self._send(due, Why.DUE if len(kinds) == 1 else Why.DIGEST, urgent=False, due=due)

    def digest(self, put_off: Sequence[Asked]) -> None:
        for each in put_off:
            if self._now_ms < each.until_ms and each.why is not None:
                self._wait([each], each.until_ms, each.why)
        due = [each for each in put_off if self._now_ms >= each.until_ms]
        if not due:
            return
        evening = minute_of_day(self._now_ms) >= DIGEST_H[-1] * 60
        quiet_ms = quiet_end_ms(self._person.quiet, self._now_ms)
        if quiet_ms is not None:
            for each in due:
                self._wait([each], quiet_ms, each.why or Why.DAILY)
            return
        urgent = any(each.notice.critical for each in due)
        if self._sent_today >= DAILY_MAX and not evening and not urgent:
            self._wait(due, digest_after_ms(self._person.quiet, self._now_ms), Why.DAILY)
        else:
            self._send(due, Why.DIGEST, urgent=urgent, due=due)

    def _due(self, lane: Sequence[Asked], *, urgent: bool) -> list[Asked]:
        """All of a lane once it is due; else they wait."""
        if not lane:
            return []
        quiet = self._person.quiet
        quiet_ms = quiet_end_ms(quiet, self._now_ms)
        if quiet_ms is not None and not (urgent and quiet is not None and quiet.urgent_passes):
            self._wait(lane, quiet_ms, Why.QUIET)
            return []
        ready_ms = min(each.asked_ms for each in lane) + self._group_ms
        if self._now_ms < ready_ms:
            self._wait(lane, ready_ms, Why.GROUP)
            return []
        return list(lane)

    def _send(
        self, asked: Sequence[Asked], why: Why, *, urgent: bool, due: Sequence[Asked]
    ) -> bool:
        if not self._budget.allows(urgent=urgent):
            self._wait(due, month_after_ms(self._now_ms), Why.BUDGET)
            return False
        self._budget = self._budget.less_one()
        self._sent_today += 1
        notices = tuple(
            sorted((each.notice for each in asked), key=lambda each: (each.at_ms, each.key))
        )
        ends = [self._good_until_ms(each) for each in notices if each.kind in PERMISSIONS]
        due_ms = min(max(each.asked_ms + self._group_ms, each.until_ms) for each in due)
        expires = min(ends, default=None)
        self.decisions.append(Send(notices, min(due_ms, self._now_ms), why, expires))
        return True

    def _good_until_ms(self, permission: Notice) -> int:
        """Later it has to be asked again whether the newest answer still permits."""
        until_ms = unseconded_until_ms(permission)
        if self._now_ms >= until_ms:
            until_ms = self._now_ms + SECONDED_MS
        ends_ms = expires_ms(permission)
        return until_ms if ends_ms is None else min(ends_ms, until_ms)

    def _wait(self, asked: Sequence[Asked], until_ms: int, why: Why) -> None:
        self.decisions.append(Wait(tuple(each.notice for each in asked), until_ms, why))

    def _drop(self, notice: Notice, why: Why) -> None:
        self.decisions.append(Drop((notice,), why))

    def _follows(self, notice: Notice) -> bool:
        """A person whose follows are not told is taken at the outbox's word."""
        follows = self._person.follows
        return not follows or any(
            each.wants & WANTED[notice.kind]
            and each.place == notice.place
            and notice.level_mg_l in (ANY_LEVEL, each.level_mg_l)
            for each in follows
        )

    def _last_told(self, notice: Notice, kinds: frozenset[Kind]) -> Kind | None:
        told = (each for each in reversed(self._told) if _same_water(each, notice))
        return next((each.kind for each in told if each.kind in kinds), None)

    def _forbidden_last(self, notice: Notice) -> bool:
        """Not so where nothing is known of what he was told: he might be taking."""
        return self._last_told(notice, _WATER) in CRITICAL

    def _permitted_last(self, notice: Notice) -> bool:
        return self._last_told(notice, _WATER) in PERMISSIONS

    def _is_due(self, asked: Asked) -> bool:
        in_quiet = quiet_end_ms(self._person.quiet, self._now_ms) is not None
        until_ms = asked.until_ms if asked.why in PUT_OFF else 0
        return not in_quiet and self._now_ms >= max(asked.asked_ms + self._group_ms, until_ms)

    def _silent_since(self, notice: Notice, waiting: Sequence[Asked]) -> bool:
        later = [
            each
            for each in (*self._told, *(other.notice for other in waiting))
            if each.kind in _MEASURED and each.place == notice.place and each.at_ms >= notice.at_ms
        ]
        return bool(later) and max(later, key=lambda each: each.at_ms).kind is Kind.SILENT

    def _same_event(self, notice: Notice) -> bool:
        if notice.kind is not Kind.SALT or not notice.reach or self._permitted_last(notice):
            return False
        return any(
            each.kind is Kind.SALT
            and each.reach == notice.reach
            and each.level_mg_l == notice.level_mg_l
            and each.place != notice.place
            and 0 <= notice.at_ms - each.at_ms <= SAME_EVENT_MS
            and self._last_told(each, _WATER) is not Kind.FRESH
            for each in self._told
        )
