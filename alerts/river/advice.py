"""What is said of an intake: the body of its advice, in words that can't be misread.

Written without diacritics, as short messages often are, "ĐỪNG LẤY" would read "dùng lấy" and
"chờ" would read "cho" (let). So what forbids says KHÔNG, CHƯA or NGƯNG.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerts.messages import local_time
from alerts.river import decision
from alerts.river.decision import Facts
from ingest.intakes import Intake

MS_PER_H = 3_600_000

WHY: Final[Mapping[int, str]] = {
    decision.NO_STATION: "no-station",
    decision.SILENT: "no-recent-reading",
    decision.BROKEN: "bad-reading",
    decision.TOO_SALT: "too-salt",
    decision.DOUBTFUL: "suspect-reading",
    decision.STOP: "stop",
    decision.MAY_BE_TOO_SALT: "may-be-too-salt",
    decision.STILL_RISING: "still-rising",
    decision.NEARLY: "nearly",
    decision.GATE_CLOSED: "gate-closed",
    decision.PUMP_ONLY: "pump-only",
    decision.TAKE: "fresh",
}

_TEXTS: Final[Mapping[int, tuple[str, str]]] = {
    decision.NO_STATION: (
        "CHƯA RÕ: không lấy nếu chưa tự đo; không có trạm đo nguồn nước này",
        "NOT KNOWN: do not take without measuring yourself; no station measures this water",
    ),
    decision.SILENT: (
        "CHƯA RÕ: không lấy nếu chưa tự đo; không có số liệu mới",
        "NOT KNOWN: do not take without measuring yourself; no recent reading",
    ),
    decision.BROKEN: (
        "CHƯA RÕ: không lấy nếu chưa tự đo; số liệu của trạm không tin được",
        "NOT KNOWN: do not take without measuring yourself; the station's reading is not sound",
    ),
    decision.TOO_SALT: ("KHÔNG LẤY NƯỚC", "DO NOT TAKE WATER"),
    decision.DOUBTFUL: (
        "CHƯA RÕ: không lấy nếu chưa tự đo; số liệu đáng ngờ",
        "NOT KNOWN: do not take without measuring yourself; the reading is suspect",
    ),
    decision.STOP: ("NGƯNG LẤY NƯỚC", "STOP TAKING WATER"),
    decision.MAY_BE_TOO_SALT: (
        "KHÔNG LẤY NƯỚC, CHỜ: lúc này có thể đã mặn",
        "DO NOT TAKE WATER, WAIT: it may be too salt by now",
    ),
    decision.STILL_RISING: (
        "CHƯA LẤY NƯỚC, CHỜ: mặn còn lên",
        "DO NOT TAKE WATER YET, WAIT: the salt is still rising",
    ),
    decision.NEARLY: (
        "CHƯA LẤY NƯỚC, CHỜ: gần được",
        "DO NOT TAKE WATER YET, WAIT: nearly fresh enough",
    ),
    decision.GATE_CLOSED: (
        "CHƯA LẤY ĐƯỢC: NGOÀI SÔNG NGỌT, CỐNG ĐÓNG",
        "NOT YET: THE RIVER IS FRESH, THE GATE IS CLOSED",
    ),
    decision.PUMP_ONLY: (
        "NGỌT, CHỈ BƠM ĐƯỢC, đo lại trước khi bơm",
        "FRESH, BY PUMP ONLY, measure again before pumping",
    ),
    decision.TAKE: (
        "CÓ THỂ LẤY NƯỚC, đo lại trước khi lấy",
        "WATER MAY BE TAKEN, measure again before taking it",
    ),
}

_MAINTAINED: Final = (
    "CHƯA RÕ: không lấy nếu chưa tự đo; trạm đang bảo trì",
    "NOT KNOWN: do not take without measuring yourself; the station is in maintenance",
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What is told of an intake from `t_ms` on. An empty body: the intake is no more."""

    intake: str
    t_ms: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What was decided by one station, at one time.

    `until_ms` is when it ends without a further reading, None if it goes on without one;
    `stop_by_ms` when who is taking must have stopped; `ends_ms` when taking will have to end
    by yesterday's tide, None where that can't be said.
    """

    row: int
    station: str | None
    facts: Facts | None
    figure_ms: int | None
    until_ms: int | None = None
    stop_by_ms: int | None = None
    ends_ms: int | None = None


def body(intake: Intake, found: Found, now_ms: int) -> dict[str, Any]:
    """The message of `{root}/v1/advice/{intake}`, which the contract and docs/river.md give."""
    facts, row = found.facts, found.row
    told: dict[str, Any] = {
        "intake": intake.id,
        "name": intake.name,
        "take": row == decision.TAKE,
        "pump": row in (decision.PUMP_ONLY, decision.TAKE),
        "until": found.until_ms,
        "why": WHY[row],
        "row": row,
        "limit_g_l": intake.limit_g_l,
        "station": found.station,
        "figure": None if facts is None else facts.salinity_g_l,
        "figure_t": found.figure_ms,
        "flag": None if facts is None else facts.flag,
        "sim": facts is not None and not facts.live,
        "t": now_ms,
    }
    if facts is not None and row not in decision.UNKNOWN:
        told["may_be_g_l"] = facts.may_be_g_l
    if found.stop_by_ms is not None:
        told["stop_by"] = found.stop_by_ms
    if found.ends_ms is not None:
        told["ends"] = found.ends_ms
        told["ends_basis"] = "tham khảo"
    maintained = facts is not None and facts.maintained
    told["text_vi"], told["text_en"] = _texts(intake, told, maintained=maintained)
    return told


def words(row: int, *, maintained: bool = False) -> tuple[str, str]:
    """What a row says, Vietnamese and English."""
    return _MAINTAINED if maintained else _TEXTS[row]


def _texts(intake: Intake, told: Mapping[str, Any], *, maintained: bool) -> tuple[str, str]:
    vi, en = (f"{intake.name}: {each}" for each in words(told["row"], maintained=maintained))
    stop_by = told.get("stop_by")
    if stop_by is not None:
        at_once = stop_by <= told["t"]
        vi += " ngay" if at_once else f" trước {local_time(stop_by)}"
        en += " at once" if at_once else f" before {local_time(stop_by)}"
    if told["figure_t"] is not None:
        figure, at = f"{told['figure']:.2f}", local_time(told["figure_t"])
        limit = f"{intake.limit_g_l:g}"
        by_hand = " (mô phỏng)" if told["sim"] else "", " (simulated)" if told["sim"] else ""
        vi += (
            f". Độ mặn {_comma(figure)} g/l lúc {at}{by_hand[0]}, mức cho phép {_comma(limit)} g/l"
        )
        en += f". Salinity {figure} g/L at {at}{by_hand[1]}, limit {limit} g/L"
    ends = told.get("ends")
    if ends is not None:
        vi += f". Theo con nước hôm trước, lấy được đến khoảng {local_time(ends)} (tham khảo)"
        en += f". By the tide of the day before, until about {local_time(ends)} (for reference)"
    return f"{vi}.", f"{en}."


def _comma(figure: str) -> str:
    return figure.replace(".", ",")
