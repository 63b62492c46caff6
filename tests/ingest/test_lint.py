import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lint import Context, Finding, Lint, Severity, lint
from ingest.lint_fields import document_of
from ingest.payload import PAYLOAD_BYTES_MAX, decode_meta, decode_obs, decode_state
from ingest.reading import EPOCH_2000_MS
from ingest.refusal import Reason, Refusal
from ingest.registry import Registry, parse_registry
from ingest.salinity import ec25_from_ec
from tests.ingest.registry_text import BRIDGE, REACHES, RIVER

T = 1_767_000_000_000
PROBE = "tiengiang/v1/salinity/my-tho/mt-01/obs"
CAMERA = "tiengiang/v1/traffic/cau/cam-01/obs"
GOOD: dict[str, Any] = {"t": T, "ec_ms_cm": 12.31, "temp_c": 28.4}
LANE: dict[str, Any] = {
    "t0": T,
    "t1": T + 60_000,
    "lane": 1,
    "dir": "southbound",
    "count": {"motorbike": 33, "car": 6},
    "speed_km_h": 31.8,
    "occupancy": 0.22,
}


def message(*samples: object, **fields: object) -> bytes:
    return json.dumps({"v": 1, "boot": 17, "seq": 1, "samples": list(samples), **fields}).encode()


def found(payload: bytes, topic: str = PROBE, **known: Any) -> list[Finding]:
    return lint(topic, payload, Context(**known))


def sequence(
    *payloads: bytes, topic: str = PROBE, registry: Registry | None = None
) -> tuple[Lint, list[Finding]]:
    check = Lint("tiengiang", registry)
    told = [each for payload in payloads for each in check.hear(topic, payload, Context())]
    return check, told


@pytest.fixture(scope="module")
def registry() -> Registry:
    return parse_registry(REACHES + RIVER + BRIDGE, "stations.toml")


@pytest.mark.parametrize(("sample", "topic"), [(GOOD, PROBE), (LANE, CAMERA)])
def test_nothing_is_found_where_nothing_is_wrong(sample: dict[str, Any], topic: str) -> None:
    check = Lint()
    assert check.hear(topic, message(sample), Context(at_ms=T + 61_000, now_ms=T + 61_000)) == []
    assert (check.messages, check.samples, check.taken) == (1, 1, 1)
    assert check.finish() == []


def test_what_the_service_makes_of_the_last_sample_is_told() -> None:
    check = Lint()
    check.hear(PROBE, message(GOOD), Context())
    assert str(check.last) == (
        "mt-01, 2025-12-29 09:20:00 UTC (16:20 in Vietnam), salinity derived: 6.59 g/L, "
        "conductivity 12.31 mS/cm, temperature 28.4 °C"
    )
    check.hear(CAMERA, message(LANE), Context())
    assert "southbound lane 1, 60 s up to 2025-12-29 09:21:00 UTC" in str(check.last)
    assert "flow 2340 veh/h" in str(check.last)


