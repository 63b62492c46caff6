"""A cable that a test can cut, stop, or have swallow everything: a TCP relay."""

import socket
import threading
from dataclasses import dataclass

CHUNK_BYTES = 65_536
SLOW_BUFFER_BYTES = 4_096
"""What a slow line holds: one with more would be late, and not only slow."""

JOIN_S = 5.0


@dataclass(eq=False, slots=True)
class _Pair:
    """The two ends of a connection; the far one is None where it was never reached."""

    near: socket.socket
    far: socket.socket | None
    swallowed: bool = False
    bytes_per_s: float | None = None


class Relay:
    """Listens on a port of its own and passes everything on to `target`, while it is whole."""

    def __init__(self, target: int | None = None) -> None:
        self.target = target
        self.connections = 0
        self.swallowed_bytes = 0
        self._whole = True
        self._swallows = False
        self._bytes_per_s: float | None = None
        self._closed = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._pumps: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name="relay", daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """All connections end, and new ones fail, until `mend`."""
        with self._lock:
            self._whole = False
            for pair in self._pairs:
                _end(pair)

    def swallow(self) -> None:
        """What comes is swallowed, and neither end hears of it; new connections too.

        After `mend` that holds on for the connections of before: the way has forgotten them.
        """
        with self._lock:
            self._swallows = True
            for pair in self._pairs:
                pair.swallowed = True

    def hold(self) -> None:
        """Nothing passes, and nothing is lost, until `mend`."""
        self._flows.clear()

    def slow(self, bytes_per_s: float) -> None:
        """Connections that are made before `mend` pass so much each way, for as long as they are.

        Those of before stay as they are.
        """
        with self._lock:
            self._bytes_per_s = bytes_per_s

    def mend(self) -> None:
        with self._lock:
            self._whole, self._swallows, self._bytes_per_s = True, False, None
        self._flows.set()

    def close(self) -> None:
        self.cut()
        self._flows.set()
        self._closed.set()
        _shut(self._listener)
        self._listener.close()
        for thread in [self._accepting, *self._pumps]:
            thread.join(JOIN_S)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed: the test is over
            pair = self._paired(near)
            if pair is None:
                near.close()
                continue
            for back in (False, True):
                pump = threading.Thread(target=self._pump, args=(pair, back), daemon=True)
                self._pumps.append(pump)
                pump.start()

    def _paired(self, near: socket.socket) -> _Pair | None:
        with self._lock:
            whole, swallows, target = self._whole, self._swallows, self.target
            bytes_per_s = self._bytes_per_s
        if not whole or target is None:
            return None
        far = None
        if not swallows:
            try:
                far = _connected(target, narrow=bytes_per_s is not None)
            except OSError:
                return None  # the other side is away; this one hears it as a refusal
            far.settimeout(None)
        pair = _Pair(near, far, swallows, bytes_per_s)
        with self._lock:
            self.connections += 1
            self._pairs.add(pair)
            if not self._whole:
                _end(pair)
        return pair

    def _pump(self, pair: _Pair, back: bool) -> None:
        source, sink = (pair.far, pair.near) if back else (pair.near, pair.far)
        if source is None:
            return
        try:
            while data := source.recv(SLOW_BUFFER_BYTES if pair.bytes_per_s else CHUNK_BYTES):
                self._flows.wait()
                if pair.bytes_per_s:
                    self._closed.wait(len(data) / pair.bytes_per_s)
                if pair.swallowed or sink is None:
                    self.swallowed_bytes += len(data)
                else:
                    sink.sendall(data)
        except OSError:
            data = b""  # either end is gone, or the cable is cut
        finally:
            # The other pump of the pair ends by this; each closes the end it reads. Of a
            # connection that was swallowed the other end never hears, until the cable is cut.
            if sink is not None and not (pair.swallowed and self._whole):
                _shut(sink)
                with self._lock:
                    self._pairs.discard(pair)
            source.close()


def _connected(target: int, *, narrow: bool) -> socket.socket:
    """narrow : takes little before it is read, so that the sender feels the line"""
    made = socket.socket()
    try:
        if narrow:
            # The window is agreed on when the connection is made, so this comes before.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        made.settimeout(JOIN_S)
        made.connect(("127.0.0.1", target))
    except OSError:
        made.close()
        raise
    return made


def _end(pair: _Pair) -> None:
    for each in (pair.near, pair.far):
        if each is not None:
            _shut(each)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
