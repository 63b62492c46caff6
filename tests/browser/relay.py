"""A cable that a test can cut: a TCP relay between the browser and the live socket."""

import socket
import threading

CHUNK_BYTES = 65_536
JOIN_S = 5.0


class Relay:
    """Listens on a port of its own and passes everything on to `target`, while it is whole."""

    def __init__(self) -> None:
        self.target: int | None = None
        self._whole = True
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._pumps: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name="relay", daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """All connections end, and new ones fail, until `mend`."""
        with self._lock:
            self._whole = False
            for each in self._open:
                _end(each)

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def close(self) -> None:
        self.cut()
        _end(self._listener)
        self._listener.close()
        for thread in [self._accepting, *self._pumps]:
            thread.join(JOIN_S)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed: the test is over
            far = self._reach()
            if far is None:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                pump = threading.Thread(target=self._pump, args=(source, sink), daemon=True)
                self._pumps.append(pump)
                pump.start()

    def _reach(self) -> socket.socket | None:
        with self._lock:
            whole, target = self._whole, self.target
        if not whole or target is None:
            return None
        try:
            return socket.create_connection(("127.0.0.1", target), timeout=JOIN_S)
        except OSError:
            return None  # the service is away; the browser hears it as a refusal

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        source.settimeout(None)
        try:
            while data := source.recv(CHUNK_BYTES):
                sink.sendall(data)
        except OSError:
            data = b""  # either end is gone, or the cable is cut
        finally:
            # The other pump of the pair ends by this; each closes the end it reads.
            _end(sink)
            with self._lock:
                self._open.discard(source)
            source.close()


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
