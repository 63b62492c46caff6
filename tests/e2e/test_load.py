"""Two thousand devices over ten connections: a service that knows them stores every sample."""

import asyncio
from pathlib import Path

import pytest

from simulators.load import run_load
from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import eventually

pytestmark = [pytest.mark.slow, pytest.mark.broker]

DEVICES, MESSAGES = 2000, 6000


def test_every_sample_of_a_load_is_stored(
    broker: Mosquitto, serving: Serving, tmp_path: Path
) -> None:
    registry = tmp_path / "stations.toml"

    def load(duration_ms: int) -> int:
        report = asyncio.run(
            run_load(
                broker.url,
                devices=DEVICES,
                rate=2000.0,
                connections=10,
                duration_ms=duration_ms,
                root="tiengiang",
                registry_out=registry,
                into_live=bool(duration_ms),
            )
        )
        assert report.acknowledged_messages == report.offered_messages
        return report.acknowledged_messages

    assert load(0) == 0
    service = serving(REGISTRY__FILE=str(registry))
    assert load(3000) == MESSAGES
    eventually(lambda: service.counted("samples_total/stored") == MESSAGES, "all to be stored")
    assert service.counted("samples_total/rejected") == 0
    assert service.counted("samples_total/duplicate") == 0
    with service.store() as store:
        (count,) = store.execute("SELECT count(DISTINCT series) FROM reading").fetchone()
        (doubted,) = store.execute("SELECT count(*) FROM reading WHERE flag >= 3").fetchone()
    assert count >= DEVICES * 5
    assert doubted == 0
