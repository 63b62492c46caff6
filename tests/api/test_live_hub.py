"""What the hub shows and forgets; random histories of it are in tests/live/test_histories.py."""

from api.live.where import ALERT_FIELDS, parse_where
from ingest.reading import Flag
from tests.api.live_feed import T0, alert, hub_of, raised, river, values, wide


def test_an_item_shows_what_is_known_of_its_series() -> None:
    hub = hub_of(river())
    items = {item["k"]: item for item in hub.items()[0]}
    assert "xh-01/battery_v" not in items  # never seen and not announced
    assert items["xh-01/salinity_g_l"] == {
        "k": "xh-01/salinity_g_l",
        "st": "never",
        "station": "xuan-hoa",
        "device": "xh-01",
        "kind": "salinity",
        "quantity": "salinity_g_l",
        "unit": "g/L",
        "branch": ["cua-tieu", "cua-dai"],
        "expected_s": 60.0,
    }
    hub.apply(values([3, 4], [3.7, 1200.0], T0, Flag.SUSPECT))
    hub.set_links({"cam-01": {"s": "sleeping", "until": T0 + 5}})
    items = {item["k"]: item for item in hub.items(parse_where({"kind": ["traffic"]}))[0]}
    flow = items["cam-01/southbound/flow_veh_h"]
    assert (flow["v"], flow["t"], flow["q"], flow["st"]) == (1200.0, T0, 3, "live")
    assert flow["direction"] == "southbound"
    assert flow["link"] == {"s": "sleeping", "until": T0 + 5}
    assert "xh-01/battery_v" in {item["k"] for item in hub.items()[0]}


def test_the_newest_observation_wins_in_any_order() -> None:
    hub = hub_of(river())
    hub.apply(values([0, 0, 0], [2.0, 3.0, 1.0], [T0 - 100, T0, T0 - 200]))
    hub.apply(values([0], 9.0, T0 - 50))
    item = hub.items(parse_where({"quantity": ["salinity_g_l"], "device": ["vk-01"]}))[0][0]
    assert (item["v"], item["t"]) == (3.0, T0)


def test_equal_positions_mean_equal_items() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 2.0))
    before = hub.items()
    hub.apply(values([0], 2.0))
    hub.apply(values([0], 5.0, T0 - 1))
    hub.tick(T0 + 1000)
    assert hub.items() == before
    told = []
    deaf = hub.listen(lambda: told.append(hub.position))
    hub.apply(values([0], 2.5, T0 + 1))
    assert told == [hub.position]
    deaf()
    hub.apply(values([0], 2.6, T0 + 2))
    assert len(told) == 1


def test_what_a_subscriber_lacks_is_bounded_by_keys_not_by_updates() -> None:
    hub = hub_of(wide(50))
    view_all = hub.state.view(parse_where(None))
    start = hub.state.version
    for round_ in range(300):
        hub.apply(values(range(50), float(round_), T0 + round_))
    piece = view_all.piece(start)
    assert piece.count == 50
    assert piece.updates - 50 == 300 * 50  # each item had been updated once: it appeared


def test_alert_positions_survive_and_the_ring_forgets() -> None:
    hub = hub_of(river())
    hub.load_alerts([alert(1)], [(7, raised(1)), (9, raised(2))], 9)
    log = hub.alerts
    assert [log.number_of(f"a1.{n}") for n in (5, 6, 7, 8, 9, 10)] == [None, 6, 7, 8, 9, None]
    assert [log.number_of(p) for p in ("a2.7", "7", "a1.-7", "a1.7x", "a1.²")] == [None] * 5
    for number in range(10, 11_100):
        hub.publish(number, raised(number))
    assert log.number_of("a1.9") is None
    assert log.number_of("a1.11099") == 11_099
    assert log.count_after(11_000) == 99


def test_what_the_service_says_of_itself_is_of_no_station_and_no_device() -> None:
    hub = hub_of(river())
    notice = {
        "id": "n" * 16,
        "rule": "songtien-disk-low",
        "ask": "notice",
        "k": "songtien/disk-low",
        "severity": "major",
        "state": "unacked",
    }
    hub.publish(1, {"type": "raised", "alert": notice})

    def shown(**where: list[str]) -> bool:
        chosen = parse_where(dict(where), ALERT_FIELDS)
        found = bool(hub.alerts.active(chosen))
        assert found == (hub.alerts.next_after(0, chosen) is not None)
        return found

    assert shown()
    assert shown(severity=["major"])
    assert shown(rule=["songtien-disk-low"])
    for name, value in (
        ("station", "vam-kenh"),
        ("station", ""),
        ("branch", "cua-tieu"),
        ("kind", "salinity"),
        ("device", "songtien"),
        ("quantity", "disk-low"),
    ):
        assert not shown(**{name: [value]}), name
