"""What every store promises, held against each of them, by the same cases.

`embedded` is the store of every service, `influx1` a real InfluxDB, and `drained` the same as
the drain fills it, by a way on which half of the writes fail. `test_contract_given.py` holds
these cases against any other server.
"""

import random
import struct
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.reading import QUANTITIES, Batch, Flag
from ingest.rollups import HOUR_MS, Sums
from tests.influx.subjects import LEVELS, PROBE, Devices, Subject

Row = tuple[int, float, int]

T = 1_767_000_000_000
DAY_MS = 24 * HOUR_MS
FOREVER = (0, 2**43)  # to 2248; InfluxDB ends in 2262
VIETNAM_MS = 7 * HOUR_MS
SALINITY, TEMPERATURE = "p/salinity_g_l", "p/temperature_c"


def rows(found: Batch) -> list[Row]:
    return list(zip(found.t_ms.tolist(), found.value.tolist(), found.flag.tolist(), strict=True))


def batch(series: int, content: list[Row]) -> Batch:
    t_ms, value, flag = zip(*content, strict=True)
    return Batch.of([series] * len(content), t_ms, value, flag)


def all_of(subject: Subject, key: str) -> list[Row]:
    return rows(subject.points(subject.id(key), *FOREVER))


def steady(count: int, step_ms: int = 60_000, begin_ms: int = T) -> list[Row]:
    """Readings that differ, in steps of 1e-4."""
    return [(begin_ms + k * step_ms, round(1 + k * 1e-4, 4), 1 + k % 4) for k in range(count)]


def parts(content: list[Row], size: int) -> list[list[Row]]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def overwriting(subject: Subject) -> None:
    if not subject.overwrites:
        pytest.skip("not verified: InfluxDB 3 Core may give either version of a point")


# --- What was written is read back.


def test_one_reading_comes_back(subject: Subject) -> None:
    subject.write(batch(subject.id(SALINITY), [(T, 3.2145, Flag.SUSPECT)]))
    found = subject.points(subject.id(SALINITY), *FOREVER)
    assert rows(found) == [(T, 3.2145, 3)]
    assert found.series.tolist() == [subject.id(SALINITY)]


def test_where_nothing_was_written_nothing_is_found(subject: Subject) -> None:
    assert all_of(subject, SALINITY) == []
    subject.write(batch(subject.id(SALINITY), [(T, 1.0, 1)]))
    assert all_of(subject, TEMPERATURE) == []


def test_an_empty_write_is_none(subject: Subject) -> None:
    subject.write(Batch.empty())
    assert all_of(subject, SALINITY) == []


EXACT = {
    "sums": [0.1 + 0.2, 0.1 + 0.7, 1 / 3],
    "steps": [round(k * 1e-4, 4) for k in (1, 3, 9_999, 10_001, 123_456, 399_999)],
    "large": [1e15 + 0.5, 2.0**53, 2.0**53 + 2, 1.7976931348623157e308, 1e21, 1e16],
    "negative": [-0.0001, -5.25, -1e300, -(2.0**63)],
    "tiny": [5e-324, 2.2250738585072014e-308, 1e-7, 1.5e-5],
    "whole": [0.0, 1.0, 3.0, 40.0, 65_536.0],
}


@pytest.mark.parametrize("kind", EXACT)
def test_values_come_back_to_the_last_bit(subject: Subject, kind: str) -> None:
    values = EXACT[kind]
    subject.write(batch(subject.id(SALINITY), [(T + k, v, 1) for k, v in enumerate(values)]))
    found = subject.points(subject.id(SALINITY), *FOREVER).value.tolist()
    assert [struct.pack("d", v) for v in found] == [struct.pack("d", v) for v in values]


def test_every_flag_comes_back_and_is_its_own_quantitys(subject: Subject) -> None:
    flags = [flag.value for flag in Flag]
    salinity = [(T + k, 1.0, flag) for k, flag in enumerate(flags)]
    temperature = [(T + k, 28.0, flag) for k, flag in enumerate(reversed(flags))]
    subject.write(batch(subject.id(SALINITY), salinity))
    subject.write(batch(subject.id(TEMPERATURE), temperature))
    assert all_of(subject, SALINITY) == salinity
    assert all_of(subject, TEMPERATURE) == temperature


