"""The few packets of MQTT 3.1.1 that a benchmark writes and reads itself.

A client library between the clock and the socket would be part of what is measured.
"""

from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
PACKET_IDS = 65_535
_CLEAN_SESSION = 2


def connect(client_id: str) -> bytes:
    """CONNECT with a clean session and without keepalive."""
    return _packet(0x10, _text("MQTT") + bytes([4, _CLEAN_SESSION, 0, 0]) + _text(client_id))


def subscribe(topic: str, qos: int) -> bytes:
    return _packet(0x82, b"\x00\x01" + _text(topic) + bytes([qos]))


def publish(topic: str, payload: bytes, number: int) -> bytes:
    """PUBLISH at QoS 1; the `number`-th of its connection, from 0."""
    identifier = number % PACKET_IDS + 1
    return _packet(0x32, _text(topic) + identifier.to_bytes(2, "big") + payload)


def packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Whole packets at the front of `buffer`, which are taken off: (type, flags, body)."""
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
    return len(raw).to_bytes(2, "big") + raw


def _packet(head: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 127
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(length) + body
