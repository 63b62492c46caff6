"""One reading, from a gateway's `mosquitto_pub` to every door; and an officer who takes its alert."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from api.live.client import LiveAnswerError, LiveClient
from simulators.publish import Broker
from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, publish, salinity_topic

pytestmark = pytest.mark.broker

KEY = "vk-01/salinity_g_l"
SALINITY_G_L = 6.5868
"""12.31 mS/cm at 28.4 °C: practical salinity 6.5492, 6.5801 g/kg, times 1.0010 kg/L (gsw)."""


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


def _salinity(t_ms: int, seq: int, ec_ms_cm: float = 12.31) -> str:
    """The contract's example."""
    return (
        f'{{"v":1,"boot":17,"seq":{seq},"samples":[{{"t":{t_ms},"ec_ms_cm":{ec_ms_cm},'
        '"temp_c":28.4,"depth_m":1.2,"level_m":2.31,"battery_v":3.71}]}'
    )


def _traffic(t0_ms: int) -> str:
    """The contract's example."""
    return (
        f'{{"v":1,"boot":3,"seq":55,"samples":[{{"t0":{t0_ms},"t1":{t0_ms + 60_000},"lane":1,'
        '"dir":"southbound","count":{"motorbike":33,"car":6,"bus":1,"truck":2,"trailer":0},'
        '"speed_km_h":31.8,"occupancy":0.22,"queue_m":0,"health":{"fps":14.8,"drop":0.01}}]}'
    )


@asynccontextmanager
async def _heard(broker: Broker, topics: str) -> AsyncIterator[asyncio.Queue[tuple[str, bytes]]]:
    """What the broker says on these topics, retained messages first."""
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    async with broker.client() as client:
        await client.subscribe(topics, qos=1)

        async def read() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                heard.put_nowait((str(message.topic), message.payload))

        reading = asyncio.create_task(read())
        try:
            yield heard
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def _say(broker: Mosquitto, topic: str, payload: str) -> None:
    await asyncio.to_thread(publish, broker.url, topic, payload)


def test_a_reading_is_on_the_socket_in_state_and_in_history(
    service: Service, broker: Mosquitto
) -> None:
    t_ms = now_ms() - 5_000

    async def work() -> None:
        async with (
            LiveClient(service.live_url) as live,
            _heard(Broker.of(broker.url), "tiengiang/v1/+/+/+/ack") as acks,
        ):
            assert live.hello["role"] == "viewer"
            state = await live.subscribe("state", {"kind": ["salinity", "traffic"]})
            await live.until(lambda: state.held.get(KEY, {}).get("st") == "never")
            await _say(broker, salinity_topic("vam-kenh", "vk-01"), _salinity(t_ms, 8812))
            await live.until(lambda: state.held[KEY].get("t") == t_ms)
            shown = state.held[KEY]
            assert (shown["v"], shown["st"], shown["station"]) == (SALINITY_G_L, "live", "vam-kenh")

            await _say(
                broker, "tiengiang/v1/traffic/rach-mieu-1/cam-01/obs", _traffic(t_ms - 60_000)
            )
            flow = "cam-01/southbound/flow_veh_h"
            await live.until(lambda: state.held[flow].get("t") == t_ms)
            assert (state.held[flow]["v"], state.held[flow]["direction"]) == (42 * 60, "southbound")
            assert state.held["cam-01/southbound/count_motorbike"]["v"] == 33
            assert state.held["cam-01/southbound/speed_km_h"]["v"] == 31.8
            assert "t" not in state.held["cam-01/northbound/flow_veh_h"]

            told: dict[str, object] = {}
            async with asyncio.timeout(10):
                while len(told) < 2:
                    topic, payload = await acks.get()
                    told[topic] = json.loads(payload)
            assert told == {
                "tiengiang/v1/salinity/vam-kenh/vk-01/ack": {
                    "boot": 17,
                    "seq": 8812,
                    "missing": [],
                },
                "tiengiang/v1/traffic/rach-mieu-1/cam-01/ack": {
                    "boot": 3,
                    "seq": 55,
                    "missing": [],
                },
            }

    asyncio.run(work())
    items = service.get("/api/v1/state", station="vam-kenh").json()["items"]
    by_key = {item["k"]: item for item in items}
    assert by_key[KEY]["v"] == SALINITY_G_L
    assert by_key["vk-01/temperature_c"]["v"] == 28.4
    assert by_key["vk-01/water_level_m"]["v"] == 2.31
    history = service.get(f"/api/v1/series/{KEY}").json()
    assert history["unit"] == "g/L"
    assert history["points"] == [[t_ms, SALINITY_G_L, history["points"][0][2]]]
    assert history["points"][0][2] in {1, 2}
    counts = service.get("/api/v1/series/cam-01/southbound/count_car").json()
    assert [point[:2] for point in counts["points"]] == [[t_ms, 6]]
    assert service.counted("samples_total/stored") == 2
    assert service.counted("samples_rejected_total/schema") == 0