def test_every_quantity_of_every_stream_comes_back(subject: Subject) -> None:
    series = subject.table.entries
    assert {one.quantity for one in series} == set(QUANTITIES)
    subject.write(Batch.of([one.id for one in series], [T] * len(series), range(len(series)), 2))
    for one in series:
        assert rows(subject.points(one.id, *FOREVER)) == [(T, float(one.id), 2)]


def test_times_are_exact_from_2000_to_2100(subject: Subject) -> None:
    # A float of seconds, or of nanoseconds, loses one in eight of these.
    chance = random.Random(7)
    times = sorted({chance.randrange(946_684_800_000, 4_102_444_800_000) for _ in range(100)})
    subject.write(batch(subject.id(SALINITY), [(t, 1.0, 1) for t in times]))
    assert [t for t, _, _ in all_of(subject, SALINITY)] == times


def test_neighbouring_milliseconds_are_two_readings(subject: Subject) -> None:
    content = [(T - 1, 1.0, 1), (T, 2.0, 1), (T + 1, 3.0, 1)]
    subject.write(batch(subject.id(SALINITY), content))
    assert all_of(subject, SALINITY) == content


# --- Written again, it is the same.


def test_an_identical_rewrite_changes_nothing(subject: Subject) -> None:
    content = steady(50)
    for _ in range(3):
        subject.write(batch(subject.id(SALINITY), content))
    assert all_of(subject, SALINITY) == content


def test_redelivery_in_other_batches_and_orders_changes_nothing(subject: Subject) -> None:
    content = steady(60)
    subject.write(batch(subject.id(SALINITY), content))
    again = random.Random(3).sample(content, len(content))
    for part in parts(again, 13):
        subject.write(batch(subject.id(SALINITY), part))
    assert all_of(subject, SALINITY) == content


def test_what_comes_out_of_order_is_read_in_order(subject: Subject) -> None:
    content = steady(40)
    for part in parts(content[::-1], 10):
        subject.write(batch(subject.id(SALINITY), part))
    assert all_of(subject, SALINITY) == content


def test_a_revised_flag_replaces(subject: Subject) -> None:
    overwriting(subject)
    content = steady(9)
    subject.write(batch(subject.id(SALINITY), [(t, v, 2) for t, v, _ in content]))
    assert {flag for _, _, flag in all_of(subject, SALINITY)} == {2}
    subject.write(batch(subject.id(SALINITY), content[3:6]))
    expected = [(t, v, 2) for t, v, _ in content]
    expected[3:6] = content[3:6]
    assert all_of(subject, SALINITY) == expected


def test_a_late_lanes_value_replaces(subject: Subject) -> None:
    overwriting(subject)
    flow = subject.id("cam/southbound/flow_veh_h")
    subject.write(batch(flow, [(T, 600.0, 3)]))
    assert rows(subject.points(flow, *FOREVER)) == [(T, 600.0, 3)]
    subject.write(batch(flow, [(T, 1200.0, 1)]))
    assert rows(subject.points(flow, *FOREVER)) == [(T, 1200.0, 1)]


def test_a_quantity_that_comes_later_leaves_the_others(subject: Subject) -> None:
    subject.write(batch(subject.id(SALINITY), [(T, 4.0, 1)]))
    subject.write(batch(subject.id(TEMPERATURE), [(T, 28.5, 3)]))
    assert all_of(subject, SALINITY) == [(T, 4.0, 1)]
    assert all_of(subject, TEMPERATURE) == [(T, 28.5, 3)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(0, 11), min_size=1), min_size=1, max_size=6))
def test_any_sequence_of_deliveries_that_covers_all_gives_the_same(
    subject: Subject, deliveries: list[set[int]]
) -> None:
    subject.devices = Devices()
    subject.adopt(subject.devices.table(subject.table))
    content = steady(12)
    missing = set(range(12)) - set().union(*deliveries)
    for delivery in [*deliveries, missing]:
        if delivery:
            subject.write(batch(subject.id(SALINITY), [content[k] for k in delivery]))
    assert all_of(subject, SALINITY) == content


# --- Series are kept apart.


def test_two_series_at_one_millisecond(subject: Subject) -> None:
    keys = [SALINITY, "l/top/salinity_g_l", "l/bottom/salinity_g_l"]
    for value, key in enumerate(keys):
        subject.write(batch(subject.id(key), [(T, float(value), 1)]))
    together = [subject.id(key) for key in keys]
    subject.write(Batch.of(together, [T + 1] * 3, [7.0, 8.0, 9.0], 2))
    for value, key in enumerate(keys):
        assert all_of(subject, key) == [(T, float(value), 1), (T + 1, 7.0 + value, 2)]


