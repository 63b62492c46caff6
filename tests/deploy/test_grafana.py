"""What Grafana is given: its data source meets InfluxDB, and its panels ask for what is there."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from ingest.influx import Influx, Verdict, parse_url
from ingest.points import lines, tags
from ingest.reading import QUANTITIES, Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.deploy.copied import ROOT, compose
from tests.influx.servers import MISSING, InfluxServer

GRAFANA = ROOT / "deploy/grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
NOW_MS = 1_767_000_000_000


def _panels() -> list[dict[str, Any]]:
    found = [p for path in DASHBOARDS for p in json.loads(path.read_text("utf-8"))["panels"]]
    assert len(found) >= 4
    return found


def _queries() -> Iterator[tuple[str, str]]:
    for panel in _panels():
        for target in panel["targets"]:
            yield panel["title"], target["query"]


def test_the_data_source_is_the_historian_and_the_panels_use_it() -> None:
    (source,) = yaml.safe_load(
        (GRAFANA / "provisioning/datasources/historian.yml").read_text("utf-8")
    )["datasources"]
    services = compose()["services"]
    assert source["url"] == "http://influxdb:8086"
    assert source["jsonData"]["version"] == "InfluxQL"
    bucket = services["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert source["jsonData"]["dbName"] == bucket
    # The image turns GF_…__FILE into GF_…, which the file names: no token stands in it.
    variable = re.fullmatch(r"Token \$(\w+)", source["secureJsonData"]["httpHeaderValue1"])
    assert variable is not None
    assert f"{variable[1]}__FILE" in services["grafana"]["environment"]
    used = {each["datasource"]["uid"] for panel in _panels() for each in [panel, *panel["targets"]]}
    assert used == {source["uid"]}
    (provider,) = yaml.safe_load(
        (GRAFANA / "provisioning/dashboards/dashboards.yml").read_text("utf-8")
    )["providers"]
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted


def test_the_panels_ask_for_quantities_that_there_are() -> None:
    for title, query in _queries():
        field = re.search(r'mean\("(\w+)"\)', query)
        kind = re.search(r'FROM "(\w+)"', query)
        assert field is not None
        assert kind is not None
        assert QUANTITIES[field[1]].kind == kind[1], title
        assert f'"{field[1]}_q" < 4' in query


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxServer]:
    if MISSING:
        pytest.skip(MISSING)
    made = InfluxServer(tmp_path / "influx")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_a_real_influxdb_answers_each_panel_with_what_the_service_writes(
    server: InfluxServer,
) -> None:
    file = ROOT / "songtien/defaults/stations.toml"
    table = SeriesTable.of(parse_registry(file.read_text("utf-8"), str(file)))
    n = len(table)
    readings = Batch.of(list(range(n)), [NOW_MS] * n, [float(at) for at in range(n)], [1] * n)
    influx = Influx(parse_url(server.url), server.token)
    try:
        assert influx.write(lines(readings, table)).verdict is Verdict.STORED
    finally:
        influx.close()
    known: defaultdict[str, set[str]] = defaultdict(set, {"salinity": {"level"}})
    for series in table.entries:
        known[series.kind] |= set(tags(series))
    assert known["river"] == {"device"}
    assert known["bridge"] == {"device", "dir"}
    for title, query in _queries():
        kind, groups = query.partition('FROM "')[2].split('"')[0], query.partition("GROUP BY")[2]
        assert set(re.findall(r'"(\w+)"', groups)) <= known[kind], title
        asked = query.replace("$timeFilter", f"time >= {NOW_MS - 60_000}ms").replace(
            "$__interval", "1m"
        )
        rows = server.query(asked)
        assert rows, title