@pytest.mark.parametrize(
    ("fields", "reason", "says"),
    [
        ({"ec_ms_cm": 12310}, "range", "looks like µS/cm: send 12.31"),
        ({"ec_ms_cm": "12,31"}, "schema", "send 12.31 without quotes"),
        ({"ec_ms_cm": "12310 µS/cm"}, "schema", "send 12.31 without quotes"),
        ({"ec_ms_cm": 7999}, "range", "looks like a sentinel: what has no value is left out"),
        ({"temp_c": -9999}, "range", "looks like a sentinel"),
        ({"temp_c": "NaN"}, "schema", "what has no value is left out"),
        ({"temp_c": "-"}, "schema", "what has no value is left out"),
        ({"temp_c": 83.1}, "range", "looks like °F: send 28.39"),
        ({"temp_c": 301.55}, "range", "looks like K: send 28.4"),
        ({"sal_g_l": 6590}, "range", "looks like mg/L (or ppm): send 6.59"),
        ({"level_m": 231}, "range", "looks like cm: send 2.31"),
        ({"battery_v": 3710}, "range", "looks like mV: send 3.71"),
        ({"t": 1_767_000_000}, "clock", "looks like seconds: send 1767000000000"),
        ({"t": T * 1000}, "range", "looks like microseconds: send 1767000000000"),
        ({"t": T * 10**6}, "range", "looks like nanoseconds: send 1767000000000"),
        ({"t": str(T)}, "schema", "send 1767000000000 without quotes"),
        ({"t": float(T)}, "schema", "send 1767000000000, without a point"),
        ({"t": "2025-12-29T09:20:00Z"}, "schema", "looks like ISO 8601: send 1767000000000"),
        ({"t": "2025-12-29T16:20:00"}, "schema", "1767000000000 if it is Vietnam's time"),
        ({"t": 5}, "clock", "was the clock set?"),
    ],
)
def test_a_refused_field_is_told_with_how_to_mend_it(
    fields: dict[str, Any], reason: str, says: str
) -> None:
    told = [e for e in found(message({**GOOD, **fields})) if e.severity is Severity.ERROR]
    (name,) = fields
    assert [(each.code, each.where) for each in told] == [(reason, f"samples[0].{name}")]
    assert says in told[0].text
    assert "accepted is" in told[0].text


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"occupancy": 22}, "samples[0].occupancy", "looks like per cent: send 0.22"),
        ({"t1": T - 60_000}, "samples[0].t1", "t0 and t1 look swapped"),
        ({"t0": 1_767_000_000}, "samples[0].t0", "looks like seconds"),
        ({"dir": "South Bound"}, "samples[0].dir", "send 'south-bound'"),
        ({"count": {"car": 6.0}}, "samples[0].count", "a number of vehicles is whole"),
        ({"lane": 1.0}, "samples[0].lane", "send 1 as a whole number"),
    ],
)
def test_a_refused_field_of_a_camera_is_told(fields: dict[str, Any], where: str, says: str) -> None:
    (told,) = found(message({**LANE, **fields}), CAMERA)
    assert (told.severity, told.where) == (Severity.ERROR, where)
    assert says in told.text


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b'{"v":1,"samples":[{"t":1,"ec_ms_cm":NaN}]}', "NaN and infinity are no JSON"),
        (b"{'v':1,'samples':[]}", "send json.dumps"),
        (b'{"v":1,"sim":True,"samples":[]}', "JSON's words are true, false and null"),
        (b'{"v":1,"samples":[{"t":17670', "ends in the middle, after 28 bytes"),
        (b'{"v":1,"boot":1,"x":"' + b"y" * 234, "as long as a buffer of 256"),
        (b'\xef\xbb\xbf{"v":1}', "byte order mark"),
        (b'{"v":1}\0', "ends with a NUL byte"),
        (b"12.3;28.4;3.7", "looks like CSV"),
        ('{"v":1}'.encode("utf-16"), "looks like UTF-16"),
        (b'[{"t":1}]', "put the samples into"),
        (json.dumps(GOOD).encode(), "a sample by itself: put it into"),
        (json.dumps(message(GOOD).decode()).encode(), "it was encoded twice"),
        (json.dumps({"v": 1, "samples": GOOD}).encode(), "put the one sample into [ ]"),
        (b'{"samples":[{}]}', 'add "v":1'),
        (message(*[GOOD] * 501), "send several messages"),
    ],
)
def test_a_payload_that_is_refused_whole_is_told_with_what_it_looks_like(
    payload: bytes, says: str
) -> None:
    told = found(payload)
    assert any(each.severity is Severity.ERROR and says in each.text for each in told), told


