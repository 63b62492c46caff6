"""Record what a broker says, byte for byte, with the times at which it came.

A message is written in the turn of the event loop that reads it off the socket, and then it is
acknowledged: none waits in memory, and a disk that is slower than the feed holds the broker back
by TCP. What waits then, waits in the broker, as far as it holds it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiomqtt

from ingest.faults import ConfigError, Fault
from ingest.journal import Journal, Messages
from simulators.broker import Broker
from simulators.ear import Ear, RefusedError, Said
from simulators.link import LinkError
from simulators.message import Message
from simulators.recording import PAYLOAD_BYTES_MAX, Gap, Writer

FLUSH_S: Final = 1.0
"""A recorder that is killed has lost no more than this."""

KEEPALIVE_S: Final = 10.0
RETRY_S_MIN: Final = 0.1
RETRY_S_MAX: Final = 5.0

LOG = logging.getLogger("songtien.record")


@dataclass(frozen=True, slots=True)
class Heard:
    """What has been recorded so far. `at_ms` is the time of the newest message, 0 before one."""

    messages: int = 0
    payload_bytes: int = 0
    gaps: int = 0
    too_large: int = 0
    at_ms: int = 0


class Recorder:
    """From one connection after another into one file.

    opened : opens the file, once the broker has been there
    topics : filters to subscribe to, with QoS 1
    clock_ms : our clock; a time that it steps back from stands still instead
    progress : told about once a second
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        opened: Callable[[], Writer],
        *,
        clock_ms: Callable[[], int],
        progress: Callable[[Heard], None] | None = None,
    ) -> None:
        self._broker = broker
        self._topics = list(topics)
        self._opened = opened
        self._clock_ms = clock_ms
        self._progress = progress
        self._writer: Writer | None = None
        self._dirty = False
        self._at_ms = 0
        self._newest_ms = 0
        self._lost_ms: int | None = None
        self._failure: OSError | None = None
        self._v5 = True
        self._messages = self._bytes = self._gaps = self._too_large = 0

    @property
    def heard(self) -> Heard:
        return Heard(self._messages, self._bytes, self._gaps, self._too_large, self._newest_ms)

    async def run(self, stop: asyncio.Event) -> Heard:
        """Record until `stop` is set, and leave a whole file.

        Raises MqttError where the broker can't be reached at first, or refuses the topics, and
        OSError where the file can't be written.
        """
        flushing = asyncio.create_task(self._flush_now_and_then(stop))
        try:
            await self._connections(stop)
            if self._lost_ms is not None and self._writer is not None:
                self._end_gap()
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            self._close()
        if self._failure is not None:
            raise self._failure
        return self.heard

    def _close(self) -> None:
        if self._writer is None:
            return
        try:
            self._writer.close()
        except OSError as error:
            self._failure = self._failure or error

    async def _connections(self, stop: asyncio.Event) -> None:
        delay_s = RETRY_S_MIN
        while not stop.is_set() and self._failure is None:
            before = self._messages
            try:
                error = await self._one_connection(stop)
            except RefusedError as refused:
                raise aiomqtt.MqttError(str(refused)) from refused
            if error is None:
                return
            if self._writer is None and self._v5:
                self._v5 = False  # it may know the older protocol alone
                continue
            if self._writer is None:
                raise aiomqtt.MqttError(str(error)) from error
            if self._lost_ms is None:
                self._lost_ms = self._sign_of_life_ms()
                LOG.warning("%s:%d is lost: %s", self._broker.host, self._broker.port, error)
            delay_s = RETRY_S_MIN if self._messages > before else min(2 * delay_s, RETRY_S_MAX)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await stop.wait()

    async def _one_connection(self, stop: asyncio.Event) -> LinkError | None:
        """Record over one connection; what ended it, or None when it was us."""
        ear = Ear(v5=self._v5)
        begun_ms = self._now_ms()
        try:
            await ear.open(self._broker, self._topics, KEEPALIVE_S)
        except LinkError as error:
            return error
        stopping = asyncio.ensure_future(stop.wait())
        try:
            if self._writer is None:
                self._writer = self._opened()
                self._writer.header({"from": begun_ms, "topics": self._topics})
            if self._lost_ms is not None:
                self._end_gap()
                LOG.warning("%s:%d is back", self._broker.host, self._broker.port)
            ear.listen(lambda said: self._take(said, stop))
            await asyncio.wait((ear.over, stopping), return_when=asyncio.FIRST_COMPLETED)
            # Where both came in one turn of the loop it was lost: the gap is noted.
            return ear.over.result() if ear.over.done() else None
        finally:
            stopping.cancel()
            await ear.close()

    def _take(self, said: Sequence[Said], stop: asyncio.Event) -> None:
        """Write what one read has brought: it came together, at one time."""
        if self._failure is not None:
            return
        assert self._writer is not None
        self._newest_ms = at_ms = self._now_ms()
        try:
            for topic, payload, retain in said:
                if len(payload) > PAYLOAD_BYTES_MAX:
                    self._too_large += 1
                    continue
                self._writer.message(at_ms, topic, payload, retain=retain)
                self._messages += 1
                self._bytes += len(payload)
        except OSError as error:
            self._failure = error
            stop.set()
        self._dirty = True

    async def _flush_now_and_then(self, stop: asyncio.Event) -> None:
        while self._failure is None:
            await asyncio.sleep(FLUSH_S)
            if self._progress is not None:
                self._progress(self.heard)
            if self._writer is not None and self._dirty:
                self._dirty = False
                try:
                    self._writer.flush()
                except OSError as error:
                    self._failure = error
                    stop.set()

    def _end_gap(self) -> None:
        """Say in the file when nothing was heard."""
        assert self._writer is not None
        assert self._lost_ms is not None
        gap = Gap(gap="connection lost", from_ms=self._lost_ms, to_ms=self._now_ms())
        self._writer.gap(gap)
        self._gaps += 1
        self._lost_ms = None

    def _sign_of_life_ms(self) -> int:
        """Since when nothing may have come: the keepalive would have found it out after so long."""
        return max(self._newest_ms, self._now_ms() - round(1000 * KEEPALIVE_S))

    def _now_ms(self) -> int:
        self._at_ms = max(self._at_ms, self._clock_ms())
        return self._at_ms


def journal_messages(
    directory: Path, *, from_ms: int = 0, to_ms: int | None = None
) -> Iterator[Message]:
    """The messages in a service's journal that arrived in [from, to), also while it runs.

    The journal holds them as they came, as far back as `data.journal_days` says. Whether they
    were sent to be retained, it does not know.
    """
    path = directory / "journal.sqlite"
    if not path.is_file():
        accepted = "accepted is a service's data directory, with its journal.sqlite"
        raise ConfigError([Fault("options", "--from-data", str(directory), accepted)])
    return _entries(path, from_ms, to_ms)


def _entries(path: Path, from_ms: int, to_ms: int | None) -> Iterator[Message]:
    journal = Journal(path, lambda: 0)  # nothing is appended, so nothing is stamped
    try:
        for _, at_ms, entry in journal.all_after(0):
            if to_ms is not None and at_ms >= to_ms:
                return
            if isinstance(entry, Messages) and at_ms >= from_ms:
                for topic, payload in zip(entry.topics, entry.payloads, strict=True):
                    yield Message(at_ms, topic, payload)
    finally:
        journal.close()
