"""Every text that farmers are sent, written to files that people read.

    python -m tests.alerts.golden_texts --write

rewrites them; `git diff tests/alerts/golden` then shows what farmers would read differently.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from alerts.farmers import texts
from alerts.farmers.gsm7 import length
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Form, Text
from alerts.farmers.person import Follow, Person
from alerts.farmers.place import Place

FOLDER: Final = Path(__file__).parent / "golden"
SITE: Final = "songtien.vn/nong-dan"
LANGUAGES: Final = ("vi", "en")

MIN: Final = 60_000
HOUR: Final = 60 * MIN
NOW: Final = 1_741_851_600_000
"""14:40 on 13 March 2025 in Vietnam."""

XUAN_HOA: Final = Place("xuan-hoa", "river")
FIELD: Final = Place("xuan-hoa", "field")
VAM_GIONG: Final = Place("vam-giong", "river")
NGU_HIEP: Final = Place("ngu-hiep", "river")
NAMES: Final = {
    "xuan-hoa": "Cống Xuân Hòa",
    "vam-giong": "Cống Vàm Giồng",
    "ngu-hiep": "Vườn sầu riêng Ngũ Hiệp (bơm từ sông Tiền)",
}


def person(lang: str, *follows: tuple[Place, str, int]) -> Person:
    asked = tuple(Follow(place, crop, level) for place, crop, level in follows)
    return Person(7, "any", "", lang, "token", None, asked)


def notice(
    kind: Kind, place: Place = XUAN_HOA, level_mg_l: int = 500, *, ago_min: int = 1, **body: Any
) -> Notice:
    at_ms = NOW - ago_min * MIN
    if kind in (Kind.SILENT, Kind.HEARD, Kind.BULLETIN):
        level_mg_l = 0
    since_ms = at_ms - body.pop("for_min", 15) * MIN
    said: dict[str, Any] = {
        "place_vi": NAMES[place.intake],
        "station": NAMES[place.intake].removeprefix("Cống "),
        "figure_g_l": 0.62,
        "figure_ms": at_ms - 5 * MIN,
        "flag": 1,
        "trend": "rising",
    }
    return Notice(kind, place, level_mg_l, at_ms, since_ms, "e", "tien", said | body)


FRESH: Final[dict[str, Any]] = {"figure_g_l": 0.21, "trend": "falling", "for_min": 190}
BULLETIN: Final[dict[str, Any]] = {
    "title": "Xâm nhập mặn trên sông Tiền tăng cao",
    "text": "Từ ngày 14 đến 18/3, mặn 4 g/l vào sâu 45-50 km trên sông Cửa Tiểu, Cửa Đại.\n"
    "Người dân cần trữ nước ngọt trước ngày 14/3, theo dõi độ mặn và đo trước khi lấy nước.",
    "issued_ms": NOW - 2 * HOUR,
    "issuer": "Đài Khí tượng Thủy văn Tiền Giang",
    "official": True,
}
STANDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("station", "figure_g_l", "figure_ms", "flag", "trend")),
    "stands": True,
}

DURIAN: Final = (XUAN_HOA, "durian", 500)
RICE: Final = (XUAN_HOA, "rice-seedling", 1000)
OTHER: Final = (VAM_GIONG, "durian", 500)

Said = tuple[tuple[tuple[Place, str, int], ...], tuple[Notice, ...], bool]

NOTICES: Final[dict[str, Said]] = {
    "salt": ((DURIAN,), (notice(Kind.SALT),), False),
    "salt, a suspect reading": ((DURIAN,), (notice(Kind.SALT, flag=3),), False),
    "salt, told in the morning": (
        (DURIAN,),
        (notice(Kind.SALT, ago_min=17 * 60, trend=""),),
        False,
    ),
    "salt, another place is followed": ((DURIAN, OTHER), (notice(Kind.SALT),), False),
    "salt for two crops": (
        (DURIAN, RICE),
        (notice(Kind.SALT, figure_g_l=1.2), notice(Kind.SALT, level_mg_l=1000, figure_g_l=1.2)),
        False,
    ),
    "salt at two places": (
        (DURIAN, OTHER),
        (notice(Kind.SALT), notice(Kind.SALT, VAM_GIONG, figure_g_l=0.81)),
        False,
    ),
    "salt, a long name, three crops": (
        tuple((NGU_HIEP, crop, 500) for crop in ("durian", "mangosteen", "rambutan")),
        (notice(Kind.SALT, NGU_HIEP),),
        False,
    ),
    "salt just at the limit": ((DURIAN,), (notice(Kind.SALT, figure_g_l=0.5004),), False),
    "fresh": ((DURIAN,), (notice(Kind.FRESH, **FRESH),), False),
    "fresh, with an end": (
        (DURIAN,),
        (notice(Kind.FRESH, **FRESH, ends_ms=NOW + 200 * MIN),),
        False,
    ),
    "fresh, by pump only": ((DURIAN,), (notice(Kind.FRESH, **FRESH, pump=True),), False),
    "fresh behind the gate": (
        ((FIELD, "avocado", 500),),
        (notice(Kind.FRESH, FIELD, **FRESH),),
        False,
    ),
    "open, with an end": (
        (DURIAN,),
        (notice(Kind.OPEN, **FRESH, ends_ms=NOW + 200 * MIN),),
        False,
    ),
    "open": ((DURIAN,), (notice(Kind.OPEN, **FRESH),), False),
    "shut before a time": (
        (DURIAN,),
        (notice(Kind.SHUT, figure_g_l=0.38, stop_by_ms=NOW + 30 * MIN, why=""),),
        False,
    ),
    "shut at once": (
        (DURIAN,),
        (notice(Kind.SHUT, figure_g_l=0.45, stop_by_ms=NOW - MIN, why=""),),
        False,
    ),
    "shut, over the limit": ((DURIAN,), (notice(Kind.SHUT, stop_by_ms=None, why=""),), False),
    "shut, nothing is measured": (
        (DURIAN,),
        (notice(Kind.SHUT, figure_g_l=0.31, trend="", stop_by_ms=None, why="silent"),),
        False,
    ),
    "silent": (
        (DURIAN,),
        (notice(Kind.SILENT, figure_g_l=0.32, trend="", why="silent", for_min=60),),
        False,
    ),
    "silent, broken": (
        (DURIAN,),
        (notice(Kind.SILENT, figure_g_l=0.0, flag=4, trend="", why="broken", for_min=60),),
        False,
    ),
    "silent, maintenance": (
        (DURIAN,),
        (notice(Kind.SILENT, figure_g_l=0.3, trend="", why="maintenance", for_min=60),),
        False,
    ),
    "silent, suspect": (
        (DURIAN,),
        (notice(Kind.SILENT, figure_g_l=0.3, flag=3, trend="", why="suspect", for_min=60),),
        False,
    ),
    "heard": ((DURIAN,), (notice(Kind.HEARD, **FRESH),), False),
    "heard, too salty": ((DURIAN,), (notice(Kind.HEARD, for_min=30),), False),
    "heard, too salty for one of two": (
        (DURIAN, (XUAN_HOA, "rice", 2000)),
        (notice(Kind.HEARD, for_min=30, trend="steady"),),
        False,
    ),
    "shut, over one limit of two": (
        (DURIAN, (XUAN_HOA, "rice", 2000)),
        (
            notice(Kind.SHUT, stop_by_ms=None, why=""),
            notice(Kind.SHUT, stop_by_ms=NOW + 20 * MIN, why="", level_mg_l=2000),
        ),
        False,
    ),
    "shut, no station is left": (
        (DURIAN,),
        (notice(Kind.SHUT, figure_g_l=None, trend="", stop_by_ms=None, why="no-station"),),
        False,
    ),
    "silent, no station is left": (
        (DURIAN,),
        (notice(Kind.SILENT, figure_g_l=None, trend="", why="no-station", for_min=60),),
        False,
    ),
    "salt of the night, told in the morning": (
        (DURIAN,),
        (notice(Kind.SALT, ago_min=240, figure_g_l=0.57),),
        False,
    ),
    "bulletin": ((DURIAN,), (notice(Kind.BULLETIN, **BULLETIN),), False),
    "several kinds at once": (
        (DURIAN, OTHER),
        (
            notice(Kind.FRESH, **FRESH),
            notice(Kind.SILENT, VAM_GIONG, figure_g_l=0.3, trend="", why="silent"),
        ),
        False,
    ),
    "digest": (
        (DURIAN, OTHER),
        (
            notice(Kind.SILENT, ago_min=300, figure_g_l=0.3, trend="", why="silent"),
            notice(Kind.HEARD, ago_min=200, figure_g_l=0.33, trend="steady"),
            notice(Kind.SALT, VAM_GIONG, ago_min=120),
        ),
        True,
    ),
    "digest of yesterday": (
        (DURIAN,),
        (notice(Kind.SILENT, ago_min=1200, figure_g_l=0.3, trend="", why="silent"),),
        True,
    ),
}


LEFT: Final[tuple[tuple[str, tuple[Place, ...], tuple[Place, ...]], ...]] = (
    ("stopped at one of two places", (XUAN_HOA, FIELD), (VAM_GIONG,)),
    ("stopped on one side of the gate", (FIELD,), (XUAN_HOA,)),
    ("stopped at one of four places", (FIELD,), (XUAN_HOA, VAM_GIONG, NGU_HIEP)),
    ("stopped here, another channel goes on", (FIELD,), ()),
)


def every(form: Form, lang: str) -> Iterator[tuple[str, Text]]:
    """Each message by its name."""
    for name, (follows, notices, digest) in NOTICES.items():
        to = person(lang, *follows)
        told = texts.of_notices(notices, to, form, site=SITE, now_ms=NOW, digest=digest)
        yield name, told
    yield "code", texts.code("482913", lang, form)
    yield "welcome", texts.welcome(person(lang, DURIAN, OTHER), form, SITE)
    salt = notice(Kind.SALT, ago_min=3000, **STANDS)
    for name, follows, standing in (
        ("welcome in a salt spell", (DURIAN,), (salt,)),
        (
            "welcome in two salt spells",
            (DURIAN, OTHER),
            (salt, notice(Kind.SALT, VAM_GIONG, ago_min=900, **STANDS)),
        ),
    ):
        yield name, texts.welcome(person(lang, *follows), form, SITE, standing, NOW)
    yield "stopped", texts.stopped(lang, form)
    for name, left, still in LEFT:
        yield name, texts.stopped_at(left, still, lambda intake: NAMES[intake], lang, form)
    for name, side in (
        ("nothing stopped, of a place not followed", ""),
        ("nothing stopped, of a side not followed", "field"),
    ):
        still = (XUAN_HOA, NGU_HIEP)[: 1 if side else 2]
        asked = "xuan-hoa" if side else "vam-giong"
        yield name, texts.nothing_stopped(asked, side, still, NAMES.__getitem__, lang, form)
    yield "trial", texts.trial(lang, form, NOW)


def page(form: Form, lang: str) -> str:
    """One file: name, size, words."""
    written: Callable[[str, Text], str] = _zalo if form is Form.ZALO else _words
    return "\n\n".join(written(name, text) for name, text in every(form, lang)) + "\n"


def _words(name: str, text: Text) -> str:
    size = f"{text.parts} x, {length(text.body)}" if not text.title else text.title
    return f"## {name} [{size}]\n{text.body}"


def _zalo(name: str, text: Text) -> str:
    params = "\n".join(f"{key} = {value}" for key, value in text.params.items())
    return f"## {name} [template {text.template}]\n{params}"


def files() -> dict[Path, str]:
    return {FOLDER / f"{form}.{lang}.txt": page(form, lang) for form in Form for lang in LANGUAGES}


def main(arguments: list[str]) -> int:
    if arguments != ["--write"]:
        sys.stderr.write("usage: python -m tests.alerts.golden_texts --write\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
