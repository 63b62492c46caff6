"""What the command line calls: a scenario or a recording, to a broker or into a file."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.faults import ConfigError, Fault
from ingest.payload import SAMPLES_MAX
from ingest.registry import Registry
from simulators import replay as replaying
from simulators import scenario as scenarios
from simulators.guard import refuse_live
from simulators.mapping import CsvMapping
from simulators.message import Message
from simulators.publish import Broker, Progress, Publisher, Wait, at_once, loop_pace
from simulators.recorded import Recorded, mapping_of_file, read_csv
from simulators.recording import write_messages
from simulators.replay import Rebase, rebase_shift_ms, span_ms

MAX_SPEED = math.inf
"""The speed `max`: as fast as the broker acknowledges."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has done. Acknowledged equals offered, or the run has raised.

    skipped : rows of a recording that were not sent, by reason
    left_out : cells that were not sent, by column and reason
    examples : the first of what was bad, each with file, line, column, value and what is accepted
    """

    offered_messages: int
    offered_samples: int
    acknowledged_messages: int
    acknowledged_samples: int
    duration_s: float
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[Fault, ...] = ()


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
    chosen = scenarios.SCENARIOS.get(scenario)
    if chosen is None:
        accepted = f"accepted are {', '.join(scenarios.SCENARIOS)}"
        raise ConfigError([Fault("simulate", "scenario", scenario, accepted)])
    if (broker_url is None) == (out is None):
        accepted = "accepted is one of a broker and a file"
        raise ConfigError([Fault("simulate", "broker", broker_url, accepted)])
    _check_speed(speed, "simulate")
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
    broker = _broker(broker_url, "simulate")
    if not into_live:
        await refuse_live(broker, root)
    return await _published(broker, messages, _pace(begin_ms, speed), progress, None)


async def replay(
    file: Path,
    *,
    root: str,
    broker_url: str,
    clock_ms: Callable[[], int],
    mapping: CsvMapping | None = None,
    mapping_file: Path | None = None,
    speed: float = 1.0,
    rebase: Rebase = Rebase.NONE,
    batch: int | None = None,
    into_live: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Publish a CSV (.csv, .csv.gz) as the devices of its mapping.

    mapping, mapping_file : how to read it; with neither, the file's own name with .toml
        (`gauge.csv.gz` has `gauge.toml`)
    batch : rows in a message; by default 1 up to a speed of 60, and 500 above

    Raises as `simulate` does. What is bad in a row is counted in the report.
    """
    _check_speed(speed, "replay")
    broker = _broker(broker_url, "replay")
    how = mapping if mapping is not None else mapping_of_file(file, mapping_file)
    if not into_live:
        await refuse_live(broker, root)
    recorded = await asyncio.to_thread(read_csv, file, how)
    now_ms = clock_ms()
    first_ms, last_ms = span_ms(recorded) or (now_ms, now_ms)
    shift_ms = rebase_shift_ms(rebase, first_ms, last_ms, speed, now_ms)
    rows = batch if batch is not None else (1 if speed <= 60.0 else SAMPLES_MAX)
    messages = replaying.messages(
        recorded,
        root=root,
        shift_ms=shift_ms,
        batch=rows,
        boot=now_ms // 1000,
        sim=into_live,
    )
    return await _published(broker, messages, _pace(first_ms + shift_ms, speed), progress, recorded)


def _check_speed(speed: float, command: str) -> None:
    if not speed > 0.0:
        raise ConfigError([Fault(command, "speed", speed, "a number above 0, or max")])


def _broker(url: str, command: str) -> Broker:
    try:
        return Broker.of(url)
    except ValueError as error:
        raise ConfigError([Fault(command, "broker", url, str(error))]) from None


def _pace(first_ms: int, speed: float) -> Wait:
    return at_once if math.isinf(speed) else loop_pace(first_ms, speed)


async def _written(out: Path, messages: Iterator[Message]) -> Report:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    count, samples = await asyncio.to_thread(write_messages, out, messages)
    return Report(count, samples, count, samples, loop.time() - begun_s)


async def _published(
    broker: Broker,
    messages: Iterator[Message],
    wait: Wait,
    progress: Callable[[Progress], None] | None,
    recorded: Recorded | None,
) -> Report:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    publisher = Publisher(broker, messages, wait=wait, progress=progress)
    await publisher.run()
    return Report(
        publisher.offered_messages,
        publisher.offered_samples,
        publisher.acknowledged_messages,
        publisher.acknowledged_samples,
        loop.time() - begun_s,
        recorded.rows if recorded else 0,
        recorded.skipped if recorded else {},
        recorded.left_out if recorded else {},
        recorded.examples if recorded else (),
    )
