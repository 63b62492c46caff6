"""Texts of alerts: templates with a few known placeholders, in Vietnamese and English.

Figures have a decimal comma in Vietnamese, times are those of Vietnam (UTC+7, no summer time).
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from alerts.rules import COUNT, Ask
from ingest.reading import DECIMALS

VIETNAM: Final = timezone(timedelta(hours=7))

PLACEHOLDERS: Final[tuple[str, ...]] = (
    "station",
    "device",
    "value",
    "limit",
    "unit",
    "since",
    "direction",
)

UNITS_VI: Final[Mapping[str, str]] = {
    "g/L": "g/l",
    "veh/h": "xe/giờ",
    "pcu/h": "xcqđ/giờ",
    "pcu/km": "xcqđ/km",
    "veh": "xe",
    "km/h": "km/h",
    "min": "phút",
    "1": "",
    COUNT: "",
}
"""As bulletins write them; xcqđ is xe con quy đổi, the passenger-car unit."""

_LEVEL_EN = "{station} {direction}: {value} {unit}, {word} {limit} {unit}, since {since}"
_LEVEL_VI = "{station} {direction}: {value} {unit}, {word} {limit} {unit}, từ {since}"
_SILENT: Final[dict[str, str]] = {
    "message_vi": "{station} {direction}: mất tín hiệu máy đo {device}, số liệu cuối {since}",
    "message_en": "{station} {direction}: no data from {device}, last reading at {since}",
    "never_seen_vi": "{station} {direction}: máy đo {device} chưa gửi số liệu nào từ {since}",
    "never_seen_en": "{station} {direction}: {device} has sent no reading yet since {since}",
}


def _levels(word_vi: str, word_en: str) -> dict[str, str]:
    return {
        "message_vi": _LEVEL_VI.replace("{word}", word_vi),
        "message_en": _LEVEL_EN.replace("{word}", word_en),
    }


def _words(words_vi: str, words_en: str) -> dict[str, str]:
    return {
        "message_vi": "{station} {direction}: " + words_vi + " từ {since}",
        "message_en": "{station} {direction}: " + words_en + " since {since}",
    }


DEFAULT_TEXTS: Final[Mapping[Ask, Mapping[str, str]]] = {
    Ask.ABOVE: _levels("vượt mức", "above"),
    Ask.BELOW: _levels("dưới mức", "below"),
    Ask.RISE: _levels("tăng nhanh hơn", "rising faster than"),
    Ask.FALL: _levels("giảm nhanh hơn", "falling faster than"),
    Ask.SAME_TIDE: _words(
        "cao hơn cùng con nước hôm trước {value} {unit}, quá {limit} {unit},",
        "{value} {unit} above the same tide of the day before, more than {limit} {unit},",
    ),
    Ask.FLAGGED: _words("số liệu đáng ngờ, {value} {unit},", "suspect data, {value} {unit},"),
    Ask.DIFFERENCE: _words(
        "chênh lệch {value} {unit}, vượt {limit} {unit},",
        "a difference of {value} {unit}, above {limit} {unit},",
    ),
    Ask.DIFFERENCE_BELOW: _words(
        "chênh lệch {value} {unit}, dưới {limit} {unit},",
        "a difference of {value} {unit}, below {limit} {unit},",
    ),
    Ask.CONGESTION: _words("đông xe", "dense traffic"),
    Ask.INCIDENT: _words("nghi có sự cố", "a possible incident"),
    Ask.NO_DATA: _SILENT,
}
"""What a rule says that brings no text of its own."""

_BY_WORD: Final[Mapping[str, Mapping[str, str]]] = {
    "fail": _words("số liệu hỏng, {value} {unit},", "failed data, {value} {unit},"),
    "stuck": _words("số liệu không thay đổi, vẫn {value} {unit},", "stuck at {value} {unit}"),
    "dry": _words("đầu đo lộ khỏi nước hoặc bẩn", "the probe is out of the water or fouled"),
    "congested": _words("ùn ứ", "congestion"),
    "jammed": _words("ùn tắc", "a jam"),
}

_OF_A_GROUP: Final[Mapping[str, str]] = _words(
    "và các nơi cùng nhóm: {value} nơi vượt mức (báo động từ {limit} nơi),",
    "and others of its group: {value} beyond the level (alert from {limit}),",
)


def default_texts(ask: Ask, word: str = "", *, shared: bool = False) -> Mapping[str, str]:
    """What a rule says that brings no text of its own.

    word : the quality or congestion that it asks for
    shared : whether it is about a group
    """
    return _OF_A_GROUP if shared else _BY_WORD.get(word, DEFAULT_TEXTS[ask])


@dataclass(frozen=True, slots=True)
class Facts:
    """What the placeholders are filled with. `limit_is_s`: the limit is a time of silence."""

    station: str
    device: str
    value: float | None
    limit: float | None
    unit: str
    since_ms: int
    direction: Mapping[str, str]
    limit_is_s: bool = False


def unknown_placeholders(template: str) -> list[str]:
    """What stands in braces and can't be filled in, as written; a stray brace counts too."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        return ["a brace without its partner"]
    return [
        "{" + name + "}"
        for _, name, form, conversion in parsed
        if name is not None and (name not in PLACEHOLDERS or form or conversion)
    ]


