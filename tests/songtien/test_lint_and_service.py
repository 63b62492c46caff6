"""A check that is right: what it finds in a feed is what the service would say of it."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.lint import Context, Finding, Lint, Severity
from ingest.registry import parse_registry
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, Message, River

LEVELS = """
[[station]]
id = "my-thuan"
name = "Mỹ Thuận"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 80.0 }
lat = 10.27
lon = 105.90
side = "river"

[[station.device]]
id = "deep-01"
expected_s = 600
measures = ["sal_g_l", "depth_m"]
levels = [{ id = "top", depth_m = 0.5 }, { id = "bottom", depth_m = 6.0 }]
"""
STATIONS = REGISTRY.replace("[quality.salinity_g_l]", f"{LEVELS}\n[quality.salinity_g_l]")

TIMES = st.sampled_from([BEGIN_MS, BEGIN_MS + 60_000, BEGIN_MS + 120_000])
BAD = st.sampled_from(
    [None, -1, 0, 0.5, 1, 12310, -9999, 1e30, True, "12.3", "-", [], {}, [1], {"car": -1}, 2**60]
)
BAD_TIMES = st.sampled_from([0, 1_767_000_000, BEGIN_MS * 1000, f"{BEGIN_MS}", 1.5, None, -1])


@st.composite
def _mostly(draw: st.DrawFn, good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> Any:
    # A number from the middle: what lies at the ends is drawn more often.
    return draw(bad if draw(st.integers(0, 15)) == 7 else good)


def _measured(low: float, high: float) -> st.SearchStrategy[Any]:
    few = st.sampled_from([low, (low + high) / 2, high])
    return _mostly(few, BAD)


PROBE = st.fixed_dictionaries(
    {"t": _mostly(TIMES, BAD_TIMES)},
    optional={
        "ec_ms_cm": _measured(0.2, 40.0),
        "ec25_ms_cm": _measured(0.2, 40.0),
        "sal_g_l": _measured(0.1, 30.0),
        "temp_c": _measured(20.0, 33.0),
        "depth_m": _measured(0.5, 6.0),
        "salinity": st.just(3),
    },
)
LANE = st.fixed_dictionaries(
    {
        "t0": _mostly(st.just(BEGIN_MS - 60_000), BAD_TIMES),
        "t1": _mostly(TIMES, BAD_TIMES),
        "lane": _mostly(st.sampled_from([1, 2]), BAD),
        "dir": _mostly(
            st.sampled_from(["southbound", "northbound"]), st.sampled_from(["west", "South", ""])
        ),
    },
    optional={
        "count": _mostly(st.sampled_from([{"car": 3}, {"car": 4, "tuk": 1}, {}]), BAD),
        "cumulative": _mostly(st.sampled_from([{"car": 300}, {"car": None}]), BAD),
        "speed_km_h": _measured(0.0, 60.0),
        "occupancy": _measured(0.0, 1.0),
    },
)
DEVICES = {
    "my-tho/mt-01": "salinity",
    "my-thuan/deep-01": "salinity",
    "bridge/cam-01": "traffic",
}
NOBODY = {"my-tho/xx-01": "salinity", "bridge/mt-01": "salinity", "my-tho/cam-01": "traffic"}


@st.composite
def _payload(draw: st.DrawFn, kind: str) -> bytes:
    sample = PROBE if kind == "salinity" else LANE
    message: dict[str, Any] = {
        "v": draw(_mostly(st.just(1), st.sampled_from([2, "1", None]))),
        "samples": draw(_mostly(st.lists(sample, min_size=1, max_size=3), BAD)),
    }
    for name in ("boot", "seq"):
        if draw(st.booleans()):
            message[name] = draw(_mostly(st.integers(0, 4), BAD))
    text = json.dumps(message).encode()
    cut: int = draw(_mostly(st.just(len(text)), st.integers(0, len(text))))
    behind: bytes = draw(_mostly(st.just(b""), st.sampled_from([b"\0", b"\xff", b"}"])))
    return text[:cut] + behind


@st.composite
def _message(draw: st.DrawFn) -> Message:
    place = draw(_mostly(st.sampled_from(list(DEVICES)), st.sampled_from(list(NOBODY))))
    kind = {**DEVICES, **NOBODY}[place]
    head = draw(_mostly(st.just(f"{ROOT}/v1/{kind}"), st.sampled_from([f"{ROOT}/v1/salt", "v1"])))
    leaf = draw(_mostly(st.just("obs"), st.sampled_from(["state", "meta", "data"])))
    return f"{head}/{place}/{leaf}", draw(_payload(kind))


def _reasons(found: list[Finding]) -> list[str]:
    """The reason for each sample, or message, that is refused: the first of its errors."""
    first: dict[int, str] = {}
    for finding in found:
        if finding.severity is Severity.ERROR:
            first.setdefault(finding.sample, finding.code)
    return sorted(first.values()) if -1 not in first else [first[-1]]


@settings(max_examples=60)
@given(st.lists(_message(), min_size=1, max_size=6))
def test_an_error_is_found_exactly_where_the_service_refuses(messages: list[Message]) -> None:
    river = River(registry=STATIONS)
    lint = Lint(ROOT, parse_registry(STATIONS, "stations.toml"))
    stored = duplicate = 0
    for number, (topic, payload) in enumerate(messages):
        now_ms = BEGIN_MS + 200_000 + number
        outcome = river.hear(now_ms, (topic, payload))
        found = lint.hear(topic, payload, Context(ROOT, at_ms=now_ms, now_ms=now_ms))
        assert _reasons(found) == sorted(letter.reason for letter in outcome.letters)
        stored += outcome.stored
        duplicate += outcome.duplicate
    assert (lint.taken, lint.duplicates) == (stored, duplicate)
