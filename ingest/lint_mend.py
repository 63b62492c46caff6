"""How a field that is refused is mended: what it looks like, and what to send."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from ingest.lint_finding import number
from ingest.payload import T_MS_MAX
from ingest.reading import EPOCH_2000_MS
from ingest.refusal import ID_LENGTH_MAX, shown

TIMES: Final = ("t", "t0", "t1", "until")
YEAR_2100_S: Final = 4_102_444_800
VIETNAM: Final = timezone(timedelta(hours=7))
NOTHING: Final = frozenset(
    ("", "-", "--", "---", "nan", "null", "none", "n/a", "na", "inf", "-inf", "err", "error", "?")
)
"""Texts with which devices say that they have no value."""

SENTINELS: Final = frozenset((7999.0, 6999.0, 32767.0, -32768.0, 65535.0, -1.0))
"""Numbers with which devices say so, beside rows of nines: loggers' "not a number", the ends of
16-bit words, and minus one where nothing is negative."""

EC_MS_CM_MAX: Final = 80.0
"""More is no water of an estuary: the sea has 53 at 25 °C and 64 at 35 °C."""

MEANT_MAX: Final = 1e20
"""A larger number is no time in any unit, and none that anybody meant."""

TEXT_MAX: Final = 60
"""A longer text is none of those that are known: nobody is told to send it."""

CLASSES_TOLD: Final = 12

LEAVE_OUT: Final = "what has no value is left out"
_NINES = re.compile(r"-?9{2,}(\.9+)?")
_WITH_UNIT = re.compile(r"\s*([-+]?\d+(?:[.,]\d+)?)\s*([^\d\s].*)?")
_BUFFERS: Final = (64, 128, 256, 512, 1024, 2048, 4096)


def is_sentinel(value: float) -> bool:
    """Whether a number is one with which devices say that there is none."""
    return value in SENTINELS or _NINES.fullmatch(number(value)) is not None


def mend(name: str, value: Any) -> str:
    """What to send in place of a refused value of the field `name`; "" where nobody can tell."""
    return _mend(name, value) if _can_be_meant(value) else ""


def _mend(name: str, value: Any) -> str:
    if name in TIMES:
        return _time(value)
    if isinstance(value, bool):
        return "" if name == "sim" else "a yes or no is no number"
    if isinstance(value, int | float):
        return _number(name, float(value))
    if isinstance(value, list) and len(value) == 1:
        return "send the one value by itself, without [ ]"
    if isinstance(value, Mapping):
        return _classes(value) if name in ("count", "cumulative") else ""
    return _text(name, value) if isinstance(value, str) else ""


def _can_be_meant(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= TEXT_MAX
    return not isinstance(value, int | float) or abs(value) <= MEANT_MAX


def _time(value: Any) -> str:
    if isinstance(value, str):
        return _time_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    for unit, to_ms in (("seconds", 1000.0), ("microseconds", 1e-3), ("nanoseconds", 1e-6)):
        ms = round(value * to_ms)
        if EPOCH_2000_MS <= ms <= YEAR_2100_S * 1000 and not (
            EPOCH_2000_MS <= value <= YEAR_2100_S * 1000
        ):
            return f"looks like {unit}: send {ms}"
    if isinstance(value, float) and EPOCH_2000_MS <= value <= T_MS_MAX:
        return f"send {round(value)}, without a point or an exponent"
    if 0 <= value < EPOCH_2000_MS:
        return "was the clock set? Send nothing before it is, or the time of arrival at a gateway"
    return ""


def _time_text(text: str) -> str:
    if text.lower() in NOTHING:
        return "a sample needs its time"
    if re.fullmatch(r"\d{9,19}", text):
        return _time(int(text)) or f"send {text} without quotes"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return "send whole milliseconds since 1970, of UTC"
    if found.tzinfo is not None:
        return f"looks like ISO 8601: send {_ms(found)}"
    utc, local = _ms(found.replace(tzinfo=UTC)), _ms(found.replace(tzinfo=VIETNAM))
    return f"looks like ISO 8601: send {utc} if it is UTC, {local} if it is Vietnam's time"


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _text(name: str, text: str) -> str:
    if name == "dir":
        plain = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
        plain = plain[:ID_LENGTH_MAX].strip("-")
        return f"send {plain!r}" if plain and plain != text else ""
    if name == "s":
        return _state(text)
    if text.strip().lower() in NOTHING:
        return f"{LEAVE_OUT}, or null"
    found = _WITH_UNIT.fullmatch(text)
    if found is None:
        return ""
    plain, unit = found[1].replace(",", "."), (found[2] or "").strip()
    value = float(plain)
    if re.match(r"[uµμ]s", unit.lower()) and name.startswith("ec"):
        plain = number(value / 1000)
    beyond = _number(name, value) if not unit else ""
    return f"send {plain.removeprefix('+')} without quotes" + (f"; {beyond}" if beyond else "")


def _state(text: str) -> str:
    words = {
        "ready": ("online", "connected", "up", "on", "alive", "ready", "birth"),
        "lost": ("offline", "dead", "down", "disconnected", "lost"),
        "sleeping": ("sleep", "asleep", "sleeping"),
        "bye": ("off", "stop", "stopped", "shutdown", "bye"),
    }
    said = text.strip().lower()
    found = next((word for word, others in words.items() if said in others), None)
    return f"send {found!r}" if found else ""


def _number(name: str, value: float) -> str:
    """What a number out of its range, or none that is whole, looks like."""
    guesses = []
    if is_sentinel(value):
        guesses.append(f"looks like a sentinel: {LEAVE_OUT}")
    unit = _other_unit(name, value)
    if unit:
        guesses.append(unit)
    if name in ("boot", "seq", "lane", "v") and value % 1 == 0:
        guesses.append(f"send {value:.0f} as a whole number, without a point or an exponent")
    return ", or ".join(guesses)


def _other_unit(name: str, value: float) -> str:
    """The unit in which a number out of the field's range would be one of a river."""
    for unit, to_ours, low, high in _UNITS.get(name, ()):
        ours = to_ours(value)
        if low <= ours <= high:
            return f"looks like {unit}: send {number(round(ours, 4))}"
    return ""


