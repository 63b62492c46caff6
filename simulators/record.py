"""Record what a broker says, byte for byte, with the times at which it came.

A message is written where the client hands it over, in the thread that reads the socket: none
waits in memory, and a disk that is slower than the feed holds the broker back by TCP. What
waits then, waits in the broker, as far as its `max_queued_messages`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.faults import ConfigError, Fault
from ingest.journal import Journal, Messages
from simulators.broker import Broker
from simulators.message import Message
from simulators.recording import PAYLOAD_BYTES_MAX, Gap, Writer

FLUSH_S: Final = 1.0
"""A recorder that is killed has lost no more than this."""

KEEPALIVE_S: Final = 10
RETRY_S_MIN: Final = 0.1
RETRY_S_MAX: Final = 5.0
REFUSED_FROM: Final = 128
"""A SUBACK's code from here on is a refusal (MQTT 5, 3.9.3)."""

LOG = logging.getLogger("songtien.record")


class RefusedError(aiomqtt.MqttError):
    """The broker does not let us hear what was asked for."""


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
        self._early: list[tuple[int, aiomqtt.Message]] = []
        self._dirty = False
        self._at_ms = 0
        self._newest_ms = 0
        self._lost_ms: int | None = None
        self._failure: OSError | None = None
        # MQTT 5 tells which messages were sent to be retained; older brokers don't.
        self._protocol = aiomqtt.ProtocolVersion.V5
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
        tried_old = False
        while not stop.is_set() and self._failure is None:
            before = self._messages
            error = await self._one_connection(stop)
            if error is None:
                return
            if isinstance(error, RefusedError):
                raise error
            if self._writer is None:
                if tried_old:
                    raise error
                self._early.clear()
                tried_old, self._protocol = True, aiomqtt.ProtocolVersion.V311
                continue
            if self._lost_ms is None:
                self._lost_ms = self._sign_of_life_ms()
                LOG.warning("%s:%d is lost: %s", self._broker.host, self._broker.port, error)
            delay_s = RETRY_S_MIN if self._messages > before else min(2 * delay_s, RETRY_S_MAX)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await stop.wait()

    async def _one_connection(self, stop: asyncio.Event) -> aiomqtt.MqttError | None:
        """Record over one connection; what ended it, or None when it was us."""
        try:
            async with self._client(stop) as client:
                if self._lost_ms is not None:
                    self._end_gap()
                    LOG.warning("%s:%d is back", self._broker.host, self._broker.port)
                begun_ms = self._now_ms()
                await self._subscribe(client)
                if self._writer is None:
                    self._begin(begun_ms)
                watching = asyncio.ensure_future(_until_lost(client))
                stopping = asyncio.ensure_future(stop.wait())
                try:
                    await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
                    if watching.done():
                        watching.result()
                finally:
                    for task in (watching, stopping):
                        task.cancel()
                    await asyncio.gather(watching, stopping, return_exceptions=True)
        except aiomqtt.MqttError as error:
            return error
        return None

    def _begin(self, begun_ms: int) -> None:
        """Open the file, now that there is something to hear."""
        self._writer = self._opened()
        self._writer.header({"from": begun_ms, "topics": self._topics})
        early, self._early = self._early, []
        for at_ms, message in early:
            self._write(at_ms, message)

    def _client(self, stop: asyncio.Event) -> aiomqtt.Client:
        def queue(maxsize: int = 0) -> _Straight:
            return _Straight(maxsize, lambda message: self._take(message, stop))

        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            tls_context=self._broker.context(),
            timeout=10.0,
            keepalive=KEEPALIVE_S,
            protocol=self._protocol,
            queue_type=queue,  # type: ignore[arg-type] # it is called, and nothing else
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        if self._protocol is aiomqtt.ProtocolVersion.V5:
            as_sent = SubscribeOptions(qos=1, retainAsPublished=True)
            answers = await client.subscribe([(topic, as_sent) for topic in self._topics])
        else:
            answers = await client.subscribe([(topic, 1) for topic in self._topics])
        for topic, answer in zip(self._topics, answers, strict=False):
            code = answer if isinstance(answer, int) else int(getattr(answer, "value", 0))
            if code >= REFUSED_FROM:
                raise RefusedError(f"it does not let us hear {topic} (code {code})")

    def _take(self, message: aiomqtt.Message, stop: asyncio.Event) -> None:
        self._newest_ms = self._now_ms()
        if self._writer is None:
            # Retained ones may come before we have seen that the broker agrees.
            self._early.append((self._newest_ms, message))
        elif self._failure is None:
            try:
                self._write(self._newest_ms, message)
            except OSError as error:
                self._failure = error
                stop.set()

    def _write(self, at_ms: int, message: aiomqtt.Message) -> None:
        payload = message.payload
        assert self._writer is not None
        assert isinstance(payload, bytes | bytearray)
        if len(payload) > PAYLOAD_BYTES_MAX:
            self._too_large += 1
            return
        self._writer.message(at_ms, str(message.topic), bytes(payload), retain=bool(message.retain))
        self._dirty = True
        self._messages += 1
        self._bytes += len(payload)

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
        return max(self._newest_ms, self._now_ms() - 1500 * KEEPALIVE_S)

    def _now_ms(self) -> int:
        self._at_ms = max(self._at_ms, self._clock_ms())
        return self._at_ms


class _Straight(asyncio.Queue[aiomqtt.Message]):
    """A queue in which nothing is ever held: what is put into it is handed on at once."""

    def __init__(self, maxsize: int, take: Callable[[aiomqtt.Message], None]) -> None:
        super().__init__(maxsize)
        self._take = take

    def put_nowait(self, item: aiomqtt.Message) -> None:
        self._take(item)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection ends."""
    async for _ in client.messages:
        pass


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