@pytest.mark.parametrize(
    ("fields", "code", "where", "says"),
    [
        ({"temp_c": None}, "no-temperature", "ec_ms_cm", "no salinity, and no alert on it"),
        ({"ec_ms_cm": 150}, "unit", "ec_ms_cm", "looks like µS/cm: send 0.15"),
        ({"ec_ms_cm": 99.99}, "sentinel", "ec_ms_cm", "looks like a sentinel"),
        ({"temp_c": -1}, "sentinel", "temp_c", "looks like a sentinel"),
        ({"level_m": 24}, "unit", "level_m", "looks like cm: send 0.24"),
        ({"depth_m": 45.5, "level_m": 1}, "unit", "depth_m", "deeper than the river"),
        ({"battery_v": 87}, "unit", "battery_v", "per cent?"),
        ({"sal_g_l": 9.5}, "salinity", "sal_g_l", "its conductivity gives 6.59 g/L"),
        ({"sal_g_l": 7.4}, "tds", "sal_g_l", "looks like 0.64 times the conductivity at 25 °C"),
        ({"ec_ms_cm": 1.231, "sal_g_l": 6.59}, "unit", "ec_ms_cm", "looks like S/m: send 12.31"),
        ({"ec25_ms_cm": 12.31}, "ec25", "ec25_ms_cm", "the same as ec_ms_cm"),
        ({"ec25_ms_cm": 13.2}, "ec25", "ec25_ms_cm", "which of the two"),
        ({"ec_ms": 3}, "unknown-field", "ec_ms", "passed over"),
    ],
)
def test_what_is_taken_and_probably_not_meant_is_doubted(
    fields: dict[str, Any], code: str, where: str, says: str
) -> None:
    (told,) = found(message({**GOOD, **fields}))
    assert (told.code, told.where) == (code, f"samples[0].{where}")
    assert told.severity is (Severity.HINT if where == "ec_ms" else Severity.WARNING)
    assert says in told.text


def test_a_conductivity_that_compensation_explains_is_asked_about_both_ways() -> None:
    at_25 = round(float(ec25_from_ec(np.array([12.31]), np.array([28.4]))[0]), 2)
    (told,) = found(message({"t": T, "ec_ms_cm": at_25, "temp_c": 28.4, "sal_g_l": 6.6}))
    assert (told.code, told.where) == ("ec25-as-ec", "samples[0].ec_ms_cm")
    assert "send it as ec25_ms_cm" in told.text
    (told,) = found(message({"t": T, "ec25_ms_cm": 12.31, "temp_c": 28.4, "sal_g_l": 6.59}))
    assert (told.code, told.where) == ("ec-as-ec25", "samples[0].ec25_ms_cm")
    assert found(message({"t": T, "ec25_ms_cm": at_25, "temp_c": 28.4, "sal_g_l": 6.6})) == []
    assert found(message({**GOOD, "sal_g_l": 6.7})) == []


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ec", "ec_ms_cm"),
        ("EC_mS_cm", "ec_ms_cm"),
        ("ec_mscm", "ec_ms_cm"),
        ("temprature_c", "temp_c"),
        ("salinity", "sal_g_l"),
        ("water_level", "level_m"),
        ("vbat", "battery_v"),
    ],
)
def test_a_field_that_looks_like_a_known_one_is_asked_about(sent: str, meant: str) -> None:
    told = found(message({"t": T, "depth_m": 1.0, sent: 3.0}))
    assert [each.code for each in told] == ["unknown-field"]
    assert told[0].severity is Severity.WARNING
    assert f"did you mean {meant}?" in told[0].text


def test_fields_in_the_wrong_place_are_told() -> None:
    told = found(message({**GOOD, "seq": 3}, sequence=3))
    assert [each.where for each in told] == ["sequence", "samples[0].seq"]
    assert "was it sent on the wrong topic?" in str(found(message({**GOOD, "lane": 1})))


def test_every_value_exactly_zero_is_one_doubt() -> None:
    told = found(message({"t": T, "ec_ms_cm": 0, "temp_c": 0, "battery_v": 0}))
    assert [each.code for each in told] == ["all-zero"]
    (told_one,) = found(message({**GOOD, "ec_ms_cm": 0}))
    assert (told_one.severity, told_one.code) == (Severity.HINT, "zero")


