"""A small good registry file, from which cases make one mistake each."""

import pytest

from ingest.faults import ConfigError, Fault
from ingest.registry import parse_registry

REACHES = """
[[reach]]
id = "tien"
name = "Sông Tiền"
flows_into = ["cua-tieu", "cua-dai"]
[[reach]]
id = "cua-tieu"
name = "Cửa Tiểu"
[[reach]]
id = "cua-dai"
name = "Cửa Đại"
[[reach]]
id = "ham-luong"
name = "Hàm Luông"
"""

RIVER = """
[[station]]
id = "my-tho"
name = "Mỹ Tho"
kind = "salinity"
reach = "tien"
km_from_mouth = { cua-tieu = 46.0, cua-dai = 51 }
lat = 10.3469
lon = 106.347
[[station.device]]
id = "mt-01"
expected_s = 600
measures = ["ec_ms_cm", "temp_c"]
"""

BRIDGE = """
[[station]]
id = "cau"
name = "Cầu"
kind = "traffic"
lat = 10.3
lon = 106.3
[station.directions]
southbound = { vi = "Đi nam", en = "South" }
northbound = { vi = "Đi bắc", en = "North" }
[[station.device]]
id = "cam-01"
expected_s = 60
measures = ["count"]
lanes = [
  { direction = "southbound", lane = 1, use = "car" },
  { direction = "southbound", lane = 2, use = "mixed" },
  { direction = "northbound", lane = 1, use = "car" },
]
"""

QUALITY = """
[quality.salinity_g_l]
fail_min = 0
fail_max = 40
spike_suspect = 2
[[quality.band]]
km = [35, 50]
[quality.band.salinity_g_l]
spike_suspect = 1
"""

GOOD = REACHES + RIVER + BRIDGE + QUALITY


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(ConfigError) as raised:
        parse_registry(text, "stations.toml")
    return list(raised.value.faults)


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) >= 1, f"{old!r} isn't in the text that is changed"
    return text.replace(old, new, 1)
