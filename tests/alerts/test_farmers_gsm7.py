"""What a network makes of a text, and what a reader makes of one without diacritics."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.farmers import gsm7
from alerts.farmers.crops import CROPS, Crop
from alerts.farmers.gsm7 import BASIC, EXTENSION, Coding, coding, length, parts, strip
from alerts.farmers.second_meaning import second_meanings

MIXED = st.text(st.sampled_from([*sorted(BASIC), *sorted(EXTENSION)]), max_size=800)


def test_the_tables_are_those_of_the_standard() -> None:
    """128 places of the default alphabet, one of which is the escape; 10 of the extension."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


def test_the_tables_are_those_of_another_program(recorded: Callable[[str], Path]) -> None:
    """The mapping of Perl's Encode::GSM0338."""
    table = json.loads(recorded("standards/gsm0338_table_perl_encode.json").read_text("utf-8"))
    theirs = {chr(int(name.removeprefix("U+"), 16)): code for name, code in table.items()}
    assert {sign for sign, code in theirs.items() if len(code) == 2} == BASIC
    assert {sign for sign, code in theirs.items() if code.startswith("1b")} == EXTENSION


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("KHÔNG LẤY NƯỚC", "KHONG LAY NUOC"),
        ("Đường Đồng đỏ", "Duong Dong do"),
        ("mặn 0,62‰ ≥ 0,5 ‰", "man 0,62 g/l >= 0,5 g/l"),
        ("“ngọt” … ‘ngọt’ – hết", "\"ngot\" ... 'ngot' - het"),
        ("10\u00a0km\u200b", "10 km"),
        ("ấ\u0323 đ\u0302", "a d"),
        ("1️⃣ nước 💧 中", "1 nuoc ? ?"),
        ("à é ñ Ü § €", "a e n U § €"),
        ("½ ﬁ ２ ²", "1/2 fi 2 2"),
    ],
)
def test_strip(text: str, stripped: str) -> None:
    assert strip(text) == stripped


@given(st.text())
def test_whatever_comes_in_is_carried_in_seven_bits(text: str) -> None:
    stripped = strip(text)
    assert coding(stripped) is Coding.GSM_7
    assert strip(stripped) == stripped


def test_every_code_point_is_carried() -> None:
    every = "".join(map(chr, range(0x11000)))
    assert coding(strip(every)) is Coding.GSM_7


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        # A pair never stands in two parts: 76 of them in each, and one septet stays free.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ạ" * 70, 1),
        ("ạ" * 71, 2),
        ("ạ" * 134, 2),
        ("ạ" * 135, 3),
        ("💧" * 35, 1),
        ("💧" * 66, 2),
        ("💧" * 67, 3),
    ],
)
def test_parts_as_the_network_counts(text: str, count: int) -> None:
    assert parts(text) == count


def _parts_by_hand(text: str) -> int:
    """The slow twin: septet by septet, a pair where it fits."""
    if coding(text) is Coding.GSM_7:
        coded, one, part = [2 if each in EXTENSION else 1 for each in text], 160, 153
    else:
        coded, one, part = [len(each.encode("utf-16-be")) // 2 for each in text], 70, 67
    if sum(coded) <= one:
        return 1
    messages: list[list[int]] = [[]]
    for size in coded:
        if sum(messages[-1]) + size > part:
            messages.append([])
        messages[-1].append(size)
    return len(messages)


@given(st.one_of(MIXED, st.text(max_size=300)))
def test_parts_equal_the_slow_twin(text: str) -> None:
    assert parts(text) == _parts_by_hand(text)
    assert length(text + "a") == length(text) + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ĐỪNG LẤY NƯỚC", "dung"),
        ("DUNG LAY NUOC", "dung"),
        ("chờ lấy nước", "cho lay"),
        ("KHÔNG LẤY, CHỜ: mặn còn lên", "cho"),
        ("Cấm lấy nước", "cam lay"),
        ("không lấy nếu chưa tự đo", "tu do"),
        ("nước không còn mặn", "khong con man"),
        ("nước chưa ngọt", "nuoc chua"),
        ("nước tưới đã về", "nuoc tuoi"),
        ("lúc mặn nhất", "man nhat"),
        ("cống đóng", "cong dong"),
        ("nghỉ bơm", "nghi bom"),
        ("máy hỏng", "hong"),
        ("hãy lấy nước", "hay lay"),
        ("NGƯNG NGAY", "ngung ngay"),
    ],
)
def test_a_second_meaning_is_found_and_told(text: str, words: str) -> None:
    found = second_meanings(text)
    assert words in [each.words for each in found]
    assert all(each.why_vi and each.why_en for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "KHÔNG LẤY NƯỚC, mặn còn lên",
        "NGƯNG LẤY NƯỚC",
        "CHƯA LẤY NƯỚC",
        "CÓ THỂ LẤY NƯỚC, đo lại trước khi lấy",
        "sử dụng nước máy, dung tích ao",
        "Chợ Gạo, Chợ Lách",
        "nước cho cây",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert second_meanings(text) == ()


@pytest.mark.parametrize("crop", CROPS.values(), ids=lambda crop: crop.id)
def test_no_crop_reads_as_something_else(crop: Crop) -> None:
    assert second_meanings(crop.vi) == ()


def test_limits_are_those_of_the_standard() -> None:
    septets = gsm7.ONE_SEPTETS, gsm7.PART_SEPTETS
    assert (*septets, gsm7.ONE_UNITS, gsm7.PART_UNITS) == (160, 153, 70, 67)
