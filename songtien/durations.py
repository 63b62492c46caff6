"""Durations, times and speeds as people write them on a command line."""

import math
import re
from datetime import datetime, timedelta

from alerts.messages import VIETNAM
from ingest.faults import ConfigError, Fault

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def parse_duration(text: str, option: str) -> timedelta:
    """`90s`, `15m`, `6h` or `2d`; raises ConfigError that names the option."""
    found = _DURATION.fullmatch(text.strip())
    fault = Fault("options", option, text, "a duration such as 90s, 15m, 6h, 2d")
    if found is None:
        raise ConfigError([fault])
    try:
        return timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError as error:
        raise ConfigError([fault]) from error


def parse_time(text: str, option: str) -> int:
    """A time as typed, ms UTC; without an offset it is Vietnam's. Raises ConfigError."""
    if text.isdecimal():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        accepted = "accepted is a time such as 2026-03-01T06:30 (Vietnam's) or ms since 1970"
        raise ConfigError([Fault("options", option, text, accepted)]) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=VIETNAM)
    return round(found.timestamp() * 1000)


def parse_speed(text: str) -> float:
    """`1`, `60`, `0.5` or `max`; raises ConfigError."""
    if text == "max":
        return math.inf
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = math.nan
    if not (speed > 0 and math.isfinite(speed)):
        raise ConfigError([Fault("options", "--speed", text, "a number above 0, or max")])
    return speed
