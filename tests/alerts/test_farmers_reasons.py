"""Why a line of a list is not taken, or the whole of it: in both languages, and never only in one."""

import re
import unicodedata
from datetime import date

import pytest

from alerts.farmers import reasons
from alerts.farmers.place import Place
from alerts.farmers.reasons import Reason, figure, grouped
from alerts.farmers.roll import LINES_MAX, BadRoll, read_roll, shape

PLACES = (Place("xuan-hoa", "river"), Place("xuan-hoa", "field"), Place("ngu-hiep", "river"))
TODAY = date(2026, 1, 10)
HEAD = "so_dien_thoai;noi;cay;gioi_han;bao;gio_yen;ngon_ngu;dong_y"
ALL = {name: one for name, one in vars(reasons).items() if isinstance(one, Reason)}


def holes(text: str) -> list[str]:
    return sorted(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_reason_says_the_same_in_two_languages(name: str) -> None:
    one = ALL[name]
    assert holes(one.en) in (holes(one.vi), ["crops"])
    assert one.en != one.vi
    marks = [c for c in unicodedata.normalize("NFD", one.vi) if unicodedata.combining(c)]
    assert marks or "đ" in one.vi or name == "_HOW", "it has its diacritics"
    assert unicodedata.is_normalized("NFC", one.vi)
    # "đừng" reads as "dùng" (use) where diacritics are lost, and "k" or "ko" is no word.
    assert not re.search(r"(?i)\bđừng\b|\b(?:k|ko|sđt|đc|tn)\b", one.vi)


@pytest.mark.parametrize(
    ("line", "field", "vi"),
    [
        ("02733872345;ngu-hiep;rice;;;;;04/01/2026", "phone", "số máy bàn"),
        ("01682345678;ngu-hiep;rice;;;;;04/01/2026", "phone", "đầu số 0168 nay là 038"),
        ("091234567;ngu-hiep;rice;;;;;04/01/2026", "phone", "không đủ 10 chữ số"),
        ("09123456789;ngu-hiep;rice;;;;;04/01/2026", "phone", "quá 10 chữ số"),
        ("0951234567;ngu-hiep;rice;;;;;04/01/2026", "phone", "không có đầu số 095"),
        ("+14155550100;ngu-hiep;rice;;;;;04/01/2026", "phone", "không phải của Việt Nam"),
        ("9.12E+8;ngu-hiep;rice;;;;;04/01/2026", "phone", "ký tự lạ"),
        (";ngu-hiep;rice;;;;;04/01/2026", "phone", "chưa có số điện thoại"),
        ("512345678;ngu-hiep;rice;;;;;04/01/2026", "phone", "bắt đầu bằng 0 hoặc 84"),
        (
            "0912345678;xuan-hoa;rice;;;;;04/01/2026",
            "place",
            "ghi một trong: xuan-hoa/field, xuan-hoa/river (river là ngoài sông",
        ),
        ("0912345678;ngu-hiep;trà;;;;;04/01/2026", "crop", "Sầu riêng; Măng cụt"),
        ("0912345678;ngu-hiep;rice;05;;;;04/01/2026", "limit_g_l", "như 0,5"),
        ("0912345678;ngu-hiep;rice;0.2;;;;04/01/2026", "limit_g_l", "từ 0,3 đến 10 g/l"),
        ("0912345678;ngu-hiep;rice;;all;;;04/01/2026", "notices", "mặn, ngọt, cửa sổ"),
        ("0912345678;ngu-hiep;rice;;;21;;04/01/2026", "quiet", "giờ như 21:00-05:00"),
        ("0912345678;ngu-hiep;rice;;;a-b;;04/01/2026", "quiet", "hai giờ trong ngày"),
        ("0912345678;ngu-hiep;rice;;;5-5;;04/01/2026", "quiet", "phải khác nhau"),
        ("0912345678;ngu-hiep;rice;;;;fr;04/01/2026", "lang", "vi (tiếng Việt)"),
        ("0912345678;ngu-hiep;rice;;;;;", "consent", "ngày người này đồng ý"),
        (f"0912345678;{'x' * 201};rice;;;;;04/01/2026", "place", "nhiều nhất 200 ký tự"),
    ],
)
def test_a_line_says_why_in_vietnamese_too(line: str, field: str, vi: str) -> None:
    roll = read_roll(f"{HEAD}\n{line}\n".encode(), PLACES, TODAY)
    (found,) = map(shape, roll.refused)
    assert found["field"] == field
    assert vi in found["detail_vi"]
    assert found["detail"] != found["detail_vi"]
    assert "{" not in found["detail"] + found["detail_vi"]
    assert not re.search("[0-9]{7}", found["detail_vi"]), "no number is repeated"


@pytest.mark.parametrize(
    ("raw", "vi"),
    [
        (b"", "tệp trống"),
        (HEAD.encode("utf-16"), "UTF-16; phải là UTF-8 (trong Excel"),
        (b"\xf0\xd2;", "mã cũ, như windows-1258"),
        (b"so_dien_thoai;noi\n", "cay (hoặc cay_trong, crop); dong_y (hoặc consent)"),
        (b"phone;sdt;place;crop;consent\n", "có hai cột cho so_dien_thoai"),
        (f'{HEAD}\n"0912\n'.encode(), "dòng 2: dấu ngoặc kép"),
        (b"x" * 1_000_001, "quá 1.000.000 byte"),
        (f"{HEAD}\n{'x' + chr(10)}".encode() + b"x\n" * LINES_MAX, "quá 5000 người"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_in_vietnamese_too(raw: bytes, vi: str) -> None:
    with pytest.raises(BadRoll) as caught:
        read_roll(raw, PLACES, TODAY)
    assert vi in caught.value.vi
    assert "{" not in str(caught.value) + caught.value.vi


def test_figures_are_written_as_each_language_does() -> None:
    assert (figure(0.5), figure(10)) == (Reason("0.5", "0,5"), Reason("10", "10"))
    assert grouped(1_000_000) == Reason("1,000,000", "1.000.000")
    assert Reason("{a} of {b}", "{a} trên {b}").say(a=figure(0.3), b=2) == Reason(
        "0.3 of 2", "0,3 trên 2"
    )