@pytest.mark.parametrize(
    ("fields", "code", "where", "says"),
    [
        ({"count": {"moto": 3}}, "unknown-class", "count.moto", "did you mean motorbike?"),
        ({"count": {"tram": 3}}, "unknown-class", "count.tram", "counts as other"),
        ({"count": {"car": 5000}}, "cumulative-as-count", "count", "send them as cumulative"),
        ({"t1": T + 60, "count": None}, "interval", "t1", "were seconds added to milliseconds?"),
        ({"speed_km_h": 0, "count": {"car": 0}}, "speed-of-none", "speed_km_h", "leave it out"),
        ({"speed_km_h": 199.0}, "unit", "speed_km_h", "km/h?"),
        ({"queue_m": 99_999}, "unit", "queue_m", "sentinel"),
    ],
)
def test_what_a_camera_probably_does_not_mean_is_doubted(
    fields: dict[str, Any], code: str, where: str, says: str
) -> None:
    (told,) = found(message({**LANE, **fields}), CAMERA)
    assert (told.severity, told.code) == (Severity.WARNING, code)
    assert told.where == f"samples[0].{where}"
    assert says in told.text


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("tiengiang/v1/salinty/my-tho/mt-01/obs", "did you mean salinity?"),
        ("tiengiang/v1/salinity/My_Tho/mt-01/obs", "send 'my-tho'"),
        ("tiengiang/v1/salinity/my-tho/mt-01/data", "did you mean obs?"),
        ("tiengiang/v1/salinity/my-tho/obs", "accepted after salinity/"),
        ("tien/v1/salinity/my-tho/mt-01/obs", "never hears this"),
        ("tiengiang/salinity/my-tho/mt-01/obs", "no /v1/"),
        ("/tiengiang/v1/salinity/my-tho/mt-01/obs", "begins with a slash"),
        (f"tiengiang/v1/salinity/my-tho/{'x' * 41}/obs", "1 to 40 characters"),
    ],
)
def test_a_topic_is_told_with_what_it_was_to_be(topic: str, says: str) -> None:
    (told,) = found(message(GOOD), topic)
    assert (told.severity, told.code) == (Severity.ERROR, "topic")
    assert says in told.text


def test_how_a_message_was_sent_is_judged_as_far_as_it_is_known() -> None:
    codes = [each.code for each in found(message(GOOD), retain=True, qos=0)]
    assert codes == ["retain", "qos"]
    assert found(message(GOOD), retain=False, qos=1) == []
    large = message(GOOD, note="x" * 62_000)
    assert "size" in [each.code for each in found(large)]


@pytest.mark.parametrize(
    ("payload", "severity", "says"),
    [
        ({"s": "Online", "boot": 1}, Severity.ERROR, "send 'ready'"),
        ({"s": "sleeping", "boot": 1}, Severity.ERROR, "until is absent"),
        (
            {"s": "sleeping", "boot": 1, "until": 1_767_000_000},
            Severity.ERROR,
            "looks like seconds",
        ),
        ({"s": "sleeping", "boot": 1, "until": T}, Severity.WARNING, "is over already"),
        ({"s": "ready"}, Severity.HINT, "late will"),
        ({"s": "ready", "boot": 1, "t": 1_767_000_000}, Severity.HINT, "looks like seconds"),
    ],
)
def test_a_state_is_looked_at(payload: dict[str, Any], severity: Severity, says: str) -> None:
    topic = PROBE.replace("obs", "state")
    (told,) = found(json.dumps(payload).encode(), topic, now_ms=T + 1)
    assert told.severity is severity
    assert says in str(told)


def test_a_meta_is_looked_at_and_remembered() -> None:
    topic = PROBE.replace("obs", "meta")
    (told,) = found('{"units":{"ec":"µS/cm"}}'.encode(), topic)
    assert (told.severity, told.where) == (Severity.WARNING, "units.ec")
    check = Lint()
    assert check.hear(topic, b'{"conductivity":"EC25, mS/cm"}', Context()) == []
    (told,) = check.hear(PROBE, message(GOOD), Context())
    assert (told.code, told.where) == ("ec25-as-ec", "samples[0].ec_ms_cm")
    assert found(b"", topic) == []
    assert found(b"[]", topic)[0].code == "schema"


# What only a sequence shows.


def numbered(*numbers: tuple[int | None, int | None]) -> list[str]:
    payloads = [
        message({**GOOD, "t": T + n * 60_000}, boot=boot, seq=seq)
        for n, (boot, seq) in enumerate(numbers)
    ]
    return [f"{each.severity} {each.code}" for each in sequence(*payloads)[1]]


