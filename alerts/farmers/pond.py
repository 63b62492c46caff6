"""Ao tôi phải đủ mấy ngày? How long a pond lasts, beside the salt spells of the season. Pure.

Formula: days = volume / (need + surface (evaporation + seepage)); a full pond's surface is taken
all the time, which is on the safe side. The need is the crop's of `alerts.farmers.pond_needs`
times the area, or the farmer's own figure.
The verdict compares with what is still ahead, if this season's longest spell came again: it is
enough from `RESERVE` times of it on. It says nothing of a spell longer than any so far, and
nothing of the future: every verdict is "tham khảo".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from alerts.farmers.pond_needs import NEEDS
from alerts.farmers.pond_spells import Spell
from alerts.farmers.texts_words import EN, Both, language, limit

DAY_MS: Final = 86_400_000
EVAPORATION_MM_DAY: Final = 5.0
"""Open water loses about what a reference crop does in the dry season."""

SEEPAGE_MM_DAY: Final = 3.0
"""Of a pond in clay without a lining (expert judgement, unverified)."""

RESERVE: Final = 1.2
"""Expert judgement, unverified."""

LONGEST_DAYS: Final = 365


class Verdict(StrEnum):
    """How a pond stands to the season's spells."""

    ENOUGH = "enough"
    """For the longest."""
    USUAL = "usual"
    """For the usual one, not for the longest."""
    SHORT = "short"
    UNKNOWN = "unknown"
    """No spell this season, or one that is longer than all before it."""


@dataclass(frozen=True, slots=True)
class Pond:
    """volume_m3 : of usable water; surface_m2 : from which it evaporates
    need_m3_day : what is taken of it.
    """

    volume_m3: float
    surface_m2: float
    need_m3_day: float
    loss_mm_day: float = EVAPORATION_MM_DAY + SEEPAGE_MM_DAY

    def __post_init__(self) -> None:
        """Raises ValueError for what no pond has."""
        for name in ("volume_m3", "surface_m2", "need_m3_day", "loss_mm_day"):
            value = getattr(self, name)
            least = 0.0 if name in ("surface_m2", "loss_mm_day") else math.ulp(0.0)
            if not math.isfinite(value) or value < least:
                raise ValueError(f"{name}: {value}; accepted is a number above 0")

    @property
    def loss_m3_day(self) -> float:
        return self.surface_m2 * self.loss_mm_day / 1000

    @property
    def lasts_days(self) -> float:
        return min(self.volume_m3 / (self.need_m3_day + self.loss_m3_day), LONGEST_DAYS)


@dataclass(frozen=True, slots=True)
class Judged:
    """lasts_days : of the pond; longest_days, usual_days : of the spells so far, None without any
    elapsed_days : of the spell that goes on, None if none does
    ahead_days : of a spell like the longest one, what is left of it
    window_days : after how many days the spells so far had their first fresh window, the median
    sure : False where a spell may have been longer than it is known to be.
    """

    verdict: Verdict
    lasts_days: float
    spells: int
    longest_days: float | None
    usual_days: float | None
    elapsed_days: float | None
    ahead_days: float | None
    window_days: float | None
    sure: bool


def volume_m3(length_m: float, width_m: float, depth_m: float) -> float:
    """Of a pond with upright banks; `depth_m` is what can be pumped."""
    return length_m * width_m * depth_m


def need_m3_day(crop: str, count: float) -> float:
    """Count : in 1000 m² (a công), or heads of animals and people. Raises KeyError."""
    return NEEDS[crop].m3_day * count


def judge(pond: Pond, spells: Sequence[Spell], now_ms: int) -> Judged:
    """How long a pond lasts, and whether that would have been enough so far."""
    days = [_days(each.begin_ms, now_ms if each.end_ms is None else each.end_ms) for each in spells]
    over = [length for length, each in zip(days, spells, strict=True) if each.end_ms is not None]
    going_on = [length for length, each in zip(days, spells, strict=True) if each.end_ms is None]
    elapsed = going_on[-1] if going_on else None
    ahead = max(over) - (elapsed or 0.0) if over else None
    windows = [
        _days(each.begin_ms, each.window_ms) for each in spells if each.window_ms is not None
    ]
    return Judged(
        _verdict(pond.lasts_days, over, elapsed),
        pond.lasts_days,
        len(spells),
        max(days, default=None),
        median(days) if days else None,
        elapsed,
        None if ahead is None or ahead <= 0 else ahead,
        median(windows) if windows else None,
        all(each.sure for each in spells),
    )


def _days(begin_ms: int, end_ms: int) -> float:
    return max(end_ms - begin_ms, 0) / DAY_MS


def _verdict(lasts: float, over: Sequence[float], elapsed: float | None) -> Verdict:
    """What lies behind of a spell that goes on need not be lived through again."""
    behind = elapsed or 0.0
    if not over or max(over) <= behind:
        return Verdict.UNKNOWN
    if lasts >= RESERVE * (max(over) - behind):
        return Verdict.ENOUGH
    usual = median(over) - behind
    return Verdict.USUAL if lasts >= max(usual, 0.0) and usual > 0 else Verdict.SHORT


