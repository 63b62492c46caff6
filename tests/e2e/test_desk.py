"""What officers enter, from HTTP through the journal to the screens, and across a kill."""

from typing import Any

import pytest

from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic

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


def test_a_hand_check_stands_beside_the_probe_and_outlives_a_kill(service: Service) -> None:
    officer = service.token("operator")
    t_ms = now_ms() - 3 * HOUR_MS
    publish(
        service.settings["MQTT__URL"],
        salinity_topic("xuan-hoa", "xh-01"),
        obs({"t": t_ms, "sal_g_l": 1.05, "ec_ms_cm": 2.2, "temp_c": 28.0}),
    )
    visit = {"station": "xuan-hoa", "t": t_ms, "salinity_g_l": 1.2, "cleaned": True, "crew": "tổ 1"}
    taken = service.post("/api/v1/checks", officer, **visit)
    assert (taken.status_code, taken.json()["id"]) == (200, "c1")

    def checks() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.get("/api/v1/checks", officer).json()["items"]
        return found

    eventually(lambda: checks()[0]["values"][0]["difference"] is not None, "the probe's value")
    before = checks()
    service.kill()
    service.start()
    assert checks() == before
    assert service.post("/api/v1/checks", officer, **visit).json()["id"] == "c1"
    right = service.post("/api/v1/checks", officer, **visit | {"salinity_g_l": 1.1}, replaces="c1")
    assert right.json()["replaces"] == "c1"
    assert [(one["id"], one["replaced_by"]) for one in checks()] == [("c2", None), ("c1", "c2")]
    care = service.get("/api/v1/stations/xuan-hoa/care").json()
    assert (care["difference"]["id"], care["cleaned"]["id"]) == ("c2", "c2")
    entered = service.get("/api/v1/handover", officer, **{"from": t_ms}).json()["entered"]
    assert [one["what"] for one in entered if one["subject"] == "xuan-hoa"] == [
        *("intake", "check", "check"),
    ]
    for path in ("gates", "bulletin", "lunar"):
        assert service.get(f"/api/v1/{path}").status_code == 200
