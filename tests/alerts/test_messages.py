from datetime import UTC, datetime

import pytest

from alerts.messages import DEFAULT_TEXTS, Facts, local_time, render, unknown_placeholders

SINCE_MS = int(datetime(2025, 3, 5, 17, 30, tzinfo=UTC).timestamp() * 1000)


def facts(
    value: float | None = 4.1,
    limit: float | None = 4.0,
    unit: str = "g/L",
    *,
    silence: bool = False,
) -> Facts:
    return Facts(
        station="Xuân Hòa",
        device="xh-01",
        value=value,
        limit=limit,
        unit=unit,
        since_ms=SINCE_MS,
        direction={},
        limit_is_s=silence,
    )


def test_times_are_those_of_vietnam() -> None:
    assert local_time(SINCE_MS) == "06/03/2025 00:30"
    assert local_time(0) == "01/01/1970 07:00"


def test_figures_have_a_decimal_comma_in_vietnamese() -> None:
    text = "{station}: {value} {unit}, vượt {limit} {unit} từ {since}"
    assert render(text, facts(), "vi") == "Xuân Hòa: 4,1 g/l, vượt 4,0 g/l từ 06/03/2025 00:30"
    assert render(text, facts(), "en") == "Xuân Hòa: 4.1 g/L, vượt 4.0 g/L từ 06/03/2025 00:30"


@pytest.mark.parametrize(
    ("value", "limit", "told"),
    [
        (4.93, 4.0, "4,93"),
        (4.9312, 4.0, "4,93"),
        (18.0, 20.0, "18,0"),
        (4.004, 4.0, "4,004"),
        (4.0001, 4.0, "4,0001"),
        (0.5, None, "0,5"),
        (-0.25, 0.0, "-0,25"),
        (120.0, 100.0, "120,0"),
    ],
)
def test_two_decimals_or_what_tells_value_and_limit_apart(
    value: float, limit: float | None, told: str
) -> None:
    assert render("{value}", facts(value, limit), "vi") == told


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert render("{value}", facts(None), "vi") == "không rõ"
    assert render("{value}", facts(None), "en") == "unknown"
    assert render("{limit}", facts(None, None, silence=True), "vi") == "không rõ"
    assert render("{limit}", facts(None, None, silence=True), "en") == "unknown"


def test_the_limit_of_silence_is_a_time() -> None:
    def told(seconds: float, language: str) -> str:
        return render("{limit}", facts(None, seconds, silence=True), language)

    assert told(30, "vi") == "30 giây"
    assert told(30, "en") == "30 s"
    assert told(2700, "vi") == "45 phút"
    assert told(2700, "en") == "45 min"
    assert told(9000, "vi") == "2,5 giờ"
    assert told(10_800, "en") == "3 h"


def test_blanks_of_what_is_empty_are_closed() -> None:
    assert render("{station} {direction}: {value} {unit}.", facts(0.3, 0.4, "1"), "vi") == (
        "Xuân Hòa: 0,3."
    )
    assert render("{value} {unit}", facts(0.3, 0.4, "1"), "en") == "0.3"


def test_units_as_bulletins_write_them() -> None:
    told = {
        unit: render("{unit}", facts(unit=unit), "vi") for unit in ("g/L", "g/L/h", "km/h", "veh/h")
    }
    assert told == {"g/L": "g/l", "g/L/h": "g/l/giờ", "km/h": "km/h", "veh/h": "xe/giờ"}
    assert render("{unit}", facts(unit="g/L/h"), "en") == "g/L/h"
    assert render("{limit} {unit}", facts(None, 60.0, "s", silence=True), "vi") == "1 phút"


def test_a_station_without_a_direction_keeps_its_colon() -> None:
    assert render("{station}, {direction}: {value}", facts(), "vi") == "Xuân Hòa: 4,1"


def test_placeholders() -> None:
    assert unknown_placeholders("{station} {{as it is}} {since}") == []
    assert unknown_placeholders("{station} {salinity} {value!r} {}") == [
        "{salinity}",
        "{value}",
        "{}",
    ]
    assert unknown_placeholders("{") == ["a brace without its partner"]


def test_default_texts_can_be_filled_in() -> None:
    for texts in DEFAULT_TEXTS.values():
        for name, text in texts.items():
            assert unknown_placeholders(text) == []
            assert "Xuân Hòa: " in render(text, facts(), name[-2:])
