import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import (
    SAMPLES_MAX,
    DeviceState,
    Observations,
    SalinitySample,
    TrafficSample,
    decode_meta,
    decode_obs,
    decode_state,
)
from ingest.refusal import PAYLOAD_BYTES_MAX, Reason, Refusal

T = 1_767_000_000_000
GOOD: dict[str, Any] = {"t": T, "ec_ms_cm": 12.31, "temp_c": 28.4}
LANE: dict[str, Any] = {
    "t0": T,
    "t1": T + 60_000,
    "lane": 1,
    "dir": "southbound",
    "count": {"motorbike": 33, "car": 6, "bus": 1, "truck": 2, "trailer": 0},
    "speed_km_h": 31.8,
    "occupancy": 0.22,
    "queue_m": 0,
    "health": {"fps": 14.8, "drop": 0.01},
}


def message(*samples: object, **fields: object) -> bytes:
    return json.dumps({"v": 1, **fields, "samples": list(samples)}).encode()


def taken(payload: bytes, kind: str = "salinity") -> Observations[Any]:
    found = decode_obs(payload, kind)
    assert not isinstance(found, Refusal), found
    return found


def refused(payload: bytes, kind: str = "salinity") -> Refusal:
    found = decode_obs(payload, kind)
    assert isinstance(found, Refusal), found
    return found


def only(payload: bytes, kind: str = "salinity") -> Refusal:
    """The refusal of the only sample of a message that could be read."""
    (sample,) = taken(payload, kind).samples
    assert isinstance(sample, Refusal), sample
    return sample


def test_the_salinity_example_of_the_contract() -> None:
    found = taken(
        b'{"v":1,"boot":17,"seq":8812,"samples":[{"t":1767000000000,"ec_ms_cm":12.31,'
        b'"temp_c":28.4,"depth_m":1.2,"level_m":2.31,"battery_v":3.71}]}'
    )
    assert (found.v, found.boot, found.seq, found.sim) == (1, 17, 8812, False)
    assert found.samples == [
        SalinitySample(t=T, ec_ms_cm=12.31, temp_c=28.4, depth_m=1.2, level_m=2.31, battery_v=3.71)
    ]


def test_the_traffic_example_of_the_contract() -> None:
    found = taken(message(LANE, boot=3, seq=55), "traffic")
    assert (found.boot, found.seq) == (3, 55)
    (sample,) = found.samples
    assert isinstance(sample, TrafficSample)
    assert (sample.t0, sample.t1, sample.lane, sample.dir) == (T, T + 60_000, 1, "southbound")
    assert sample.count == {"motorbike": 33, "car": 6, "bus": 1, "truck": 2, "trailer": 0}
    assert (sample.speed_km_h, sample.occupancy, sample.queue_m) == (31.8, 0.22, 0.0)
    assert sample.health == {"fps": 14.8, "drop": 0.01}
    assert sample.cumulative is None


def test_boot_and_seq_may_be_absent_and_null_is_absent() -> None:
    found = taken(message({**GOOD, "depth_m": None, "sim": None}, boot=None, seq=None, sim=None))
    assert (found.boot, found.seq, found.sim) == (None, None, False)
    assert found.samples == [SalinitySample(t=T, ec_ms_cm=12.31, temp_c=28.4)]
    assert taken(message(GOOD)).boot is None


def test_a_class_that_is_null_is_absent() -> None:
    lane = {**LANE, "count": {"car": 6, "bus": None}, "cumulative": {"car": None}}
    (sample,) = taken(message(lane), "traffic").samples
    assert isinstance(sample, TrafficSample)
    assert (sample.count, sample.cumulative) == ({"car": 6}, {})


def test_unknown_fields_and_classes_are_passed_over_or_kept() -> None:
    found = taken(message({**GOOD, "ph": 7.1, "note": "Vàm Kênh"}, fw=[1, {"a": None}]))
    assert found.samples == [SalinitySample(t=T, ec_ms_cm=12.31, temp_c=28.4)]
    (lane,) = taken(message({**LANE, "count": {"tuktuk": 2}}), "traffic").samples
    assert isinstance(lane, TrafficSample)
    assert lane.count == {"tuktuk": 2}


