"""Numbers of series stay their own when the registry changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.faults import ConfigError
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable

HEAD = """
[[reach]]
id = "cua-tieu"
name = "Cửa Tiểu"
[[station]]
id = "vam-kenh"
name = "Vàm Kênh"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 2.0 }
lat = 10.274
lon = 106.737
"""

BRIDGE = """
[[station]]
id = "cau"
name = "Cầu"
kind = "traffic"
lat = 10.3
lon = 106.3
[station.directions]
southbound = { vi = "a", en = "b" }
northbound = { vi = "c", en = "d" }
[[station.device]]
id = "cam-01"
expected_s = 60
measures = ["count"]
lanes = [
  { direction = "southbound", lane = 1, use = "car" },
  { direction = "northbound", lane = 1, use = "car" },
]
"""


def probe(name: str, more: str = "", interval_s: float = 900) -> str:
    return (
        f'[[station.device]]\nid = "{name}"\nexpected_s = {interval_s}\n'
        f'measures = ["ec_ms_cm", "temp_c"]\n{more}\n'
    )


def registry(*parts: str) -> Registry:
    return parse_registry("".join((HEAD, *parts)), "stations.toml")


def keys(table: SeriesTable) -> list[str]:
    return [series.key for series in table.entries]


def test_series_of_a_probe() -> None:
    table = SeriesTable.of(registry(probe("vk-01")))
    salinity = table.entries[table.by_key["vk-01/salinity_g_l"]]
    assert (salinity.station, salinity.device, salinity.kind) == ("vam-kenh", "vk-01", "salinity")
    assert (salinity.branches, salinity.unit, salinity.announced) == (("cua-tieu",), "g/L", True)
    assert not table.entries[table.by_key["vk-01/battery_v"]].announced
    assert table.columns["vk-01"]["salinity_g_l"] == salinity.id
    assert set(table.expected_ms) == {900_000}
    assert table.expected_ms.dtype == np.int64


def test_series_of_directions_and_levels() -> None:
    levels = 'levels = [{ id = "top", depth_m = 0.5 }, { id = "bottom", depth_m = 8 }]'
    table = SeriesTable.of(registry(probe("vk-02", levels), BRIDGE))
    bottom = table.entries[table.by_key["vk-02/bottom/salinity_g_l"]]
    assert (bottom.stream, bottom.level, bottom.direction) == ("vk-02/bottom", "bottom", None)
    flow = table.entries[table.by_key["cam-01/northbound/flow_veh_h"]]
    assert (flow.stream, flow.level, flow.direction) == ("cam-01/northbound", None, "northbound")
    assert list(table.columns) == [
        "vk-02/top",
        "vk-02/bottom",
        "cam-01/southbound",
        "cam-01/northbound",
        "cau/southbound",
        "cau/northbound",
    ]


MY_THO = """
[[station]]
id = "my-tho"
name = "Mỹ Tho"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 46.0 }
lat = 10.3469
lon = 106.347
"""


def test_a_mouth_has_series_once_two_stations_stand_along_it() -> None:
    assert not any(key.startswith("cua-tieu/") for key in keys(SeriesTable.of(registry())))
    table = SeriesTable.of(registry(MY_THO))
    line = table.entries[table.by_key["cua-tieu/salt_4_max_km"]]
    assert (line.kind, line.unit, line.station, line.branches) == ("river", "km", "", ("cua-tieu",))


def test_a_bridge_has_series_for_each_direction() -> None:
    table = SeriesTable.of(registry(BRIDGE))
    state = table.entries[table.by_key["cau/northbound/traffic_state"]]
    assert (state.kind, state.station, state.direction) == ("bridge", "cau", "northbound")


def test_no_device_goes_by_the_id_of_a_mouth_or_a_bridge() -> None:
    with pytest.raises(ConfigError, match="a mouth has this id"):
        registry(probe("cua-tieu"))
    with pytest.raises(ConfigError, match="a bridge has this id"):
        registry(probe("cau"), BRIDGE)


def test_numbers_stay_when_a_device_is_put_before_the_others() -> None:
    before = SeriesTable.of(registry(probe("vk-01")))
    after = SeriesTable.of(registry(probe("aa-01"), probe("vk-01"), BRIDGE), keys(before))
    assert keys(after)[: len(before)] == keys(before)
    assert len(after) > len(before)
    assert {"aa-01/salinity_g_l", "cam-01/southbound/queue_m"} <= set(after.by_key)


def test_a_device_taken_out_leaves_its_numbers_retired() -> None:
    before = SeriesTable.of(registry(probe("vk-01"), probe("vk-02"), BRIDGE))
    after = SeriesTable.of(registry(probe("vk-02")), keys(before))
    assert keys(after) == keys(before)
    retired = [series for series in after.entries if series.retired]
    assert {series.stream for series in retired} == {
        "vk-01",
        "cam-01/southbound",
        "cam-01/northbound",
        "cau/southbound",
        "cau/northbound",
    }
    assert not any(series.announced for series in retired)
    assert {series.device for series in retired} == {"vk-01", "cam-01", "cau"}
    flow = after.entries[after.by_key["cam-01/southbound/flow_veh_h"]]
    assert (flow.kind, flow.unit, flow.quantity) == ("traffic", "veh/h", "flow_veh_h")


def test_a_device_that_comes_back_has_its_numbers_again() -> None:
    first = SeriesTable.of(registry(probe("vk-01"), probe("vk-02")))
    without = SeriesTable.of(registry(probe("vk-02")), keys(first))
    again = SeriesTable.of(registry(probe("vk-02"), probe("vk-01")), keys(without))
    assert again.by_key == first.by_key
    assert again.entries == first.entries


def test_a_replacement_joins_the_series_of_the_first() -> None:
    before = SeriesTable.of(registry(probe("vk-01")))
    joined = registry(probe("vk-01"), probe("vk-02", 'replaces = "vk-01"'))
    after = SeriesTable.of(joined, keys(before))
    assert after.by_key == before.by_key
    assert joined.root_device("vk-02").streams() == [("vk-01", None, None)]


def test_what_changes_at_a_station_is_seen_under_the_old_number() -> None:
    before = SeriesTable.of(registry(probe("vk-01")))
    after = SeriesTable.of(registry(probe("vk-01", interval_s=600)), keys(before))
    assert after.by_key == before.by_key
    assert set(after.expected_ms) == {600_000}


DEVICES = st.lists(st.sampled_from([f"vk-{n:02}" for n in range(6)]), unique=True, max_size=6)


@given(st.lists(DEVICES, min_size=1, max_size=5))
def test_numbers_never_change_their_meaning(history: list[list[str]]) -> None:
    known: list[str] = []
    for devices in history:
        table = SeriesTable.of(registry(*(probe(name) for name in devices)), known)
        assert keys(table)[: len(known)] == known
        assert [series.id for series in table.entries] == list(range(len(table)))
        assert len(set(keys(table))) == len(table)
        active = {series.device for series in table.entries if not series.retired}
        assert active == set(devices)
        known = keys(table)
