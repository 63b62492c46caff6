"""What becomes of a notice for one person: sent, waiting, or dropped, and why. Pure.

Messages cost money and attention, so not everything that happens is a message; but who goes on
taking salt water loses trees, and so does who is let take it by a message that comes too late.
`decide` is asked with all that waits for a person whenever something new comes and whenever a
`Wait` is over. The rule, in its order:

1. **Twice.** What has been told, and a bulletin that already waits for another of his places,
   is dropped (TWICE); so is what he follows no more (UNFOLLOWED).
2. **Overtaken.** At one place and level a later notice ends what waits: SALT ends all others,
   FRESH ends SALT, OPEN and SHUT, SHUT ends OPEN, OPEN ends SHUT, HEARD ends SILENT and the
   other way round, a permission ends when the place has fallen silent since (OVERTAKEN). What
   then says nothing new falls too (MOOT): a SHUT where the last word forbade already, a HEARD
   whose SILENT was never told. An OPEN in a spell of which he has yet to hear is not told
   (UNTOLD): of "do not take" and "take", sent together, the wrong one might come last.
3. **Expired.** A permission that waited is never told after `expires_ms`; and within that, once
   the readings it was decided by are too old, only where the newest answer still lets water be
   taken: an OPEN is dropped else (EXPIRED), a FRESH waits for such an answer (ANSWER), lest who
   was told of the spell never hears of its end. Bulletins and HEARD have a shelf life. SALT,
   SHUT and SILENT are told however late, with "từ".
4. **A moment.** The first of a message waits `group_ms`, so that one event at several places or
   for several crops is one message (GROUP).
5. **Quiet hours** put off to their end what is not urgent, or everything where the person says
   so (QUIET). Urgent are SALT and SHUT.
6. **The same event.** SALT at another place of the same reach and level, within
   `SAME_EVENT_MS` of one that was told and goes on, is no second message (SAME_EVENT): it goes
   with the next message of SALT, or with the next digest. Not so where the last word of that
   place was a permission, which must be taken back.
7. **A day's number.** After `DAILY_MAX` messages of a day in Vietnam what is not urgent waits
   for a digest (DAILY): at 18:00, or in the morning at 6:00 as far as the new day's number
   allows, never in quiet hours. So a day has at most `DAILY_MAX` messages that are not urgent,
   and one digest. What is urgent is never put off by the number.
8. **Budget.** What a channel's budget of the month has no room for waits for the next one
   (BUDGET); the last fifth is kept for what is urgent.

The same notices give the same messages in whatever batches they come, and however often it is
asked in between. Defaults: expert judgement, unverified.
"""

from collections.abc import Sequence

from alerts.farmers.person import Person
from alerts.farmers.restraint_round import Round
from alerts.farmers.restraint_times import (
    DAILY_MAX,
    GROUP_MS,
    SAME_EVENT_MS,
    TOLD_MS,
    UNSECONDED_MS,
    expires_ms,
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

__all__ = [
    "DAILY_MAX",
    "GROUP_MS",
    "PUT_OFF",
    "SAME_EVENT_MS",
    "TOLD_MS",
    "UNSECONDED_MS",
    "Asked",
    "Budget",
    "Day",
    "Decision",
    "Drop",
    "Permitted",
    "Send",
    "Wait",
    "Why",
    "decide",
    "expires_ms",
]


def decide(
    person: Person,
    asked: Sequence[Asked],
    day: Day,
    budget: Budget,
    now_ms: int,
    permitted: Permitted | None = None,
    group_ms: int = GROUP_MS,
) -> list[Decision]:
    """What becomes of all that waits for a person; each notice stands in one decision.

    permitted : None where no answers are known, which seconds no permission
    group_ms : for so long the first of a message waits
    """
    rounds = Round(person, day, budget, now_ms, group_ms)
    waiting = rounds.once(asked)
    waiting = rounds.not_overtaken(waiting)
    waiting = rounds.not_expired(waiting, permitted)
    put_off = [each for each in waiting if each.why in PUT_OFF]
    fresh = [each for each in waiting if each.why not in PUT_OFF]
    riders = [each for each in put_off if each.why is Why.SAME_EVENT]
    sent = rounds.urgent(fresh, riders)
    rounds.ordinary(fresh)
    rounds.digest([each for each in put_off if each not in sent])
    return rounds.decisions
