import math
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.faults import ConfigError
from songtien.durations import parse_duration, parse_speed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("6h", timedelta(hours=6)),
        ("2d", timedelta(days=2)),
        ("0.5h", timedelta(minutes=30)),
        (" 1 d ", timedelta(days=1)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_as_people_write_them(text: str, expected: timedelta) -> None:
    assert parse_duration(text, "--ttl") == expected


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1h", "1y", "1h30m", "1e3s", "nans", "9" * 400 + "d", "99999999999d"]
)
def test_what_is_no_duration_is_told_with_its_option(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration(text, "--ttl")
    (fault,) = caught.value.faults
    assert (fault.key, fault.value) == ("--ttl", text)
    assert "90s" in fault.accepted


@given(st.text(max_size=8))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with suppress(ConfigError):
        assert parse_duration(text, "--ttl") >= timedelta(0)
    with suppress(ConfigError):
        assert parse_speed(text) > 0


@pytest.mark.parametrize(("text", "speed"), [("1", 1.0), ("60", 60.0), ("0.5", 0.5), ("10x", 10.0)])
def test_speeds(text: str, speed: float) -> None:
    assert parse_speed(text) == speed
    assert math.isinf(parse_speed("max"))


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast", "1xx", ""])
def test_what_is_no_speed_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="--speed"):
        parse_speed(text)
