"""Many clients of the fan-out's benchmark in one process that is told what to do.

Each speaks the protocol as far as it must: it signs in, subscribes, answers pings, and holds
its position. They share the processor with the server, so they are as cheap as clients can
be: one epoll for all, frames are found by their length, and of a delta only what proves that
it is the next one and when it was made is read. Frames of a server are not masked.
"""

import array
import select
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final

from songtien.broker import HOST

READ_BYTES: Final = 65_536
STAMP: Final = b'"v":'
_SHORT, _LONG = 126, 127
_OPEN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Join:
    """Open so many connections, each saying `texts`, as the group of that name.

    reads : whether they read what comes; the stalled ones never do
    rcvbuf : bytes of SO_RCVBUF; None leaves it to the system
    """

    group: str
    count: int
    port: int
    texts: tuple[str, ...]
    reads: bool = True
    rcvbuf: int | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Tell what was seen since the last time, and forget it."""


@dataclass(frozen=True, slots=True)
class Halt:
    """A group stops reading."""

    group: str


@dataclass(frozen=True, slots=True)
class Go:
    """A group goes on; it notes when each shows the change of `stamp` or a newer one."""

    group: str
    stamp: float


@dataclass(frozen=True, slots=True)
class Leave:
    """A group breaks its connections."""

    group: str


Command = Join | Take | Halt | Go | Leave | None
"""None ends the process."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Of all clients that read.

    delays_s : of each delta, from its stamp until it was read
    frames : of all kinds
    size : of them, with their headers, bytes
    breaks : deltas that did not follow from what the client had
    closed : connections that ended
    least, most : deltas of one client
    shown_s : of each client that went on, until it had the newest; infinite where it has not
    """

    delays_s: "array.array[float]"
    frames: int
    size: int
    breaks: int
    closed: int
    least: int
    most: int
    shown_s: tuple[float, ...]


@dataclass(slots=True, eq=False)
class _Client:
    connection: socket.socket
    group: str
    rest: bytes = b""
    pos: bytes = b""
    deltas: int = 0
    wanted: float | None = None
    went_s: float = 0.0
    shown_s: float = float("inf")


@dataclass(slots=True)
class _Crowd:
    poll: select.epoll = field(default_factory=select.epoll)
    clients: dict[int, _Client] = field(default_factory=dict)
    delays_s: "array.array[float]" = field(default_factory=lambda: array.array("d"))
    frames: int = 0
    size: int = 0
    breaks: int = 0
    closed: int = 0

    def obey(self, command: Command) -> object:
        match command:
            case Join():
                self._join(command)
            case Take():
                return self._seen()
            case Halt():
                for fd, _ in self._of(command.group):
                    self.poll.unregister(fd)
            case Go():
                for fd, client in self._of(command.group):
                    client.wanted, client.went_s = command.stamp, time.monotonic()
                    self.poll.register(fd, select.EPOLLIN)
            case Leave():
                for fd, client in self._of(command.group):
                    client.connection.close()
                    del self.clients[fd]
        return None

    def _of(self, group: str) -> list[tuple[int, _Client]]:
        return [each for each in self.clients.items() if each[1].group == group]

    def _join(self, join: Join) -> None:
        for _ in range(join.count):
            client = _opened(join)
            fd = client.connection.fileno()
            self.clients[fd] = client
            if join.reads:
                self.poll.register(fd, select.EPOLLIN)

    def read(self, fd: int) -> None:
        client = self.clients[fd]
        try:
            came = client.connection.recv(READ_BYTES)
        except ConnectionError:
            came = b""
        now_s = time.monotonic()
        if not came:
            self.poll.unregister(fd)
            client.connection.close()
            del self.clients[fd]
            self.closed += 1
            return
        came, at, end = client.rest + came, 0, len(client.rest) + len(came)
        while at + 2 <= end:
            head, size = at + 2, came[at + 1]
            if size == _SHORT:
                head, size = at + 4, int.from_bytes(came[at + 2 : at + 4], "big")
            elif size == _LONG:
                head, size = at + 10, int.from_bytes(came[at + 2 : at + 10], "big")
            if head + size > end:
                break
            self._frame(client, came[head : head + size], now_s)
            self.size += head + size - at
            at = head + size
        client.rest = came[at:]

    def _frame(self, client: _Client, text: bytes, now_s: float) -> None:
        self.frames += 1
        if text.startswith(b'{"op":"delta"'):
            client.deltas += 1
            since, pos = _between(text, b'"from":"'), _between(text, b'"pos":"')
            self.breaks += client.pos not in (b"", since)
            client.pos = pos
            at = text.index(STAMP) + len(STAMP)
            stamp = float(text[at : text.index(b",", at)])
            self.delays_s.append(now_s - stamp)
            if client.wanted is not None and stamp >= client.wanted:
                client.shown_s, client.wanted = now_s - client.went_s, None
        elif text.startswith(b'{"op":"ping"'):
            client.connection.send(_frame('{"op":"pong"}'))

    def _seen(self) -> Seen:
        deltas = [one.deltas for one in self.clients.values() if one.deltas] or [0]
        shown_s = tuple(one.shown_s for one in self.clients.values() if one.went_s)
        seen = Seen(
            self.delays_s,
            self.frames,
            self.size,
            self.breaks,
            self.closed,
            min(deltas),
            max(deltas),
            shown_s,
        )
        self.delays_s = array.array("d")
        self.frames = self.size = self.breaks = 0
        for client in self.clients.values():
            client.deltas = 0
        return seen


def crowd(control: Connection) -> None:
    """The process: read what comes, and do what is asked in between."""
    own, ask = _Crowd(), control.fileno()
    own.poll.register(ask, select.EPOLLIN)
    while True:
        for fd, _ in own.poll.poll():
            if fd != ask:
                own.read(fd)
                continue
            try:
                command: Command = control.recv()
            except EOFError:
                return
            if command is None:
                return
            control.send(own.obey(command))


def _opened(join: Join) -> _Client:
    connection = socket.socket()
    connection.settimeout(_OPEN_S)
    if join.rcvbuf is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, join.rcvbuf)
    connection.connect((HOST, join.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(
        f"GET /live HTTP/1.1\r\nHost: {HOST}:{join.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: c29uZ3RpZW4tYmVuY2gtMQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: live.v1\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        came = connection.recv(READ_BYTES)
        if not came:
            raise ConnectionError(f"the server answered {answer!r} and closed")
        answer += came
    head, _, rest = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        raise ConnectionError(f"the server answered {head!r}")
    connection.sendall(b"".join(map(_frame, join.texts)))
    return _Client(connection, join.group, rest)


def _frame(text: str) -> bytes:
    """A client's frame, masked with zeros: which leaves it as it is (RFC 6455, 5.3)."""
    body = text.encode()
    if len(body) < _SHORT:
        return b"\x81" + bytes([0x80 | len(body)]) + bytes(4) + body
    return b"\x81\xfe" + len(body).to_bytes(2, "big") + bytes(4) + body


def _between(text: bytes, name: bytes) -> bytes:
    at = text.index(name) + len(name)
    return text[at : text.index(b'"', at)]
