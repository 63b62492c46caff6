"""Messages taken off a broker's stream in bulk.

A client library reads a packet's type, its length and its body one call at a time, and asks
the kernel before each: some 20 µs of Python a message, most of it holding the lock that the
rest of the service waits for. What a subscriber gets is nearly all PUBLISH at QoS 0 and 1,
so those are cut out of large reads here, and the library is given the rest, a whole packet
at a time.

MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019): 2.1 the fixed header, 3.3 PUBLISH, 3.4 PUBACK.
"""

import socket
import ssl
from collections.abc import Iterable

Publish = tuple[int, int, str, bytes]
"""(message id, 0 at QoS 0; QoS; topic; payload)"""

READ_BYTES = 262_144
_PUBLISH = 3
_PUBACK = b"\x40\x02"


def take_publishes(buffer: bytearray, *, v5: bool) -> list[Publish]:
    """Cut PUBLISH packets of QoS 0 and 1 off the front of `buffer`.

    Stops before a packet that isn't whole yet, is another one, or is malformed: whoever
    speaks the protocol judges it.
    """
    found: list[Publish] = []
    data, taken = bytes(buffer), 0
    while taken < len(data) and data[taken] >> 4 == _PUBLISH and not data[taken] & 4:
        begin, end = _body(data, taken)
        if end < 0 or begin + 2 > end:
            break
        qos = data[taken] >> 1 & 1
        at = begin + 2
        after = at + (data[begin] << 8 | data[begin + 1])
        topic, mid = data[at:after], 0
        if qos:
            mid = int.from_bytes(data[after : after + 2], "big")
            after += 2
        if v5:
            properties, after = _number(data, after, end)
            after += properties
        if after > end or not topic or (qos and not mid):
            break
        found.append((mid, qos, topic.decode("utf-8", "replace"), data[after:end]))
        taken = end
    del buffer[:taken]
    return found


def packet_length(buffer: bytearray) -> int:
    """The length of the packet at the front, or 0 while it isn't whole."""
    _, end = _body(buffer, 0)
    return max(0, end)


def pubacks(mids: Iterable[int]) -> bytes:
    """PUBACK packets, in order. The short form means success in both versions."""
    return b"".join([_PUBACK + mid.to_bytes(2, "big") for mid in mids])


class Stream:
    """A broker's socket, read in large pieces. To a client library it looks like the socket,
    except that it hands out no more than was granted.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.received = bytearray()
        self._socket = sock
        self._granted = 0
        self._ended = False
        self._error: OSError | None = None

    @property
    def over(self) -> bool:
        """Nothing more will come."""
        return self._ended or self._error is not None

    def fill(self) -> None:
        """Read what is there. An end or an error is told by `recv`, when it is its turn."""
        try:
            piece = self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._error = error
            return
        self._ended = not piece
        self.received += piece

    def grant(self, length: int) -> None:
        """Let `recv` hand out so many bytes of what was received."""
        self._granted = length

    def recv(self, length: int) -> bytes:
        length = min(length, self._granted)
        if length:
            piece = bytes(self.received[:length])
            del self.received[:length]
            self._granted -= length
            return piece
        if self._error is not None:
            raise self._error
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, piece: bytes) -> int:
        return self._socket.send(piece)

    def pending(self) -> int:
        """Bytes that TLS has decrypted already: no readiness of the socket tells of them."""
        return self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - a socket's signature
        self._socket.setblocking(flag)

    def close(self) -> None:
        self._socket.close()


def _body(data: bytes | bytearray, start: int) -> tuple[int, int]:
    """Where the body of the packet at `start` begins and ends; the end is -1 if not whole."""
    length, begin = _number(data, start + 1, len(data))
    end = begin + length
    return begin, end if end <= len(data) else -1


def _number(data: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
    """A variable byte integer, and what stands behind it; far too large if it isn't whole."""
    value, shift = 0, 0
    while at < end and shift <= 21:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 1 << 40, at
