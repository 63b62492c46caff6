r"""InfluxDB's line protocol: text that a server reads as it was meant, or a `ValueError`.

The protocol (docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol) has no escape
for a backslash outside of strings and none for a line's end anywhere, and servers differ in
what they make of such input: InfluxDB 1.6 takes a measurement that is no UTF-8 with success,
and refuses every write to that shard after its next restart. So nothing is sent that needs a
server's goodwill. Where the protocol leaves a choice, it is as its authors' encoder
(github.com/influxdata/line-protocol) makes it.

`line` checks everything and serves what is written seldom. What is written in bulk takes
`head` and `field_key` once for a stream and puts `floats` behind them (`ingest.points`).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
TIME_MIN, TIME_MAX = INT_MIN + 2, INT_MAX - 1
"""The times of a point, nanoseconds (`models.MinNanoTime`, `MaxNanoTime` of InfluxDB's source)."""
LATEST_MS = TIME_MAX // 1_000_000
"""The last millisecond that a point can be of: 2262-04-11."""

Scalar = float | int | bool | str

# C0, DEL, C1 and what Unicode calls a line's end. Lone surrogates are no UTF-8.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A backslash there would be read as an escape, or would escape what ends the name.
_DANGLING = re.compile(r"\\(?=[\\,= ]|$)")
_COMMA_SPACE = re.compile(r"([, ])")
_COMMA_EQUALS_SPACE = re.compile(r"([,= ])")
_QUOTE_BACKSLASH = re.compile(r'(["\\])')


def measurement(name: str) -> str:
    """A measurement's name, escaped."""
    _check_name(name, "measurement")
    if name.startswith("#"):
        raise ValueError(f"measurement {name!r} would be read as a comment")
    return _COMMA_SPACE.sub(r"\\\1", name)


def tag_key(name: str) -> str:
    """A tag's key, escaped."""
    return _key(name, "tag key")


def tag_value(value: str) -> str:
    """A tag's value, escaped. The protocol has no empty one: leave the tag out instead."""
    _check_text(value, "tag value")
    return _COMMA_EQUALS_SPACE.sub(r"\\\1", value)


def field_key(name: str) -> str:
    """A field's key, escaped."""
    return _key(name, "field key")


def field_value(value: Scalar) -> str:
    """A field's value with the sign of its type: `1.5`, `3i`, `true`, `"text"`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError(f"field value {value} does not fit into 64 bits")
        return f"{int(value)}i"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"field value {value} is not finite")
        return floats([value])[0]
    found = _FORBIDDEN.search(value)
    if found:
        raise ValueError(f"field value {value!r} has the character {found[0]!r}")
    return '"' + _QUOTE_BACKSLASH.sub(r"\\\1", value) + '"'


def floats(values: Sequence[float]) -> list[str]:
    """Finite floats as the shortest decimals that read back as the same; many at a time.

    The caller sees to it that they are finite, which NumPy does faster for all at once.
    """
    if not values:
        return []
    # One repr of the list costs a third of a repr for each value.
    return (repr(values)[1:-1] + ",").replace(".0,", ",")[:-1].split(", ")


def head(name: str, tags: Mapping[str, str]) -> str:
    """What stands before the fields: the measurement and its tags, by rising key.

    Sorted as the reference recommends: the server then need not.
    """
    parts = [measurement(name)]
    parts.extend(f"{tag_key(key)}={tag_value(tags[key])}" for key in sorted(tags))
    return ",".join(parts)


def line(name: str, tags: Mapping[str, str], fields: Mapping[str, Scalar], time: int) -> bytes:
    """One point as a line in UTF-8, without a line's end.

    `time` is in whatever unit the write is said to be in. Raises `ValueError`, which names
    what cannot be sent.
    """
    if not fields:
        raise ValueError(f"a point of {name!r} has no field")
    both = sorted(set(tags) & set(fields))
    if both:
        raise ValueError(f"{both[0]!r} is both a tag and a field, which queries cannot tell apart")
    if isinstance(time, bool) or not isinstance(time, int) or not TIME_MIN <= time <= TIME_MAX:
        raise ValueError(f"time {time!r} is no whole number from {TIME_MIN} to {TIME_MAX}")
    values = ",".join(f"{field_key(key)}={field_value(value)}" for key, value in fields.items())
    return f"{head(name, tags)} {values} {time}".encode()


def body(lines: Iterable[bytes]) -> bytes:
    """Lines as the body of one write."""
    return b"\n".join(lines)


def _key(name: str, what: str) -> str:
    _check_name(name, what)
    if name == "time":
        raise ValueError(f"{what} 'time' is reserved: points with it are dropped or unreadable")
    return _COMMA_EQUALS_SPACE.sub(r"\\\1", name)


def _check_name(name: str, what: str) -> None:
    _check_text(name, what)
    if name.startswith("_"):
        raise ValueError(f"{what} {name!r}: names with an underscore in front are the server's")


def _check_text(text: str, what: str) -> None:
    if not text:
        raise ValueError(f"{what} is empty")
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"{what} {text!r} has the character {found[0]!r}")
    if _DANGLING.search(text):
        raise ValueError(
            f"{what} {text!r}: a backslash at the end, or before a backslash, comma, equals sign "
            "or space, cannot be told from an escape"
        )
