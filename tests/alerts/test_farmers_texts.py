"""What farmers read: fitted to its form, never cut in a word, never with a second meaning."""

import itertools
import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.farmers import gsm7, texts
from alerts.farmers.crops import CROPS, LEVELS_MG_L
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Form
from alerts.farmers.person import Follow, Person
from alerts.farmers.place import Place
from alerts.farmers.restraint import DAILY_MAX, SAME_EVENT_MS
from alerts.farmers.roll import read_roll
from alerts.farmers.second_meaning import second_meanings
from alerts.farmers.texts_fit import PARTS_MAX
from alerts.farmers.texts_service import STOP_WORD
from alerts.farmers.texts_words import TRENDS, VI, crop_name, figure, shorter
from alerts.farmers.texts_zalo import LIMITS
from tests.alerts import golden_texts as golden
from tests.alerts.golden_texts import DURIAN, NOW, OTHER, SITE, XUAN_HOA, notice, person

STATIONS = Path(__file__).parents[2] / "songtien" / "defaults" / "stations.toml"
INTAKES = [each["name"] for each in tomllib.loads(STATIONS.read_text("utf-8"))["intake"]]

FORMS = st.sampled_from(list(Form))
LANGS = st.sampled_from(["vi", "en"])
WATER = [Kind.SALT, Kind.FRESH, Kind.OPEN, Kind.SHUT]


@pytest.mark.parametrize("path", golden.files(), ids=lambda path: path.name)
def test_the_texts_are_those_that_people_have_read(path: Path) -> None:
    """After a change of words: `python -m tests.alerts.golden_texts --write`, and read it."""
    assert path.read_text(encoding="utf-8") == golden.files()[path]


def said(notices: list[Notice], *follows: Any, form: Form = Form.SMS, lang: str = "vi") -> str:
    to = person(lang, *follows)
    return texts.of_notices(notices, to, form, site=SITE, now_ms=NOW).body


@pytest.mark.parametrize("form", [Form.SMS, Form.SMS_UNICODE, Form.LONG])
def test_what_to_do_where_for_which_crop_by_which_figure_and_since_when(form: Form) -> None:
    text = gsm7.strip(said([notice(Kind.SALT, for_min=200)], DURIAN, form=form))
    for words in (
        "KHONG LAY NUOC",
        "Xuan Hoa, ngoai song",
        "0,62 g/l",
        "0,5",
        "sau rieng",
        "tu 11:",
    ):
        assert words in text


@pytest.mark.parametrize("lang", golden.LANGUAGES)
@pytest.mark.parametrize("form", [Form.SMS, Form.SMS_UNICODE, Form.LONG])
def test_an_end_is_for_reference_and_a_permission_asks_to_measure(form: Form, lang: str) -> None:
    for kind in (Kind.FRESH, Kind.OPEN):
        one = notice(kind, **golden.FRESH, ends_ms=NOW + 200 * golden.MIN)
        text = gsm7.strip(said([one], DURIAN, form=form, lang=lang))
        assert ("18:00 (tham khao)" if lang == "vi" else "18:00 (for reference)") in text
        assert ("Do lai truoc khi lay" if lang == "vi" else "Measure again") in text


def test_a_day_that_is_not_today_is_told() -> None:
    one = notice(Kind.SALT, ago_min=17 * 60)
    assert "tu 21:25 12/03" in said([one], DURIAN)
    assert "12/03" in said([one], DURIAN, form=Form.SMS_UNICODE)
    assert "12/03" not in said([notice(Kind.SALT)], DURIAN)


def test_what_can_not_be_trusted_is_not_told_as_a_figure() -> None:
    for why in ("broken", "suspect"):
        one = notice(Kind.SILENT, figure_g_l=0.07, why=why)
        assert "0,07" not in said([one], DURIAN, form=Form.LONG)
    suspect = notice(Kind.SALT, flag=3)
    assert "0,62 g/l luc 14:34 (so lieu dang ngo)" in said([suspect], DURIAN)


def test_a_time_that_is_over_is_told_as_at_once() -> None:
    later = notice(Kind.SHUT, stop_by_ms=NOW + golden.MIN)
    over = notice(Kind.SHUT, stop_by_ms=NOW)
    assert said([later], DURIAN).startswith("NGUNG LAY NUOC truoc 14:41")
    assert said([over], DURIAN).startswith("NGUNG LAY NUOC LIEN")
    assert said([later, replace(over, level_mg_l=1000)], DURIAN).startswith("NGUNG LAY NUOC LIEN")