def test_numbers_of_messages_are_held_against_those_before() -> None:
    assert numbered((1, 5), (1, 6), (2, 1), (2, 2)) == []
    assert numbered((1, 5), (1, 8)) == ["warning seq-gap"]
    assert numbered((1, 5), (1, 7), (1, 6)) == ["warning seq-gap", "hint seq-order"]
    assert numbered((1, 5), (1, 6), (1, 6)) == ["warning seq-twice"]
    assert numbered((1, 5), (1, 6), (1, 1)) == ["warning seq-fell"]
    assert numbered((9, 5), (1, 1), (1, 2)) == ["warning boot-fell"]
    assert numbered((1, 5), (2, 1), (1, 6)) == ["hint late-boot"]
    assert numbered((1, 1), (2, 1), (3, 1), (4, 1)) == ["warning boot-per-message"]
    assert numbered((None, None), (None, None)) == ["hint no-seq"]
    assert numbered((None, 1), (None, 2)) == ["hint no-boot"]


def test_the_same_message_again_is_no_fault() -> None:
    check, told = sequence(message(GOOD), message(GOOD))
    assert [(each.severity, each.code) for each in told] == [
        (Severity.HINT, "again"),
        (Severity.HINT, "duplicate"),
    ]
    assert (check.taken, check.duplicates) == (1, 1)


def test_what_is_kept_of_a_device_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.lint_order.SEQS_KEPT", 5)
    monkeypatch.setattr("ingest.lint_order.SAMPLES_KEPT", 5)
    check = Lint()
    first = message(GOOD)
    others = [message({**GOOD, "t": T + n}, seq=1 + n) for n in range(1, 5)]
    for payload in (first, *others):
        check.hear(PROBE, payload, Context())
    told = [each.code for each in check.hear(PROBE, first, Context())]
    assert told == ["again", "duplicate"], "so far back it looks"
    check.hear(PROBE, message({**GOOD, "t": T + 5}, seq=6), Context())
    told = [each.code for each in check.hear(PROBE, first, Context())]
    assert "again" not in told
    assert "duplicate" not in told
    assert document_of(b'"' + b"x" * PAYLOAD_BYTES_MAX + b'"') is None


def test_another_value_at_one_time_is_the_services_conflict() -> None:
    check, told = sequence(message(GOOD), message({**GOOD, "temp_c": 20.0}, seq=2))
    (clash,) = told
    assert (clash.severity, clash.code) == (Severity.ERROR, "conflict")
    assert clash.where == "samples[0].temp_c"
    assert "28.4 stands at this time" in clash.text
    _, told = sequence(message(LANE), message({**LANE, "occupancy": 0.3}, seq=2), topic=CAMERA)
    assert [each.code for each in told] == ["conflict"]
    assert check.taken == 1


def test_two_depths_at_one_time_are_a_fault_only_where_a_registry_says_so(
    registry: Registry,
) -> None:
    two = [
        message({**GOOD, "depth_m": 1.0}),
        message({**GOOD, "ec_ms_cm": 20, "depth_m": 6}, seq=2),
    ]
    assert [e.code for e in sequence(*two)[1]] == ["levels"]
    assert [e.code for e in sequence(*two, registry=registry)[1]] == ["conflict"]


def test_times_that_go_back_are_told_and_those_sent_out_of_order_are_not() -> None:
    back = [message({**GOOD, "t": T + dt}, seq=seq) for seq, dt in ((1, 60_000), (2, 0))]
    assert [e.code for e in sequence(*back)[1]] == ["time-back"]
    late = [message({**GOOD, "t": T + n * 60_000}, seq=n) for n in (1, 3, 2)]
    assert [e.code for e in sequence(*late)[1]] == ["seq-gap", "seq-order"]


@pytest.mark.parametrize(
    ("ahead_ms", "says"),
    [(7 * 3_600_000, "Vietnam's time (UTC+7) was sent"), (100_000, "Is its clock set?")],
)
def test_a_time_in_the_future_is_told_with_its_zone(ahead_ms: int, says: str) -> None:
    (told,) = found(message({**GOOD, "t": T + ahead_ms}), now_ms=T)
    assert (told.severity, told.code) == (Severity.WARNING, "future")
    assert says in told.text
    assert found(message({**GOOD, "t": T + 60_000}), now_ms=T) == []


