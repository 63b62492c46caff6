"""A live service is never fed unasked; a demo, a lost one or none may be."""

import asyncio

import aiomqtt
import pytest

from simulators.guard import LiveServiceError, refuse_live
from simulators.message import Message
from simulators.publish import Broker, Publisher
from tests.conftest import Mosquitto
from tests.simulators.fakebroker import WELCOME

pytestmark = pytest.mark.broker


def _retained(url: str, states: dict[str, bytes]) -> None:
    messages = [
        Message(0, f"tiengiang/v1/server/{host}/state", payload, retain=True)
        for host, payload in states.items()
    ]
    asyncio.run(Publisher(Broker.of(url), messages).run())


def _refuse(url: str, root: str = "tiengiang") -> None:
    asyncio.run(refuse_live(Broker.of(url), root, wait_s=0.3))


@pytest.mark.parametrize(
    "state",
    [
        b'{"s":"ready","t":1,"demo":false}',
        b'{"s":"ready","t":1}',
        b"ready",
        b'{"s":"ready","demo":"yes"}',
        b"\xff",
        pytest.param(b'{"s":"lost","x":' + b"[" * 5000 + b"]" * 5000 + b"}", id="deep"),
    ],
)
def test_a_ready_service_or_one_that_cannot_be_read_is_refused(
    mosquitto: Mosquitto, state: bytes
) -> None:
    _retained(mosquitto.url, {"a": b'{"s":"lost","t":1}', "control-1": state})
    with pytest.raises(LiveServiceError, match=r"'control-1' is ready .* --into-live") as caught:
        _refuse(mosquitto.url)
    assert caught.value.host == "control-1"


@pytest.mark.parametrize(
    "states",
    [
        {},
        {"a": b'{"s":"ready","t":1,"demo":true}'},
        {"a": b'{"s":"lost","t":1,"demo":false}', "b": b'{"s":"ready","demo":true,"x":1}'},
    ],
)
def test_no_service_a_demo_and_a_lost_one_are_not(
    mosquitto: Mosquitto, states: dict[str, bytes]
) -> None:
    _retained(mosquitto.url, states)
    _refuse(mosquitto.url)


def test_another_root_is_another_service(mosquitto: Mosquitto) -> None:
    _retained(mosquitto.url, {"a": b'{"s":"ready"}'})
    _refuse(mosquitto.url, root="bentre")


def test_a_broker_that_does_not_let_us_look_is_not_taken_for_an_empty_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(1000):
            if said[0] >> 4 == 1:
                writer.write(WELCOME)
            elif said[0] >> 4 == 8:
                writer.write(b"\x90\x03" + said[2:4] + b"\x80")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            broker = Broker("127.0.0.1", server.sockets[0].getsockname()[1])
            with pytest.raises(aiomqtt.MqttError, match=r"does not let us hear .* --into-live"):
                await refuse_live(broker, "tiengiang", wait_s=0.3)

    asyncio.run(run())