def test_of_several_permissions_the_earliest_end_is_told_and_none_where_one_is_not_known() -> None:
    early = notice(Kind.OPEN, **golden.FRESH, ends_ms=NOW + 60 * golden.MIN)
    late = notice(Kind.OPEN, level_mg_l=1000, **golden.FRESH, ends_ms=NOW + 90 * golden.MIN)
    open_end = notice(Kind.OPEN, level_mg_l=1500, **golden.FRESH)
    assert "den khoang 15:40" in said([early, late], DURIAN)
    assert "den khoang" not in said([early, open_end], DURIAN)


def test_no_figure_is_no_hole_in_the_words() -> None:
    one = notice(Kind.SALT, figure_g_l=None, figure_ms=None, flag=None, trend="")
    assert "ngoai song: man vuot muc 0,5 g/l (sau rieng)" in said([one], DURIAN)


def test_a_figure_never_reads_like_a_limit_that_it_is_not() -> None:
    assert figure(0.496, (500,), VI) == "0,496"
    assert figure(0.5, (500,), VI) == "0,5"
    assert figure(1.0, (), VI) == "1,0"
    assert figure(0.004, (), VI) == "0,0"


def test_the_first_message_says_how_to_stop() -> None:
    for form in (Form.SMS, Form.SMS_UNICODE, Form.LONG):
        for lang in golden.LANGUAGES:
            assert STOP_WORD in texts.welcome(person(lang, DURIAN), form, SITE).body
    assert texts.welcome(person("vi", DURIAN), Form.SMS, "x" * 80).parts == 1


@pytest.mark.parametrize("intake", INTAKES)
def test_no_place_that_stops_or_goes_on_has_a_second_meaning(intake: str) -> None:
    for left, still in ((XUAN_HOA, golden.FIELD), (golden.FIELD, XUAN_HOA)):
        for form in Form:
            text = texts.stopped_at([left], [still], lambda _: intake, "vi", form)
            asked = texts.nothing_stopped(left.intake, "", [still], lambda _: intake, "vi", form)
            for each in (text, asked):
                for words in (each.title, each.body, *each.params.values()):
                    assert second_meanings(words) == (), words


def test_a_bulletin_is_cut_between_sentences_and_whole_where_there_is_room() -> None:
    body = golden.BULLETIN | {
        "text": "Có thể lấy nước ở phía trên. " + "Không lấy ở phía dưới " * 20
    }
    one = notice(Kind.BULLETIN, **body)
    assert said([one], DURIAN).count("lay") in (0, 1)
    assert "Khong lay o phia duoi" not in said([one], DURIAN)
    for form in (Form.SMS, Form.SMS_UNICODE):
        parts = texts.bulletin(one, "vi", form, site=SITE, now_ms=NOW).parts
        assert parts <= (1 if form is Form.SMS else PARTS_MAX)
    assert str(body["text"]).strip() in said([one], DURIAN, form=Form.LONG)


def test_a_message_needs_a_notice() -> None:
    with pytest.raises(ValueError, match="needs a notice"):
        said([], DURIAN)


def test_a_place_is_called_by_its_own_name() -> None:
    assert shorter("Vườn sầu riêng Ngũ Hiệp (bơm từ sông Tiền)", 24) == "Vườn sầu riêng Ngũ Hiệp"
    assert shorter("Trạm bơm nước thô Đồng Tâm", 12) == "Đồng Tâm"
    assert shorter("Cống Nguyễn Tấn Thành", 16) == "Nguyễn Tấn Thành"
    assert shorter("Llanfairpwllgwyngyll", 12) == ""


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("lang", golden.LANGUAGES)
def test_no_text_has_a_second_meaning(form: Form, lang: str) -> None:
    for name, text in golden.every(form, lang):
        for words in (text.title, text.body, *text.params.values()):
            assert second_meanings(words) == (), (name, words)


