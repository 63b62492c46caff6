"""What people read of a bridge: minutes first, the state in words, kilometres last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerts.bridge.congestion import State
from alerts.bridge.direction import Figure, Told
from alerts.bridge.modes import WORDS_EN, WORDS_VI, Mode

STATE_VI = {
    State.FREE: "thông thoáng",
    State.DENSE: "đông xe",
    State.CONGESTED: "ùn ứ",
    State.JAMMED: "ùn tắc",
}
STATE_EN = {
    State.FREE: "free",
    State.DENSE: "dense",
    State.CONGESTED: "congested",
    State.JAMMED: "jammed",
}
TOLD_KM = 0.1

WHY_VI = {
    "one-end": "chưa có camera ở cả hai đầu cầu: không tính được phút và chiều dài ùn",
    "never": "chưa có lúc thông thoáng để bắt đầu đếm xe trên cầu",
    "gap": "thiếu số liệu đếm xe: chờ lúc thông thoáng để đếm lại",
    "fault": "số xe vào và ra không khớp: chờ lúc thông thoáng để đếm lại",
    "withdrawn": "đã đếm lâu, sai số lớn: chỉ nêu khoảng phút",
    "spilled": "ùn quá đầu cầu: camera không thấy hết",
    "alike": "lượng xe ra gần bằng khả năng của cầu: không tính được chiều dài ùn",
    "closed": "đang đóng chiều này",
    "mode-changed": "vừa đổi cách điều tiết: chờ số liệu của phút tới",
    "unknown": "chưa có số liệu từ camera",
    "": "",
}
WHY_EN = {
    "one-end": "no camera at both ends: no minutes and no length can be told",
    "never": "no free traffic yet from which to begin to count",
    "gap": "counts are missing: counted anew when traffic is free",
    "fault": "counts of both ends do not agree: counted anew when traffic is free",
    "withdrawn": "counted for long, so the error is large: minutes as a range alone",
    "spilled": "the queue reaches beyond the bridge, where no camera sees its end",
    "alike": "the outflow is near capacity: no length can be told",
    "closed": "this direction is closed",
    "mode-changed": "it is worked another way since a moment: the next minute tells",
    "unknown": "nothing heard from the cameras",
    "": "",
}


def minutes_vi(minutes: Figure) -> str:
    """`khoảng 11 phút`, `8 đến 14 phút`, `trên 22 phút`."""
    least = _whole(minutes.least)
    if minutes.most is None:
        return f"trên {least} phút"
    most = _whole(minutes.most)
    return f"khoảng {least} phút" if least == most else f"{least} đến {most} phút"


def minutes_en(minutes: Figure) -> str:
    least = _whole(minutes.least)
    if minutes.most is None:
        return f"over {least} min"
    most = _whole(minutes.most)
    return f"about {least} min" if least == most else f"{least} to {most} min"


def km_vi(km: Figure) -> str:
    """`2,0 km`, `> 2,9 km`, `2,9 đến 4,9 km`."""
    return _km(km, "đến").replace(".", ",")


def km_en(km: Figure) -> str:
    return _km(km, "to")


@dataclass(frozen=True, slots=True)
class _Language:
    state: Mapping[State, str]
    mode: Mapping[Mode, str]
    unknown: str
    queue: str
    incident: str
    minutes: Callable[[Figure], str]
    km: Callable[[Figure], str]


_VI = _Language(
    STATE_VI, WORDS_VI, "CHƯA RÕ", "ùn dài {km}", "có dấu hiệu sự cố", minutes_vi, km_vi
)
_EN = _Language(
    STATE_EN, WORDS_EN, "not known", "queue of {km}", "signs of an incident", minutes_en, km_en
)


def sentence_vi(told: Told) -> str:
    """`khoảng 11 phút, ùn ứ, ùn dài 2,0 km`."""
    return _sentence(told, _VI)


def sentence_en(told: Told) -> str:
    return _sentence(told, _EN)


def _sentence(told: Told, words: _Language) -> str:
    parts = [words.minutes(told.minutes)] if told.minutes is not None else []
    parts.append(words.unknown if told.state is None else words.state[told.state])
    if told.km is not None and _is_queue(told):
        parts.append(words.queue.format(km=words.km(told.km)))
    if told.incident:
        parts.append(words.incident)
    if told.mode is not Mode.TWO_WAY:
        parts.append(words.mode[told.mode])
    return ", ".join(parts)


def _is_queue(told: Told) -> bool:
    """A few cars more than usual on a free road are no queue that anyone would speak of."""
    assert told.km is not None
    return told.km.least >= TOLD_KM and told.state not in (None, State.FREE)


def _km(km: Figure, word: str) -> str:
    least = f"{km.least:.1f}"
    if km.most is None:
        return f"> {least} km"
    most = f"{km.most:.1f}"
    return f"{least} km" if least == most else f"{least} {word} {most} km"


def _whole(minutes: float) -> int:
    """Whole minutes, a half up."""
    return int(minutes + 0.5)
