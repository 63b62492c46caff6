"""Farmers are told by a real service, broker and gateway, killed in between: each once."""

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.telling.gateway import Gateway
from tests.telling.gateway import serving as gateway_serving

pytestmark = [pytest.mark.broker, pytest.mark.slow]

TOPIC = salinity_topic("xuan-hoa", "xh-01")
PEOPLE = 60
KILLS = 4
GROUP_S = 8
"""As long as the first deaths take: some fall before anything is planned, some while it is sent."""

MINUTE = 60_000


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    # Answers are lost now and then: the message has gone out all the same.
    running = Gateway(lambda _key, number: -1 if number % 9 == 0 else 200)
    with gateway_serving(running):
        yield running


def csv_of(people: int) -> str:
    lines = ["so_dien_thoai,noi,phia,cay,dong_y,gio_yen"]
    for n in range(people):
        crop = ("durian", "rice")[n % 2]
        lines.append(f"0912{n:06d},Cống Xuân Hòa,sông,{crop},2026-01-02,")
    return "\n".join(lines) + "\n"


def say(broker: Mosquitto, g_l: float, ago_min: float, seq: int) -> None:
    sample = {"t": now_ms() - round(ago_min * MINUTE), "sal_g_l": g_l}
    publish(broker.url, TOPIC, obs(sample, boot=9, seq=seq))


def outbox(service: Service) -> list[tuple[int, int]]:
    with service.store() as connection:
        return connection.execute("SELECT notice, contact FROM message ORDER BY id").fetchall()


def test_a_salt_spell_reaches_each_who_follows_it_through_deaths(
    serving: Serving, broker: Mosquitto, gateway: Gateway
) -> None:
    service = serving(
        CHANNEL__LOA__KIND="webhook",
        CHANNEL__LOA__URL=gateway.url,
        CHANNEL__LOA__SECRET="0123456789abcdef-of-a-test",
        CHANNEL__LOA__RATE_PER_S="20",
        FARMERS__GROUP_S=str(GROUP_S),
    )
    eventually(lambda: service.ready, "ready")
    answer = httpx.post(
        f"{service.http_url}api/v1/subscriptions/import?channel=loa",
        headers={
            "Authorization": f"Bearer {service.token('operator')}",
            "Content-Type": "text/csv",
        },
        content=csv_of(PEOPLE).encode(),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"]["done"] == PEOPLE, answer.text[:2000]
    say(broker, 1.2, 10, 1)
    say(broker, 1.3, 0.05, 2)
    # Durian bears 0.5, rice 2: half of them are told.
    rows = eventually(lambda: outbox(service), "the notices stand in the store")
    assert len(rows) == PEOPLE // 2
    for number in range(KILLS):
        service.kill()
        service.start()
        eventually(lambda: service.ready, "ready again")
        if number == 1:
            # Killed while they are sent, too.
            eventually(lambda: len(_salt(gateway)) >= PEOPLE // 8, "some are told", 150)
    eventually(lambda: len({to for to, _ in _salt(gateway)}) == PEOPLE // 2, "all are told", 150)
    admin = service.token("operator")

    def waits() -> int:
        [channel] = service.get("/api/v1/telling", admin).json()["channels"]
        return int(channel["waiting"])

    eventually(lambda: waits() == 0, "nothing waits any more")
    assert outbox(service) == rows, "no death makes a message"
    told = Counter(_salt(gateway))
    assert len(told) == PEOPLE // 2, "and each hears the same, with the same key"
    texts = {each.text for each in gateway.accepted if "KHÔNG LẤY" in each.text}
    assert len(texts) == 1
    assert "sầu riêng" in texts.pop().lower()


def _salt(gateway: Gateway) -> list[tuple[str, str]]:
    return [(each.to, each.key) for each in gateway.accepted if "KHÔNG LẤY" in each.text]
