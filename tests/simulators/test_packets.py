"""Packets against a reader that was written apart from them, and against the letter of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.publishes import pubacks as written_pubacks
from ingest.publishes import take_publishes
from simulators import packets

NAMES = st.text(st.characters(exclude_characters="+#\0", codec="utf-8"), min_size=1, max_size=300)


@given(NAMES, st.binary(max_size=40_000), st.integers(0, 200_000), st.booleans(), st.booleans())
def test_what_is_published_is_what_is_read(
    topic: str, payload: bytes, number: int, retain: bool, dup: bool
) -> None:
    mid = packets.identifier(number)
    packet = packets.publish(packets.topic_head(topic), payload, mid, retain=retain, dup=dup)
    ((kind, flags, body),) = packets.packets(bytearray(packet))
    assert (kind, flags) == (packets.PUBLISH, 0b0010 | retain | dup << 3)
    assert packets.published(flags, body) == (topic, payload)
    assert take_publishes(bytearray(packet), v5=False) == [(mid, 1, topic, payload)]


@pytest.mark.parametrize("size", [0, 110, 111, 16_360, 16_370, 262_144, 2_097_140, 2_097_160])
def test_lengths_on_both_sides_of_each_digit(size: int) -> None:
    packet = packets.publish(packets.topic_head("tiengiang/v1"), bytes(size), 1)
    ((_, flags, body),) = packets.packets(bytearray(packet))
    assert len(packets.published(flags, body)[1]) == size


def test_half_a_packet_waits() -> None:
    packet = packets.publish(packets.topic_head("a/b"), b"x" * 200, 1)
    for cut in range(len(packet)):
        buffer = bytearray(packet[:cut])
        assert list(packets.packets(buffer)) == []
        assert buffer == packet[:cut]
        buffer += packet[cut:]
        assert len(list(packets.packets(buffer))) == 1


def test_a_length_that_goes_on_is_no_packet() -> None:
    with pytest.raises(packets.MalformedError, match="40ffffffff"):
        list(packets.packets(bytearray(b"\x40\xff\xff\xff\xff\x01")))


@given(st.lists(st.integers(1, 65_535), max_size=300), st.integers(0, 7))
def test_pubacks_are_read_in_bulk_up_to_what_is_none(numbers: list[int], cut: int) -> None:
    data = written_pubacks(numbers)
    assert packets.pubacks(data) == (numbers, len(data))
    assert packets.pubacks(data + b"\xd0\x00" + data) == (numbers, len(data))
    part = data[: max(0, len(data) - cut)]
    whole = len(part) // 4
    assert packets.pubacks(part) == (numbers[:whole], whole * 4)


def test_connect_to_the_letter() -> None:
    said = packets.connect("dev", username="án", password="b@c", keepalive_s=60)
    assert said == (b"\x10\x19\x00\x04MQTT\x04\xc2\x00\x3c\x00\x03dev\x00\x03\xc3\xa1n\x00\x03b@c")
    assert packets.connect() == b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "x" * 65_536])
def test_what_nobody_can_publish_to(topic: str) -> None:
    with pytest.raises(ValueError, match="accepted"):
        packets.topic_head(topic)


def test_packet_identifiers_leave_zero_out() -> None:
    assert [packets.identifier(n) for n in (0, 65_534, 65_535)] == [1, 65_535, 1]