@pytest.mark.parametrize(
    ("field", "low", "high", "unit"),
    [
        ("ec_ms_cm", 0, 200, "mS/cm"),
        ("ec25_ms_cm", 0, 200, "mS/cm"),
        ("sal_g_l", 0, 100, "g/L"),
        ("temp_c", -5, 60, "°C"),
        ("depth_m", 0, 200, "m"),
        ("level_m", -50, 50, "m"),
        ("battery_v", 0, 100, "V"),
    ],
)
def test_ranges_of_salinity_fields(field: str, low: float, high: float, unit: str) -> None:
    for value in (low, high):
        (sample,) = taken(message({"t": T, field: value})).samples
        assert getattr(sample, field) == value
    for value in (low - 0.001, high + 0.001):
        found = only(message({"t": T, field: value}))
        assert found.reason is Reason.RANGE
        says = f"samples[0].{field} = {value}: accepted is a number from {low} to {high} {unit}"
        assert found.detail == says


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("count", {"car": -1}, "0 to 1000000"),
        ("count", {"car": 1_000_001}, "0 to 1000000"),
        ("cumulative", {"car": 2**53 + 1}, "0 to 9007199254740992"),
        ("speed_km_h", 300.1, "0 to 300 km/h"),
        ("occupancy", 22, "0 to 1"),
        ("queue_m", -1, "0 to 100000 m"),
        ("lane", 100, "0 to 99"),
        ("lane", -1, "0 to 99"),
        ("t1", T, "1 to 86400000 ms (a day) after t0"),
        ("t1", T - 1, "1 to 86400000 ms (a day) after t0"),
        ("t1", T + 86_400_001, "1 to 86400000 ms (a day) after t0"),
    ],
)
def test_ranges_of_traffic_fields(field: str, value: object, accepted: str) -> None:
    found = only(message({**LANE, field: value}), "traffic")
    assert found.reason is Reason.RANGE
    assert f"samples[0].{field} = " in found.detail
    assert accepted in found.detail


@pytest.mark.parametrize("value", ["12.31", True, [12.31], {"v": 1}, ""])
def test_a_wrong_type_is_named_with_its_value(value: object) -> None:
    found = only(message({**GOOD, "ec_ms_cm": value}))
    assert found.reason is Reason.SCHEMA
    says = f"samples[0].ec_ms_cm = {json.dumps(value)}: accepted is a number from 0 to 200 mS/cm"
    assert found.detail == says


@pytest.mark.parametrize("t", [1767000000000.0, "1767000000000", True, 1.5])
def test_a_time_is_whole_milliseconds(t: object) -> None:
    found = only(message({**GOOD, "t": t}))
    assert found.reason is Reason.SCHEMA
    assert "accepted is whole milliseconds since 1970 UTC" in found.detail


@pytest.mark.parametrize("t", [0, -1, 1_767_000_000, 946_684_799_999])
def test_a_time_before_2000_is_a_bad_clock(t: int) -> None:
    assert only(message({**GOOD, "t": t})).reason is Reason.CLOCK
    assert only(message({**LANE, "t0": t}), "traffic").reason is Reason.CLOCK


def test_the_first_millisecond_of_2000_is_taken_and_microseconds_are_not() -> None:
    (sample,) = taken(message({**GOOD, "t": 946_684_800_000})).samples
    assert isinstance(sample, SalinitySample)
    assert sample.t == 946_684_800_000
    assert only(message({**GOOD, "t": T * 1000})).reason is Reason.RANGE


@pytest.mark.parametrize("name", ["t0", "t1", "lane", "dir"])
def test_what_names_a_traffic_sample_is_needed(name: str) -> None:
    lacking = {key: value for key, value in LANE.items() if key != name}
    for sample in (lacking, {**LANE, name: None}):
        found = only(message(sample), "traffic")
        assert found.reason is Reason.SCHEMA
        assert f"samples[0].{name} is absent: accepted is " in found.detail


@pytest.mark.parametrize("direction", ["", "South", "a" * 41, "a/b", "a\n"])
def test_a_direction_is_an_id(direction: str) -> None:
    found = only(message({**LANE, "dir": direction}), "traffic")
    assert found.reason is Reason.SCHEMA
    assert "accepted is an id of 1 to 40 characters" in found.detail


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        ({"t": T}, "salinity"),
        ({"t": T, "ec_ms_cm": None, "ph": 7}, "salinity"),
        ({key: LANE[key] for key in ("t0", "t1", "lane", "dir", "health")}, "traffic"),
        ({**{key: LANE[key] for key in ("t0", "t1", "lane", "dir")}, "count": {}}, "traffic"),
    ],
)
def test_a_sample_without_any_quantity_is_empty(sample: object, kind: str) -> None:
    found = only(message(sample), kind)
    assert found.reason is Reason.EMPTY
    assert found.detail.startswith("samples[0] has no quantity: accepted is one or more of ")


