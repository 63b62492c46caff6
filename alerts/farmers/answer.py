"""Whether water may be taken now, as the page shows it: one of four answers, with its reason."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from alerts.river import decision
from alerts.river.advice import WHY, Found, words
from alerts.river.decision import RISING_G_L_H, Facts


class Answer(StrEnum):
    """What a farmer is told; `PUMP` is a permission for those who pump."""

    TAKE = "take"
    PUMP = "pump"
    WAIT = "wait"
    NO = "no"
    UNKNOWN = "unknown"


OF_ROW: Final[Mapping[int, Answer]] = {
    decision.NO_STATION: Answer.UNKNOWN,
    decision.SILENT: Answer.UNKNOWN,
    decision.BROKEN: Answer.UNKNOWN,
    decision.TOO_SALT: Answer.NO,
    decision.DOUBTFUL: Answer.UNKNOWN,
    decision.STOP: Answer.NO,
    decision.MAY_BE_TOO_SALT: Answer.NO,
    decision.STILL_RISING: Answer.WAIT,
    decision.NEARLY: Answer.WAIT,
    decision.GATE_CLOSED: Answer.WAIT,
    decision.PUMP_ONLY: Answer.PUMP,
    decision.TAKE: Answer.TAKE,
}

PERMITS: Final = frozenset({decision.TAKE, decision.PUMP_ONLY})
"""The rows on which water may be taken, at least by pump."""

PERMITTING: Final = frozenset(OF_ROW[row].value for row in PERMITS)


def trend(facts: Facts | None) -> str:
    """One of "rising", "falling" and "steady"; empty where too little is remembered."""
    if facts is None:
        return ""
    if facts.falling:
        return "falling"
    if facts.slope_g_l_h is None:
        return ""
    if facts.slope_g_l_h > RISING_G_L_H:
        return "rising"
    return "falling" if facts.slope_g_l_h < -RISING_G_L_H else "steady"


def answer_of(
    found: Found, level_mg_l: int, since_ms: int, now_ms: int, spell_ms: int | None = None
) -> dict[str, Any]:
    """The answer for one limit at one place, as `GET /api/v1/farmers/answer` gives it.

    spell_ms : since when there has been a salt spell of this limit, None outside of one

    It holds while now <= `until`; after that it is `as_of` a later time. `until` None: it has
    nothing that could run out.
    """
    facts, row = found.facts, found.row
    text_vi, text_en = words(row, maintained=facts is not None and facts.maintained)
    told: dict[str, Any] = {
        "answer": OF_ROW[row].value,
        "row": row,
        "why": WHY[row],
        "text_vi": text_vi,
        "text_en": text_en,
        "station": found.station,
        "limit_g_l": level_mg_l / 1000,
        "figure": None if facts is None else facts.salinity_g_l,
        "figure_t": found.figure_ms,
        "flag": None if facts is None else facts.flag,
        "trend": trend(facts),
        "since": since_ms,
        "until": found.until_ms,
        "ends": found.ends_ms,
        "may_be_g_l": None,
        "sim": facts is not None and not facts.live,
        "maintained": facts is not None and facts.maintained,
        "spell": spell_ms,
        "t": now_ms,
    }
    if facts is not None and row not in decision.UNKNOWN:
        told["may_be_g_l"] = facts.may_be_g_l
    return told


def as_of(answer: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """The answer at a later time: without a further reading it becomes "not known" by itself.

    The figure stays, as the last one, with its time; since when nothing is known is that time.
    """
    told = dict(answer)
    if told["until"] is None or now_ms <= told["until"]:
        return told
    text_vi, text_en = words(decision.SILENT)
    return told | {
        "answer": Answer.UNKNOWN.value,
        "row": decision.SILENT,
        "why": WHY[decision.SILENT],
        "text_vi": text_vi,
        "text_en": text_en,
        "trend": "",
        "since": told["figure_t"],
        "until": None,
        "ends": None,
        "may_be_g_l": None,
    }