_UNITS: Final[dict[str, tuple[tuple[str, Any, float, float], ...]]] = {
    "ec_ms_cm": (("µS/cm", lambda x: x / 1000, 0.05, EC_MS_CM_MAX),),
    "ec25_ms_cm": (("µS/cm", lambda x: x / 1000, 0.05, EC_MS_CM_MAX),),
    "sal_g_l": (("mg/L (or ppm)", lambda x: x / 1000, 0.02, 45.0),),
    "temp_c": (
        ("°F", lambda x: round((x - 32) / 1.8, 2), 15.0, 45.0),
        ("K", lambda x: round(x - 273.15, 2), 10.0, 45.0),
        ("tenths of °C", lambda x: x / 10, 15.0, 45.0),
        ("hundredths of °C", lambda x: x / 100, 15.0, 45.0),
    ),
    "depth_m": (("cm", lambda x: x / 100, 0.0, 20.0), ("mm", lambda x: x / 1000, 0.0, 30.0)),
    "level_m": (("cm", lambda x: x / 100, -5.0, 10.0), ("mm", lambda x: x / 1000, -5.0, 10.0)),
    "battery_v": (("mV", lambda x: x / 1000, 1.0, 60.0),),
    "occupancy": (("per cent", lambda x: x / 100, 0.0, 1.0),),
    "queue_m": (("mm", lambda x: x / 1000, 0.0, 20_000.0),),
}
"""Unit, its conversion, and the lowest and highest value that the field's unit would make it."""


def _classes(sent: Mapping[str, Any]) -> str:
    """The classes of a count that are no whole number of vehicles."""
    told = []
    for name, value in sent.items():
        if not _can_be_meant(value):
            told.append(f"{shown(name)}: send a whole number")
        elif isinstance(value, str):
            told.append(f"{shown(name)}: {_text(name, value) or 'send a whole number'}")
        elif isinstance(value, float):
            told.append(f"{shown(name)} = {number(value)}: a number of vehicles is whole")
        elif isinstance(value, int) and value < 0:
            told.append(f"{shown(name)} = {value}: {LEAVE_OUT}")
    more = f"; and {len(told) - CLASSES_TOLD} more" if len(told) > CLASSES_TOLD else ""
    return "; ".join(told[:CLASSES_TOLD]) + more


def mend_bytes(payload: bytes, said: str) -> str:
    """What bytes that are no JSON look like; `said` is what reading them said."""
    for looks, text in _FIRST_BYTES:
        if looks(payload):
            return text
    text = payload.decode("utf-8", "replace")
    for sign, told in _IN_TEXT:
        if sign.search(text):
            return told
    if "truncated" in said:
        size = len(payload)
        near = next((each for each in _BUFFERS if size in (each - 1, each)), None)
        why = f", as long as a buffer of {near}: is the sender's too small?" if near else ""
        return f"ends in the middle, after {size} bytes{why}"
    return ""


_FIRST_BYTES: Final[tuple[tuple[Callable[[bytes], bool], str], ...]] = (
    (lambda b: b.startswith(b"\xef\xbb\xbf"), "begins with a byte order mark: send it without"),
    (
        lambda b: b[:2] in (b"\xff\xfe", b"\xfe\xff") or b[1:2] == b"\0",
        "looks like UTF-16: send UTF-8",
    ),
    (lambda b: b.startswith(b"\x1f\x8b"), "looks compressed: send plain JSON"),
    (
        lambda b: b.endswith(b"\0"),
        "ends with a NUL byte: publish as many bytes as strlen() gives",
    ),
)
_IN_TEXT: Final = (
    (
        re.compile(r"[:\[,]\s*-?(NaN|nan|Infinity|inf)\b"),
        f"NaN and infinity are no JSON: {LEAVE_OUT}",
    ),
    (
        re.compile(r"[{,]\s*'"),
        "keys and texts stand in double quotes; of Python send json.dumps(…), not str(…)",
    ),
    (re.compile(r"[:\[,]\s*(True|False|None)\b"), "JSON's words are true, false and null"),
    (
        re.compile(r"\A\s*[\w.+-]+\s*[;,=][^{]*\Z"),
        "looks like CSV or key=value: send a JSON object",
    ),
)


def mend_object(sent: Any) -> str:
    """What a whole `obs` payload that is none looks like."""
    envelope = '{"v":1,"boot":…,"seq":…,"samples":[…]}'
    if isinstance(sent, str) and sent.lstrip().startswith("{"):
        return "a JSON text within a JSON text: it was encoded twice"
    if isinstance(sent, list):
        return f"put the samples into {envelope}"
    if isinstance(sent, Mapping) and "samples" not in sent:
        at_top = "t" in sent or "t0" in sent or any(name in sent for name in _UNITS)
        if at_top:
            return f"a sample by itself: put it into {envelope}"
    if isinstance(sent, Mapping) and isinstance(sent.get("samples"), Mapping):
        return "samples is a list: put the one sample into [ ]"
    return ""