def test_a_good_sample_beside_bad_ones_is_taken() -> None:
    late = {**GOOD, "t": T + 1}
    bad: list[object] = [
        7,
        None,
        [],
        {"t": T},
        {**GOOD, "temp_c": 99},
        {**GOOD, "t": 0},
        {"ec_ms_cm": 1},
    ]
    found = taken(message(*bad[:3], GOOD, *bad[3:], late, boot=1, seq=2))
    kinds = [s.reason if isinstance(s, Refusal) else "taken" for s in found.samples]
    schema, taken_ = Reason.SCHEMA, "taken"
    assert kinds[:4] == [schema, schema, schema, taken_]
    assert kinds[4:] == [Reason.EMPTY, Reason.RANGE, Reason.CLOCK, schema, taken_]
    assert found.samples[8] == SalinitySample(t=T + 1, ec_ms_cm=12.31, temp_c=28.4)
    assert (found.boot, found.seq) == (1, 2)


def test_every_field_at_fault_is_named() -> None:
    found = only(message({"t": "now", "ec_ms_cm": -1, "temp_c": True}))
    names = [part.split(" = ")[0] for part in found.detail.split("; ")]
    assert names == ["samples[0].t", "samples[0].ec_ms_cm", "samples[0].temp_c"]


def test_a_number_that_no_double_holds_is_out_of_range() -> None:
    payload = message(GOOD).replace(b"12.31", b"1e400")
    assert only(payload).reason is Reason.RANGE
    assert "samples[0].ec_ms_cm = 1e400: accepted" in only(payload).detail
    assert only(message(GOOD).replace(b"1767000000000", b"9" * 5000)).reason is Reason.RANGE


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-", b"01", b"'x'", b""])
def test_not_json(token: bytes) -> None:
    for name in (b"ec_ms_cm", b"unknown"):
        payload = b'{"v":1,"samples":[{"t":1767000000000,"%s":%s}]}' % (name, token)
        assert refused(payload).reason is Reason.NOT_JSON


@pytest.mark.parametrize(
    ("payload", "reason", "says"),
    [
        (b"", Reason.EMPTY, "0 bytes"),
        (b"hello", Reason.NOT_JSON, "payload = hello: "),
        (b"\xff\xfe", Reason.NOT_JSON, "0xff at byte 0"),
        (
            b'{"v":1,"samples":[{"t":1767000000000,"sal_g_l":1,"x":"\xc3"}]}',
            Reason.NOT_JSON,
            "0xc3",
        ),
        (b"[]", Reason.SCHEMA, "payload = []: accepted is an object"),
        (b"null", Reason.SCHEMA, "payload = null: accepted is an object"),
        (b"{}", Reason.SCHEMA, "v is absent: accepted is 1; samples is absent"),
        (b'{"v":2,"samples":[{}]}', Reason.SCHEMA, "v = 2: accepted is 1"),
        (b'{"v":"1","samples":[{}]}', Reason.SCHEMA, 'v = "1": accepted is 1'),
        (b'{"v":1,"samples":{}}', Reason.SCHEMA, "samples = {}: accepted is a list of 1 to 500"),
        (b'{"v":1,"samples":[]}', Reason.EMPTY, "samples = []"),
        (b'{"v":1,"boot":-1,"samples":[{}]}', Reason.RANGE, "boot = -1: accepted is a whole"),
        (b'{"v":1,"seq":1.5,"samples":[{}]}', Reason.SCHEMA, "seq = 1.5: accepted is a whole"),
        (b'{"v":1,"sim":"no","samples":[{}]}', Reason.SCHEMA, 'sim = "no": accepted is true'),
    ],
)
def test_messages_that_cannot_be_read(payload: bytes, reason: Reason, says: str) -> None:
    for kind in ("salinity", "traffic"):
        found = refused(payload, kind)
        assert found.reason is reason
        assert says in found.detail