def test_a_clock_that_is_behind_is_told_at_the_end() -> None:
    check = Lint()
    for n in range(3):
        at_ms = T + n * 600_000
        sample = {**GOOD, "t": at_ms - 7 * 3_600_000}
        assert check.hear(PROBE, message(sample, seq=n), Context(at_ms=at_ms)) == []
    ((device, told),) = check.finish()
    assert (device, told.code) == ("mt-01", "clock-behind")
    assert "7 h old" in told.text


def test_counters_sent_as_counts_are_seen_after_a_while() -> None:
    def lanes(counts: list[int]) -> list[str]:
        payloads = [
            message({"t0": T + n * 60_000, "t1": T + (n + 1) * 60_000, "lane": 1,
                     "dir": "southbound", "count": {"car": count}}, seq=n)
            for n, count in enumerate(counts)
        ]  # fmt: skip
        return [each.code for each in sequence(*payloads, topic=CAMERA)[1]]

    assert lanes([5 * n for n in range(13)]) == ["cumulative-as-count"]
    assert lanes([5, 9, 3, 9, 12, 14, 15, 4, 16, 17, 18, 19, 20]) == []


# What the registry adds.


def test_a_device_is_held_against_its_registration(registry: Registry) -> None:
    def codes(topic: str, *payloads: bytes) -> list[str]:
        return [str(each) for each in sequence(*payloads, topic=topic, registry=registry)[1]]

    (told,) = codes(PROBE.replace("mt-01", "mt-02"), message(GOOD))
    assert "did you mean 'mt-01'?" in told
    (told,) = codes(PROBE.replace("my-tho", "cai-be"), message(GOOD))
    assert "registered under salinity/my-tho" in told
    (told,) = codes(CAMERA, message({**LANE, "lane": 9}))
    assert "registered are southbound [1, 2]" in told
    (told,) = codes(CAMERA, message({**LANE, "t1": T + 300_000}))
    assert "an interval of 5 min; registered is 1 min" in told


def test_an_interval_that_is_not_kept_is_told(registry: Registry) -> None:
    every = [message({**GOOD, "t": T + n * 600_000}, seq=n) for n in (0, 1, 2)]
    assert sequence(*every, registry=registry)[1] == []
    slow = message({**GOOD, "t": T + 4_000_000}, seq=3)
    (told,) = sequence(*every, slow, registry=registry)[1]
    assert (told.severity, told.code) == (Severity.WARNING, "interval")
    assert "registered is one each 10 min" in told.text


def test_what_is_announced_and_never_sent_is_told_at_the_end(registry: Registry) -> None:
    check, _ = sequence(message({"t": T, "temp_c": 28.4}), registry=registry)
    told = {each.where: each for _, each in check.finish()}
    assert set(told) == {"conductivity_ms_cm", "salinity_g_l"}
    check, _ = sequence(message({**GOOD, "ec25_ms_cm": 11.56, "ec_ms_cm": None}), registry=registry)
    (told_one,) = (e for _, e in check.finish() if e.severity is Severity.WARNING)
    assert "which of the two does the probe send?" in told_one.text
    check, _ = sequence(message({**GOOD, "battery_v": 3.7}), registry=registry)
    assert [(e.severity, e.where) for _, e in check.finish()] == [(Severity.HINT, "battery_v")]


def test_what_the_service_writes_itself_is_passed_over() -> None:
    check = Lint()
    for topic in ("tiengiang/v1/server/a/state", PROBE.replace("obs", "ack")):
        assert check.hear(topic, b"{}", Context()) == []
    assert (check.messages, check.passed_over) == (0, 2)


