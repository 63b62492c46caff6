"""What officers enter, from HTTP through the journal to the screens, and across a kill."""

from typing import Any

import pytest

from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def service(serving: Serving) -> Service:
    running = serving()
    eventually(lambda: running.ready, "ready")
    return running


def ages(service: Service) -> set[str]:
    items = service.get("/api/v1/state", station="vam-kenh").json()["items"]
    return {item["st"] for item in items}


def desk(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/api/v1/desk").json()
    return found


def test_what_an_officer_has_entered_shows_and_outlives_a_kill(service: Service) -> None:
    officer, admin = service.token("operator"), service.token("admin")
    hour = now_ms() + HOUR_MS
    window = service.post(
        "/api/v1/maintenance", officer, station="vam-kenh", to=hour, reason="thay đầu dò"
    )
    assert window.status_code == 200
    eventually(lambda: ages(service) == {"maintenance"}, "the station shown as worked on")
    mode = {"mode": "closed", "direction": "northbound", "until": hour, "reason": "va chạm"}
    closed = service.post("/api/v1/bridges/rach-mieu-1/mode", officer, ver=0, **mode)
    assert closed.json()["ver"] == 1
    again = service.post("/api/v1/bridges/rach-mieu-1/mode", officer, ver=0, **mode)
    assert (again.status_code, again.json()["item"]["ver"]) == (409, 1)
    taking = service.post("/api/v1/intakes/xuan-hoa", officer, ver=0, taking=True, gate="open")
    assert taking.json()["ver"] == 1
    before = desk(service)

    service.kill()
    service.start()
    assert desk(service) == before
    eventually(lambda: ages(service) == {"maintenance"}, "the same after the kill")
    bridges = service.get("/api/v1/bridges").json()["bridges"]
    known = {one["id"]: one["modes"] for one in bridges}
    assert known["rach-mieu-1"]["northbound"]["mode"] == "closed"

    assert service.post("/api/v1/rules/reload", officer).status_code == 403
    assert service.post("/api/v1/rules/reload", admin).json() == {"reloaded": True}
    ended = service._ask("DELETE", f"/api/v1/maintenance/{window.json()['id']}", officer)
    assert ended.json()["holds"] is False
    eventually(lambda: "maintenance" not in ages(service), "the work is over")
