"""A community's list of farmers: what is read, what is refused, and what the report says."""

from datetime import date

import pytest

from alerts.farmers.notice import USUAL, Wants
from alerts.farmers.person import Quiet
from alerts.farmers.phones import NoPhone, masked_phone, parse_phone, repaired
from alerts.farmers.place import Place
from alerts.farmers.roll import LINES_MAX, BadRoll, Entry, Line, Roll, read_roll, shape
from alerts.farmers.wishes import BadWish, read_follow, read_quiet

PLACES = (Place("xuan-hoa", "river"), Place("xuan-hoa", "field"), Place("ngu-hiep", "river"))
TODAY = date(2026, 1, 10)
HEAD = "phone;place;crop;limit_g_l;notices;quiet;lang;consent"


def read(*lines: str, head: str = HEAD) -> Roll:
    return read_roll("\n".join((head, *lines)).encode(), PLACES, TODAY)


def one(line: str) -> Entry:
    roll = read(line)
    assert roll.refused == ()
    return roll.entries[0]


def refused(line: str) -> Line:
    roll = read(line)
    assert roll.entries == ()
    return roll.refused[0]


@pytest.mark.parametrize(
    "typed",
    [
        "0912345678",
        "0912 345 678",
        "0912.345.678",
        "+84912345678",
        "+84 (0) 912-345-678",
        "84912345678",
        "0084 912 345 678",
        "\uff10\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    ],
)
def test_a_number_has_one_form_however_it_is_typed(typed: str) -> None:
    assert parse_phone(typed) == "+84912345678"


def test_numbers_that_begin_with_84_in_the_country_are_not_cut() -> None:
    assert parse_phone("0841234567") == "+84841234567"
    assert parse_phone("84841234567") == "+84841234567"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "no number"),
        ("02733872345", "landline"),
        ("+84 273 3872 345", "landline"),
        ("01682345678", "begin with 038 now"),
        ("01232345678", "begin with 083 now"),
        ("091234567", "9 digits"),
        ("09123456789", "11 digits"),
        ("0951234567", "begins with 095"),
        ("+14155550100", "another country"),
        ("0912345678a", "more than digits"),
        ("912345678", "neither 0 nor 84"),
        ("0" * 400, "more than digits"),
    ],
)
def test_what_is_no_mobile_number_is_told_why(typed: str, why: str) -> None:
    with pytest.raises(NoPhone, match=why) as caught:
        parse_phone(typed)
    assert caught.value.vi
    assert len(typed) < 5 or typed not in str(caught.value) + caught.value.vi


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("912345678", "0912345678"),
        ("912 345 678", "0912345678"),
        ("9.12345678E+8", "0912345678"),
        ("9,12345678E+08", "0912345678"),
        ("912345678.0", "0912345678"),
        ("9.12E+8", None),
        ("0912345678", None),
        ("84912345678", None),
        ("212345678", None),
    ],
)
def test_a_zero_that_a_spreadsheet_lost_is_put_back(typed: str, mended: str | None) -> None:
    assert repaired(typed) == mended


def test_a_mask_leaves_too_little_to_call() -> None:
    assert masked_phone("+84912345678") == "09xx xxx 678"


def test_a_line_in_vietnamese_is_the_same_as_in_english() -> None:
    head = "Số điện thoại,Nơi,Phía,Cây,Giới hạn,Báo,Giờ yên,Ngôn ngữ,Đồng ý"
    line = "0912345678,Xuân Hòa,trong đồng,Sầu riêng,0.5,mặn;ngọt,21h-5h,tiếng Việt,4/1/2026"
    (there,) = read(line, head=head).entries
    here = one("0912345678;xuan-hoa/field;durian;0,5 g/l;salt,fresh;21:00-05:00;vi;2026-01-04")
    assert there == here
    (follow,) = here.follows
    assert (follow.place, follow.crop, follow.level_mg_l) == (PLACES[1], "durian", 500)
    assert follow.wants == Wants.SALT | Wants.FRESH
    assert (here.quiet, here.lang, here.consent) == (Quiet(1260, 300), "vi", "2026-01-04")


def test_what_is_left_empty_is_the_usual() -> None:
    entry = one("0912345678;ngu-hiep;rice;;;;;04/01/2026")
    (follow,) = entry.follows
    assert (follow.place, follow.level_mg_l, follow.wants) == (PLACES[2], 2000, USUAL)
    assert (entry.quiet, entry.lang, entry.repaired) == (None, "vi", False)


