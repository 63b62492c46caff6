"""The stations and bridges that come with the program."""

from importlib.resources import files

from ingest.reading import QUANTITIES
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable


def default() -> Registry:
    text = files("songtien").joinpath("defaults/stations.toml").read_text("utf-8")
    return parse_registry(text, "stations.toml")


def test_the_default_file_has_the_stations_that_the_documents_name() -> None:
    registry = default()
    vam_kenh, probe = registry.stations["vam-kenh"], registry.devices["vk-01"]
    assert (vam_kenh.lat, vam_kenh.lon) == (10.274, 106.737)
    assert vam_kenh.km_from_mouth == {"cua-tieu": 2.0}
    assert (probe.station, probe.expected_s) == ("vam-kenh", 900)
    assert registry.devices["xh-01"].station == "xuan-hoa"
    assert registry.devices["mt-01"].station == "my-tho"
    camera = registry.devices["cam-01"]
    assert (camera.station, camera.expected_s) == ("rach-mieu-1", 60)
    assert [stream[0] for stream in camera.streams()] == ["cam-01/southbound", "cam-01/northbound"]
    assert {lane.lane for lane in camera.lanes} == {1}


def test_both_bridges_are_watched_at_both_ends_in_both_directions() -> None:
    registry = default()
    for bridge, lanes in (("rach-mieu-1", 1), ("rach-mieu-2", 2)):
        cameras = [each for each in registry.devices.values() if each.station == bridge]
        assert [camera.position for camera in cameras] == ["north", "south"]
        for camera in cameras:
            for direction in ("southbound", "northbound"):
                counted = [lane.lane for lane in camera.lanes if lane.direction == direction]
                assert counted == list(range(1, lanes + 1))
        assert registry.stations[bridge].directions["southbound"]["vi"] == "Mỹ Tho → Bến Tre"


def test_the_default_reaches_part_and_join() -> None:
    registry = default()
    assert registry.mouths_below("tien-my-tho") == ("cua-tieu", "cua-dai")
    everywhere = ("cua-tieu", "cua-dai", "ba-lai", "ham-luong", "co-chien")
    assert registry.mouths_below("tien-tren") == everywhere
    assert "co-chien" not in registry.mouths_below("tien-cho-lach")
    above_cua_dai = [r.id for r in registry.reaches.values() if "cua-dai" in r.flows_into]
    assert above_cua_dai == ["tien-my-tho", "kenh-giao-hoa"]
    assert [reach.id for reach in registry.reaches.values() if reach.closed] == ["ba-lai"]


def test_the_default_intervals_follow_the_distance() -> None:
    registry = default()
    for device in registry.devices.values():
        km = registry.stations[device.station].nearest_km
        expected = 60 if device.kind == "traffic" else 900 if (km or 0) <= 35 else 600
        assert device.expected_s == expected, device.id


def test_the_default_says_what_rests_on_no_public_source() -> None:
    for station in default().stations.values():
        assert "device" in station.unverified
        assert station.source
    unverified = default().stations["kim-son"].unverified
    assert {"lat", "lon", "km_from_mouth"} <= set(unverified)


def test_the_default_limits() -> None:
    registry = default()
    assert registry.limits("xuan-hoa", "salinity_g_l").suspect_max == 12
    assert registry.limits("my-tho", "salinity_g_l").suspect_max == 8
    rates = {
        station: (limits.rate_suspect_per_h, limits.rate_fail_per_h)
        for station in ("rach-bun", "vam-kenh", "vam-giong", "my-tho", "kim-son")
        if (limits := registry.limits(station, "salinity_g_l"))
    }
    assert rates == {
        "rach-bun": (5, 10),
        "vam-kenh": (5, 10),
        "vam-giong": (5, 10),
        "my-tho": (3, 6),
        "kim-son": (1, 3),
    }
    everywhere = registry.limits("vam-kenh", "salinity_g_l")
    assert (everywhere.fail_min, everywhere.fail_max, everywhere.flat_above) == (0, 40, 0.3)
    assert (everywhere.flat_suspect_s, everywhere.flat_fail_s) == (10800, 21600)


def test_the_default_file_warns_of_published_distances_that_cannot_be() -> None:
    pairs = [warning.split(" are ")[0] for warning in default().warnings()]
    assert pairs == ["xuan-hoa and my-tho", "hung-my and huong-my"]


def test_every_series_of_the_default_file_is_of_a_known_quantity() -> None:
    table = SeriesTable.of(default())
    assert len(table) == len(table.by_key)
    assert {series.quantity for series in table.entries} == set(QUANTITIES)
