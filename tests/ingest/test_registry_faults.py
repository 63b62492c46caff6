"""Every kind of mistake in a registry file is told: key, value and what is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.faults import ConfigError
from ingest.registry import KEYS, parse_registry
from tests.ingest.registry_text import changed, faults_of

MISTAKES = {
    "unknown key": ('name = "Mỹ Tho"', 'nam = "Mỹ Tho"', "station[my-tho].nam", "'name'?"),
    "unknown top key": ("[quality.s", "[qualitie.s", "qualitie", "'quality'?"),
    "missing": ("lat = 10.3469\n", "", "station[my-tho].lat", "missing"),
    "lat a text": ("lat = 10.3469", 'lat = "10,3"', "station[my-tho].lat", "-90 to 90"),
    "lon true": ("lon = 106.347", "lon = true", "station[my-tho].lon", "-180 to 180"),
    "lat nan": ("lat = 10.3469", "lat = nan", "station[my-tho].lat", "-90 to 90"),
    "lat huge": ("lat = 10.3469", f"lat = 1{'0' * 400}", "station[my-tho].lat", "-90 to 90"),
    "blank name": ('name = "Mỹ Tho"', 'name = " "', "station[my-tho].name", "isn't empty"),
    "bad id": ('id = "mt-01"', 'id = "MT_01"', "station[my-tho].device[#1].id", "a-z, 0-9"),
    "long id": ('id = "mt-01"', f'id = "{"a" * 41}"', "station[my-tho].device[#1].id", "40"),
    "kind": ('kind = "salinity"', 'kind = "salty"', "station[my-tho].kind", "salinity, traffic"),
    "side": ('reach = "tien"', 'side = "bridge"', "station[my-tho].side", "river, field, coast"),
    "unknown reach": ('reach = "tien"', 'reach = "tein"', "station[my-tho].reach", "'tien'?"),
    "unknown mouth": (
        "cua-tieu = 46.0",
        "cua-tiu = 46.0",
        "station[my-tho].km_from_mouth",
        "'cua-tieu'?",
    ),
    "no mouth": ("cua-dai = 51", "tien = 51", "station[my-tho].km_from_mouth", "mouths"),
    "other arm's mouth": (
        "cua-dai = 51",
        "ham-luong = 51",
        "station[my-tho].km_from_mouth",
        "cua-tieu, cua-dai alone",
    ),
    "km negative": ("= 46.0", "= -46.0", "station[my-tho].km_from_mouth.cua-tieu", "0 to 1000 km"),
    "km a text": ("= 46.0", '= "46"', "station[my-tho].km_from_mouth.cua-tieu", "0 to 1000 km"),
    "km no table": (
        "{ cua-tieu = 46.0, cua-dai = 51 }",
        "46.0",
        "station[my-tho].km_from_mouth",
        "table",
    ),
    "branch left out": (
        'reach = "tien"',
        'reach = "tien"\nbranches = ["cua-tieu"]',
        "station[my-tho].branches",
        "cua-dai",
    ),
    "unverified what": (
        'reach = "tien"',
        'reach = "tien"\nunverified = ["latt"]',
        "station[my-tho].unverified",
        "'lat'?",
    ),
    "directions on a river": (
        "[[station.device]]",
        '[station.directions]\nup = { vi = "a", en = "b" }\n[[station.device]]',
        "station[my-tho].directions",
        "traffic station alone",
    ),
    "gate of a bridge": (
        'kind = "traffic"',
        'kind = "traffic"\ngate = "cong"',
        "station[cau].gate",
        "salinity station alone",
    ),
    "length of a river": (
        'reach = "tien"',
        "length_m = 3",
        "station[my-tho].length_m",
        "traffic station alone",
    ),
    "direction's words": (', en = "South"', "", "station[cau].directions.southbound.en", "missing"),
    "interval": (
        "expected_s = 600",
        "expected_s = 0",
        "station[my-tho].device[mt-01].expected_s",
        "s",
    ),
    "measures what": (
        '"ec_ms_cm"',
        '"ec_ms_mc"',
        "station[my-tho].device[mt-01].measures",
        "'ec_ms_cm'?",
    ),
    "measures nothing": (
        '["ec_ms_cm", "temp_c"]',
        "[]",
        "station[my-tho].device[mt-01].measures",
        "at least one",
    ),
    "measures twice": (
        '["ec_ms_cm", "temp_c"]',
        '["temp_c", "temp_c"]',
        "station[my-tho].device[mt-01].measures",
        "once",
    ),
    "measures a number": (
        '["ec_ms_cm", "temp_c"]',
        "[1]",
        "station[my-tho].device[mt-01].measures",
        "list of texts",
    ),
    "lanes on a probe": (
        "expected_s = 600",
        'expected_s = 600\nlanes = [{ direction = "southbound", lane = 1, use = "car" }]',
        "station[my-tho].device[mt-01].lanes",
        "traffic device alone",
    ),
    "levels on a camera": (
        "expected_s = 60\n",
        'expected_s = 60\nlevels = [{ id = "top", depth_m = 1 }]\n',
        "station[cau].device[cam-01].levels",
        "salinity device alone",
    ),
    "level twice": (
        "expected_s = 600",
        'expected_s = 600\nlevels = [{ id = "a", depth_m = 1 }, { id = "a", depth_m = 2 }]',
        "station[my-tho].device[mt-01].levels[a].id",
        "twice",
    ),
    "lane twice": ("lane = 2", "lane = 1", "station[cau].device[cam-01].lanes[#2].lane", "twice"),
    "lane not whole": (
        "lane = 2",
        "lane = 2.0",
        "station[cau].device[cam-01].lanes[#2].lane",
        "whole",
    ),
    "lane's direction": (
        '{ direction = "northbound"',
        '{ direction = "east"',
        "station[cau].device[cam-01].lanes[#3].direction",
        "southbound, northbound",
    ),
    "device twice": ('id = "cam-01"', 'id = "mt-01"', "station[cau].device[mt-01].id", "twice"),
    "station twice": ('id = "cau"', 'id = "my-tho"', "station[my-tho].id", "twice"),
    "reach twice": ('id = "cua-dai"', 'id = "cua-tieu"', "reach[cua-tieu].id", "twice"),
    "flows nowhere": (
        '"cua-tieu", "cua-dai"',
        '"cua-tieo"',
        "reach[tien].flows_into",
        "'cua-tieu'?",
    ),
    "flows in a circle": (
        'name = "Cửa Tiểu"',
        'name = "Cửa Tiểu"\nflows_into = ["tien"]',
        "reach[cua-tieu].flows_into",
        "circle",
    ),
    "closed above": (
        'name = "Sông Tiền"',
        'name = "Sông Tiền"\nclosed = true',
        "reach[tien].closed",
        "mouth",
    ),
    "closed how": (
        'name = "Hàm Luông"',
        'name = "Hàm Luông"\nclosed = 1',
        "reach[ham-luong].closed",
        "true or false",
    ),
    "limit crossed": (
        "fail_min = 0",
        "fail_min = 41",
        "quality.salinity_g_l.fail_min",
        "fail_max = 40",
    ),
    "limit a text": (
        "fail_min = 0",
        'fail_min = "0"',
        "quality.salinity_g_l.fail_min",
        "false to switch",
    ),
    "limit true": ("fail_min = 0", "fail_min = true", "quality.salinity_g_l.fail_min", "false to"),
    "limit negative": (
        "spike_suspect = 2",
        "spike_suspect = -2",
        "quality.salinity_g_l.spike_suspect",
        "negative",
    ),
    "limit unknown": (
        "spike_suspect = 2",
        "spike_suspct = 2",
        "quality.salinity_g_l.spike_suspct",
        "'spike_suspect'?",
    ),
    "limits crossed put together": (
        "spike_suspect = 1\n",
        "fail_min = 45\n",
        "station[my-tho].quality.salinity_g_l.fail_min",
        "fail_max = 40",
    ),
    "band backwards": ("[35, 50]", "[50, 35]", "quality.band[#1].km", "from < to"),
    "band of one": ("[35, 50]", "[35]", "quality.band[#1].km", "[from, to]"),
    "band of traffic": (
        "[quality.band.salinity_g_l]\nspike_suspect = 1\n",
        "[quality.band.speed_km_h]\nfail_min = 0\n",
        "quality.band[#1].speed_km_h",
        "salinity",
    ),
    "quantity unknown": (
        "[quality.salinity_g_l]",
        "[quality.salinity_gl]",
        "quality.salinity_gl",
        "'salinity_g_l'?",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_key_its_value_and_what_is_accepted(name: str) -> None:
    old, new, key, accepted = MISTAKES[name]
    found = faults_of(changed(old, new))
    told = [fault for fault in found if fault.key == key and accepted in fault.accepted]
    assert told, "\n".join(map(str, found))
    assert told[0].file == "stations.toml"
    assert "\n" not in str(told[0])


def test_a_fault_tells_the_value_that_the_file_has() -> None:
    text = changed("= 46.0", "= -46.0")
    (fault,) = faults_of(text)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "-46.0" in each)
    assert str(fault) == (
        f"stations.toml:{line}: station[my-tho].km_from_mouth.cua-tieu = -46.0: "
        "accepted is a number from 0 to 1000 km"
    )


def test_all_faults_are_told_at_once() -> None:
    text = changed("lat = 10.3469", "lat = 100")
    text = changed('use = "mixed"', 'use = "tank"', text)
    text = changed("fail_min = 0", "fail_mn = 0", text)
    keys = [fault.key for fault in faults_of(text)]
    assert keys == [
        "station[my-tho].lat",
        "station[cau].device[cam-01].lanes[#2].use",
        "quality.salinity_g_l.fail_mn",
    ]


def test_a_syntax_error_names_its_line() -> None:
    (fault,) = faults_of("a = 1\nb = = 2\n")
    assert (fault.key, fault.value) == ("line 2", "b = = 2")


TOML_VALUES = st.recursive(
    st.sampled_from(
        ["1", "-1", "0.5", "nan", "inf", '""', '"a"', "true", "[]", "{}", "2020-01-01"]
    ),
    lambda inner: st.lists(inner, max_size=2).map(lambda each: f"[{', '.join(each)}]"),
    max_leaves=3,
)


@given(
    section=st.sampled_from(["reach", "station", "device", "limits", "band", ""]),
    value=TOML_VALUES,
    pick=st.integers(0, 50),
)
def test_any_value_at_any_key_is_read_or_told_as_a_fault(
    section: str, value: str, pick: int
) -> None:
    heads = {
        "reach": "[[reach]]\n",
        "station": "[[station]]\n",
        "device": "[[station]]\n[[station.device]]\n",
        "limits": "[quality.salinity_g_l]\n",
        "band": "[[quality.band]]\n",
        "": "",
    }
    key = KEYS[section][pick % len(KEYS[section])]
    try:
        parse_registry(f"{heads[section]}{key} = {value}\n", "f")
    except ConfigError as error:
        assert error.faults  # noqa: PT017 - either outcome is right, an exception of another kind isn't
