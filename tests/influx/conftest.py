"""InfluxDB servers and what spoils the way to them, each ended with its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.influx.proxy import FaultProxy
from tests.influx.servers import MISSING, InfluxServer
from tests.influx.subjects import Direct, Drained, Embedded, Subject, faulty


@pytest.fixture
def influx_server(tmp_path: Path) -> Iterator[InfluxServer]:
    """A running InfluxDB of this test's own, without authentication."""
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path / "influx")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def guarded_server(tmp_path: Path) -> Iterator[InfluxServer]:
    """One that asks who is there."""
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path / "guarded", auth=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def fault_proxy(influx_server: InfluxServer) -> Iterator[FaultProxy]:
    """Before `influx_server`, passing everything on until it is told otherwise."""
    proxy = FaultProxy(influx_server)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """One for all cases of a module; each has devices of its own."""
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path_factory.mktemp("influx"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def spoilt_way(shared_server: InfluxServer) -> Iterator[FaultProxy]:
    """The way to it, on which half of the writes fail."""
    with faulty(shared_server) as proxy:
        yield proxy


@pytest.fixture(params=["embedded", "influx1", "drained"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Every kind of store, one after the other."""
    made: Subject
    if request.param == "embedded":
        made = Embedded(tmp_path)
    elif request.param == "influx1":
        server = request.getfixturevalue("shared_server")
        made = Direct(server.url, server.token, server)
    else:
        made = Drained(tmp_path, request.getfixturevalue("spoilt_way"))
    yield made
    made.close()