def test_size_and_number_of_samples() -> None:
    assert len(taken(message(*[GOOD] * SAMPLES_MAX)).samples) == SAMPLES_MAX
    many = refused(message(*[GOOD] * (SAMPLES_MAX + 1)))
    assert many.reason is Reason.SIZE
    assert many.detail == "samples are 501: accepted are 1 to 500"
    exact = message(GOOD).ljust(PAYLOAD_BYTES_MAX)
    assert len(taken(exact).samples) == 1
    long = refused(exact + b" ")
    assert long.reason is Reason.SIZE
    assert long.detail == "payload of 65537 bytes: accepted are up to 65536"


def test_json_nested_beyond_reason_is_refused() -> None:
    deep = b"[" * 30_000 + b"]" * 30_000
    assert refused(b'{"v":1,"samples":' + deep + b"}").reason is Reason.NOT_JSON
    assert refused(b'{"v":1,"samples":[{"x":' + deep + b"}]}").reason is Reason.NOT_JSON
    assert isinstance(decode_meta(deep), Refusal)


def test_a_key_that_stands_twice_is_refused_when_either_is_bad() -> None:
    payload = b'{"v":1,"samples":[{"t":"x","t":1767000000000,"sal_g_l":1}]}'
    assert only(payload).reason is Reason.SCHEMA


@pytest.mark.parametrize("between", [(), (7,)], ids=["read whole", "read one by one"])
def test_simulated_marks_every_sample_it_is_said_of(between: tuple[int, ...]) -> None:
    def marks(payload: bytes) -> list[bool]:
        return [s.sim for s in taken(payload).samples if isinstance(s, SalinitySample)]

    assert marks(message(GOOD, *between, GOOD, sim=True)) == [True, True]
    assert marks(message(GOOD, *between, {**GOOD, "sim": True})) == [False, True]


def test_refusals_are_short_and_printable() -> None:
    found = only(message({**GOOD, "ec_ms_cm": "\u202e\x1b[2J" + "ệ" * 500}))
    assert found.detail.isprintable()
    assert len(found.detail) < 300


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([T, 0, 12.3, "southbound", 1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["v", "t", "t0", "t1", "lane", "dir", "count", "samples", "sim", "boot", "ec_ms_cm"]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
damaged = st.builds(
    lambda payload, at, byte: (
        payload[: at % len(payload)] + byte + payload[at % len(payload) :][1:]
    ),
    st.sampled_from([message(GOOD, boot=1, seq=2), message(LANE), b'{"s":"ready","boot":1}']),
    st.integers(0, 1000),
    st.binary(max_size=2),
)


@settings(max_examples=300)
@given(
    payload=st.binary(max_size=200)
    | damaged
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(message)
)
def test_no_bytes_make_decoding_raise(payload: bytes) -> None:
    for kind in ("salinity", "traffic"):
        found = decode_obs(payload, kind)
        parts = [found] if isinstance(found, Refusal) else list(found.samples)
        assert parts
        for part in parts:
            if isinstance(part, Refusal):
                assert "accepted" in part.detail
                assert part.detail.isprintable()
    assert isinstance(decode_state(payload), DeviceState | Refusal)
    assert isinstance(decode_meta(payload), dict | Refusal)


@given(
    fields=st.dictionaries(
        st.sampled_from(["t", "ec_ms_cm", "temp_c", "sal_g_l", "level_m", "sim"]), json_values
    )
)
def test_both_ways_of_reading_a_sample_agree(fields: dict[str, Any]) -> None:
    """Beside a bad sample a message is read one by one; alone it is read whole."""
    alone = decode_obs(message({**GOOD, **fields}), "salinity")
    beside = decode_obs(message({**GOOD, **fields}, 7), "salinity")
    if isinstance(alone, Refusal):  # NaN in any of them
        assert isinstance(beside, Refusal)
    else:
        assert not isinstance(beside, Refusal)
        assert beside.samples[0] == alone.samples[0]


@given(
    good=st.lists(st.booleans(), min_size=1, max_size=12),
    bad=st.sampled_from([1, "x", {}, {"t": T}, {**GOOD, "ec_ms_cm": -1}, {**GOOD, "t": None}]),
)
def test_each_element_is_taken_or_refused_at_its_place(good: list[bool], bad: object) -> None:
    samples = [{**GOOD, "t": T + i} if g else copy.copy(bad) for i, g in enumerate(good)]
    found = taken(message(*samples))
    assert [not isinstance(sample, Refusal) for sample in found.samples] == good
    for index, sample in enumerate(found.samples):
        if isinstance(sample, Refusal):
            assert sample.detail.startswith(f"samples[{index}]")
        else:
            assert sample.t == T + index
