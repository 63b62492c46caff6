"""The disk is full under the senders and the file of people, and then it isn't."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms, obs, publish, salinity_topic
from tests.faults.conftest import Serving
from tests.faults.smalldisk import SmallDisk
from tests.telling.gateway import Gateway
from tests.telling.gateway import serving as gateway_serving

pytestmark = [pytest.mark.broker, pytest.mark.slow]

DEFAULTS = Path(__file__).parents[2] / "songtien" / "defaults"
TOPIC = salinity_topic("xuan-hoa", "xh-01")
PEOPLE = 60
RATE_PER_S = 10
HELD_S = 4.0
"""Several tries of each sender, which are a second apart."""

MINUTE_MS = 60_000
JOINS: dict[str, Any] = {
    "channel": "loa",
    "address": "0987 654 321",
    "follows": [{"place": "xuan-hoa/river", "crop": "durian", "notices": ["salt"]}],
}


def brought_in(service: Service, token: str) -> None:
    rows = [f"0912{n:06d},Cống Xuân Hòa,sông,durian,2026-01-02" for n in range(PEOPLE)]
    answer = httpx.post(
        f"{service.http_url}api/v1/subscriptions/import?channel=loa",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
        content="\n".join(["so_dien_thoai,noi,phia,cay,dong_y", *rows, ""]).encode(),
        timeout=30,
    )
    assert answer.json()["counts"]["done"] == PEOPLE, answer.text[:2000]


def warned(gateway: Gateway) -> list[str]:
    return [each.key for each in gateway.accepted if "KHÔNG LẤY" in each.text]


def channel(service: Service, token: str) -> dict[str, Any]:
    [found] = service.get("/api/v1/telling", token).json()["channels"]
    return dict(found)


def full_until(service: Service, disk: SmallDisk, told: int, gateway: Gateway) -> None:
    """Filled until the senders and whoever signs up are refused; what is freed is filled again."""

    def refused() -> bool:
        disk.fill()
        troubled = service.metrics()["songtien_telling_troubled/loa"] == 1
        return troubled and service.post("/api/v1/farmers/signup", **JOINS).status_code == 503

    eventually(refused, "senders and sign-ups are refused", 60)
    assert told <= len(warned(gateway)) < PEOPLE, "while they were being told"


def test_a_full_disk_holds_the_senders_up_and_freed_each_is_told_once(
    serving: Serving, broker: Mosquitto, disk: SmallDisk
) -> None:
    with gateway_serving(Gateway()) as gateway:
        service = serving(
            DATA__DIR=str(disk.path / "data"),
            REGISTRY__FILE=str(DEFAULTS / "stations.toml"),
            RULES__FILE=str(DEFAULTS / "rules.toml"),
            CHANNEL__LOA__KIND="webhook",
            CHANNEL__LOA__URL=gateway.url,
            CHANNEL__LOA__SECRET="0123456789abcdef-of-a-test",
            CHANNEL__LOA__RATE_PER_S=str(RATE_PER_S),
            FARMERS__GROUP_S="1",
        )
        service.start()
        eventually(lambda: service.ready, "ready")
        token = service.token("operator")
        brought_in(service, token)
        for seq, (g_l, ago_ms) in enumerate(((1.2, 10 * MINUTE_MS), (1.3, 3000)), 1):
            sample = {"t": now_ms() - ago_ms, "sal_g_l": g_l}
            publish(broker.url, TOPIC, obs(sample, boot=9, seq=seq))
        eventually(lambda: len(warned(gateway)) >= RATE_PER_S, "some are told", 60)
        full_until(service, disk, RATE_PER_S, gateway)

        said = channel(service, token)
        assert "full" in said["trouble"], said
        eventually(lambda: disk.fill() >= 0 and not service.ready, "it says so to all", 60)
        refused = service.post("/api/v1/farmers/signup", **JOINS)
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"].endswith("busy"), refused.text
        held_s, told = time.monotonic() + HELD_S, len(warned(gateway))
        eventually(lambda: time.monotonic() > held_s, "it is full for a while longer")
        # What is to be sent is written down before, so nobody is told whom a death would forget.
        assert len(warned(gateway)) == told
        assert channel(service, token)["waiting"] > 0

        freed_s = disk.free()
        eventually(lambda: len(warned(gateway)) > told, "the senders go on", 30)
        went_on_s = time.monotonic() - freed_s
        eventually(lambda: len(set(warned(gateway))) == PEOPLE, "all are told", 60)
        eventually(lambda: channel(service, token)["trouble"] is None, "and officers see it")
        eventually(lambda: service.ready, "ready", 30)
        assert service.post("/api/v1/farmers/signup", **JOINS).status_code == 200
        eventually(lambda: "+84987654321" in {each.to for each in gateway.accepted}, "a code")
        assert set(gateway.times().values()) == {1}, "nothing is sent twice"
    figures(f"{told} of {PEOPLE} told before, went on {went_on_s:.1f} s after there was room")
