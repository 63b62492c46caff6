"""What `songtien simulate` calls: a scenario to a broker or into a file."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.faults import ConfigError, Fault
from ingest.registry import Registry
from simulators import scenario as scenarios
from simulators.guard import refuse_live
from simulators.message import Message
from simulators.publish import Progress
from simulators.recording import write_messages
from simulators.run import Report, broker_of, check_speed, pace_of, published

DAY_MS = 86_400_000


async def simulate(
    scenario: str,
    *,
    registry: Registry,
    root: str,
    broker_url: str | None = None,
    out: Path | None = None,
    seed: int = 1,
    speed: float = 1.0,
    duration_ms: int = DAY_MS,
    now_ms: int | None = None,
    start_ms: int | None = None,
    into_live: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Publish a scenario to a broker, or write it to the file `out`.

    now_ms : the time of day, to play it at the present: it begins now, or ends now when it is
        played faster than life. None, or a file: it begins at `start_ms`, by default the
        scenario's own date
    speed : 1.0 is life, `MAX_SPEED` as fast as can be; a file is always written at once

    Raises `ConfigError` for what can't be used, `LiveServiceError` where a real service
    listens, `aiomqtt.MqttError` where the broker can't be reached.
    """
    chosen = scenarios.load(scenario)
    if (broker_url is None) == (out is None):
        accepted = "accepted is one of a broker and a file"
        raise ConfigError([Fault("simulate", "broker", broker_url, accepted)])
    check_speed(speed, "simulate")
    begin_ms = chosen.start_ms if start_ms is None else start_ms
    if now_ms is not None and start_ms is None and out is None:
        begin_ms = now_ms - (duration_ms if speed > 1.0 else 0)
    messages = scenarios.messages(
        chosen.world(registry, seed, begin_ms),
        root=root,
        start_ms=begin_ms,
        duration_ms=duration_ms,
        sim=into_live,
    )
    if out is not None:
        return await _written(out, messages)
    assert broker_url is not None
    broker = broker_of(broker_url, "simulate")
    if not into_live:
        await refuse_live(broker, root)
    return await published(broker, messages, pace_of(begin_ms, speed), progress)


async def _written(out: Path, messages: Iterator[Message]) -> Report:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    count, samples = await asyncio.to_thread(write_messages, out, messages)
    return Report(count, samples, count, samples, loop.time() - begun_s)
