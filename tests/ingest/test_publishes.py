"""Messages cut out of a stream: the same whatever the reads were."""

import socket
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.publishes import Publish, Stream, packet_length, pubacks, take_publishes

PINGRESP = b"\xd0\x00"


def varint(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = number >> 7, number & 127
        digits.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(digits)


def encoded(message: Publish, *, v5: bool, properties: bytes = b"") -> bytes:
    mid, qos, topic, payload = message
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name
    body += mid.to_bytes(2, "big") if qos else b""
    body += varint(len(properties)) + properties if v5 else b""
    body += payload
    return bytes([0x30 | qos << 1]) + varint(len(body)) + body


messages = st.builds(
    lambda mid, qos, topic, payload: (mid if qos else 0, qos, topic, payload),
    st.integers(1, 65_535),
    st.integers(0, 1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.binary(max_size=300),
)


@given(st.lists(messages, max_size=8), st.booleans(), st.data())
def test_any_split_of_the_stream_gives_the_same_messages(
    sent: Sequence[Publish], v5: bool, data: st.DataObject
) -> None:
    properties = data.draw(st.binary(max_size=200)) if v5 else b""
    stream = b"".join(encoded(message, v5=v5, properties=properties) for message in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    buffer, found = bytearray(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        buffer += stream[begin:end]
        found += take_publishes(buffer, v5=v5)
    assert found == list(sent)
    assert not buffer


def test_other_packets_stay_where_they_are() -> None:
    one, two = (1, 1, "a/b", b"x"), (0, 0, "c", b"")
    first, second = encoded(one, v5=True), encoded(two, v5=True)
    buffer = bytearray(first + PINGRESP + second)
    assert take_publishes(buffer, v5=True) == [one]
    assert buffer == PINGRESP + second
    assert packet_length(buffer) == len(PINGRESP)


@pytest.mark.parametrize(
    "packet",
    [
        b"\x34\x06\x00\x01a\x00\x01x",  # QoS 2
        b"\x30\x03\x00\x09a",  # a topic longer than its packet
        b"\x30\x02\x00\x00",  # no topic
        b"\x32\x05\x00\x01a\x00\x00",  # id 0
        b"\x30\x01\x00",
    ],
)
def test_what_is_not_ours_to_judge_is_left_whole(packet: bytes) -> None:
    buffer = bytearray(packet)
    assert take_publishes(buffer, v5=False) == []
    assert buffer == packet
    assert packet_length(buffer) == len(packet)


def test_a_length_that_never_ends_is_no_packet() -> None:
    assert packet_length(bytearray(b"\x30\xff\xff\xff\xff\x01")) == 0


def test_acknowledgements_in_order() -> None:
    assert pubacks([1, 65_535, 256]) == b"\x40\x02\x00\x01\x40\x02\xff\xff\x40\x02\x01\x00"


def test_a_stream_hands_out_what_was_granted_and_then_tells_its_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        stream = Stream(ours)
        stream.fill()
        theirs.sendall(PINGRESP + b"more")
        theirs.close()
        stream.fill()
        with pytest.raises(BlockingIOError):
            stream.recv(1)
        stream.grant(2)
        assert stream.recv(100) == PINGRESP
        with pytest.raises(BlockingIOError):
            stream.recv(1)
        stream.fill()
        assert stream.over
        assert stream.received == b"more"
        assert stream.recv(1) == b""
