"""InfluxDB servers and what spoils the way to them, each ended with its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.influx.proxy import FaultProxy
from tests.influx.servers import MISSING, InfluxServer


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
