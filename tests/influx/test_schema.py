"""Points as others see them in a real InfluxDB: one for each stream and time, at its station."""

import re
from collections.abc import Iterator

import pytest

from ingest.influx import Verdict
from ingest.points import lines
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.deploy.copied import ROOT
from tests.influx.servers import InfluxServer
from tests.influx.subjects import PROBE, Direct
from tests.influx.test_contract import SALINITY, T, batch

DOCUMENT = (ROOT / "docs/historian.md").read_text("utf-8")
QUERIES = re.findall(r"^SELECT .*\n.*$", DOCUMENT, re.MULTILINE)


@pytest.fixture
def direct(influx_server: InfluxServer) -> Iterator[Direct]:
    made = Direct(influx_server.url, influx_server.token, influx_server)
    yield made
    made.close()


def test_a_point_stays_one_when_its_device_moves_and_when_it_leaves(
    influx_server: InfluxServer, direct: Direct
) -> None:
    probe = PROBE.format(direct.devices.probe)
    row = {"device": direct.devices.probe, "salinity_g_l": 1.0, "time": T}
    for moves, flag, station in (
        ({}, 2, "my-tho"),
        ({"my_tho": "", "vam_kenh": probe}, 3, "vam-kenh"),
        # It keeps the one that was known last.
        ({"my_tho": "", "vam_kenh": ""}, 1, "vam-kenh"),
    ):
        direct.adopt(direct.devices.table(direct.table, **moves))
        direct.write(batch(direct.id(SALINITY), [(T, 1.0, flag)]))
        found = influx_server.query("SELECT * FROM salinity")
        assert found == [row | {"salinity_g_l_q": flag, "station": station}]
        tags = influx_server.query("SHOW TAG KEYS FROM salinity")
        assert [each["tagKey"] for each in tags] == ["device"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_document_finds_its_station(
    influx_server: InfluxServer, direct: Direct, query: str
) -> None:
    file = ROOT / "songtien/defaults/stations.toml"
    table = SeriesTable.of(parse_registry(file.read_text("utf-8"), str(file)))
    n = len(table)
    readings = Batch.of(list(range(n)), [T] * n, [float(at) for at in range(n)], 1)
    assert direct.influx.write(lines(readings, table)).verdict is Verdict.STORED
    quantity, station = re.findall(r'mean\("(\w+)"\).*\n.*"station" = \'([\w-]+)\'', query)[0]
    wanted = {
        each.id for each in table.entries if each.station == station and each.quantity == quantity
    }
    asked = query.replace("$timeFilter", f"time >= {T}ms AND time < {T + 1}ms")
    assert {row["mean"] for row in influx_server.query(asked)} == wanted
