"""One WebSocket of the live socket: frames by the short way in and out, and bounds of what
the library would keep for a peer without any.

websockets does the handshake, parsing, closing, and whatever is rare. What comes a thousand
times a second doesn't need its queue and a task's turn for each message, nor a frame made
anew for each client: a text that is whole goes straight to `take`, and what is sent is put
on the transport as it is.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN

SHARED_MAX = 32
"""Frames kept for sharing: of all who are sent the same text it is made once."""

PARTS_MAX = 256
"""Frames of one fragmented message. The library bounds their bytes, not how many are empty."""

UNREAD_BYTES_MAX = 1_000_000
"""Of answers that a peer lets lie while it goes on pinging (RFC 6455, 5.5.2); then it is cut
off. What the protocol itself may have in flight is far below."""

connections_log = logging.getLogger(__name__)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Anybody can fail a handshake: that is no error of ours, and worth no traceback."""
    if record.exc_info and record.msg == "opening handshake failed":
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.why = str(record.exc_info[1])
        record.exc_info = None
    return True


connections_log.addFilter(_in_one_line)


class Wire(ServerConnection):
    """take : gets each whole text; whatever else comes is read from the connection as ever."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.take: Callable[[str], None] | None = None
        self._parts = 0

    def process_event(self, event: Any) -> None:
        """The library's call for each frame, and for the handshake's request."""
        if not isinstance(event, Frame):
            super().process_event(event)
            return
        if event.opcode is Opcode.TEXT and event.fin and self.take is not None:
            # What came before and is still queued goes first.
            if len(self.recv_messages.frames) == 0 and self._took(event):
                return
        elif event.opcode is Opcode.PING:
            if self.transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
                self.transport.abort()
        elif event.opcode is Opcode.CONT or not event.fin:
            self._parts = 0 if event.fin else self._parts + 1
            if self._parts > PARTS_MAX:
                self.protocol.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {PARTS_MAX} fragments")
                self.send_data()
                return
        super().process_event(event)

    def _took(self, event: Frame) -> bool:
        assert self.take is not None
        try:
            text = str(event.data, "utf-8")
        except UnicodeDecodeError:
            return False  # The library knows how to close for it (1007).
        self.take(text)
        return True

    def write(self, texts: Sequence[str]) -> int:
        """Put texts on the wire in one write, which never waits; how many bytes that were.

        Nothing may follow a closing frame, so nothing goes where that has begun.
        """
        if self.protocol.state is not OPEN:
            return 0
        frames = framed(texts[0]) if len(texts) == 1 else b"".join(map(framed, texts))
        self.transport.write(frames)
        return len(frames)


@lru_cache(maxsize=SHARED_MAX)
def framed(text: str) -> bytes:
    """A text as a frame of a server: final, neither masked nor deflated (RFC 6455, 5.2)."""
    body = text.encode()
    size = len(body)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + body
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body
