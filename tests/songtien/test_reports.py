"""Reports of a service that has lived through two days of the simulated river."""

from songtien.trial.trial import Trial

HOUR = 3_600_000


def test_what_was_likely_came_and_the_day_is_what_was_measured(songtien: Trial) -> None:
    songtien.scenario("dry-season", devices=["xh-01"])
    songtien.at("48h")
    gate = songtien.get("/api/v1/gates")["gates"][0]
    likely = gate["next"]
    assert (gate["intake"], gate["next_why"]) == ("xuan-hoa", None)
    assert songtien.now_ms < likely["from"] < likely["to"]

    songtien.at("60h")
    asked = f"from={likely['from']}&to={likely['to']}"
    came = songtien.get(f"/api/v1/series/xh-01/salinity_g_l?{asked}")["points"]
    fresh = [value < gate["limit_g_l"] for _, value, _ in came]
    assert len(fresh) > 40
    assert all(fresh)

    day = songtien.get("/api/v1/bulletin")
    raw = songtien.get(f"/api/v1/series/xh-01/salinity_g_l?from={day['from']}&to={day['to']}")
    top = max((p for p in raw["points"] if p[2] <= 3), key=lambda p: (p[1], -p[0]))
    (station,) = [one for one in day["stations"] if one["station"] == "xuan-hoa"]
    assert [station["max"][name] for name in ("t", "value", "flag")] == top
    assert station["n"] == len(raw["points"])
    shift = songtien.get("/api/v1/handover")
    assert shift["from"] % HOUR == 0
    assert (shift["from"] // HOUR + 7) % 24 in (6, 18)  # in Vietnam
    assert 0 < songtien.now_ms - shift["from"] <= 12 * HOUR
    assert {one["device"] for one in shift["devices"]} >= {"mt-01", "cam-01"}
    assert "xh-01" not in {one["device"] for one in shift["devices"]}
