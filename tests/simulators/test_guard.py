"""A live service is never fed unasked; a demo, a lost one or none may be."""

import asyncio

import pytest

from simulators.guard import LiveServiceError, refuse_live
from simulators.message import Message
from simulators.publish import Broker, Publisher
from tests.conftest import Mosquitto

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