def test_directions_of_one_camera(subject: Subject) -> None:
    for way, value in (("southbound", 1.0), ("northbound", 2.0)):
        subject.write(batch(subject.id(f"cam/{way}/speed_km_h"), [(T, value, 1)]))
    assert all_of(subject, "cam/southbound/speed_km_h") == [(T, 1.0, 1)]
    assert all_of(subject, "cam/northbound/speed_km_h") == [(T, 2.0, 1)]


# --- Ranges.


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(10, 30, [10, 20]), (10, 31, [10, 20, 30]), (11, 30, [20]), (20, 20, []), (30, 10, [])],
)
def test_a_range_holds_its_beginning_and_not_its_end(
    subject: Subject, low: int, high: int, expected: list[int]
) -> None:
    subject.write(batch(subject.id(SALINITY), [(T + k, 1.0, 1) for k in (10, 20, 30)]))
    found = subject.points(subject.id(SALINITY), T + low, T + high)
    assert found.t_ms.tolist() == [T + k for k in expected]


def test_a_limit_gives_the_oldest(subject: Subject) -> None:
    content = steady(30)
    subject.write(batch(subject.id(SALINITY), content))
    assert rows(subject.points(subject.id(SALINITY), *FOREVER, 7)) == content[:7]
    assert rows(subject.points(subject.id(SALINITY), *FOREVER, 30)) == content
    assert rows(subject.points(subject.id(SALINITY), *FOREVER, 31)) == content
    assert len(subject.points(subject.id(SALINITY), *FOREVER, 0)) == 0


def test_pages_cover_everything_once(subject: Subject) -> None:
    content = steady(25)
    subject.write(batch(subject.id(SALINITY), content))
    read: list[Row] = []
    while page := subject.points(subject.id(SALINITY), read[-1][0] + 1 if read else 0, 2**43, 7):
        read += rows(page)
    assert read == content


def test_more_than_one_request_holds(subject: Subject) -> None:
    content = steady(12_000, step_ms=1)
    subject.write(batch(subject.id(SALINITY), content))
    assert all_of(subject, SALINITY) == content


def test_the_newest_stays_the_newest_when_older_ones_come(subject: Subject) -> None:
    newest = (T + 3 * HOUR_MS, 9.0, 1)
    subject.write(batch(subject.id(SALINITY), [newest]))
    subject.write(batch(subject.id(SALINITY), steady(20)))
    assert all_of(subject, SALINITY) == [*steady(20), newest]


# --- Aggregates of what was read are those of what was written.


