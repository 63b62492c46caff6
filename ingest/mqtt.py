"""The broker: the only importer of paho.

paho runs its own thread per connection and hands messages over unacknowledged. An
acknowledgement belongs to the connection that brought the message: message ids start
again with each session, and an old one must never settle a new message. So each
connection is a `Link` of its own with a paho client of its own, and dies with it.

What is special to a firehose goes round paho: messages are cut out of large reads and
acknowledgements are written by the batch (`ingest.publishes`).
"""

import contextlib
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.broker import BrokerAddress, Subscription
from ingest.daemon import Daemon
from ingest.link import Delivery
from ingest.publishes import Publish, Stream, packet_length, pubacks, take_publishes
from ingest.takeovers import QUIET_S, WAIT_S, Takeovers, in_words

log = logging.getLogger(__name__)

KEEPALIVE_S = 10
"""A path that swallows everything is noticed within twice as long: asked, and not answered."""

CONNECT_TIMEOUT_S = 10.0
SESSION_EXPIRY_S = 24 * 3600
RECEIVE_MAXIMUM = 1000
"""Messages that the broker may send before the first is acknowledged: the largest batch."""

DELIVERIES_MAX = 128
"""Bound of the queue to the intake, in reads of up to 256 KiB. QoS 1 can't reach it; at QoS 0
paho's thread waits here, and TCP holds the broker back."""

LOOK_S = 0.5
BACKOFF_MAX_S = 10.0
"""With a try that has just begun to time out we are back within 30 s of the end of a fault."""

TAKEN_OVER = 142
"""Reason code of a DISCONNECT: another client has connected under our id (MQTT 5.0, 3.14.2.1)."""

TIMED_OUT = 141
"""What paho gives where a broker has not said a word."""

NO_ANSWER = "no answer to CONNECT"

MESSAGE_MAX_BYTES = 65_536


class _Client(paho.Client):
    """paho, with messages at QoS 0 and 1 taken off its stream before it sees them.

    A QoS above what was subscribed can't come; paho deals with all other packets.
    """

    stream: Stream | None = None
    taken: Callable[[list[Publish]], None]
    v5: bool

    def _create_socket(self) -> socket.socket:
        # A plain or a TLS socket: we have no proxy of paho's and no websockets.
        self.stream = Stream(cast(socket.socket, super()._create_socket()))
        # It has all that paho asks of a socket, as paho's own wrapper of websockets has.
        return cast(socket.socket, self.stream)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Take all that has come, in order, each packet where it belongs."""
        stream = self.stream
        if stream is None:
            return super().loop_read(max_packets)
        stream.fill()
        while True:
            published = take_publishes(stream.received, v5=self.v5)
            if published:
                self.taken(published)
            length = packet_length(stream.received)
            if not length and not stream.over:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            stream.grant(length)
            result = super().loop_read(max_packets)
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS or not length:
                return result

    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK for all, in one piece: paho's own wakes its thread and writes for each."""
        self._packet_queue(MessageType.PUBACK, pubacks(mids), 0, 1)