@pytest.mark.parametrize(
    ("line", "field", "accepted"),
    [
        ("0273387234;ngu-hiep;rice;;;;;04/01/2026", "phone", "09xx"),
        ("0912345678;xuan-hoa;rice;;;;;04/01/2026", "place", "xuan-hoa/field, xuan-hoa/river"),
        ("0912345678;nowhere;rice;;;;;04/01/2026", "place", "ngu-hiep/river"),
        ("0912345678;ngu-hiep;tea;;;;;04/01/2026", "crop", "durian"),
        ("0912345678;ngu-hiep;rice;x;;;;04/01/2026", "limit_g_l", "0,5"),
        ("0912345678;ngu-hiep;durian;05;;;;04/01/2026", "limit_g_l", "0,5"),
        ("0912345678;ngu-hiep;durian;1.500;;;;04/01/2026", "limit_g_l", "0,5"),
        ("0912345678;ngu-hiep;rice;0.2;;;;04/01/2026", "limit_g_l", "0.3 to 10"),
        ("0912345678;ngu-hiep;rice;;all;;;04/01/2026", "notices", "windows"),
        ("0912345678;ngu-hiep;rice;;;21;;04/01/2026", "quiet", "21:00-05:00"),
        ("0912345678;ngu-hiep;rice;;;;fr;04/01/2026", "lang", "vi and en"),
        ("0912345678;ngu-hiep;rice;;;;;", "consent", "DD/MM/YYYY"),
        ("0912345678;ngu-hiep;rice;;;;;31/02/2026", "consent", "DD/MM/YYYY"),
        ("0912345678;ngu-hiep;rice;;;;;11/01/2026", "consent", "not ahead"),
        ("0912345678;ngu-hiep;rice;;;;;yes", "consent", "DD/MM/YYYY"),
        ("0912345678;ngu-hiep", "crop", "durian"),
        (f"0912345678;{'x' * 201};rice;;;;;04/01/2026", "place", "200 characters"),
    ],
)
def test_a_line_is_refused_by_its_field(line: str, field: str, accepted: str) -> None:
    found = refused(line)
    assert (found.line, found.done, found.field) == (2, "refused", field)
    assert found.reason is not None
    assert accepted in found.reason.en
    assert "912345678" not in str(found)


def test_the_report_numbers_lines_as_an_editor_does() -> None:
    roll = read(
        "0912345678;ngu-hiep;rice;;;;;04/01/2026",
        "",
        ";;;;;;;",
        '0987654321;"no\nwhere";rice;;;;;04/01/2026',
        "333333333;ngu-hiep;rice;;;;;04/01/2026",
        "x;ngu-hiep;rice;;;;;04/01/2026",
    )
    assert [(entry.line, entry.repaired) for entry in roll.entries] == [(2, False), (7, True)]
    assert [(line.line, line.field) for line in roll.refused] == [(5, "place"), (8, "phone")]
    said = {"line": 5, "done": "refused", "phone": "09xx xxx 321", "field": "place"}
    assert said.items() <= shape(roll.refused[0]).items()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheets_write_csv_in_many_ways(delimiter: str, bom: str, newline: str) -> None:
    lines = ["phone;place;crop;consent", "0912345678;ngu-hiep;rice;04/01/2026", ""]
    text = bom + newline.join(lines).replace(";", delimiter)
    assert len(read_roll(text.encode(), PLACES, TODAY).entries) == 1


def test_excels_own_first_line_is_understood() -> None:
    text = "sep=;\nphone;place;crop;consent\n0912345678;ngu-hiep;rice;04/01/2026\n"
    (entry,) = read_roll(text.encode(), PLACES, TODAY).entries
    assert entry.line == 3


def test_columns_that_nobody_needs_are_passed_over_and_named() -> None:
    text = "Họ tên;phone;place;crop;consent;0912345678\nAn;0987654321;ngu-hiep;rice;04/01/2026;x\n"
    roll = read_roll(text.encode(), PLACES, TODAY)
    assert len(roll.entries) == 1
    assert roll.passed_over == ("Họ tên", "…")
    assert "An" not in str(roll)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (HEAD.encode("utf-16"), "UTF-16; accepted is UTF-8"),
        (HEAD.encode("utf-16-le"), "UTF-16; accepted is UTF-8"),
        ("phone;place;crop;đồng ý\n".encode("cp1258", "replace") + b"\xf0", "windows-1258"),
        (b"phone;place\n", "crop: cay, cay_trong, crop; consent: dong_y, consent"),
        (b"phone;sdt;place;crop;consent\n", "two columns for phone"),
        (b'phone;place;crop;consent\n"0912345678;ngu-hiep\n', "line 2: a quotation mark"),
        (b"x" * 1_000_001, "1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(raw: bytes, why: str) -> None:
    with pytest.raises(BadRoll, match=why):
        read_roll(raw, PLACES, TODAY)


def test_a_list_has_at_most_so_many_people() -> None:
    line = "0912345678;ngu-hiep;rice;;;;;04/01/2026"
    assert len(read(*[line] * LINES_MAX).entries) == LINES_MAX
    with pytest.raises(BadRoll, match="more than 5000 people"):
        read(*[line] * (LINES_MAX + 1))


@pytest.mark.parametrize(("limit", "level"), [(0.3, 300), (0.5, 500), (0.7, 600), (10, 10_000)])
def test_a_limit_of_ones_own_is_the_next_level_below(limit: float, level: int) -> None:
    assert read_follow("ngu-hiep", "rice", limit, USUAL, PLACES).level_mg_l == level


@pytest.mark.parametrize("limit", [0.29, 10.01, float("nan"), float("inf")])
def test_a_limit_beyond_the_scale_is_refused(limit: float) -> None:
    with pytest.raises(BadWish, match=r"0\.3 to 10"):
        read_follow("ngu-hiep", "rice", limit, USUAL, PLACES)


def test_quiet_hours_are_read_as_people_write_them() -> None:
    assert read_quiet("21h30", "5") == read_quiet("21:30", "05:00") == Quiet(1290, 300)
    with pytest.raises(BadWish):
        read_quiet("24:00", "5")


@pytest.mark.parametrize(
    ("place", "side"),
    [("xuan-hoa", "sông"), ("Cống Xuân Hòa (Chợ Gạo)", "ngoài sông"), ("cong xuan hoa", "SONG")],
)
def test_a_place_is_known_as_people_call_it(place: str, side: str) -> None:
    head = "phone,place,side,crop,consent"
    (entry,) = read(f"0912345678,{place},{side},Chôm chôm,2026-01-04", head=head).entries
    assert str(entry.follows[0].place) == "xuan-hoa/river"
