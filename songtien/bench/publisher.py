"""A publisher that is not the bottleneck: packets encoded beforehand, written in bulk.

    python -m songtien.bench.publisher PORT FILE COUNT

says `ready` when it is connected, begins at a line on its standard input, and ends when all
COUNT packets of FILE have been acknowledged by the broker. Imports nothing of ours that
takes time.
"""

import selectors
import socket
import sys
from pathlib import Path

from simulators.packets import connect

CHUNK_BYTES = 65_536
WELCOME = b"\x20\x02\x00\x00"
PUBACK_BYTES = 4


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[3])
    packets = memoryview(Path(sys.argv[2]).read_bytes())
    broker = socket.create_connection(("127.0.0.1", port))
    broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    broker.sendall(connect("songtien-bench-publisher"))
    answer = broker.recv(len(WELCOME), socket.MSG_WAITALL)
    if answer != WELCOME:
        raise ConnectionError(f"the broker does not welcome us: {answer.hex()}")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    _send(broker, packets, count)


def _send(broker: socket.socket, packets: memoryview, count: int) -> None:
    broker.setblocking(False)
    waiting = selectors.DefaultSelector()
    both = selectors.EVENT_READ | selectors.EVENT_WRITE
    waiting.register(broker, both)
    written, answered = 0, 0
    while answered < count * PUBACK_BYTES:
        for _, events in waiting.select():
            if events & selectors.EVENT_READ:
                answer = broker.recv(CHUNK_BYTES)
                if not answer:
                    raise ConnectionError("the broker hung up")
                answered += len(answer)
            if events & selectors.EVENT_WRITE and written < len(packets):
                written += broker.send(packets[written : written + CHUNK_BYTES])
                if written == len(packets):
                    waiting.modify(broker, selectors.EVENT_READ)


if __name__ == "__main__":
    main()
