"""The answer of a place in the words of the page: the first line, and why. Pure.

The rows are those of `alerts.river.decision`. As in `alerts.river.advice`, what forbids says
KHÔNG, CHƯA or NGƯNG, so that no line that has lost its diacritics reads as a permission.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerts.river import decision
from api.farmpage import say

KINDS: Final = ("take", "pump", "wait", "no", "unknown")

_HEADS: Final[Mapping[int, tuple[str, str]]] = {
    decision.TOO_SALT: ("KHÔNG LẤY NƯỚC", "DO NOT TAKE WATER"),
    decision.STOP: ("NGƯNG LẤY NƯỚC", "STOP TAKING WATER"),
    decision.MAY_BE_TOO_SALT: ("KHÔNG LẤY NƯỚC, CHỜ", "DO NOT TAKE WATER, WAIT"),
    decision.STILL_RISING: ("CHƯA LẤY NƯỚC, CHỜ", "DO NOT TAKE WATER YET, WAIT"),
    decision.NEARLY: ("CHƯA LẤY NƯỚC, CHỜ", "DO NOT TAKE WATER YET, WAIT"),
    decision.GATE_CLOSED: ("CHƯA LẤY ĐƯỢC: CỐNG ĐÓNG", "NOT YET: THE GATE IS CLOSED"),
    decision.PUMP_ONLY: ("NGỌT, CHỈ BƠM ĐƯỢC", "FRESH, BY PUMP ONLY"),
    decision.TAKE: ("CÓ THỂ LẤY NƯỚC", "WATER MAY BE TAKEN"),
}

_UNKNOWN: Final = ("CHƯA RÕ", "NOT KNOWN")

_WHY: Final[Mapping[int, tuple[str, str]]] = {
    decision.TOO_SALT: (
        "Nước mặn quá mức {limit} g/l.",
        "The water is at or above {limit} g/L.",
    ),
    decision.STOP: ("Nước gần tới mức {limit} g/l.", "The water is near {limit} g/L."),
    decision.MAY_BE_TOO_SALT: (
        "Lúc này nước có thể đã mặn tới {may_be} g/l.",
        "By now the water may have reached {may_be} g/L.",
    ),
    decision.STILL_RISING: ("Mặn còn lên.", "The salt is still rising."),
    decision.NEARLY: (
        "Gần được rồi: mặn phải xuống đủ thấp và giữ được nửa giờ.",
        "Nearly: it has to be low enough, and stay so for half an hour.",
    ),
    decision.GATE_CLOSED: (
        "Ngoài sông ngọt, nhưng nước không vào được.",
        "The river is fresh, but no water comes in.",
    ),
    decision.PUMP_ONLY: ("Đo lại trước khi bơm.", "Measure again before pumping."),
    decision.TAKE: ("Đo lại trước khi lấy.", "Measure again before taking it."),
}

_REACHES: Final = ("Nước mặn tới mức {limit} g/l.", "The water reaches {limit} g/L.")

_OWN_CHECK: Final = (
    "Không lấy nếu chưa tự đo.",
    "Do not take water without measuring it yourself.",
)

NO_STATION_IN_FIELD: Final = (
    "Không có trạm đo nước phía trong cống. Tự đo trước khi lấy.",
    "No station measures the water behind the gate. Measure it yourself before taking any.",
)
_NO_STATION: Final = (
    "Không có trạm đo nguồn nước này. Tự đo trước khi lấy.",
    "No station measures this water. Measure it yourself before taking any.",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said first.

    kind : one of `KINDS`
    head : the first line; `rest` continues it in smaller letters ("trạm mất tín hiệu từ 09:10")
    why : sentences below
    """

    kind: str
    head: str
    rest: str
    why: tuple[str, ...]


def verdict(answer: Mapping[str, Any] | None, side: str, now_ms: int, lang: str) -> Verdict:
    """Of an answer that holds at `now_ms`; None: nothing has been decided yet."""
    n = 0 if lang == "vi" else 1
    row = decision.NO_STATION if answer is None else int(answer["row"])
    if answer is None or answer["answer"] == "unknown" or row in decision.UNKNOWN:
        if answer is not None and row == decision.NO_STATION:
            words = NO_STATION_IN_FIELD if side == "field" else _NO_STATION
            return Verdict("unknown", _UNKNOWN[n], "", (words[n],))
        return Verdict("unknown", _UNKNOWN[n], _because(answer, now_ms, lang), (_OWN_CHECK[n],))
    limit = say.limit(answer["limit_g_l"], lang)
    may_be = answer.get("may_be_g_l")
    shown = "" if may_be is None else say.figure(may_be, lang)
    words = _WHY[row]
    if row == decision.TOO_SALT and say.reaches(answer["figure"], answer["limit_g_l"]):
        words = _REACHES
    why = words[n].format(limit=limit, may_be=shown)
    return Verdict(answer["answer"], _HEADS[row][n], "", (why,))


def spent(figure_ms: int | None, now_ms: int, lang: str) -> Verdict:
    """What an answer becomes that has run out by itself, with nothing newer."""
    n = 0 if lang == "vi" else 1
    told = ("chưa có tin mới", "no news yet")[n]
    if figure_ms is not None:
        at = say.moment(figure_ms, now_ms, lang)
        told += (f" từ {at}", f" since {at}")[n]
    return Verdict("unknown", _UNKNOWN[n], told, (_OWN_CHECK[n],))


_BECAUSE: Final[Mapping[int, tuple[str, str]]] = {
    decision.BROKEN: ("số đo của trạm không tin được", "the station's reading is not sound"),
    decision.DOUBTFUL: ("số đo đáng ngờ", "the reading is suspect"),
}
_NOTHING_YET: Final = ("chưa có số đo nào", "there is no reading yet")
_MAINTAINED: Final = ("trạm đang bảo trì", "the station is in maintenance")
_SIMULATED: Final = ("đang chạy mô phỏng, không có số đo", "this is simulated, not measured")
_NEVER: Final = ("trạm chưa có số đo", "the station has sent nothing yet")
_SILENT: Final = ("trạm mất tín hiệu từ {}", "the station has been silent since {}")


def _because(answer: Mapping[str, Any] | None, now_ms: int, lang: str) -> str:
    n = 0 if lang == "vi" else 1
    if answer is None:
        return _NOTHING_YET[n]
    if answer.get("maintained"):
        return _MAINTAINED[n]
    if answer["row"] in _BECAUSE:
        return _BECAUSE[answer["row"]][n]
    if answer.get("sim"):
        return _SIMULATED[n]
    if answer.get("figure_t") is None:
        return _NEVER[n]
    return _SILENT[n].format(say.moment(answer["figure_t"], now_ms, lang))