class Link:
    """One connection to the broker, from its CONNECT to its end."""

    def __init__(
        self,
        address: BrokerAddress,
        said: Subscription,
        out: SimpleQueue[Delivery],
        protocol: MQTTProtocolVersion,
        takeovers: Takeovers,
    ) -> None:
        self.ended = threading.Event()
        self.connected = threading.Event()
        self.refused: str | None = None
        self.taken_over = False
        self.welcomed = False
        self._takeovers = takeovers
        self._servers = said.state_topic.rpartition("/")[0].rpartition("/")[0] + "/"
        self._said = said
        self._out = out
        # Held while acknowledging, and taken when the connection ends: afterwards no
        # acknowledgement can reach the wire.
        self._alive = threading.Lock()
        v5 = protocol == MQTTProtocolVersion.MQTTv5
        self._client = _Client(
            CallbackAPIVersion.VERSION2,
            address.client_id,
            clean_session=None if v5 else False,
            protocol=protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.v5 = v5
        self._client.taken = self._taken
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._client.max_inflight_messages_set(RECEIVE_MAXIMUM)
        if address.username is not None:
            self._client.username_pw_set(address.username, address.password)
        if address.tls:
            context = ssl.create_default_context(cafile=address.ca_file)
            self._client.tls_set_context(context)
        last_will = takeovers.begin(said.lost())
        self._client.will_set(said.state_topic, last_will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        extra: dict[str, Any] = {}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            properties.MaximumPacketSize = 2 * MESSAGE_MAX_BYTES
            extra = {"clean_start": False, "properties": properties}
        self._v5 = v5
        self._client.connect(address.host, address.port, KEEPALIVE_S, **extra)
        self._client.loop_start()

    def ack(self, published: Sequence[Publish]) -> None:
        """Settle messages, in order, unless the connection that brought them has ended."""
        mids = [mid for mid, qos, _, _ in published if qos]
        with self._alive:
            if mids and not self.ended.is_set():
                self._client.acknowledge(mids)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    def close(self, last_word: bytes | None = None) -> None:
        """End the connection, saying a last word on the state topic if there is time."""
        if self.connected.is_set() and not self.ended.is_set() and last_word is not None:
            said = self._client.publish(self._said.state_topic, last_word, qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                said.wait_for_publish(2.0)
        self._client.disconnect()
        # paho's thread may end just now by itself: loop_stop then trips over what it left.
        with contextlib.suppress(AttributeError):
            self._client.loop_stop()
        self._end()

    def _end(self) -> None:
        with self._alive:
            self.ended.set()

    def _on_connect(
        self, client: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            self._end()
            return
        self.welcomed = True
        if self._v5:
            # Not what we say ourselves, but for the canary that proves the way is open, and
            # what the daily test is to hear.
            heard_back = (self._said.own, *self._said.also)
            client.subscribe(
                [
                    (self._said.topics, SubscribeOptions(qos=1, noLocal=True)),
                    *((topic, SubscribeOptions(qos=1)) for topic in heard_back),
                ]
            )
        else:
            client.subscribe(self._said.topics, qos=1)

    def _on_subscribe(
        self, client: paho.Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        failed = [str(reason) for reason in reasons[:2] if reason.is_failure]
        if failed:
            self.welcomed = False
            self.refused = f"subscription to {self._said.topics}: {failed[0]}"
            self._end()
        else:
            # Not before: a broker without our session drops what gateways answer too soon.
            ready = self._takeovers.saying(self._said.ready())
            client.publish(self._said.state_topic, ready, qos=1, retain=True)
            self.connected.set()

    def _on_disconnect(
        self, _c: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.value == TAKEN_OVER:
            self.taken_over = True
            self._takeovers.told(time.monotonic())
        if self.refused is None and not self.connected.is_set():
            self.refused = NO_ANSWER if reason.value == TIMED_OUT else str(reason)
        self._end()

    def _taken(self, published: list[Publish]) -> None:
        for _, _, topic, word in published:
            if topic.startswith(self._servers):
                self._takeovers.hear(word, time.monotonic())
        while self._out.qsize() >= DELIVERIES_MAX and not self.ended.wait(0.01):
            pass
        self._out.put((self, published))


class Broker:
    """Stay connected: one link after another, with jittered backoff between failures."""

    def __init__(
        self,
        address: BrokerAddress,
        said: Subscription,
        on_change: Callable[[bool], None] = lambda _up: None,
        on_death: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        self.address = address
        self.deliveries: SimpleQueue[Delivery] = SimpleQueue()
        self._said = said
        self._on_change = on_change
        self._link: Link | None = None
        self._thread = Daemon("mqtt-supervisor", self._run, on_death)
        self._takeovers = Takeovers(said.mark)
        self._told_contested = False
        self.trouble: str | None = "not yet connected"

    def start(self) -> None:
        self._thread.start()

    @property
    def connected(self) -> bool:
        link = self._link
        return link is not None and link.connected.is_set() and not link.ended.is_set()

    @property
    def takeover(self) -> str | None:
        """That another client goes by our id, in words; also while it is our turn."""
        contested = self._takeovers.contested
        return in_words(self.address.client_id, str(self.address)) if contested else None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the live link; False when there is none."""
        link = self._link
        if link is None or not self.connected:
            return False
        link.publish(topic, payload, retain=retain)
        return True

    def stop(self) -> None:
        """Say "lost" and go, so that gateways store and forward at once."""
        self._thread.stop()
        link = self._link
        if link is not None:
            link.close(self._said.lost())
        self._thread.join(CONNECT_TIMEOUT_S + 1)

    def _run(self) -> None:
        old_only = self.address.protocol == "3.1.1"
        protocol = MQTTProtocolVersion.MQTTv311 if old_only else MQTTProtocolVersion.MQTTv5
        # What a broker speaks is not doubted for a connection that breaks at a bad moment.
        settled = self.address.protocol != "auto"
        failures = 0
        told_lost = False
        while not self._thread.stopping:
            link, trouble, hung_up = self._connect(protocol)
            if link is not None and self._thread.stopping:
                link.close(self._said.lost())  # `stop` may have come too early to see it
            elif link is not None:
                settled = True
                failures, self.trouble = 0, None
                if not self._takeovers.contested:
                    log.info("broker connected", extra={"broker": str(self.address)})
                told_lost = False
                self._on_change(True)
                trouble = self._lived(link)
                self._on_change(False)
                link.close()
            else:
                failures += 1
                if hung_up and not settled:
                    # A broker that knows 3.1.1 alone refuses, or just hangs up. One that isn't
                    # there says nothing of what it will know when it is.
                    v5 = protocol == MQTTProtocolVersion.MQTTv5
                    protocol = MQTTProtocolVersion.MQTTv311 if v5 else MQTTProtocolVersion.MQTTv5
            if self._thread.stopping:
                return
            self.trouble = trouble
            if not told_lost and not self._takeovers.contested:
                log.warning("broker away", extra={"broker": str(self.address), "why": trouble})
                told_lost = True
            self._thread.pause(self._pause_s(failures))

    def _lived(self, link: Link) -> str:
        """Wait until a connection ends; why it did."""
        begun_s = time.monotonic()
        while not link.ended.wait(LOOK_S):
            if self._takeovers.contested and time.monotonic() - begun_s > QUIET_S:
                self._takeovers.quiet()
            self._tell_of_takeovers()
        self._tell_of_takeovers()
        return "taken over by another client of our id" if link.taken_over else "connection lost"

    def _tell_of_takeovers(self) -> None:
        before, self._told_contested = self._told_contested, self._takeovers.contested
        if self._told_contested and not before:
            log.error(self.takeover)
        elif before and not self._told_contested:
            log.warning("no other client of our id", extra={"client_id": self.address.client_id})

    def _pause_s(self, failures: int) -> float:
        """How long to wait before the next try, with jitter."""
        if self._takeovers.contested:
            return random.uniform(*WAIT_S)  # noqa: S311 - jitter, not a secret
        longest_s = min(BACKOFF_MAX_S, 0.5 * 1.6 ** min(failures, 10))
        return random.uniform(0.05, longest_s)  # noqa: S311 - jitter, not a secret

    def _connect(self, protocol: MQTTProtocolVersion) -> tuple[Link | None, str, bool]:
        """A link, or why there is none and whether somebody sent us away."""
        try:
            link = Link(self.address, self._said, self.deliveries, protocol, self._takeovers)
        except (OSError, ValueError) as error:
            return None, str(error), False
        self._link = link
        for _ in range(int(CONNECT_TIMEOUT_S / 0.05)):
            if link.connected.wait(0.05) or link.ended.is_set() or self._thread.stopping:
                break
        if link.connected.is_set() and not link.ended.is_set():
            return link, "", True
        refused = link.refused if link.ended.is_set() else NO_ANSWER
        link.close()
        return None, refused or NO_ANSWER, refused != NO_ANSWER and not link.welcomed
