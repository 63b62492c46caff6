"""The river whole: derived rows as its slow twin has them, in any split, order and restart."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.instants import Instants
from alerts.river.network import network
from alerts.river.river import River
from ingest.reading import Batch, Flag, Why
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from tests.alerts.river import plain
from tests.alerts.river.plain import HOUR, MINUTE, QUARTER, Row

REORDER = 2 * MINUTE
START = 1_772_000_100_000 // QUARTER * QUARTER

STATION = """
[[station]]
id = "{id}"
name = "{id}"
kind = "salinity"
lat = 10.3
lon = 106.4
reach = "{reach}"
{more}

[[station.device]]
id = "{id}-p"
expected_s = 600
measures = ["ec_ms_cm", "temp_c", "level_m"]
{levels}
"""


def station(name: str, reach: str, *, levels: str = "", side: str = "river", **km: float) -> str:
    far = ", ".join(f"{mouth.replace('_', '-')} = {x}" for mouth, x in km.items())
    more = f"side = '{side}'\nkm_from_mouth = {{ {far} }}"
    return STATION.format(id=name, reach=reach, more=more, levels=levels)


KM = (20.0, 32.0, 42.0, 46.0)
ONE = "[[reach]]\nid = 'cua-tieu'\nname = 'Cửa Tiểu'\n" + "".join(
    station(f"s{at}", "cua-tieu", cua_tieu=km) for at, km in enumerate(KM)
)


def parsed(text: str) -> tuple[Registry, SeriesTable]:
    registry = parse_registry(text, "stations.toml")
    return registry, SeriesTable.of(registry)


REGISTRY, SERIES = parsed(ONE)
NUMBERS = [SERIES.by_key[f"s{at}-p/salinity_g_l"] for at in range(len(KM))]


def batch(rows: Sequence[Row]) -> Batch:
    columns = [list(each) for each in zip(*rows, strict=True)] or [[]] * 5
    return Batch.of([NUMBERS[at] for at in columns[0]], *columns[1:])


def told(rows: Batch) -> plain.Told:
    """By quantity and time; each at most once."""
    found: plain.Told = {}
    columns = (rows.series, rows.t_ms, rows.value, rows.flag, rows.why)
    for number, t_ms, value, flag, why in zip(*(c.tolist() for c in columns), strict=True):
        key = SERIES.entries[number].quantity, t_ms
        assert key not in found
        found[key] = value, flag, why
    return found


def feed(seed: int, *, simulated: bool) -> list[Row]:
    """40 hours of four stations as they arrive: gaps, bad flags, lost stations, a drill."""
    rng = np.random.default_rng(seed)
    arrived: list[tuple[int, Row]] = []
    for at in range(len(KM)):
        t_ms = START + int(rng.integers(0, 20)) * MINUTE
        lost = rng.random() < 0.3
        while t_ms < START + 40 * HOUR:
            hours = (t_ms - START) / HOUR
            value = 12 * np.exp(-at) * (1.2 + np.sin(hours / 2)) * rng.uniform(0.8, 1.2)
            flag = int(rng.choice([1, 1, 1, 1, 1, 3, 4]))
            drill = simulated or rng.random() < 0.02
            row = (at, t_ms, round(float(value), 4), flag, int(Why.SIMULATED) if drill else 0)
            if not (lost and 10 < hours < 20):
                arrived.append((t_ms + int(rng.choice([0, 0, 0, REORDER])), row))
            t_ms += int(rng.choice([10, 10, 10, 15, 45])) * MINUTE + int(rng.integers(0, 60_000))
    ordered = [row for _, row in sorted(arrived)]
    newest: dict[int, int] = {}
    kept = []
    for row in ordered:  # What comes after a newer one of its series is not released.
        if row[1] > newest.get(row[0], -1):
            newest[row[0]] = row[1]
            kept.append(row)
    return kept


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.data())
def test_equals_the_slow_twin_in_any_split_and_after_restarts(
    seed: int, simulated: bool, data: st.DataObject
) -> None:
    rows = feed(seed, simulated=simulated)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=6)))
    river, parts = River(REGISTRY, SERIES, REORDER), []
    for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        parts.append(river.push(batch(rows[low:high])))
        state = unpack(pack(river.snapshot()))
        river = River(REGISTRY, SERIES, REORDER, state)
        assert pack(river.snapshot()) == pack(state)
    whole = batch(rows)
    grid = Instants([np.array(NUMBERS)], [QUARTER], SERIES.expected_ms, REORDER)
    expected: plain.Told = {}
    for t_ms, _ in grid.due(whole.series, whole.t_ms):
        expected |= plain.rows_at(rows, KM, t_ms)
    found = told(Batch.concat(parts))
    assert found.keys() == expected.keys()
    for key, (value, flag, why) in expected.items():
        assert found[key][0] == pytest.approx(value, abs=1e-4), key
        assert found[key][1:] == (flag, why), key
    for part in parts:
        assert (np.diff(part.t_ms) >= 0).all()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_sample_by_sample_gives_the_same_bytes_as_at_once(seed: int) -> None:
    rows = feed(seed, simulated=False)
    at_once, singly = River(REGISTRY, SERIES, REORDER), River(REGISTRY, SERIES, REORDER)
    whole = at_once.push(batch(rows))
    parts = Batch.concat([singly.push(batch([row])) for row in rows])
    assert told(whole) == told(parts)
    by_time = sorted(rows, key=lambda row: row[1])
    assert told(River(REGISTRY, SERIES, REORDER).push(batch(by_time))) == told(whole)
    pictures = [json.dumps(each.picture(0)) for each in (at_once, singly)]
    assert pictures[0] == pictures[1]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_spells_equal_the_slow_twin(seed: int, data: st.DataObject) -> None:
    # Weak salt and long quiet stretches, so that spells begin and end.
    rows = [
        (at, t, round(v * 0.08 if t > START + 9 * HOUR else v, 4), 1 if f == 4 else f, 0)
        for at, t, v, f, _ in feed(seed, simulated=False)
    ]
    rows = [row for row in rows if row[3] == Flag.PASS or row[1] < START + 12 * HOUR]
    cut = data.draw(st.integers(0, len(rows)))
    river = River(REGISTRY, SERIES, REORDER)
    river.push(batch(rows[:cut]))
    river = River(REGISTRY, SERIES, REORDER, unpack(pack(river.snapshot())))
    river.push(batch(rows[cut:]))
    stations = river.picture(0)["stations"]
    asked = {1: [(4.0, 3.6)], 2: [(0.5, 0.4), (1.0, 0.85), (2.0, 1.75), (4.0, 3.6)]}
    for at, levels in asked.items():
        found = {each["raise_above_g_l"]: each for each in stations[f"s{at}"]["spells"]}
        for raise_above, clear_below in levels:
            inside, since, top = plain.inside_spell(rows, at, raise_above, clear_below)
            assert (raise_above in found) is inside
            if inside:
                assert found[raise_above]["since"] == since
                assert found[raise_above]["max_g_l"] == top


def steady(values: Sequence[float], hours: int, start_ms: int = START) -> list[Row]:
    """Every station each ten minutes at one value."""
    return [
        (at, start_ms + minute * MINUTE, value, int(Flag.PASS), 0)
        for minute in range(0, hours * 60 + 1, 10)
        for at, value in enumerate(values)
    ]


def test_lines_now_and_as_the_maximum_of_25_hours() -> None:
    river = River(REGISTRY, SERIES, REORDER)
    high = steady((20.0, 12.0, 8.0, 3.0), 1)
    low = steady((10.0, 5.0, 2.0, 0.5), 23, START + 2 * HOUR)
    found = told(river.push(batch(high + low)))
    last = max(t for _, t in found)
    assert 32.0 < found["salt_4_km", last][0] < 42.0
    assert 42.0 < found["salt_4_max_km", last][0] < 46.0
    assert found["salt_1_max_km", last] == (46.0, Flag.SUSPECT, Why.BOUND)
    assert ("salt_1_max_sd_km", last) not in found
    early = START + 3 * HOUR
    assert ("salt_4_km", early) in found
    assert ("salt_4_max_km", early) not in found  # Three hours are no tidal day.


def test_fresh_water_at_the_lowest_station_is_an_upper_bound() -> None:
    river = River(REGISTRY, SERIES, REORDER)
    found = told(river.push(batch(steady((0.2, 0.1, 0.1, 0.1), 1))))
    assert found["salt_1_km", START + HOUR] == (20.0, Flag.PASS, Why.BOUND)
    without = [row for row in steady((0.2, 0.1, 0.1, 0.1), 2) if row[0] != 0]
    assert not told(River(REGISTRY, SERIES, REORDER).push(batch(without)))


def test_a_drill_does_not_move_the_line_of_a_river_that_is_measured() -> None:
    river = River(REGISTRY, SERIES, REORDER)
    rows = steady((10.0, 5.0, 2.0, 0.5), 2)
    drill = [(3, t + MINUTE, 30.0, 1, int(Why.SIMULATED)) for at, t, *_ in rows if at == 3]
    mixed = sorted([*rows, *drill], key=lambda row: row[1])
    found = told(river.push(batch(mixed)))
    assert found == {
        key: value
        for key, value in told(River(REGISTRY, SERIES, REORDER).push(batch(rows))).items()
        if key in found
    }
    assert ("salt_4_km", START + HOUR) in found


PARTING = """
[[reach]]
id = "tren"
name = "Tren"
flows_into = ["tien", "kenh"]
[[reach]]
id = "tien"
name = "Tien"
flows_into = ["tieu", "dai"]
[[reach]]
id = "kenh"
name = "Kenh"
flows_into = ["dai"]
[[reach]]
id = "tieu"
name = "Tieu"
[[reach]]
id = "dai"
name = "Dai"
[[reach]]
id = "dam"
name = "Dam"
closed = true
""" + "".join(
    [
        station("t1", "tieu", tieu=10.0),
        station("d1", "dai", dai=12.0),
        station("m1", "tien", tieu=40.0, dai=45.0),
        station("k1", "kenh", dai=30.0),
        station("u1", "tren", tieu=60.0, dai=65.0),
        station("f1", "tien", side="field", tieu=41.0, dai=46.0),
        station("x1", "dam", dam=3.0),
        station("x2", "dam", dam=9.0),
    ]
)


def test_each_mouth_has_the_stations_of_its_own_ways() -> None:
    found = network(*parsed(PARTING))
    names = [probe.station.id for probe in found.probes]
    ways = {
        mouth.id: [[names[mouth.slots[at]] for at in way] for way in mouth.ways]
        for mouth in found.mouths
    }
    assert ways["tieu"] == [["t1", "m1", "u1"]]
    assert sorted(ways["dai"]) == [["d1", "k1", "u1"], ["d1", "m1", "u1"]]
    assert "dam" not in ways


def test_of_several_levels_the_one_nearest_to_the_surface_speaks() -> None:
    levels = 'levels = [{ id = "bottom", depth_m = 8.0 }, { id = "surface", depth_m = 0.5 }]'
    text = "[[reach]]\nid = 'tieu'\nname = 'Tieu'\n" + station("a", "tieu", levels=levels, tieu=2.0)
    registry, series = parsed(text + station("b", "tieu", tieu=9.0))
    spoken = [series.entries[probe.series].key for probe in network(registry, series).probes]
    assert spoken == ["a-p/surface/salinity_g_l", "b-p/salinity_g_l"]


def test_the_picture_says_what_it_rests_on_and_what_was_left_out() -> None:
    river = River(REGISTRY, SERIES, REORDER)
    rows = steady((10.0, 5.0, 2.0, 0.5), 26)
    rows = [row for row in rows if row[0] != 2 or row[1] <= START + 24 * HOUR]
    river.push(batch(rows))
    told_now = river.picture(START + 26 * HOUR)
    mouth = told_now["mouths"]["cua-tieu"]
    assert mouth["t"] >= START + 25 * HOUR
    lines = {(each["level_g_l"], each["basis"]): each for each in mouth["lines"]}
    here = lines[4, "now"]
    assert [each["station"] for each in here["used"]] == ["s0", "s1", "s3"]
    assert [(each["station"], each["why"]) for each in here["left_out"]] == [
        ("s2", "older than 30 minutes")
    ]
    assert 32.0 < here["km"] < 46.0
    assert [each["between"] for each in here["crossings"]] == [["s1", "s3"]]
    assert lines[4, "max_25h"]["left_out"] == []
    assert mouth["risk"] is None  # No distances stand in this registry.
    s1 = told_now["stations"]["s1"]
    assert (s1["now_g_l"], s1["max_25h_g_l"]) == (5.0, 5.0)
    assert s1["same_tide"]["rise_g_l"] == 0.0


def test_the_computed_level_of_risk_goes_by_the_maximum_of_4_g_l() -> None:
    river = River(*parsed(ONE + "\n[risk]\nfrom_km = [25, 41, 60]"), REORDER)
    river.push(batch(steady((10.0, 5.0, 4.5, 0.5), 26)))
    risk = river.picture(START)["mouths"]["cua-tieu"]["risk"]
    assert (risk["level"], risk["at_least"], risk["label"]) == (2, False, "tham khảo")


def test_a_new_registry_keeps_what_is_known() -> None:
    river = River(REGISTRY, SERIES, REORDER)
    rows = steady((10.0, 5.0, 2.0, 0.5), 26)
    first, rest = [
        [r for r in rows if (r[1] < START + 20 * HOUR) is early] for early in (True, False)
    ]
    river.push(batch(first))
    text = ONE.replace("km_from_mouth = { cua-tieu = 46.0 }", "km_from_mouth = { cua-tieu = 47.0 }")
    registry = parse_registry(text + station("s9", "cua-tieu", cua_tieu=60.0), "stations.toml")
    keys = [series.key for series in SERIES.entries]
    river.reconfigure(registry, SeriesTable.of(registry, keys), REORDER)
    found = told(river.push(batch(rest)))
    value = found["salt_4_max_km", START + 25 * HOUR][0]
    assert value == pytest.approx(
        plain.line((20.0, 32.0, 42.0, 47.0), (10, 5, 2, 0.5), 4.0)[1], abs=1e-3
    )


def test_state_is_bounded_by_the_network() -> None:
    river = River(REGISTRY, SERIES, REORDER)

    def size(days: int) -> int:
        for day in range(days):
            river.push(batch(steady((10.0, 5.0, 2.0, 0.5), 24, START + day * 24 * HOUR + MINUTE)))
        return len(pack(river.snapshot()))

    before: Any = size(3)
    river.push(batch([(0, START + 400 * 24 * HOUR, 1.0, 1, 0)]))
    assert len(pack(river.snapshot())) <= before