def _alert(service: Service) -> dict[str, Any] | None:
    items = service.get("/api/v1/alerts", state="active").json()["items"]
    return next((item for item in items if item["k"] == KEY), None)


def test_above_a_limit_it_is_an_alert_that_an_officer_takes(
    service: Service, broker: Mosquitto
) -> None:
    """Continues with the reading of the test before, or brings its own when run alone."""
    publish(broker.url, salinity_topic("vam-kenh", "vk-01"), _salinity(now_ms() - 4_000, 8813))
    found = eventually(lambda: _alert(service), "an alert over HTTP")
    viewer, operator = service.token("viewer"), service.token("operator")
    rule, alert = found["rule"], found["id"]
    assert (rule, found["state"], found["station"]) == ("salinity-4-coast", "unacked", "vam-kenh")
    assert found["limit"] == 4.0
    assert found["value"] == SALINITY_G_L
    assert "Vàm Kênh" in found["message_vi"]
    assert "6,59" in found["message_vi"]

    forbidden = service.post(f"/api/v1/alerts/{alert}/ack", viewer, ver=found["ver"])
    assert forbidden.status_code == 403
    assert service.post(f"/api/v1/alerts/{alert}/ack", ver=found["ver"]).status_code == 401

    async def work() -> None:
        topic = f"tiengiang/v1/alerts/{rule}/{KEY}"
        async with (
            LiveClient(service.live_url, token=viewer) as watching,
            LiveClient(service.live_url, token=operator) as live,
            _heard(Broker.of(broker.url), "tiengiang/v1/alerts/#") as boards,
        ):
            async with asyncio.timeout(10):
                said, payload = await boards.get()
            assert (said, json.loads(payload)["id"]) == (topic, alert)
            seen = await watching.subscribe("alerts", {})
            await watching.until(lambda: alert in seen.held)
            with pytest.raises(LiveAnswerError, match="403"):
                await watching.call("alert.ack", {"id": alert, "ver": found["ver"], "note": ""})
            with pytest.raises(LiveAnswerError, match="409"):
                await live.call("alert.ack", {"id": alert, "ver": found["ver"] + 7, "note": ""})
            note = "đã gọi người trực trạm"
            done = await live.call("alert.ack", {"id": alert, "ver": found["ver"], "note": note})
            assert done["alert"]["state"] == "acked"
            await watching.until(lambda: seen.held[alert]["state"] == "acked")
            event = seen.events[-1]
            assert (event["type"], event["alert"]["ver"]) == ("acked", found["ver"] + 1)
            assert note not in json.dumps(event, ensure_ascii=False), "a viewer has no notes"
            async with asyncio.timeout(10):
                _, payload = await boards.get()
            assert json.loads(payload)["state"] == "acked"

    asyncio.run(work())
    stale = service.post(f"/api/v1/alerts/{alert}/ack", operator, ver=found["ver"])
    assert stale.status_code == 409
    assert stale.json()["alert"]["state"] == "acked"
    timeline = service.get(f"/api/v1/alerts/{alert}", operator).json()["timeline"]
    assert [entry["type"] for entry in timeline] == ["raised", "acked"]
    assert timeline[1]["who"] == "operator"
    assert timeline[1]["note"] == "đã gọi người trực trạm"


def test_raised_is_an_event_on_an_open_socket_and_acknowledged_over_http(
    service: Service, broker: Mosquitto
) -> None:
    operator = service.token("operator")
    topic, key = salinity_topic("xuan-hoa", "xh-01"), "xh-01/salinity_g_l"

    async def work() -> dict[str, Any]:
        async with (
            LiveClient(service.live_url) as live,
            _heard(Broker.of(broker.url), f"tiengiang/v1/alerts/+/{key}") as boards,
        ):
            alerts = await live.subscribe("alerts", {"station": ["xuan-hoa"]})
            await live.until(lambda: alerts.pos is not None)
            await _say(broker, topic, _salinity(now_ms() - 2_000, 1))
            await live.until(lambda: any(e["alert"]["k"] == key for e in alerts.events))
            event = next(e for e in alerts.events if e["alert"]["rule"] == "salinity-4")
            raised: dict[str, Any] = event["alert"]
            assert (event["type"], raised["severity"]) == ("raised", "critical")
            assert raised["t_since"] == raised["t_event"] <= raised["t_detected"]
            async with asyncio.timeout(10):
                said, payload = await boards.get()
            assert said == f"tiengiang/v1/alerts/salinity-4/{key}"
            assert json.loads(payload)["id"] == raised["id"]

            answer = await asyncio.to_thread(
                service.post, f"/api/v1/alerts/{raised['id']}/ack", operator, ver=raised["ver"]
            )
            assert (answer.status_code, answer.json()["state"]) == (200, "acked")
            await live.until(lambda: alerts.events[-1]["type"] == "acked")
            return raised

    raised = asyncio.run(work())
    assert service.get(f"/api/v1/alerts/{raised['id']}").json()["state"] == "acked"