@pytest.mark.parametrize("intake", INTAKES)
@pytest.mark.parametrize("kind", [*WATER, Kind.SILENT, Kind.HEARD])
def test_no_crop_at_any_place_gives_a_text_a_second_meaning(intake: str, kind: Kind) -> None:
    for crop in CROPS.values():
        one = notice(kind, XUAN_HOA, crop.limit_mg_l, place_vi=intake)
        for form in (Form.SMS, Form.SMS_UNICODE):
            text = said([one], (XUAN_HOA, crop.id, crop.limit_mg_l), form=form)
            assert second_meanings(text) == (), text
        assert second_meanings(crop_name(crop.id, VI)) == ()


@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("form", [Form.SMS, Form.LONG, Form.ZALO])
def test_no_trend_has_a_second_meaning(trend: str, form: Form) -> None:
    """Of salt that stands still: "đứng" reads as "dùng", use."""
    one = notice(Kind.SALT, trend=trend)
    told = texts.of_notices([one], person("vi", DURIAN), form, site="", now_ms=NOW)
    for words in (told.body, told.title, *told.params.values()):
        assert second_meanings(words) == (), words
    assert gsm7.strip(TRENDS[trend][VI]) in gsm7.strip(f"{told.body} {told.params}")


def test_an_old_figure_stands_with_its_time_and_without_which_way_it_went() -> None:
    long = "Trạm bơm nước thô thành phố Hồ Chí Minh mở rộng Đồng Tâm Thượng Hạ"
    for ago_min, told in ((1, False), (60, True)):
        one = notice(Kind.SALT, ago_min=ago_min, place_vi=long, trend="rising")
        text = said([one], DURIAN)
        assert (" luc " in text) is told, text
        rising = said([one], DURIAN, form=Form.LONG)
        assert ("đang lên" in rising) is not told


def test_what_is_too_salty_for_one_crop_is_not_said_of_another() -> None:
    follows = DURIAN, (XUAN_HOA, "rice", 2000)
    heard = said([notice(Kind.HEARD)], *follows)
    assert "vuot muc 0,5 g/l (sau rieng), muc 2 g/l (lua)" in heard
    assert heard.endswith("KHONG LAY NUOC vuot muc.")
    shut = notice(Kind.SHUT, why="", stop_by_ms=None)
    text = said([shut, replace(shut, level_mg_l=2000)], *follows)
    assert "vuot muc 0,5 g/l (sau rieng) tu" in text
    assert "co the toi muc 2 g/l (lua)" in text


def test_what_reads_like_the_limit_reaches_it_and_is_not_above() -> None:
    for value, words in ((0.5, "toi muc 0,5"), (0.5004, "toi muc 0,5"), (0.501, "vuot muc 0,5")):
        for kind in (Kind.SALT, Kind.SHUT, Kind.HEARD):
            one = notice(kind, figure_g_l=value, why="", stop_by_ms=None)
            for form in (Form.SMS, Form.SMS_UNICODE, Form.LONG):
                text = gsm7.strip(said([one], DURIAN, form=form))
                terse = words.replace("vuot muc", "qua")
                assert words in text or terse in text, text
                assert "KHONG LAY NUOC" in text or kind is Kind.SHUT
            english = said([one], DURIAN, form=Form.LONG, lang="en")
            assert ("reaches 0.5 g/L" in english) is (value < 0.501)
    salt = notice(Kind.SALT, figure_g_l=1.0)
    both = said([salt, replace(salt, level_mg_l=1000)], DURIAN, golden.RICE)
    assert "vuot muc 0,5 g/l (sau rieng) tu 14:24, toi muc 1 g/l (lua ma) tu 14:24" in both
    heard = said([notice(Kind.HEARD, figure_g_l=0.5)], DURIAN, (XUAN_HOA, "rice", 2000))
    assert heard.endswith("KHONG LAY NUOC toi hoac vuot muc.")


def test_a_figure_that_permits_never_stands_without_its_time() -> None:
    long = "Trạm bơm nước thô thành phố Hồ Chí Minh mở rộng Đồng Tâm Thượng Hạ"
    for kind in (Kind.FRESH, Kind.OPEN):
        for place in ("Cống Xuân Hòa", *INTAKES, long):
            body = golden.FRESH | {"place_vi": place, "ends_ms": NOW + 200 * golden.MIN}
            for form, lang in itertools.product((Form.SMS, Form.SMS_UNICODE), golden.LANGUAGES):
                text = gsm7.strip(said([notice(kind, **body)], DURIAN, form=form, lang=lang))
                timed = "0,21 g/l luc 14:34" if lang == "vi" else "0.21 g/L at 14:34"
                assert timed in text or (place == long and "21" not in text), text


