from ingest.payload import Observations, decode_obs
from ingest.registry import parse_registry
from ingest.topics import Topic, parse
from songtien.bench import feed


def test_generated_devices_are_registered_and_say_what_can_be_read() -> None:
    registry = parse_registry(feed.registry_text(45), "stations.toml")
    assert len(registry.devices) == 45
    for number in (0, 44):
        found = parse(feed.topic(number), feed.ROOT)
        assert isinstance(found, Topic)
        assert registry.devices[found.device].station == found.station
    said = decode_obs(feed.payload(3, 7, 1_767_000_000_000), "salinity")
    assert isinstance(said, Observations)
    assert said.seq == 7
