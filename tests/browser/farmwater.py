"""Water at the intakes, for the farmer's page: one answer of each kind, fed through the broker."""

import math
from typing import Any

from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic

QUARTER_MIN = 15
BATCH = 60
TAKE = "noi=ngu-hiep&phia=song&cay=durian"
NO = "noi=xuan-hoa&phia=song&cay=durian"
WAIT = "noi=dong-tam&phia=song&cay=dragon-fruit"
SILENT = "noi=vam-giong&phia=song&cay=rice"
PUMP = "noi=nguyen-tan-thanh&phia=song&cay=durian"
BEHIND = "noi=xuan-hoa&phia=dong&cay=durian"


def flow(service: Service) -> None:
    """All of it, up to now; comes back once it has been decided on."""
    fresh = [(m, round(0.16 + 0.08 * _tide(m), 3)) for m in range(28 * 60, -1, -10)]
    tells(service, "tam-binh", "tb-01", fresh)
    tells(service, "dong-tam", "dt-01", [(m, 0.4 - m / 600) for m in range(120, -1, -10)])
    tells(service, "kinh-xang", "kx-01", [(m, 0.1) for m in range(120, -1, -10)])
    tells(service, "vam-giong", "vg-01", [(m, 0.9) for m in range(300, 170, -10)])
    # Two tides with a hole, at their highest now, and the same a day before.
    river = [
        (m, round(0.7 + 0.4 * _tide(m), 3))
        for m in range(52 * 60, -1, -QUARTER_MIN)
        if not 400 < m < 560
    ]
    tells(service, "xuan-hoa", "xh-01", river)
    eventually(lambda: answer(service, "xuan-hoa/river") == "no", "xuan-hoa is too salt")
    eventually(lambda: answer(service, "ngu-hiep/river") == "take", "ngu-hiep is fresh")


def tells(service: Service, station: str, device: str, rows: list[tuple[int, float]]) -> None:
    """A probe sends what it has read, minutes ago and g/L, many samples a message."""
    at, url = now_ms(), service.settings["MQTT__URL"]
    for begin in range(0, len(rows), BATCH):
        samples = [
            {"t": at - minutes * 60_000, "sal_g_l": value}
            for minutes, value in rows[begin : begin + BATCH]
        ]
        publish(url, salinity_topic(station, device), obs(*samples))


def answer(service: Service, place: str, crop: str = "durian") -> str:
    """As `GET /api/v1/farmers/answer` gives it."""
    found: dict[str, Any] = service.get(
        "/api/v1/farmers/answer", None, place=place, crop=crop
    ).json()
    return str(found.get("answer"))


def _tide(minutes_ago: int) -> float:
    """1 now and 12 h 25 min ago, -1 between them."""
    return math.cos(minutes_ago / (12 * 60 + 25) * 2 * math.pi)