SMALL = """va qua noi khac da chon loai and other others places place another at your see xem tai man
salinity trong dong"""
"""Words of the shorter wordings."""

NAMES = st.one_of(
    st.sampled_from(INTAKES),
    st.lists(st.text("abđơưạẾ€[]{}()", min_size=1, max_size=60), min_size=1, max_size=9).map(
        " ".join
    ),
    st.text(max_size=120),
)
FIGURES = st.one_of(st.none(), st.floats(0, 40))
TIMES = st.one_of(st.none(), st.integers(NOW - 10**9, NOW + 10**8))


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Notice], Person]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4))
    here = [Place(f"p{i}", draw(st.sampled_from(["river", "field"]))) for i in range(len(names))]
    notices, follows = [], []
    one_kind = draw(st.one_of(st.none(), st.sampled_from(list(Kind))))
    for place, name in zip(here, names, strict=True):
        for level in draw(
            st.lists(st.sampled_from(LEVELS_MG_L), min_size=1, max_size=4, unique=True)
        ):
            kind = one_kind or draw(st.sampled_from(list(Kind)))
            follows += [
                Follow(place, crop, level)
                for crop in draw(st.lists(st.sampled_from(sorted(CROPS)), max_size=2))
            ]
            body = {
                "place_vi": name,
                "figure_g_l": draw(FIGURES),
                "figure_ms": draw(TIMES),
                "flag": draw(st.sampled_from([1, 3])),
                "ends_ms": draw(TIMES),
                "stop_by_ms": draw(TIMES),
                "pump": draw(st.booleans()),
                "why": draw(st.sampled_from(["silent", "broken", "maintenance", "suspect", ""])),
            }
            bulletin = {"title": name * 3, "text": draw(st.text(max_size=300)), "issuer": name}
            more = bulletin if kind is Kind.BULLETIN else {}
            one = notice(kind, XUAN_HOA, level, ago_min=draw(st.integers(0, 3000)), **body, **more)
            notices.append(replace(one, place=place))
    lang = draw(LANGS)
    return notices, Person(1, "sms", "", lang, "", None, tuple(follows))


@settings(max_examples=60)
@given(told(), st.booleans(), st.sampled_from([SITE, "", "x" * 200]))
def test_whatever_happens_a_short_message_is_one_part(
    given_: tuple[list[Notice], Person], digest: bool, site: str
) -> None:
    notices, to = given_
    text = texts.of_notices(notices, to, Form.SMS, site=site, now_ms=NOW, digest=digest)
    assert text.parts == gsm7.parts(text.body) == 1
    assert gsm7.coding(text.body) is gsm7.Coding.GSM_7
    assert text.body.strip()


@settings(max_examples=60)
@given(told(), st.booleans())
def test_whatever_happens_no_form_fails(given_: tuple[list[Notice], Person], digest: bool) -> None:
    notices, to = given_
    for form in (Form.SMS_UNICODE, Form.LONG, Form.ZALO):
        text = texts.of_notices(notices, to, form, site=SITE, now_ms=NOW, digest=digest)
        assert text.body
        if form is Form.SMS_UNICODE:
            assert text.parts == gsm7.parts(text.body) <= PARTS_MAX
        for name, value in text.params.items():
            assert 0 < len(value) <= LIMITS[name], name