@pytest.mark.parametrize(
    ("step_ms", "offset_ms"), [(HOUR_MS, 0), (DAY_MS, -VIETNAM_MS)], ids=["hours", "days"]
)
def test_aggregates_over_windows(subject: Subject, step_ms: int, offset_ms: int) -> None:
    chance = random.Random(5)
    content = [
        (T + k * 700_000, chance.randrange(400_000) / 1e4, chance.choice([1, 1, 2, 3, 4, 9]))
        for k in range(400)
    ]
    number = subject.id(SALINITY)
    subject.write(batch(number, content))
    found = Sums.of_readings(subject.points(number, *FOREVER), step_ms, offset_ms).windows()
    plain: dict[int, list[Row]] = {}
    for row in content:
        if row[2] <= Flag.SUSPECT:
            plain.setdefault((row[0] - offset_ms) // step_ms * step_ms + offset_ms, []).append(row)
    assert found.start_ms.tolist() == sorted(plain)
    for at, start_ms in enumerate(sorted(plain)):
        values = [value for _, value, _ in plain[start_ms]]
        assert found.n[at] == len(values)
        assert found.n_good[at] == sum(flag == Flag.PASS for _, _, flag in plain[start_ms])
        assert (found.low[at], found.high[at]) == (min(values), max(values))
        assert found.last[at] == values[-1]
        assert found.mean[at] == pytest.approx(sum(values) / len(values), rel=1e-12)


# --- What can't be stored is refused, and harms nothing else.


def test_what_is_no_number_is_refused(subject: Subject) -> None:
    subject.write(batch(subject.id(SALINITY), [(T, 1.0, 1)]))
    with pytest.raises(Exception, match=r"NOT NULL|not finite"):
        subject.write(batch(subject.id(SALINITY), [(T + 1, float("nan"), 1)]))
    subject.write(batch(subject.id(SALINITY), [(T + 2, 2.0, 1)]))
    assert all_of(subject, SALINITY) == [(T, 1.0, 1), (T + 2, 2.0, 1)]


def test_a_crash_right_after_a_write_loses_nothing(subject: Subject) -> None:
    content = steady(2_000)
    subject.write(batch(subject.id(SALINITY), content))
    subject.crash()
    assert all_of(subject, SALINITY) == content
    subject.write(batch(subject.id(TEMPERATURE), content[:3]))
    subject.crash()
    assert all_of(subject, TEMPERATURE) == content[:3]


def test_whoever_reads_meanwhile_sees_whole_readings(subject: Subject) -> None:
    content = steady(600)
    number = subject.id(SALINITY)
    seen: list[list[Row]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(rows(subject.peek(number, *FOREVER)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for part in parts(content, 100):
        subject.write(batch(number, part))
    done.set()
    for reader in readers:
        reader.join()
    assert all_of(subject, SALINITY) == content
    assert seen
    assert all(set(some) <= set(content) for some in seen)


# --- The registry changes, history stays.


def test_a_replaced_device_goes_on_with_the_series(subject: Subject) -> None:
    subject.write(batch(subject.id(SALINITY), [(T, 1.0, 1)]))
    new = PROBE.format(f"{subject.devices.run}-new") + f'replaces = "{subject.devices.probe}"\n'
    old = PROBE.format(subject.devices.probe)
    keys = len(subject.table)
    subject.adopt(subject.devices.table(subject.table, my_tho=old + new))
    assert len(subject.table) == keys
    subject.write(batch(subject.id(SALINITY), [(T, 1.0, 1), (T + 1, 2.0, 1)]))
    assert all_of(subject, SALINITY) == [(T, 1.0, 1), (T + 1, 2.0, 1)]


def test_history_of_a_device_that_left_the_registry(subject: Subject) -> None:
    content = steady(5)
    bottom = steady(4)
    subject.write(batch(subject.id(SALINITY), content))
    subject.write(batch(subject.id("l/bottom/salinity_g_l"), bottom))
    all_of(subject, SALINITY)
    subject.adopt(subject.devices.table(subject.table, my_tho="", vam_kenh=""))
    assert subject.table.entries[subject.id(SALINITY)].retired
    assert all_of(subject, SALINITY) == content
    assert all_of(subject, "l/bottom/salinity_g_l") == bottom


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "left"])
def test_a_flag_is_revised_after_its_device_changed_places(subject: Subject, moved: bool) -> None:
    overwriting(subject)
    probe = PROBE.format(subject.devices.probe)
    layered = PROBE.format(subject.devices.layered) + LEVELS.format()
    subject.write(batch(subject.id(SALINITY), [(T, 1.0, 2), (T + 1, 2.0, 2)]))
    all_of(subject, SALINITY)
    there = probe + layered if moved else layered
    subject.adopt(subject.devices.table(subject.table, my_tho="", vam_kenh=there))
    subject.write(batch(subject.id(SALINITY), [(T + 1, 2.0, 1), (T + 2, 3.0, 1)]))
    assert all_of(subject, SALINITY) == [(T, 1.0, 2), (T + 1, 2.0, 1), (T + 2, 3.0, 1)]


def test_pages_of_what_was_revised_after_its_device_moved(subject: Subject) -> None:
    overwriting(subject)
    subject.write(batch(subject.id(SALINITY), [(T + k, 1.0, 2) for k in range(4)]))
    all_of(subject, SALINITY)
    there = PROBE.format(subject.devices.probe) + PROBE.format(subject.devices.layered) + LEVELS
    subject.adopt(subject.devices.table(subject.table, my_tho="", vam_kenh=there.format()))
    subject.write(batch(subject.id(SALINITY), [(T + k, 1.0, 1) for k in range(4)]))
    number = subject.id(SALINITY)
    for limit in (4, 3, 2, 1):
        found = rows(subject.points(number, *FOREVER, limit))
        assert found == [(T + k, 1.0, 1) for k in range(limit)]
        for k in range(4):
            found = rows(subject.points(number, T + k, 2**43, limit))
            assert found == [(T + n, 1.0, 1) for n in range(k, min(4, k + limit))]
