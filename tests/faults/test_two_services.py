"""Two services where one should be: on one data directory, and under one client id."""

import time
from typing import Any

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import STOP_S, Service, eventually, figures
from tests.faults.conftest import Serving
from tests.faults.ending import ready_again

pytestmark = pytest.mark.broker


def test_the_second_on_one_data_directory_is_refused_in_one_line(serving: Serving) -> None:
    first = serving()
    first.start()
    eventually(lambda: first.ready, "ready")
    second = serving(DATA__DIR=str(first.data))
    second.launch()
    assert second.process is not None
    assert second.process.wait(STOP_S) == 2
    said = second.said().splitlines()
    assert len(said) == 1, said
    assert str(first.data) in said[0]
    assert first.process is not None
    assert str(first.process.pid) in said[0]
    assert first.ready


def _reasons(service: Service) -> dict[str, str]:
    answer = service.get("/readyz")
    return {each["code"]: each["detail"] for each in answer.json().get("reasons", ())}


def _complaints(service: Service) -> list[dict[str, Any]]:
    return [line for line in service.logged() if '"twin"' in line["what"]]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_under_one_client_id_say_so_until_one_has_gone(
    serving: Serving, broker: Mosquitto, protocol: str
) -> None:
    """Debian's mosquitto gives no reason when it throws out one for the other."""
    both = [serving(MQTT__CLIENT_ID="twin", MQTT__PROTOCOL=protocol) for _ in range(2)]
    both[0].start()
    eventually(lambda: both[0].ready, "the first alone is ready")
    begun_s = time.monotonic()
    both[1].start()
    for service in both:
        eventually(lambda s=service: "takeover" in _reasons(s), "not ready: a takeover", 60)  # type: ignore[misc]
        assert '"twin"' in _reasons(service)["takeover"]
        assert service.get("/healthz").status_code == 200
        assert len(eventually(lambda s=service: _complaints(s), "it is logged")) == 1  # type: ignore[misc]
    said_s = time.monotonic() - begun_s
    assert said_s < 60
    connections = _connections(broker)
    assert both[1].stop() == 0
    ready_s = ready_again(both[0], time.monotonic())
    fought = _connections(broker) - connections
    assert fought < 10, "they do not fight"
    assert _reasons(both[0]) == {}
    assert len(_complaints(both[0])) == 1
    figures(
        f"one client id (MQTT {protocol}): both say so after {said_s:.1f} s; the one that stays "
        f"is ready {ready_s:.1f} s after the other has gone"
    )


def _connections(broker: Mosquitto) -> int:
    log = (broker.directory / "mosquitto.log").read_text()
    return log.count(" as twin (")