@settings(max_examples=60)
@given(told())
def test_a_short_message_is_never_cut_within_a_word(
    given_: tuple[list[Notice], Person],
) -> None:
    """Each of its words stands in what would be said with all the room in the world."""
    notices, to = given_
    kinds = {each.kind for each in notices}
    if len(kinds) > 1 or Kind.BULLETIN in kinds:
        return
    told = texts.of_notices(notices, to, Form.SMS, site=SITE, now_ms=NOW)
    whole = texts.of_notices(notices, to, Form.LONG, site=SITE, now_ms=NOW)
    known = set(re.split(r"[\s,;:.()-]+", gsm7.strip(f"{whole.title} {whole.body} {SITE}").lower()))
    known |= set(SMALL.split())
    words = re.split(r"[\s,;:.()-]+", told.body.lower())
    assert [each for each in words if each and each not in known and not each.isdigit()] == []


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=10), st.integers(1, 2), LANGS)
def test_who_stops_a_place_reads_what_stopped_and_what_goes_on(
    names: list[str], sides: int, lang: str
) -> None:
    here = [Place(str(i), ("river", "field")[i % 2]) for i in range(len(names))]
    left = [Place("0", side) for side in ("river", "field")[:sides]]
    for form in Form:
        text = texts.stopped_at(left, here[1:], lambda intake: names[int(intake)], lang, form)
        if form is Form.SMS:
            assert gsm7.coding(text.body) is gsm7.Coding.GSM_7
            assert text.parts == gsm7.parts(text.body) == 1
        for value in text.params.values():
            assert 0 < len(value) <= LIMITS["ket_qua"]
        goes_on = ("Van nhan tin", "You still get")[lang == "en"]
        assert (goes_on in gsm7.strip(text.body)) is (len(names) > 1)
        assert text.body.endswith(f"{STOP_WORD}.")


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=10), st.sampled_from(["", "river", "field"]), LANGS)
def test_who_names_a_place_that_he_does_not_follow_reads_what_he_does(
    names: list[str], side: str, lang: str
) -> None:
    still = [Place(str(i), ("river", "field")[i % 2]) for i in range(1, len(names))]
    for form in Form:
        text = texts.nothing_stopped(
            "0", side, still, lambda intake: names[int(intake)], lang, form
        )
        if form is Form.SMS:
            assert gsm7.coding(text.body) is gsm7.Coding.GSM_7
            assert text.parts == gsm7.parts(text.body) == 1
        for value in text.params.values():
            assert 0 < len(value) <= LIMITS["ket_qua"]
        nothing = ("Khong ngung gi", "Nothing stopped")[lang == "en"]
        assert gsm7.strip(text.body).startswith(nothing)
        goes_on = ("Van nhan tin", "You still get")[lang == "en"]
        assert (goes_on in gsm7.strip(text.body)) is (len(names) > 1)
        assert text.body.endswith(f"{STOP_WORD}.")


@pytest.mark.parametrize("form", [Form.SMS, Form.SMS_UNICODE])
def test_who_stops_one_of_many_places_reads_its_name_within_two_parts(form: Form) -> None:
    """Without it he could not see that his reply was read as another place."""
    names = {"a": "Cống Xuân Hòa", "b": "Cống Vàm Giồng", "c": "Trạm bơm nước thô Đồng Tâm"}
    sides = [Place("a", side) for side in ("river", "field")]
    still = [Place("b", "field"), Place("c", "river"), Place("b", "river")]
    for lang in ("vi", "en"):
        for text in (
            texts.stopped_at(sides, still, names.__getitem__, lang, form),
            texts.nothing_stopped("a", "field", still, names.__getitem__, lang, form),
        ):
            assert "Xuan Hoa" in gsm7.strip(text.body)
            assert text.parts <= 2
            assert ("3 nơi", "3 places")[lang == "en"] in text.body or "Giong" in gsm7.strip(
                text.body
            )


def test_places_that_do_not_fit_are_counted() -> None:
    many = [
        replace(notice(Kind.SALT, place_vi=f"Cống Số {i}"), place=Place(f"p{i}", "river"))
        for i in range(9)
    ]
    assert "va 7 noi khac" in said(many, DURIAN, OTHER)


def test_the_guide_for_community_teams_shows_what_farmers_read() -> None:
    guide = (STATIONS.parents[2] / "docs" / "nong-dan.md").read_text("utf-8")
    shown = [each for each in re.findall(r"`([^`]*)`", guide) if "tai Cong Xuan Hoa" in each]
    read = (golden.FOLDER / "sms.vi.txt").read_text("utf-8")
    assert shown
    assert all(each in read for each in shown)
    assert f"Sau {DAILY_MAX} tin trong ngày" in guide
    assert f"trong {SAME_EVENT_MS // golden.HOUR} giờ" in guide


def test_the_list_in_the_guide_is_taken() -> None:
    guide = (STATIONS.parents[2] / "docs" / "nong-dan.md").read_text("utf-8")
    (listed,) = re.findall(r"```csv\n(.*?)```", guide, re.DOTALL)
    raw = listed.replace("09xx xxx xxx", "0912 345 678").encode()
    roll = read_roll(raw, [XUAN_HOA, golden.FIELD], date(2026, 2, 1))
    assert len(roll.entries) == 2
    assert not roll.refused
    assert not roll.passed_over
