"""Flows of a duty officer, by a real service: a gateway falls silent, a bridge is closed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from api.live.client import LiveClient
from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import eventually, now_ms, obs, publish, salinity_topic
from tests.simulators.listener import Heard, listening

pytestmark = pytest.mark.broker

ALERTS = "tiengiang/v1/alerts/#"
MINUTE_MS = 60_000
NUMBERS = (1, 2, 3)

STATION = """
[[station]]
id = "tram-{n}"
name = "Trạm {n}"
kind = "salinity"
lat = 10.3
lon = 106.3{n}
[[station.device]]
id = "d-{n}"
expected_s = 1
measures = ["sal_g_l"]
gateway = "gw-1"
"""

# Silence from the first sample on: what was registered long ago and never spoke is another story.
SILENT = """
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
no_data_s = 3
never_seen_s = 86400
"""

JAMMED = """
[[rule]]
id = "jammed"
severity = "major"
congestion = "jammed"
"""


def bodies(heard: Heard, rule: str) -> list[dict[str, Any] | None]:
    """What was said on the topics of a rule; None where one was taken down."""
    return [
        json.loads(payload) if payload else None
        for topic, payload, _ in heard.messages
        if topic.split("/")[3] == rule
    ]


def test_a_gateway_that_falls_silent_is_one_alert_with_a_count(
    serving: Serving, broker: Mosquitto, tmp_path: Path
) -> None:
    stations, rules = tmp_path / "stations.toml", tmp_path / "rules.toml"
    stations.write_text("".join(STATION.format(n=n) for n in NUMBERS), "utf-8")
    rules.write_text(SILENT, "utf-8")
    files = {"REGISTRY__FILE": str(stations), "RULES__FILE": str(rules)}
    service = serving(**files, INGEST__REORDER_S="0")
    eventually(lambda: service.ready, "ready")
    up = "songtien-uplink-down"

    async def work() -> None:
        async with LiveClient(service.live_url) as live, listening(broker.url, ALERTS) as heard:
            seen = await live.subscribe("alerts", {})
            for n in NUMBERS:
                await asyncio.to_thread(say, broker, n)
            await heard.until(lambda: bool(bodies(heard, up)))
            (told,) = bodies(heard, up)
            assert told is not None
            assert (told["count"], told["members"]) == (3, ["d-1", "d-2", "d-3"])
            assert "gw-1" in told["message_vi"]
            await live.until(lambda: told["id"] in seen.held)
            assert seen.held[told["id"]]["count"] == 3
            assert [each["rule"] for each in seen.held.values()] == [up], "not one more"
            assert bodies(heard, "silent") == []

            await asyncio.to_thread(say, broker, 1)
            await heard.until(lambda: None in bodies(heard, up))
            await live.until(lambda: seen.held[told["id"]]["state"] == "cleared-unacked")

    asyncio.run(work())


def say(broker: Mosquitto, n: int) -> None:
    publish(broker.url, salinity_topic(f"tram-{n}", f"d-{n}"), obs({"t": now_ms(), "sal_g_l": 0.3}))


def test_a_jam_on_a_bridge_is_told_and_kept_back_while_its_direction_is_closed(
    serving: Serving, broker: Mosquitto, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(JAMMED, "utf-8")
    service = serving(RULES__FILE=str(rules), INGEST__REORDER_S="0")
    eventually(lambda: service.ready, "ready")

    def standing() -> dict[str, Any]:
        bridges = service.get("/api/v1/bridges").json()["bridges"]
        found = next(each for each in bridges if each["id"] == "rach-mieu-1")
        return {each["direction"]: each for each in found["directions"]}

    def told() -> dict[str, Any] | None:
        items = service.get("/api/v1/alerts", state="active").json()["items"]
        return next((each for each in items if each["rule"] == "jammed"), None)

    newest_ms = now_ms() // MINUTE_MS * MINUTE_MS
    for camera in ("cam-01", "cam-02"):
        jam = [lane(newest_ms - ago * MINUTE_MS) for ago in reversed(range(12))]
        publish(broker.url, f"tiengiang/v1/traffic/rach-mieu-1/{camera}/obs", obs(*jam))
    alert = eventually(told, "the jam is told")
    assert alert["k"] == "rach-mieu-1/southbound/traffic_state"
    south = eventually(lambda: standing()["southbound"], "the bridge")
    assert (south["state"], south["state_vi"]) == (3, "ùn tắc")
    # Cars creep at the entry too: where the queue ends no camera sees, and that is said.
    assert (south["queue_km"]["to"], south["why"]) == (None, "spilled")
    assert south["minutes"]["from"] > 20
    assert standing()["northbound"]["state_vi"] == "CHƯA RÕ"

    officer = service.token("operator")
    mode = {"direction": "southbound", "reason": "va chạm", "until": now_ms() + 60 * MINUTE_MS}
    path = "/api/v1/bridges/rach-mieu-1/mode"
    assert service.post(path, officer, ver=0, mode="closed", **mode).status_code == 200
    eventually(lambda: (told() or {}).get("suppressed"), "kept back")
    kept = told()
    assert kept is not None
    assert kept["suppressed"] == {"why": "closed", "by": "rach-mieu-1/southbound"}
    assert standing()["southbound"]["suppressed"] is True
    opened = service.post(path, officer, ver=1, mode="two-way", direction="southbound")
    assert opened.status_code == 200
    eventually(lambda: "suppressed" not in (told() or {"suppressed": 1}), "it calls again")


def lane(t1_ms: int) -> dict[str, object]:
    """A minute of a lane in which eight cars crept by."""
    passed = {"motorbike": 0, "car": 8, "bus": 0, "truck": 0, "trailer": 0}
    about = {"t0": t1_ms - MINUTE_MS, "t1": t1_ms, "lane": 1, "dir": "southbound"}
    return about | {"count": passed, "speed_km_h": 4.0, "occupancy": 0.7}
