"""What no device should send: counted, kept, survived, and in nobody's way."""

import asyncio
import json
import struct

import pytest

from api.live.client import LiveClient
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


GOOD = ("vam-kenh", "vk-01"), ("xuan-hoa", "xh-01"), ("my-tho", "mt-01")
IN_A_ROW = 10_000
CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05flood"
PUBACK_BYTES = 4


def _packet(topic: str, payload: bytes, number: int) -> bytes:
    """A PUBLISH of MQTT 3.1.1 with QoS 1."""
    head = topic.encode()
    body = struct.pack(">H", len(head)) + head + struct.pack(">H", number) + payload
    length, rest = b"", len(body)
    while rest or not length:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
    return b"\x32" + length + body


async def _pour(port: int, packets: list[bytes]) -> None:
    """Send all at once, as no honest client does, and return when the broker has taken them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CONNECT)
    assert (await reader.readexactly(4))[3] == 0, "CONNACK"
    writer.write(b"".join(packets))
    await reader.readexactly(PUBACK_BYTES * len(packets))
    writer.close()
    await writer.wait_closed()


def test_ten_thousand_in_a_row_delay_a_good_one_by_less_than_a_second(
    service: Service, broker: Mosquitto
) -> None:
    """Good ones before the flood, in its middle and right behind it, in one burst of bytes."""
    t_ms = now_ms() + 1_000
    publish(broker.url, TOPIC, obs(_good(t_ms - 10_000)))  # so that there is a conflict
    rejected = service.counted("samples_total/rejected")
    kinds = [
        (topic, payload.encode() if isinstance(payload, str) else payload)
        for _, topic, payload in _bad(t_ms)
        if len(payload) < 1_000
    ]
    sent = [kinds[number % len(kinds)] for number in range(IN_A_ROW)]
    for number, place in enumerate((0, IN_A_ROW // 2, IN_A_ROW + 2)):
        good = obs(_good(t_ms + number, 3.0 + number)).encode()
        sent.insert(place, (salinity_topic(*GOOD[number]), good))
    packets = [_packet(*message, number + 1) for number, message in enumerate(sent)]
    wanted = {f"{device}/salinity_g_l": t_ms + n for n, (_, device) in enumerate(GOOD)}
    delays_s: dict[str, float] = {}

    async def work() -> None:
        clock = asyncio.get_running_loop().time
        async with LiveClient(service.live_url) as live, asyncio.TaskGroup() as group:
            state = await live.subscribe("state", {"kind": ["salinity"]})
            begun_s = clock()
            group.create_task(_pour(broker.port, packets))

            def all_seen() -> bool:
                for key in wanted.keys() - delays_s.keys():
                    if state.held.get(key, {}).get("t") == wanted[key]:
                        delays_s[key] = round(clock() - begun_s, 3)
                return len(delays_s) == len(wanted)

            await live.until(all_seen, 60.0)

    asyncio.run(work())
    figures(f"delays in s: {delays_s}")
    assert max(delays_s.values()) < 1.0
    eventually(
        lambda: service.counted("samples_total/rejected") == rejected + IN_A_ROW, "all counted"
    )
    with service.store() as connection:
        (kept,) = connection.execute("SELECT count(*) FROM dead_letter").fetchone()
    assert kept == rejected + IN_A_ROW
    assert service.ready
