from hypothesis import given
from hypothesis import strategies as st

from ingest.payload import Observations, decode_obs
from ingest.publishes import take_publishes
from ingest.registry import parse_registry
from ingest.topics import Topic, parse
from songtien.bench import feed, wire


@given(st.binary(max_size=20_000), st.integers(0, 200_000))
def test_what_is_published_is_what_is_read(payload: bytes, number: int) -> None:
    packet = wire.publish("a/b", payload, number)
    ((kind, flags, body),) = wire.packets(bytearray(packet))
    assert kind == wire.PUBLISH
    assert wire.published(flags, body) == ("a/b", payload)
    assert take_publishes(bytearray(packet), v5=False) == [
        (number % wire.PACKET_IDS + 1, 1, "a/b", payload)
    ]


def test_half_a_packet_waits() -> None:
    packet = wire.publish("a/b", b"x" * 200, 0)
    buffer = bytearray(packet[:-1])
    assert list(wire.packets(buffer)) == []
    buffer += packet[-1:]
    assert len(list(wire.packets(buffer))) == 1


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
