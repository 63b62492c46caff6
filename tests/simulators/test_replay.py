"""A recording as messages: every value comes out as it went in, at the time it should."""

import heapq
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import Observations, decode_obs
from ingest.topics import Topic, parse
from simulators.mapping import CsvMapping, parse_mapping
from simulators.message import Message
from simulators.recorded import Recorded, Track, read_csv
from simulators.replay import Rebase, messages, rebase_shift_ms, span_ms

ROOT = Path(__file__).parent.parent.parent
PROBES = """
[time]
column = "t"
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
columns.temp_c = "T"
columns.ec_ms_cm = "C"
[[device]]
kind = "salinity"
station = "xuan-hoa"
device = "xh-01"
columns.sal_g_l = "S"
"""
CAMERA = """
[time]
column = "t"
at = "start"
[[device]]
kind = "traffic"
station = "rach-mieu-1"
device = "cam-01"
interval_s = 300
[[device.lane]]
direction = "southbound"
lane = 1
count = { car = "a", truck = "b" }
occupancy = { column = "o", unit = "%" }
[[device.lane]]
direction = "northbound"
lane = 1
count = { car = "c" }
"""
T0 = 1_709_251_200_000


def _recorded(mapping: CsvMapping, *tracks: tuple[list[int], dict[str, list[float]]]) -> Recorded:
    made = tuple(
        Track(target, np.array(times), {name: np.array(v) for name, v in columns.items()})
        for target, (times, columns) in zip(mapping.targets, tracks, strict=True)
    )
    return Recorded(made, sum(len(times) for times, _ in tracks), {}, {}, ())


def _samples(found: list[Message], device: str) -> list[dict[str, object]]:
    return [
        sample
        for message in found
        if f"/{device}/" in message.topic
        for sample in msgspec.json.decode(message.payload)["samples"]
    ]


@settings(max_examples=60, deadline=None)
@given(
    counts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    batch=st.integers(1, 500),
    shift_ms=st.integers(-(10**11), 10**11),
    seed=st.integers(0, 99),
)
def test_every_value_is_sent_once_and_absent_ones_are_not(
    counts: tuple[int, int], batch: int, shift_ms: int, seed: int
) -> None:
    draw = random.Random(seed)
    times = [sorted(draw.sample(range(T0, T0 + 10**9, 60_000), count)) for count in counts]
    temp = [
        round(draw.uniform(20, 30), 4) if draw.random() > 0.2 else float("nan") for _ in times[0]
    ]
    columns = {"temp_c": temp, "ec_ms_cm": [1.5] * counts[0]}
    salt = {"sal_g_l": [round(draw.uniform(0, 30), 4) for _ in times[1]]}
    recorded = _recorded(parse_mapping(PROBES, "m"), (times[0], columns), (times[1], salt))
    found = list(messages(recorded, root="r", shift_ms=shift_ms, batch=batch, boot=1))
    assert _samples(found, "vk-01") == [
        {"t": t + shift_ms, **({} if value != value else {"temp_c": value}), "ec_ms_cm": 1.5}  # noqa: PLR0124 - NaN
        for t, value in zip(times[0], temp, strict=True)
    ]
    assert _samples(found, "xh-01") == [
        {"t": t + shift_ms, "sal_g_l": value}
        for t, value in zip(times[1], salt["sal_g_l"], strict=True)
    ]
    assert len(found) == -(-counts[0] // batch) + -(-counts[1] // batch)
    sent = [message.publish_ms for message in found]
    assert sent == list(heapq.merge(sent))


def test_lanes_of_a_camera_and_whole_counts() -> None:
    recorded = _recorded(
        parse_mapping(CAMERA, "m"),
        (
            [T0, T0 + 300_000],
            {
                "0/count/car": [12.4, 12.6],
                "0/count/truck": [float("nan"), 1.0],
                "0/occupancy": [0.25, float("nan")],
                "1/count/car": [3.0, float("nan")],
            },
        ),
    )
    (message,) = messages(recorded, root="tiengiang", shift_ms=0, batch=10, boot=1)
    assert message.publish_ms == T0 + 600_000
    topic = parse(message.topic, "tiengiang")
    assert isinstance(topic, Topic)
    said = decode_obs(message.payload, topic.kind)
    assert isinstance(said, Observations)
    assert _samples([message], "cam-01") == [
        {
            "t0": T0,
            "t1": T0 + 300_000,
            "lane": 1,
            "dir": "southbound",
            "count": {"car": 12},
            "occupancy": 0.25,
        },
        {"t0": T0, "t1": T0 + 300_000, "lane": 1, "dir": "northbound", "count": {"car": 3}},
        {
            "t0": T0 + 300_000,
            "t1": T0 + 600_000,
            "lane": 1,
            "dir": "southbound",
            "count": {"car": 13, "truck": 1},
        },
    ]
    assert span_ms(recorded) == (T0 + 300_000, T0 + 600_000)


@pytest.mark.parametrize(
    ("rebase", "speed", "shift_ms"),
    [
        (Rebase.NONE, 1.0, 0),
        (Rebase.NONE, float("inf"), 0),
        (Rebase.NOW, 1.0, 9000 - 100),  # the first sample lies at now
        (Rebase.NOW, 0.5, 9000 - 100),
        (Rebase.NOW, 1.5, 9000 - 500),  # the last one does
        (Rebase.NOW, float("inf"), 9000 - 500),
    ],
)
def test_rebasing(rebase: Rebase, speed: float, shift_ms: int) -> None:
    assert rebase_shift_ms(rebase, 100, 500, speed, 9000) == shift_ms


@pytest.mark.parametrize("batch", [0, 501])
def test_a_batch_is_one_to_five_hundred(batch: int) -> None:
    recorded = _recorded(parse_mapping(CAMERA, "m"), ([], {}))
    assert span_ms(recorded) is None
    with pytest.raises(ValueError, match="1 to 500"):
        next(messages(recorded, root="r", shift_ms=0, batch=batch, boot=1))


@pytest.mark.parametrize(
    ("mapping", "file", "rows", "samples", "skipped"),
    [
        (
            "usgs-mississippi-sound",
            "salinity/usgs_mssound_2019_sample.csv.gz",
            57_686,
            57_686,
            {},
        ),
        (
            "cat-point",
            "salinity/swmpr_apacpwq_2012_2013.csv.gz",
            70_176,
            70_074,
            {"no value": 102},
        ),
        (
            "telraam",
            "traffic/telraam_camera_2022h1.csv.gz",
            8157,
            9310,
            {"uptime not above 0": 3502},
        ),
    ],
)
def test_the_recorded_series_are_taken_whole(
    recorded: Callable[[str], Path],
    mapping: str,
    file: str,
    rows: int,
    samples: int,
    skipped: dict[str, int],
) -> None:
    text = (ROOT / "examples" / f"{mapping}.toml").read_text()
    found = read_csv(recorded(file), parse_mapping(text, mapping))
    assert (found.rows, found.skipped, found.left_out) == (rows, skipped, {})
    sent = list(messages(found, root="tiengiang", shift_ms=0, batch=500, boot=1))
    assert sum(message.samples for message in sent) == samples
    for message in sent:
        topic = parse(message.topic, "tiengiang")
        assert isinstance(topic, Topic)
        said = decode_obs(message.payload, topic.kind)
        assert isinstance(said, Observations)
        assert not any(hasattr(sample, "reason") for sample in said.samples)
