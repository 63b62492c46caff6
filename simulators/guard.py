"""Whether a broker may be fed with what is not measured: never unasked where a service is live."""

import asyncio

import msgspec

from ingest.refusal import UNREADABLE
from simulators.broker import Broker, LinkError
from simulators.packets import REFUSED_FROM

WAIT_S = 1.0
"""How long retained states are waited for. A broker sends them right behind its SUBACK, but
nothing says that there is none."""


class LiveServiceError(Exception):
    """A service that is no demo listens to the broker."""

    def __init__(self, host: str, broker: Broker) -> None:
        self.host = host
        super().__init__(
            f"broker {broker.host}:{broker.port}: the service {host!r} is ready there and is no "
            f"demo; simulated or replayed readings would stand among real ones. With --into-live "
            f"they are sent, marked as simulated"
        )


class _ServerState(msgspec.Struct):
    s: str
    demo: bool = False


_STATE = msgspec.json.Decoder(_ServerState)


async def refuse_live(broker: Broker, root: str, *, wait_s: float = WAIT_S) -> None:
    """Raise `LiveServiceError` if a service that is no demo is ready under `root`.

    A state that can't be read counts as a live service: to be wrong that way is harmless.
    """
    async with broker.client() as client:
        topic = f"{root}/v1/server/+/state"
        (code,) = await client.subscribe(topic, qos=1)
        if (code if isinstance(code, int) else code.value) >= REFUSED_FROM:
            raise LinkError(
                f"it does not let us hear {topic}, so whether a real service listens isn't known; "
                f"with --into-live samples are sent all the same, marked as simulated"
            )
        try:
            async with asyncio.timeout(wait_s):
                async for message in client.messages:
                    if _is_live(message.payload):
                        host = str(message.topic).split("/")[-2]
                        raise LiveServiceError(host, broker)
        except TimeoutError:
            return


def _is_live(payload: object) -> bool:
    if not isinstance(payload, bytes | bytearray):
        return True
    if not payload:
        return False  # a retained state that was taken back
    try:
        state = _STATE.decode(payload)
    except UNREADABLE:
        return True
    return state.s == "ready" and not state.demo
