"""The broker goes and comes back: said with its reason, and nothing is lost."""

import asyncio
import json
import signal

import pytest

from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.simulators.listener import listening

pytestmark = pytest.mark.broker

TOPIC, KEY = salinity_topic("my-tho", "mt-01"), "mt-01/salinity_g_l"


def _reasons(service: Service) -> dict[str, str]:
    answer = service.get("/readyz")
    if answer.status_code == 200:
        return {}
    assert answer.status_code == 503
    body = answer.json()
    assert body["ready"] is False
    return {reason["code"]: reason["detail"] for reason in body["reasons"]}


def _point(number: int) -> dict[str, object]:
    return {"t": now_ms(), "sal_g_l": round(1.0 + number / 100, 4)}


def test_not_ready_without_its_broker_and_ready_again(serving: Serving, broker: Mosquitto) -> None:
    service = serving()
    eventually(lambda: service.ready, "ready")
    sent = [_point(0)]
    publish(broker.url, TOPIC, obs(sent[0]))
    eventually(lambda: len(service.readings(KEY)) == 1, "stored")

    broker.stop()
    reasons = eventually(lambda: _reasons(service), "not ready")
    assert set(reasons) == {"broker"}
    assert reasons["broker"]
    assert service.get("/healthz").status_code == 200
    state = service.get("/api/v1/state", station="my-tho").json()["items"]
    assert any(item["k"] == KEY and item["v"] == 1.0 for item in state), "what is known stays"
    assert any(line["what"] == "broker away" for line in service.logged())

    broker.start()
    sent.append(_point(1))
    # At once, before the service is back: its session is the broker's to keep.
    publish(broker.url, TOPIC, obs(sent[1]))
    eventually(lambda: service.ready, "ready again", 60)
    sent.append(_point(2))
    publish(broker.url, TOPIC, obs(sent[2]))
    eventually(lambda: len(service.readings(KEY)) == len(sent), "all stored")
    stored = [value for _, (value, _, _) in sorted(service.readings(KEY).items())]
    assert stored == [point["sal_g_l"] for point in sent]
    assert service.counted("samples_total/rejected") == 0


def test_what_the_broker_holds_for_an_absent_service_comes_when_it_returns(
    serving: Serving, broker: Mosquitto
) -> None:
    """Also where the broker itself is started anew in between."""
    service = serving()
    eventually(lambda: service.ready, "ready")
    assert service.stop() == 0
    sent = [_point(number) for number in range(10, 40)]
    for number, point in enumerate(sent):
        point["t"] = now_ms() - 60_000 + number * 1_000
        publish(broker.url, TOPIC, obs(point, boot=9, seq=number))
    broker.stop()
    broker.start()
    service.start()
    eventually(lambda: len(service.readings(KEY)) == len(sent), "all stored")
    stored = {t_ms: value for t_ms, (value, _, _) in service.readings(KEY).items()}
    assert stored == {point["t"]: point["sal_g_l"] for point in sent}
    eventually(lambda: service.ready, "ready")
    assert service.counted("samples_total/duplicate") == 0


def test_its_state_is_told_to_gateways_also_when_it_is_killed(
    serving: Serving, broker: Mosquitto
) -> None:
    """They store and forward while it says `lost`."""
    service = serving(MQTT__ROOT="gocong")
    eventually(lambda: service.ready, "ready")

    async def work() -> list[str]:
        async with listening(broker.url, "gocong/v1/server/+/state") as heard:

            def states() -> list[str]:
                return [json.loads(body)["s"] for _, body, _ in heard.messages]

            await heard.until(lambda: states() == ["ready"])
            service.kill()
            await heard.until(lambda: states() == ["ready", "lost"])
            await asyncio.to_thread(service.start)
            await heard.until(lambda: states() == ["ready", "lost", "ready"])
            assert await asyncio.to_thread(service.stop, signal.SIGINT) == 0
            await heard.until(lambda: len(states()) >= 4)
            return states()

    assert asyncio.run(work())[3:] == ["lost"]
