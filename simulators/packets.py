"""The packets of MQTT that a publisher and a listener write and read, as bytes.

MQTT 3.1.1 (OASIS 2014; what 5.0 adds comes as `properties`): 2.2 the fixed header, 3.1 CONNECT, 3.2 CONNACK, 3.3 PUBLISH at QoS 1,
3.4 PUBACK, 3.8 SUBSCRIBE, 3.12 PINGREQ, 3.14 DISCONNECT.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
PACKET_IDS = 65_535
"""They are 1 to this."""

PACKET_BYTES_MAX = 268_435_455

REFUSALS: Mapping[int, str] = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not accept the client's name",
    3: "it is not available",
    4: "bad user name or password",
    5: "not authorised",
}
"""What a CONNACK's return code says (table 3.1)."""

TEXT_BYTES_MAX = 65_535
"""Of a topic, a name or a password (1.5.3)."""

REFUSED_FROM = 128
"""A code in a SUBACK from here on is a refusal (3.9.3)."""

_CLEAN_SESSION, _PASSWORD, _USER = 0x02, 0x40, 0x80
_QOS_1, _RETAIN, _DUP = 0x32, 0x01, 0x08
_PUBACK_HEAD = 0x4002
_PUBACK_BYTES = 4
_SHORT = struct.Struct(">H")
_PUBACKS = struct.Struct(">HH")


class MalformedError(Exception):
    """What came is not MQTT."""


def connect(
    client: str = "",
    *,
    username: str | None = None,
    password: str | None = None,
    keepalive_s: int = 0,
    level: int = 4,
    properties: bytes = b"",
) -> bytes:
    """CONNECT with a clean session. Without a name the broker gives one; 0 is no keepalive.

    level : 4 is MQTT 3.1.1; 5 is 5.0, which has `properties` with their length before them
    """
    flags, said = _CLEAN_SESSION, [_text(client)]
    if username is not None:
        flags |= _USER
        said.append(_text(username))
        if password is not None:
            flags |= _PASSWORD
            said.append(_text(password))
    head = _text("MQTT") + bytes([level, flags]) + _SHORT.pack(keepalive_s)
    return _packet(0x10, head + properties + b"".join(said))


def subscribe(topics: Sequence[str], options: int, properties: bytes = b"") -> bytes:
    """SUBSCRIBE to some topics with the same options: the QoS, and what 5.0 adds to it."""
    wanted = b"".join(_text(topic) + bytes([options]) for topic in topics)
    return _packet(0x82, b"\x00\x01" + properties + wanted)


def topic_head(topic: str) -> bytes:
    """A topic's name as it stands in a PUBLISH.

    Raises ValueError for what 4.7 forbids to publish to: a broker would hang up, each time.
    """
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise ValueError(f"topic {topic!r}: accepted is a name that isn't empty, without + # NUL")
    return _text(topic)


def publish(
    head: bytes, payload: bytes, identifier: int, *, retain: bool = False, dup: bool = False
) -> bytes:
    """PUBLISH at QoS 1. `head` is `topic_head` of its topic, `identifier` 1 to `PACKET_IDS`."""
    kind = _QOS_1
    if retain:
        kind |= _RETAIN
    if dup:
        kind |= _DUP
    length = len(head) + len(payload) + 2
    return b"".join((bytes((kind,)), _length(length), head, _SHORT.pack(identifier), payload))


def identifier(number: int) -> int:
    """The packet identifier of a connection's `number`-th PUBLISH, from 0."""
    return number % PACKET_IDS + 1


def pubacks(data: bytes) -> tuple[list[int], int]:
    """The PUBACKs at the front of `data`: their identifiers, and how many bytes they take.

    A broker's answers to a publisher are nearly all of this kind, hundreds to a read.
    """
    found: list[int] = []
    whole = len(data) // _PUBACK_BYTES * _PUBACK_BYTES
    for head, number in _PUBACKS.iter_unpack(data[:whole]):
        if head != _PUBACK_HEAD:
            break
        found.append(number)
    return found, len(found) * _PUBACK_BYTES


def packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Whole packets at the front of `buffer`, which are taken off: (type, flags, body).

    Raises `MalformedError` where the length of one goes on for too long.
    """
    while len(buffer) >= 2:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(buffer):
                return
            byte = buffer[at]
            length |= (byte & 127) << shift
            shift, at = shift + 7, at + 1
            if byte < 128:
                break
            if shift > 21:
                raise MalformedError(f"a length that goes on: {bytes(buffer[:5]).hex()}")
        if len(buffer) < at + length:
            return
        head, body = buffer[0], bytes(buffer[at : at + length])
        del buffer[: at + length]
        yield head >> 4, head & 15, body


def published(flags: int, body: bytes) -> tuple[str, bytes]:
    """Topic and payload of a PUBLISH."""
    end = 2 + int.from_bytes(body[:2], "big")
    skip = 2 if flags & 6 else 0
    return body[2:end].decode(), body[end + skip :]


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > TEXT_BYTES_MAX:
        # What the text is isn't told: it may be a password.
        raise ValueError(f"a text of {len(raw)} bytes: accepted are {TEXT_BYTES_MAX}")
    return _SHORT.pack(len(raw)) + raw


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


def _length(length: int) -> bytes:
    """A remaining length (2.2.3)."""
    if length < 128:
        return bytes((length,))
    if length < 16_384:
        return bytes((length & 127 | 128, length >> 7))
    if length > PACKET_BYTES_MAX:
        raise ValueError(f"a packet of {length} bytes: accepted are {PACKET_BYTES_MAX}")
    digits = bytearray()
    while True:
        length, digit = length >> 7, length & 127
        digits.append(digit | (128 if length else 0))
        if not length:
            return bytes(digits)