def test_nothing_that_a_device_sends_reaches_a_terminal_as_an_order() -> None:
    nasty = "\x1b[2J\x1b]0;x\x07"
    told = found(message({**GOOD, nasty: nasty, "temp_c": nasty}, **{nasty: 1}))
    told += found(message({**LANE, "count": {nasty: 1}, "dir": nasty}), CAMERA)
    told += found(message({**LANE, "count": {nasty: 1.5}}), CAMERA)
    told += found(message(GOOD), PROBE.replace("mt-01", nasty))
    assert len(told) > 4
    assert all(str(each).isprintable() for each in told)


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1e999", "9" * 400, "9" * 5000])
@pytest.mark.parametrize("leaf", ["obs", "state"])
def test_no_number_is_too_large_to_be_told_in_a_line(number: str, leaf: str) -> None:
    told = []
    for name in ("t", "ec_ms_cm", "until", "x", "boot", "seq"):
        text = f'{{"v":1,"s":"ready","{name}":{number},"samples":[{{"t":1,"{name}":{number}}}]}}'
        told += found(text.encode(), PROBE.replace("obs", leaf), now_ms=T)
        text = f'{{"v":1,"samples":[{{"t0":1,"t1":2,"count":{{"car":{number}}}}}]}}'
        told += found(text.encode(), CAMERA.replace("obs", leaf), now_ms=T)
    assert told
    assert max(len(str(each)) for each in told) < 400


def test_what_goes_on_without_end_is_told_in_a_few_lines() -> None:
    names = {f"field{each}": "9" * 50 for each in range(800)}
    told = found(message({**GOOD, **names}))
    assert len(told) == 21
    assert str(told[-1]) == "samples[0]: 780 more fields that are not read"
    for fields in ({"ec_ms_cm": "9" * 50_000}, {"t": "1" * 50_000}):
        assert max(len(str(each)) for each in found(message({**GOOD, **fields}))) < 300
    for name, value in (("dir", "Ab " * 20), ("dir", "Ab " * 9_000), ("count", names)):
        sample = {**LANE, name: value}
        assert max(len(str(each)) for each in found(message(sample), CAMERA)) < 1200
    (told_of_size,) = found(b"[" * 70_000 + b"]" * 70_000)
    assert told_of_size.text.endswith("accepted are up to 65536; send several messages")
    (told_of_size,) = found(b"\x1f\x8b" * 70_000, PROBE.replace("obs", "state"))
    assert told_of_size.text.endswith("accepted are up to 65536")


# Never two opinions.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["t", "t0", "t1", "ec_ms_cm", "temp_c", "sal_g_l", "lane", "dir", "count", "s", "until", "x"]
)
VALUES = JSON | st.sampled_from([T, T + 1, 12.31, 28.4, 1, "southbound", {"car": 1}, "ready"])
SAMPLES = st.lists(st.dictionaries(FIELDS, VALUES, max_size=6), max_size=3)
PAYLOADS = st.one_of(
    st.binary(max_size=40),
    JSON.map(lambda each: json.dumps(each).encode()),
    st.builds(lambda s, v: json.dumps({"v": v, "samples": s}).encode(), SAMPLES | JSON, VALUES),
    SAMPLES.map(lambda samples: message(*samples)),
    st.dictionaries(FIELDS, VALUES).map(lambda each: json.dumps(each).encode()),
)


def _refused(payload: bytes, leaf: str, kind: str) -> bool:
    if leaf != "obs":
        said = decode_state(payload) if leaf == "state" else decode_meta(payload)
        return isinstance(said, Refusal) and said.reason is not Reason.EMPTY
    observed = decode_obs(payload, kind)
    if isinstance(observed, Refusal):
        return True
    return any(isinstance(sample, Refusal) for sample in observed.samples)


@given(
    PAYLOADS, st.sampled_from(["obs", "state", "meta"]), st.sampled_from(["salinity", "traffic"])
)
def test_an_error_is_found_exactly_where_reading_refuses(
    payload: bytes, leaf: str, kind: str
) -> None:
    told = found(payload, f"tiengiang/v1/{kind}/a/b/{leaf}", now_ms=T)
    wrong = {each.code for each in told if each.severity is Severity.ERROR} - {"conflict"}
    assert bool(wrong) == _refused(payload, leaf, kind)
    assert wrong <= {str(reason) for reason in Reason}
    assert all(str(each).isprintable() for each in told)


def test_the_year_2000_is_where_times_begin() -> None:
    assert found(message({**GOOD, "t": EPOCH_2000_MS})) == []
    assert [e.code for e in found(message({**GOOD, "t": EPOCH_2000_MS - 1}))] == ["clock"]