_FOUND: Final[dict[Verdict, Both]] = {
    Verdict.ENOUGH: (
        "ĐỦ nếu đợt mặn dài như đợt dài nhất mùa này.",
        "ENOUGH for a spell like the longest of this season.",
    ),
    Verdict.USUAL: (
        "ĐỦ nếu đợt mặn dài như thường, THIẾU {} ngày nếu dài như đợt dài nhất mùa này.",
        "ENOUGH for a usual spell, {} days SHORT for one like the longest of this season.",
    ),
    Verdict.SHORT: (
        "THIẾU {} ngày nếu đợt mặn dài như đợt dài nhất mùa này: bớt tưới hoặc trữ thêm.",
        "{} days SHORT for a spell like the longest of this season: use less, or store more.",
    ),
    Verdict.UNKNOWN: (
        "CHƯA RÕ đủ hay thiếu: mùa này chưa có đợt mặn nào đã hết mà dài hơn để so.",
        "NOT KNOWN whether it is enough: no longer spell of this season is over yet.",
    ),
}
_NOT_COMPARED: Final[Both] = (
    "CHƯA RÕ đủ hay thiếu: không có số đo để so.",
    "NOT KNOWN whether it is enough: there are no readings to compare with.",
)
_NOT_A_DAY: Final[Both] = (
    "Ao {volume} m³ không đủ một ngày, mỗi ngày {use} m³ (trong đó bốc hơi và thấm {loss}).",
    "A pond of {volume} m³ lasts less than a day, at {use} m³ a day ({loss} of it lost).",
)
_LASTS: Final[Both] = (
    "Ao {volume} m³ đủ khoảng {days} ngày, mỗi ngày {use} m³ (trong đó bốc hơi và thấm {loss}).",
    "A pond of {volume} m³ lasts about {days} days, at {use} m³ a day ({loss} of it lost).",
)
_SPELLS: Final[Both] = (
    "Mùa này có {count} đợt mặn quá {limit} g/l, dài nhất {longest} ngày, thường {usual} ngày.",
    "Salt spells above {limit} g/L this season: {count}, the longest {longest} days, usually {usual}.",
)
_NONE: Final[Both] = (
    "Mùa này chưa thấy đợt mặn nào quá {limit} g/l.",
    "No salt spell above {limit} g/L has been seen this season.",
)
_GOES_ON: Final[Both] = ("Đợt này đã {} ngày.", "This one has gone on for {} days.")
_WINDOW: Final[Both] = (
    "Trong đợt mặn, thường sau {} ngày mới có lúc nước ngọt.",
    "Within a spell the first fresh hours came after {} days, usually.",
)
_UNSURE: Final[Both] = (
    "Có lúc mất số liệu: đợt mặn có thể đã dài hơn.",
    "Readings are missing: spells may have been longer.",
)
_FOR_REFERENCE: Final[Both] = (
    "Chỉ để tham khảo, không phải dự báo.",
    "For reference, not a forecast.",
)


def text(judged: Judged, pond: Pond, level_mg_l: int, lang: str, *, compared: bool = True) -> str:
    """All of it in plain sentences. What lasts is rounded down, what has to be lasted up.

    compared : False where there are no readings of this water: no spell was seen, and there may
        have been many
    """
    to = language(lang)
    lasts = (_LASTS if _down(judged.lasts_days) else _NOT_A_DAY)[to].format(
        volume=_number(pond.volume_m3, to),
        days=_down(judged.lasts_days),
        use=_number(pond.need_m3_day + pond.loss_m3_day, to),
        loss=_number(pond.loss_m3_day, to),
    )
    if not compared:
        return " ".join((lasts, _NOT_COMPARED[to], _FOR_REFERENCE[to]))
    level = limit(level_mg_l, to)
    known = judged.longest_days is not None and judged.usual_days is not None
    short = _up((judged.ahead_days or 0.0) - judged.lasts_days)
    return " ".join(
        part
        for part in (
            lasts,
            _SPELLS[to].format(
                count=judged.spells,
                limit=level,
                longest=_up(judged.longest_days or 0.0),
                usual=_up(judged.usual_days or 0.0),
            )
            if known
            else _NONE[to].format(limit=level),
            "" if judged.elapsed_days is None else _GOES_ON[to].format(_up(judged.elapsed_days)),
            "" if judged.window_days is None else _WINDOW[to].format(_up(judged.window_days)),
            _FOUND[judged.verdict][to].format(max(short, 1)),
            "" if judged.sure else _UNSURE[to],
            _FOR_REFERENCE[to],
        )
        if part
    )


def _down(days: float) -> int:
    return math.floor(days)


def _up(days: float) -> int:
    # A spell of whole days is one of so many, whatever its last digit.
    return math.ceil(round(days, 6))


def _number(value: float, lang: int) -> str:
    text = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    return text if lang == EN else text.replace(".", ",")
