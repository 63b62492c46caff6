"""What the command line calls: a recording to a broker; and what every such run shares."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.faults import ConfigError, Fault
from ingest.payload import SAMPLES_MAX
from simulators import replay as replaying
from simulators.guard import refuse_live
from simulators.mapping import CsvMapping
from simulators.message import Message
from simulators.publish import Broker, Progress, Publisher, Wait, at_once, loop_pace
from simulators.recorded import Recorded, mapping_of_file, read_csv
from simulators.replay import Rebase, rebase_shift_ms, span_ms

MAX_SPEED = math.inf
"""The speed `max`: as fast as the broker acknowledges."""


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

    Raises `ConfigError` for what can't be used, `LiveServiceError` where a real service
    listens, `aiomqtt.MqttError` where the broker can't be reached. What is bad in a row is
    counted in the report.
    """
    check_speed(speed, "replay")
    broker = broker_of(broker_url, "replay")
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
    return await published(
        broker, messages, pace_of(first_ms + shift_ms, speed), progress, recorded
    )


def check_speed(speed: float, command: str) -> None:
    if not speed > 0.0:
        raise ConfigError([Fault(command, "speed", speed, "a number above 0, or max")])


def broker_of(url: str, command: str) -> Broker:
    try:
        return Broker.of(url)
    except ValueError as error:
        raise ConfigError([Fault(command, "broker", url, str(error))]) from None


def pace_of(first_ms: int, speed: float) -> Wait:
    return at_once if math.isinf(speed) else loop_pace(first_ms, speed)


async def published(
    broker: Broker,
    messages: Iterator[Message],
    wait: Wait,
    progress: Callable[[Progress], None] | None,
    recorded: Recorded | None = None,
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