def render(template: str, facts: Facts, language: str) -> str:
    """Fill in a template for language "vi" or "en"; runs of blanks become one."""
    unit = "" if facts.limit_is_s else unit_in(facts.unit, language)
    filled = template.format(
        station=facts.station,
        device=facts.device,
        value=_number(facts.value, facts.limit, facts.unit, language),
        limit=_duration(facts.limit, language)
        if facts.limit_is_s
        else _number(facts.limit, None, facts.unit, language),
        unit=unit,
        since=local_time(facts.since_ms),
        direction=facts.direction.get(language, ""),
    )
    words = " ".join(filled.split())
    for mark in (",", ":", ".", ";"):
        words = words.replace(f" {mark}", mark)
    return words.replace(",:", ":")


def local_time(t_ms: int) -> str:
    """`dd/mm/yyyy HH:MM` in Vietnam."""
    seconds = t_ms // 1000
    return datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")


def clock_time(t_ms: int) -> str:
    """`HH:MM` in Vietnam."""
    return local_time(t_ms)[-5:]


def unit_in(unit: str, language: str) -> str:
    """A unit as people write it: "g/l", "g/l/giờ"; "" where there is none."""
    if language == "en":
        return "" if unit in ("1", COUNT) else unit
    per_hour = unit.removesuffix("/h")
    if unit not in UNITS_VI and per_hour != unit:
        return UNITS_VI.get(per_hour, per_hour) + "/giờ"
    return UNITS_VI.get(unit, unit)


def _number(value: float | None, beside: float | None, unit: str, language: str) -> str:
    """One or two decimals, more where the value would otherwise read like the limit."""
    if value is None:
        return "không rõ" if language == "vi" else "unknown"
    if unit == COUNT:
        return f"{value:.0f}"
    places = 2
    while places < DECIMALS and beside not in (None, value):
        assert beside is not None
        if round(value, places) != round(beside, places):
            break
        places += 1
    text = f"{value:.{places}f}".rstrip("0")
    text = f"{text}0" if text.endswith(".") else text
    return text.replace(".", ",") if language == "vi" else text


def _duration(seconds: float | None, language: str) -> str:
    if seconds is None:
        return "không rõ" if language == "vi" else "unknown"
    if seconds < 60:
        return f"{seconds:.0f} giây" if language == "vi" else f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.0f} phút" if language == "vi" else f"{minutes:.0f} min"
    hours = f"{minutes / 60:.1f}".removesuffix(".0")
    return f"{hours.replace('.', ',')} giờ" if language == "vi" else f"{hours} h"
