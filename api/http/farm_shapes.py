"""The shapes of what farmers ask, for the OpenAPI document, with examples."""

from typing import Any, Final, Literal

from pydantic import Field

from api.http.shapes import Shape


class FarmAnswerShape(Shape):
    answer: Literal["take", "pump", "wait", "no", "unknown"]
    row: int = Field(description="of the table of decisions, docs/river.md")
    why: str
    text_vi: str
    text_en: str
    station: str | None = Field(description="that tells; null: none measures this water")
    limit_g_l: float
    figure: float | None
    figure_t: int | None
    flag: int | None
    trend: Literal["rising", "falling", "steady", ""]
    since: int | None
    until: int | None = Field(description="after this it is `unknown`; null: nothing runs out")
    ends: int | None = Field(description="by the tide of the day before, for reference")
    may_be_g_l: float | None
    sim: bool
    maintained: bool = Field(default=False, description="somebody works on the station")
    spell: int | None = Field(
        default=None, description="since when a salt spell of this limit goes on; null: none does"
    )
    t: int


class FarmAnswerOfShape(FarmAnswerShape):
    place: str
    crop: str | None
    limit_asked_g_l: float


class FarmPlaceShape(Shape):
    place: str = Field(description="`intake/side`")
    intake: str
    name: str
    side: Literal["river", "field"] = Field(description="outside the gate, or behind it")
    gate: bool
    answers: dict[str, FarmAnswerShape] = Field(description="by limit, mg/L")


class FarmPlaces(Shape):
    items: list[FarmPlaceShape]


class FarmCropShape(Shape):
    id: str
    vi: str
    en: str
    limit_g_l: float
    source: str
    unverified: bool


class FarmCrops(Shape):
    items: list[FarmCropShape]
    levels_g_l: list[float] = Field(description="the limits by which places are watched")


class FarmPondShape(Shape):
    place: str
    crop: str
    limit_g_l: float
    need_m3_day: float
    need_source: str
    verdict: Literal["enough", "usual", "short", "unknown"]
    lasts_days: float
    spells: int
    longest_days: float | None
    usual_days: float | None
    elapsed_days: float | None = Field(description="of the spell that goes on; null: none does")
    sure: bool = Field(description="false: a spell may have been longer than it is known to be")
    measured: bool = Field(description="false: no station measures this water")
    text_vi: str
    text_en: str


POND: Final[dict[str, Any]] = {
    "place": "xuan-hoa/river",
    "crop": "durian",
    "limit_g_l": 0.5,
    "need_m3_day": 21.25,
    "need_source": "expert judgement, unverified",
    "verdict": "short",
    "lasts_days": 24.1,
    "spells": 3,
    "longest_days": 31.4,
    "usual_days": 9.0,
    "elapsed_days": None,
    "sure": True,
    "measured": True,
    "text_vi": "Ao 600 m³ đủ khoảng 24 ngày, mỗi ngày 24 m³ …",
    "text_en": "A pond of 600 m³ lasts about 24 days, at 24 m³ a day …",
}
ANSWER: Final[dict[str, Any]] = {
    "answer": "no",
    "row": 4,
    "why": "too-salt",
    "text_vi": "KHÔNG LẤY NƯỚC",
    "text_en": "DO NOT TAKE WATER",
    "station": "xuan-hoa",
    "limit_g_l": 0.5,
    "figure": 0.82,
    "figure_t": 1766999280000,
    "flag": 1,
    "trend": "rising",
    "since": 1766990000000,
    "until": 1767001080000,
    "ends": None,
    "may_be_g_l": 1.1,
    "sim": False,
    "maintained": False,
    "spell": 1766900000000,
    "t": 1767000000000,
}
ANSWER_OF: Final[dict[str, Any]] = {
    **ANSWER,
    "place": "xuan-hoa/river",
    "crop": "durian",
    "limit_asked_g_l": 0.5,
}
PLACES: Final[dict[str, Any]] = {
    "items": [
        {
            "place": "xuan-hoa/river",
            "intake": "xuan-hoa",
            "name": "Cống Xuân Hòa",
            "side": "river",
            "gate": True,
            "answers": {"500": ANSWER},
        }
    ]
}
CROPS_EXAMPLE: Final[dict[str, Any]] = {
    "items": [
        {
            "id": "durian",
            "vi": "Sầu riêng",
            "en": "Durian",
            "limit_g_l": 0.5,
            "source": "nongnghiep.vn d353660",
            "unverified": False,
        }
    ],
    "levels_g_l": [0.3, 0.4, 0.45, 0.5],
}
