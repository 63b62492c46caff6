"""What no device should send: counted, kept, survived, and in nobody's way."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from api.live.client import LiveClient
from simulators.message import Message
from simulators.publish import Broker, Publisher
from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, figures, now_ms, obs, publish, salinity_topic

pytestmark = pytest.mark.broker

TOPIC = salinity_topic("vam-kenh", "vk-01")
BEFORE_2000_MS = 946_684_799_999


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


def _good(t_ms: int, value: float = 3.0) -> dict[str, object]:
    return {"t": t_ms, "sal_g_l": value}


def _bad(t_ms: int) -> list[tuple[str, str, str | bytes]]:
    """(reason, topic, payload), each refused whole or in the one sample that it has."""
    good = obs(_good(t_ms))
    lane = {"t0": t_ms - 60_000, "t1": t_ms, "lane": 1, "dir": "southbound"}
    return [
        ("not_json", TOPIC, '{"v":1,"samples":[{"t":17'),
        ("not_json", TOPIC, b"\xff\xfe\x00"),
        ("not_json", TOPIC, f'{{"v":1,"samples":[{{"t":{t_ms},"sal_g_l":NaN}}]}}'),
        ("schema", TOPIC, "[" * 30_000),  # never read to its end: it is no object
        ("schema", TOPIC, obs({"t": t_ms, "sal_g_l": "3.0"})),
        ("schema", TOPIC, obs({"sal_g_l": 3.0})),
        ("schema", TOPIC, '{"v":2,"samples":[]}'),
        ("schema", TOPIC, "17"),
        ("topic", "tiengiang/v1/salinity/vam-kenh/obs", good),
        ("topic", "tiengiang/v1/rainfall/vam-kenh/vk-01/obs", good),
        ("topic", "tiengiang/v1/salinity/vam-kenh/vk-01/opinions", good),
        ("unknown_device", salinity_topic("vam-kenh", "vk-99"), good),
        ("unknown_device", salinity_topic("my-tho", "vk-01"), good),
        (
            "unknown_device",
            "tiengiang/v1/traffic/rach-mieu-1/cam-01/obs",
            obs({**lane, "lane": 9, "count": {"car": 1}}),
        ),
        ("range", TOPIC, obs(_good(t_ms, 1e6))),
        ("range", TOPIC, obs({"t": t_ms, "ec_ms_cm": -1.0, "temp_c": 28.0})),
        ("size", TOPIC, json.dumps({"v": 1, "samples": [_good(t_ms)], "pad": "x" * 66_000})),
        ("clock", TOPIC, obs(_good(BEFORE_2000_MS))),
        ("conflict", TOPIC, obs(_good(t_ms - 10_000, 9.0))),
        ("empty", TOPIC, '{"v":1,"samples":[]}'),
        ("empty", TOPIC, ""),
    ]


def test_each_kind_is_counted_kept_and_survived(service: Service, broker: Mosquitto) -> None:
    t_ms = now_ms()
    publish(broker.url, TOPIC, obs(_good(t_ms - 10_000)))
    eventually(lambda: service.counted("samples_total/stored") == 1, "the first is stored")
    bad = _bad(t_ms)
    for _, topic, payload in bad:
        publish(broker.url, topic, payload)
    some: list[dict[str, object]] = [
        _good(t_ms - 3_000),
        {"t": t_ms - 2_000, "sal_g_l": True},
        _good(t_ms - 1_000),
    ]
    publish(broker.url, TOPIC, obs(*some))
    publish(broker.url, TOPIC, obs(_good(t_ms - 1_000)))
    reasons = [reason for reason, _, _ in bad] + ["schema"]
    eventually(lambda: service.counted("samples_total/duplicate") == 1, "all has come")

    counted = service.metrics()
    assert {
        name.rpartition("/")[2]: count
        for name, count in counted.items()
        if name.startswith("songtien_samples_rejected_total/") and count
    } == {reason: reasons.count(reason) for reason in reasons}
    assert counted["songtien_samples_total/stored"] == 3
    assert counted["songtien_samples_received_total"] == len(bad) + 1 + 3 + 1
    assert set(service.readings("vk-01/salinity_g_l")) == {
        t_ms - 10_000,
        t_ms - 3_000,
        t_ms - 1_000,
    }

    assert service.get("/api/v1/dead-letters").status_code == 401
    assert service.get("/api/v1/dead-letters", service.token("viewer")).status_code == 403
    letters = service.get("/api/v1/dead-letters", service.token("operator")).json()["items"]
    kept = [(letter["reason"], letter["topic"]) for letter in reversed(letters)]
    assert kept == [(reason, topic) for reason, topic, _ in bad] + [("schema", TOPIC)]
    by_reason = {letter["reason"]: letter for letter in letters}
    assert by_reason["clock"]["head"] == obs(_good(BEFORE_2000_MS))
    assert by_reason["size"]["size"] > 66_000
    assert len(by_reason["size"]["head"]) == 4096
    assert "3.0" in by_reason["conflict"]["detail"], "it says what stands"
    assert all(letter["detail"] and abs(letter["t"] - t_ms) < 60_000 for letter in letters)
    assert service.ready
    assert "trace" not in service.said()


GOOD = ("vam-kenh", "vk-01"), ("xuan-hoa", "xh-01"), ("my-tho", "mt-01"), ("hoa-binh", "hb-01")
IN_A_ROW = 10_000


def test_ten_thousand_in_a_row_delay_a_good_one_by_less_than_a_second(
    service: Service, broker: Mosquitto
) -> None:
    """Good ones before the flood, in its middle and right behind it, over one connection."""
    t_ms = now_ms() + 1_000
    publish(broker.url, TOPIC, obs(_good(t_ms - 10_000)))
    rejected = service.counted("samples_total/rejected")
    kinds = [(topic, payload) for reason, topic, payload in _bad(t_ms) if reason != "size"]
    kinds = [(topic, payload) for topic, payload in kinds if len(payload) < 1_000]
    sent_s: dict[str, float] = {}
    seen_s: dict[str, float] = {}

    async def work() -> None:
        clock = asyncio.get_running_loop().time

        def good(number: int) -> Message:
            station, device = GOOD[number]
            sent_s[f"{device}/salinity_g_l"] = clock()
            payload = obs(_good(t_ms + number, 3.0 + number))
            return Message(0, salinity_topic(station, device), payload.encode(), 1)

        def flood() -> Iterator[Message]:
            yield good(0)
            for number in range(IN_A_ROW):
                if number == IN_A_ROW // 2:
                    yield good(1)
                topic, payload = kinds[number % len(kinds)]
                body = payload.encode() if isinstance(payload, str) else payload
                yield Message(0, topic, body, 1)
            yield good(2)

        async def watch(live: LiveClient) -> None:
            state = await live.subscribe("state", {"kind": ["salinity"]})
            for number in range(3):
                key = f"{GOOD[number][1]}/salinity_g_l"
                wanted = t_ms + number
                await live.until(
                    lambda key=key, wanted=wanted: (  # type: ignore[misc]
                        state.held.get(key, {}).get("t") == wanted
                    ),
                    60.0,
                )
                seen_s[key] = clock()

        async with LiveClient(service.live_url) as live, asyncio.TaskGroup() as group:
            group.create_task(watch(live))
            await Publisher(Broker.of(broker.url), flood()).run()

    asyncio.run(work())
    delays_s = {key: seen_s[key] - sent_s[key] for key in sent_s}
    figures(f"delays in s: {delays_s}")
    assert len(delays_s) == 3
    assert max(delays_s.values()) < 1.0
    eventually(
        lambda: service.counted("samples_total/rejected") == rejected + IN_A_ROW, "all counted"
    )
    with service.store() as connection:
        (kept,) = connection.execute("SELECT count(*) FROM dead_letter").fetchone()
    assert kept == rejected + IN_A_ROW
    assert service.ready
