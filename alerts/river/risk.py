"""A level of disaster risk from how far 4 g/L has come, for reference only ("tham khảo").

The official level comes with a bulletin, and an officer enters it. Decision 18/2021/QĐ-TTg
grades salt intrusion by that distance and by how long it lasts; its salinity article has not
been seen by whoever wrote the defaults, so the distances stand in the registry, unverified,
and what is computed is never shown without its label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.river.intrusion import Bracket

LABEL: Final = "tham khảo"


@dataclass(frozen=True, slots=True)
class Risk:
    """A computed level, 0 for none. `at_least`: the salt is beyond what can be told."""

    level: int
    at_least: bool

    def told(self) -> dict[str, Any]:
        words = f"cấp {self.level}" if self.level else "chưa đến cấp 1"
        if self.at_least:
            words = f"từ {words} trở lên" if self.level else "chưa rõ cấp"
        return {
            "level": self.level,
            "at_least": self.at_least,
            "label": LABEL,
            "text_vi": f"Cấp độ rủi ro xâm nhập mặn tính toán: {words} ({LABEL})",
        }


def computed(bracket: Bracket, km: float, from_km: Sequence[float]) -> Risk | None:
    """The level of a maximum line of 4 g/L at `km`; None where nothing is known.

    `from_km` rises: level 1 begins at the first, level 2 at the second. A lower bound gives a
    lower bound, unless it lies within the last level; an upper bound gives no less than it is.
    """
    if bracket is Bracket.NOTHING or not from_km:
        return None
    level = sum(km >= begins for begins in from_km)
    beyond = bracket in (Bracket.BEYOND, Bracket.REFUSED)
    return Risk(level, at_least=beyond and level < len(from_km))
