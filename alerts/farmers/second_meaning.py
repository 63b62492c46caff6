"""Words that say something else once their diacritics are gone. Pure.

"ĐỪNG LẤY NƯỚC" (do not take water) becomes "DUNG LAY NUOC", which reads as "dùng" (use) as
well. A phone shows what the gateway sends, so every text is read in both ways before it goes
out: those of the service in its tests, those of officers when they write them.
Source: expert judgement, unverified; read by the ear of a farmer of the south.
"""

import re
from dataclasses import dataclass
from typing import Final

from alerts.farmers import gsm7


@dataclass(frozen=True, slots=True)
class SecondMeaning:
    """words : as they stand in the stripped text; why_vi, why_en : what else they say."""

    words: str
    why_vi: str
    why_en: str


_TAKING: Final = r"(?:lay|bom|tuoi|mo|xa|dung|uong)"

_TABLE: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"(?<!su )\bdung\b(?! tich)",
        "đừng, dừng, dùng và đúng viết giống nhau: hãy viết KHÔNG hoặc NGƯNG",
        "reads as don't, stop, use or right: write KHÔNG or NGƯNG",
    ),
    (
        rf"\bcho (?:{_TAKING}|nuoc|phep|vao)\b",
        "chờ đọc thành cho (cho phép): hãy viết CHƯA",
        "wait reads as let: write CHƯA",
    ),
    (
        r"\bcho\b(?=\s*(?:[.,:;!]|$))",
        "chờ đứng một mình đọc thành cho: hãy viết CHƯA",
        "wait, by itself, reads as let: write CHƯA",
    ),
    (
        rf"\bcam {_TAKING}\b|\bcam nuoc\b",
        "cấm đọc thành cam (cây cam, hoặc cầm): hãy viết KHÔNG",
        "forbidden reads as the orange crop: write KHÔNG",
    ),
    (
        r"\btu do\b",
        "tự đo đọc thành tự do: hãy viết phải đo trước",
        "measure yourself reads as freely: write phải đo trước",
    ),
    (
        r"\bkhong con man\b",
        "không còn mặn đọc thành không, còn mặn: hãy viết đã ngọt",
        "no longer salty reads as no, still salty: write đã ngọt",
    ),
    (
        r"\b(?:nuoc chua|chua ngot)\b",
        "chưa đọc thành chua: hãy viết còn mặn",
        "not yet reads as sour: write còn mặn",
    ),
    (
        r"\bnuoc tuoi\b",
        "nước tưới đọc thành nước tươi: hãy viết nước cho cây",
        "water for watering reads as fresh water: write nước cho cây",
    ),
    (
        r"\b(?:man|nuoc|do) nhat\b",
        "nhất (cao nhất) đọc thành nhạt (ngọt): hãy viết mặn cao hoặc ngọt",
        "most reads as bland: write mặn cao or ngọt",
    ),
    (
        r"\bcong dong\b",
        "cống đóng đọc thành cộng đồng: hãy viết cống đã đóng cửa",
        "gate closed reads as community: write cống đã đóng cửa",
    ),
    (
        rf"\b(?:bo|nghi|cu) {_TAKING}\b",
        "bỏ, nghỉ, cứ đọc thành bò, nghĩ, cũ: hãy viết KHÔNG hoặc NGƯNG",
        "give up, rest, go on read as other words: write KHÔNG or NGƯNG",
    ),
    (
        r"\bhong\b",
        "hỏng đọc thành hổng (không): hãy viết không tin được",
        "broken reads as not: write không tin được",
    ),
    (
        rf"\bhay {_TAKING}\b",
        "hãy đọc thành hay (thường, hoặc): hãy nói rõ CÓ THỂ hoặc KHÔNG",
        "do reads as often, or: say CÓ THỂ or KHÔNG",
    ),
    (
        r"\bngung ngay\b",
        "ngưng ngay đọc thành ngưng ngày: hãy viết NGƯNG liền",
        "stop at once reads as stop by day: write NGƯNG liền",
    ),
)

_PATTERNS: Final = tuple((re.compile(words), vi, en) for words, vi, en in _TABLE)


def second_meanings(text: str) -> tuple[SecondMeaning, ...]:
    """What a text also says when it is stripped, each words once; empty if nothing was found."""
    stripped = " ".join(gsm7.strip(text).lower().split())
    found: dict[str, SecondMeaning] = {}
    for pattern, vi, en in _PATTERNS:
        for match in pattern.finditer(stripped):
            found.setdefault(match[0], SecondMeaning(match[0], vi, en))
    return tuple(found.values())
